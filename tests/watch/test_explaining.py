"""Findings of a watcher that knows the policies: told with what keeps the role out, and the change that ends it."""

import json

import pytest
from stories import Story, call

from calls import ROLE
from rolewatch.cli.enriching import shown
from rolewatch.watch import explaining
from rolewatch.watch.explaining import Explainer


def policy(bucket, **condition):
    """Make a bucket's policy that shuts out whoever does not come through a VPC."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "VpcOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d5e6f7a8b9"}} | condition,
            }
        ],
    }


class Place:
    """A story whose watcher explains by a folder of policies, and the seconds that its clock shows."""

    def __init__(self, folder):
        self.policies, logs = folder / "policies", folder / "logs"
        self.policies.mkdir()
        logs.mkdir()
        self.story = Story(str(folder / "state"), logs)
        self.seconds = 0.0
        self.told = []
        self.story.explainer = Explainer(
            str(self.policies), shown, lambda *words: self.told.append(words), lambda: self.seconds
        )
        self.story.begin()

    def keep(self, bucket, content):
        """Put a policy into the folder."""
        (self.policies / f"arn%3Aaws%3As3%3A%3A%3A{bucket}.json").write_text(
            content if isinstance(content, str) else json.dumps(content)
        )


@pytest.fixture
def place(tmp_path):
    """Give a place, and close its state at the end."""
    made = Place(tmp_path)
    yield made
    made.story.close()


def test_a_denial_is_told_with_its_proven_change(place):
    """The notification, and the finding as it is kept, say which statement denies and what to change."""
    place.keep("b", policy("b"))
    place.story.happen(call(0, denied=True, errorMessage="Access Denied"))
    (told,) = place.story.notifications
    for finding in (told.findings[0], place.story.findings["b"]):
        assert finding["cause"]["evidence"] == "policy"
        assert finding["decided_by"]["sid"] == "VpcOnly"
        assert ROLE in finding["fix"]["diff"]
        assert finding["fix"]["proof"]["request_allowed"] is True


def test_what_is_over_is_not_explained(place):
    """A recovery needs no change."""
    place.keep("b", policy("b"))
    place.story.happen(call(0, denied=True))
    place.story.happen(call(1), call(60, "other"))
    assert place.story.told[-1] == ("recovered", "b")
    assert "fix" not in place.story.findings["b"]


def test_without_the_policy_the_message_counts(place):
    """What was not collected is told as before, with why there is no change."""
    place.story.happen(call(0, denied=True))
    finding = place.story.findings["b"]
    assert (finding["cause"]["evidence"], finding["fix"]) == ("message", None)


def test_a_policy_that_cannot_be_read_is_said_once(place):
    """The finding stays as its messages tell it, and the watcher goes on."""
    place.keep("b", "{")
    place.story.happen(call(0, denied=True))
    place.story.happen(call(1, denied=True, name="GetBucketAcl"))
    assert "fix" not in place.story.findings["b"]
    assert [name for name, _ in place.told] == ["policies"]


def test_a_policy_that_changes_is_read_anew(place):
    """After a minute at most, what was explained before is explained again."""
    place.story.happen(call(0, denied=True))
    place.keep("b", policy("b"))
    place.seconds += explaining.FRESH
    place.story.happen(call(1, denied=True))
    assert place.story.findings["b"]["cause"]["evidence"] == "policy"


def test_a_transaction_explains_a_few_findings_only(place, monkeypatch):
    """The others are explained when they are looked at again."""
    monkeypatch.setattr(explaining, "AT_ONCE", 1)
    for bucket in "bc":
        place.keep(bucket, policy(bucket))
    place.story.happen(call(0, denied=True), call(0, "c", denied=True))
    assert sum(finding["cause"]["evidence"] == "policy" for finding in place.story.documents) == 1
    place.story.happen(call(1, denied=True), call(1, "c", denied=True))
    assert [finding["cause"]["evidence"] for finding in place.story.documents] == ["policy", "policy"]
