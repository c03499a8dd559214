"""`rolewatch aws destroy` from end to end, against the AWS of `moto_cloud.py`."""

import json
import sys

import pytest
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures

from rolewatch.aws import buckets
from rolewatch.base.errors import CannotDo
from rolewatch.cli import aws_stacks

MAIL = ("--email", "a@example.com")


def fill(cloud, bucket, number=3):
    """Put versions and delete markers of one object, and an unfinished upload, into a bucket."""
    s3 = cloud.client("s3")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)  # moto keeps to it, and is not asked by TLS
    for _ in range(number):
        s3.put_object(Bucket=bucket, Key="AWSLogs/log", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="AWSLogs/log")
    s3.create_multipart_upload(Bucket=bucket, Key="AWSLogs/part")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def left(cloud):
    """Return what is left of a pipeline: alarms, log groups and topics."""
    found = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return (
        [each["AlarmName"] for each in (*found["MetricAlarms"], *found["CompositeAlarms"])],
        [each["logGroupName"] for each in cloud.client("logs").describe_log_groups()["logGroups"]],
        cloud.client("sns").list_topics()["Topics"],
    )


def test_all_but_the_log_files_goes(cloud):
    """With another trail that records all management events, stack and trail go; the bucket stays, and is told of."""
    cloud.make_trail("other")
    out = cloud.json("deploy", *MAIL)["outputs"]
    told = cloud.json("destroy", "--yes")
    assert told["result"] == "removed"
    assert told["trail"] == {
        "arn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/rolewatch",
        "kept": False,
        "reason": "other records all management events, too",
    }
    assert told["bucket"] == {"name": out["TrailBucket"], "kept": True}
    assert (list(cloud.trails()), cloud.stacks(), left(cloud)) == (["other"], {}, ([], [], []))
    assert out["TrailBucket"] in cloud.buckets()


def test_the_last_trail_stays(cloud):
    """Without another trail, all but trail and bucket goes, and why is said; a second run finds nothing to do."""
    out = cloud.json("deploy", *MAIL)["outputs"]
    status, text, _ = cloud.run("destroy", "--yes")
    assert status == 0
    assert (
        "Kept: the trail rolewatch with its bucket, because no other trail of this account is known to record its management events."
        in text
    )
    assert cloud.trails() == {"rolewatch": (out["TrailBucket"], "", True)}
    assert (cloud.stacks(), left(cloud)) == ({"rolewatch": "UPDATE_COMPLETE"}, ([], [], []))
    assert cloud.json("destroy", "--yes")["result"] == "unchanged"


def test_deploy_after_the_last_trail_stayed(cloud):
    """What destroy has left, deploy completes again, with the same trail and bucket."""
    before = cloud.json("deploy", *MAIL)["outputs"]
    cloud.json("destroy", "--yes")
    after = cloud.json("deploy")["outputs"]
    assert (after["TrailBucket"], cloud.trails()["rolewatch"][1]) == (
        before["TrailBucket"],
        after["LogGroupArn"],
    )
    assert left(cloud)[0] == ["rolewatch-denied", "rolewatch-silent", "rolewatch-state"]


def test_insisting_removes_the_last_trail(cloud):
    """--leave-no-trail removes it, and says that nothing records any more."""
    cloud.json("deploy", *MAIL)
    status, text, _ = cloud.run("destroy", "--yes", "--leave-no-trail")
    assert (status, cloud.trails(), cloud.stacks()) == (0, {}, {})
    assert "Nothing records management events of this account any more then" in text


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"logging": False}, "no other trail of this account is known"),
        (
            {"multi_region": False},
            "it is the only one that records all Regions; other records us-east-1 alone",
        ),
    ],
    ids=["does not log", "records one Region"],
)
def test_a_trail_that_is_no_replacement(cloud, other, why):
    """A trail that does not log, or records less, does not make ours the second one."""
    cloud.make_trail("other", **other)
    cloud.json("deploy", *MAIL)
    told = cloud.json("destroy", "--plan")
    assert (told["trail"]["kept"], why in told["trail"]["reason"]) == (True, True)


def test_a_trail_of_data_events_is_no_replacement(cloud):
    """A trail whose selectors leave management events out does not count."""
    cloud.make_trail("other")
    selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": []}]
    cloud.client("cloudtrail").put_event_selectors(TrailName="other", EventSelectors=selectors)
    cloud.json("deploy", *MAIL)
    assert cloud.json("destroy", "--plan")["trail"]["kept"] is True


def test_plan_changes_nothing(cloud):
    """--plan lists what would go, alarms first and the trail before its bucket's policy, and does nothing."""
    cloud.make_trail("other")
    cloud.json("deploy", *MAIL)
    status, text, _ = cloud.run("destroy", "--plan")
    assert (status, cloud.stacks()) == (0, {"rolewatch": "CREATE_COMPLETE"})
    order = ["the composite alarm", "the alarm on denials", "the metric filter", "the topic of", "the trail", "the log group", "the bucket's policy", "the stack rolewatch"]  # fmt: skip
    places = [text.index(f"  {words}") for words in order]
    assert places == sorted(places)
    assert "Management events are still recorded: other records all management events, too." in text


def test_nobody_to_ask(cloud):
    """Without a terminal and without --yes it shows what it would do, and does nothing."""
    cloud.json("deploy", *MAIL)
    status, _, err = cloud.run("destroy")
    assert (status, "write --yes" in err, "the composite alarm over both" in err) == (2, True, True)
    assert cloud.stacks() == {"rolewatch": "CREATE_COMPLETE"}


@pytest.mark.parametrize(("said", "status", "stacks"), [("y", 0, {}), ("no", 2, {"rolewatch": "CREATE_COMPLETE"}), ("", 2, {"rolewatch": "CREATE_COMPLETE"})])  # fmt: skip
def test_an_answer_decides(cloud, monkeypatch, said, status, stacks):
    """On a terminal, only yes goes on."""
    cloud.make_trail("other")
    cloud.json("deploy", *MAIL)
    monkeypatch.setattr("rolewatch.cli.aws_destroy.answer", lambda _: said)
    assert (cloud.run("destroy")[0], cloud.stacks()) == (status, stacks)


def test_log_files_go_if_asked_twice(cloud):
    """With --delete-logs and the bucket's name, every version, marker and unfinished upload goes, the bucket, and its key."""
    cloud.make_trail("other")
    out = cloud.json("deploy", *MAIL, "--trail-key", "new")["outputs"]
    fill(cloud, out["TrailBucket"])
    told = cloud.json("destroy", "--yes", "--delete-logs", "--yes-delete", out["TrailBucket"])
    assert (told["bucket"]["kept"], cloud.buckets()) == (False, ["bucket-of-other"])
    key = cloud.client("kms").describe_key(KeyId=out["LogFileKey"])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"


def test_asked_once_is_not_enough(cloud):
    """--delete-logs alone asks for the name; where nobody can be asked, nothing is changed, the stack is there as it was."""
    cloud.make_trail("other")
    out = cloud.json("deploy", *MAIL)["outputs"]
    status, _, err = cloud.run("destroy", "--yes", "--delete-logs")
    assert (status, f"write --yes-delete {out['TrailBucket']}" in err) == (2, True)
    assert cloud.stacks() == {"rolewatch": "CREATE_COMPLETE"}


@pytest.mark.parametrize("right", [True, False])
def test_the_name_is_typed(cloud, monkeypatch, right):
    """On a terminal the bucket's name has to be typed; another word changes nothing."""
    cloud.make_trail("other")
    out = cloud.json("deploy", *MAIL)["outputs"]
    monkeypatch.setattr("rolewatch.cli.aws_destroy.answer", lambda _: out["TrailBucket"] if right else "yes")
    status = cloud.run("destroy", "--yes", "--delete-logs")[0]
    assert (status, out["TrailBucket"] in cloud.buckets(), cloud.stacks() == {}) == (
        (0, False, True) if right else (2, True, False)
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--delete-logs", "--yes-delete", "another"), "names the bucket another, and the stack's is"),
        (("--yes-delete", "another"), "--yes-delete goes with --delete-logs"),
        (("--delete-logs",), "the bucket cannot go as long as the trail stays"),
    ],
)
def test_wrong_words_about_the_bucket(cloud, words, said):
    """A wrong name, a name alone, and a bucket that the last trail needs: nothing is changed."""
    cloud.json("deploy", *MAIL)
    status, _, err = cloud.run("destroy", "--yes", *words)
    assert (status, said in err, cloud.stacks()) == (2, True, {"rolewatch": "CREATE_COMPLETE"})


def test_log_files_of_a_stack_that_is_gone(cloud):
    """The bucket that an earlier run kept can go later: it knows its stack and its key by its tags."""
    cloud.make_trail("other")
    out = cloud.json("deploy", *MAIL, "--trail-key", "new")["outputs"]
    fill(cloud, out["TrailBucket"])
    cloud.json("destroy", "--yes")
    status, text, _ = cloud.run("destroy", "--yes", "--delete-logs", "--yes-delete", out["TrailBucket"])
    assert (status, out["TrailBucket"] in cloud.buckets()) == (0, False)
    assert out["LogFileKey"] in text
    assert cloud.json("destroy", "--yes", "--delete-logs", "--yes-delete", out["TrailBucket"])["result"] == "unchanged"  # fmt: skip


def test_other_buckets_are_not_ours(cloud):
    """A bucket without our tag, or of another stack, is not touched."""
    cloud.client("s3").create_bucket(Bucket="payroll")
    status, _, err = cloud.run("destroy", "--yes", "--delete-logs", "--yes-delete", "payroll")
    assert (status, "the bucket payroll was not made by a stack rolewatch" in err) == (4, True)
    assert cloud.buckets() == ["payroll"]


def test_a_bucket_that_a_trail_still_writes_to(cloud):
    """The bucket of a stack that is gone is kept where another trail uses it."""
    cloud.make_trail("other")
    cloud.client("s3").put_bucket_tagging(
        Bucket="bucket-of-other", Tagging={"TagSet": [{"Key": "rolewatch:stack", "Value": "rolewatch"}]}
    )
    status, _, err = cloud.run("destroy", "--yes", "--delete-logs", "--yes-delete", "bucket-of-other")
    assert (status, "the trail other still writes to the bucket" in err) == (4, True)


def test_an_attached_trail_is_detached(cloud):
    """A trail that deploy has told to deliver to the stack's group delivers to none again, and is otherwise as it was."""
    cloud.make_trail("mine")
    cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    told = cloud.json("destroy", "--yes")
    assert (told["detached"], told["trail"]) == ([f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/mine"], None)
    assert (cloud.trails(), left(cloud)) == ({"mine": ("bucket-of-mine", "", True)}, ([], [], []))


def test_a_stack_of_somebody_else(cloud):
    """A stack that is not ours is not touched."""
    body = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    cloud.client("cloudformation").create_stack(StackName="rolewatch", TemplateBody=body)
    status, _, err = cloud.run("destroy", "--yes")
    assert (status, "rolewatch did not make the stack rolewatch" in err) == (4, True)
    assert cloud.stacks() == {"rolewatch": "CREATE_COMPLETE"}


def test_nothing_to_remove(cloud):
    """Without a stack there is nothing to do, which is no error."""
    status, text, _ = cloud.run("destroy", "--yes")
    assert (status, text) == (0, "There is no stack rolewatch: nothing was removed.\n")


def test_many_versions(cloud):
    """A bucket is emptied page by page, and how many are gone is told as it goes."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="many")
    s3.put_bucket_versioning(Bucket="many", VersioningConfiguration={"Status": "Enabled"})
    for number in range(25):
        s3.put_object(Bucket="many", Key=str(number % 7), Body=b"x")
    told = []
    assert buckets.empty(s3, "many", batch=10, tell=told.append) == 25
    assert (told, "Versions" in s3.list_object_versions(Bucket="many")) == ([10, 20, 25], False)


def test_versions_that_cannot_be_deleted():
    """Where S3 refuses some, the error says how many are gone and which one is not."""

    class Locked:
        def list_object_versions(self, **_):
            return {"Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]}

        def delete_objects(self, **_):
            return {"Errors": [{"Key": "b", "VersionId": "2", "Code": "AccessDenied"}]}

    with pytest.raises(
        CannotDo, match=r"refuses to delete 1 versions, of them b: AccessDenied; 1 are deleted"
    ):
        buckets.empty(Locked(), "locked")


def test_questions_need_a_terminal(monkeypatch):
    """Where standard input is none, nobody is asked."""
    monkeypatch.setattr(sys, "stdin", None)
    assert aws_stacks.answer("Go on? ") is None
