"""Every kind of policy fetched, with AWS's answers laid out: the request that is made, and what a reader finds in the folder."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from rolewatch.aws.accounts import Access, Accounts
from rolewatch.aws.pace import Pace
from rolewatch.aws.policy_fetch import Asker, Fetcher
from rolewatch.aws.policy_kept import Kept
from rolewatch.aws.policy_targets import target_of
from rolewatch.catalog.naming import Place, build
from rolewatch.catalog.policy_kinds import kind, kinds
from rolewatch.catalog.policy_lists import ABSENT
from rolewatch.explain.folder import Folder, file_name

ACCOUNT, REGION = "111122223333", "eu-west-1"
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)  # fmt: skip
NAMES = {
    "endpoint": ("vpce-1a2b3c4d",),
    "layer": ("l", "3"),
    "role-trust": ("aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",),
    "outposts-bucket": ("op-1", "b"),
    "organization": ("o-abcdefghij", "rp-abcdefgh"),
}
FETCHED = [each.kind for each in kinds()]


def arn_of(name):
    """Write the ARN of a resource of a kind."""
    of = kind(name)
    for names in (NAMES.get(name, ()), ("n-1a2b3c",), ("n-1a2b3c", "m-1a2b3c"), ()):
        arn = build(of.type, names, Place("aws", REGION, ACCOUNT))
        if arn and (names or name == "data-catalog"):
            return arn
    raise AssertionError(name)


def answered(name, policy):
    """Write an answer that holds a policy, in the shape of the API."""
    path = kind(name).answer.split(".")
    if name == "email-identity":
        return {"Policies": {"p": policy} if policy else {}}
    found = policy
    for part in reversed(path):
        found = {part: found}
    lists = {"endpoint": "VpcEndpoints", "log-group": "resourcePolicies", "log-destination": "destinations"}
    if name in lists:
        found = {lists[name]: [{**found[lists[name]], "destinationName": "n-1a2b3c"}]}
    return found


class Scripted:
    """Accounts whose clients answer without a network; `sent` are the requests: (operation, URL and body)."""

    def __init__(self, monkeypatch, answer):
        self.sent = []
        monkeypatch.setattr(
            Accounts,
            "_who",
            lambda _: SimpleNamespace(
                account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/me", partition="aws"
            ),
        )

        def prepare(client):
            client.meta.events.register(
                "before-call", lambda model, params, **_: self._answer(answer, model, params)
            )

        self.accounts = Accounts(Access(), Pace(1_000_000), prepare=prepare)

    def _answer(self, answer, model, params):
        self.sent.append((model.name, params["url"], params.get("body")))
        found = answer(model)
        if isinstance(found, Exception):
            raise found
        status = 400 if "Error" in found else 200
        return SimpleNamespace(status_code=status), {**found, "ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.fixture
def fetched(aws_environment, monkeypatch, tmp_path):
    """Give a way to fetch a target with an answer laid out: rows, folder and requests out."""
    del aws_environment
    monkeypatch.setattr("rolewatch.base.aws.ATTEMPTS", 1)

    def fetch(arn, answer, *, max_age=timedelta(0)):
        scripted = Scripted(monkeypatch, answer if callable(answer) else lambda _: answer)
        kept = Kept(str(tmp_path), max_age=max_age, now=lambda: datetime.now(UTC))
        rows = Fetcher(Asker(scripted.accounts), kept).fetch(target_of(arn, ACCOUNT))
        return rows, Folder(str(tmp_path)), scripted.sent

    return fetch


@pytest.mark.parametrize("name", FETCHED)
def test_a_policy_of_each_kind_is_read_again(fetched, name):
    """By the call of the catalogue, in its one request, whose parameters botocore accepts."""
    arn = arn_of(name)
    answer = answered(name, POLICY)
    (row, *_), folder, sent = fetched(
        arn, lambda model: {"Grants": []} if model.name == "ListGrants" else answer
    )
    assert (row.status, row.resource, row.policy) == ("collected", arn, kind(name).name)
    assert json.loads(folder.policy(arn).text) == json.loads(POLICY)
    beside = ("ListGrants", "ListMultiRegionAccessPoints")
    assert len([name for name, *_ in sent if name not in beside]) == 1


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_a_resource_without_a_policy_is_kept_as_such(fetched, name):
    """Whichever of the codes says so."""
    for code in ABSENT[name]:
        arn = arn_of(name)
        rows, folder, _ = fetched(arn, {"Error": {"Code": code, "Message": "no such policy"}})
        assert [row.status for row in rows] == ["absent"]
        assert (folder.asked(arn), folder.policy(arn)) == (True, None)


@pytest.mark.parametrize(
    "name", ["queue", "topic", "secret", "event-bus", "search-domain", "rest-api", "email-identity"]
)
@pytest.mark.parametrize("nothing", [None, "", "{}"])
def test_an_answer_without_a_policy_is_none(fetched, name, nothing):
    """Whether it is left out, empty, or an empty object."""
    answer = (
        {"Policies": {}} if name == "email-identity" else {} if nothing is None else answered(name, nothing)
    )
    (row,), folder, _ = fetched(arn_of(name), answer)
    assert row.status == "absent"
    assert folder.policy(arn_of(name)) is None


def test_the_quotes_of_api_gateway_are_undone(fetched):
    """It gives a policy with a backslash before each quote."""
    arn = arn_of("rest-api")
    _, folder, _ = fetched(arn, {"policy": POLICY.replace('"', '\\"')})
    assert json.loads(folder.policy(arn).text) == json.loads(POLICY)


def test_a_multi_region_access_point_is_asked_for_by_its_name(fetched):
    """Its ARN has the alias, which the list of all tells the name of; one that is not in the list is gone."""
    arn = f"arn:aws:s3::{ACCOUNT}:accesspoint/mfzwi23gnjvgw.mrap"
    listed = [{"Name": "other", "Alias": "abc.mrap"}, {"Name": "mine", "Alias": "mfzwi23gnjvgw.mrap"}]

    def answer(model):
        if model.name == "ListMultiRegionAccessPoints":
            return {"AccessPoints": listed}
        return answered("multi-region-access-point", POLICY)

    (row,), folder, sent = fetched(arn, answer)
    assert (row.status, json.loads(folder.policy(arn).text)) == ("collected", json.loads(POLICY))
    assert [url.rpartition("/v20180820")[2] for _, url, _ in sent][-1] == "/mrap/instances/mine/policy"
    listed.pop()
    gone = {"Error": {"Code": "NoSuchMultiRegionAccessPoint", "Message": "no"}}
    (row,), _, _ = fetched(
        arn, lambda model: {"AccessPoints": listed} if model.name.startswith("List") else gone
    )
    assert row.status == "gone"


def test_a_destination_is_not_another_that_begins_alike(fetched):
    """CloudWatch Logs lists destinations by a prefix."""
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:destination:own"
    other = {"destinationName": "own-too", "accessPolicy": POLICY}
    (row,), folder, _ = fetched(arn, {"destinations": [other]})
    assert (row.status, folder.asked(arn)) == ("gone", False)
    own = {"destinationName": "own", "accessPolicy": POLICY.replace("One", "Own")}
    (row,), folder, _ = fetched(arn, {"destinations": [other, own]})
    assert (row.status, folder.policy(arn).policy.statements[0].sid) == ("collected", "Own")


def test_a_recovery_point_does_not_tell_its_vault(fetched):
    """So nothing is asked, rather than something about another resource."""
    arn = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:1a2b3c"
    (row,), _, sent = fetched(arn, {"Policy": POLICY})
    assert (row.status, sent) == ("failed", [])
    assert "does not tell" in row.reason


def test_a_bucket_of_somebody_else_is_told(fetched):
    """S3 calls it a method that is not allowed."""
    (row,), _, _ = fetched(
        "arn:aws:s3:::theirs", {"Error": {"Code": "MethodNotAllowed", "Message": "not against this resource"}}
    )
    assert row.status == "failed"
    assert "belongs to another account" in row.reason


def test_a_region_that_is_not_enabled_is_named(fetched):
    """There, AWS says that it does not know the credentials."""
    (row,), _, _ = fetched(
        arn_of("table"),
        {"Error": {"Code": "UnrecognizedClientException", "Message": "The security token is invalid"}},
    )
    assert row.status == "failed"
    assert f"whether {REGION} is enabled" in row.reason


def test_a_network_that_is_down_is_told(fetched):
    """With the remedy to run it again."""
    (row,), _, _ = fetched(arn_of("secret"), lambda _: EndpointConnectionError(endpoint_url="https://x"))
    assert row.status == "failed"
    assert "run it again" in row.reason


def test_a_name_that_no_file_can_have(fetched):
    """It is told, and the run goes on."""
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{'s' * 300}"
    (row,), _, sent = fetched(arn, {"ResourcePolicy": POLICY})
    assert (row.status, sent) == ("failed", [])
    assert "characters" in row.reason


def test_times_are_written_as_iso(fetched, tmp_path):
    """As the AWS CLI prints them."""
    arn = arn_of("key")
    grant = {"GrantId": "g", "CreationDate": datetime(2026, 3, 1, tzinfo=UTC)}
    fetched(arn, lambda model: {"Grants": [grant]} if model.name == "ListGrants" else {"Policy": POLICY})
    written = (tmp_path / file_name(arn).replace(".json", ".grants.json")).read_text()
    assert json.loads(written) == {"Grants": [{"GrantId": "g", "CreationDate": "2026-03-01T00:00:00+00:00"}]}
    assert not list(tmp_path.glob(".rolewatch-*"))
