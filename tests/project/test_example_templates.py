"""The templates in examples/: what they match, what they do not, and what lint says of them."""

import gzip
import json
from pathlib import Path

import pytest

from rolewatch.catalog.codes import AUTHORIZED_BUT_ABSENT, CODES, GONE, classify
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials
from rolewatch.lint.denials import GLOBS
from rolewatch.lint.run import lint_template
from rolewatch.templates import read_template

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc")
ROLE = "arn:{}:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
DENIALS = [row.code for row in CODES if row.kind != "authentication"]
OTHERS = [
    *(row.code for row in CODES if row.kind == "authentication"),
    *sorted(AUTHORIZED_BUT_ABSENT),
    *(row.code for row in GONE),
    "AuthorizationAlreadyExists", "AuthorizationNotFound", "AuthorizationPendingException", "Client.DryRunOperation",
    "Client.RequestLimitExceeded", "ConditionalCheckFailedException", "InsufficientInstanceCapacity", "InternalError",
    "InvalidAuthorizationMessageException", "LimitExceededException", "MethodNotAllowedException", "NoSuchEntity",
    "PermissionAlreadyExistsException", "ProvisionedThroughputExceededException", "Server.InternalError", "SlowDown",
    "SubnetNotAllowedFault", "Throttling", "ThrottlingException", "TooManyRequestsException", "ValidationException",
]  # fmt: skip
NO_ROLES = [
    None,
    "arn:aws:iam::111122223333:role/AWSServiceRoleForConfig",
    "arn:aws:iam::111122223333:role/service-role/aws-service-role",
    "arn:aws:iam::111122223333:user/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
    "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/session",
    "arn:aws:iam::111122223333:role/aws-ec2-spot-fleet-tagging-role",
]
NAMES = ("article", "slr-denied", "cis")


def template(name):
    """Read one of the templates."""
    file = EXAMPLES / f"{name}.template.yaml"
    return read_template(file.read_bytes(), file.name)


def record(role, code, name="GetBucketLocation"):
    """Write a record of a role's session that ended with an error code."""
    context = (
        {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "x"}}} if role else {}
    )
    errors = {"errorCode": code} if code else {}
    return json.dumps({"eventName": name, "userIdentity": {"type": "AssumedRole", **context}, **errors})


@pytest.fixture(scope="module")
def ours():
    """Return the pattern of slr-denied.template.yaml."""
    return template("slr-denied").filters[0].pattern


@pytest.mark.parametrize("name", NAMES)
def test_templates_are_read_without_a_word(name):
    """Each template is understood as a whole, with the defaults of its parameters."""
    found = template(name)
    assert found.notices == ()
    assert (len(found.filters), len(found.alarms)) == {
        "article": (1, 1),
        "slr-denied": (2, 1),
        "cis": (15, 15),
    }[name]
    assert [topic.subscriptions for topic in found.topics] == [(("email", "security@example.com"),)]
    assert {alarm.actions.alarm for alarm in found.alarms} == {(found.topics[0].arn,)}


@pytest.mark.parametrize(
    "code", [*DENIALS, *(f"Client.{code}" for code in DENIALS if code.startswith("Unauthorized"))]
)
def test_ours_matches_every_refusal(ours, code):
    """Every spelling of a refusal that scan counts is matched, for a role of any partition and a call of any name."""
    for partition in PARTITIONS:
        assert ours(record(ROLE.format(partition), code))
    assert ours(record(ROLE.format("aws"), code, name="CreateGrant"))


@pytest.mark.parametrize("code", [None, *dict.fromkeys(OTHERS)])
def test_ours_matches_nothing_else(ours, code):
    """Success, throttling, what does not exist and who is not known at all are no refusals."""
    assert not (code and classify(code) not in (None, "authentication"))
    assert not ours(record(ROLE.format("aws"), code))


@pytest.mark.parametrize("role", NO_ROLES)
def test_ours_matches_service_linked_roles_only(ours, role):
    """Whoever else is refused, by whatever name, does not count."""
    assert not ours(record(role, "AccessDenied"))


def records():
    """Yield all records of the trails in examples/deliveries, as JSON."""
    for file in sorted((EXAMPLES / "deliveries" / "AWSLogs").rglob("*.json.gz")):
        for each in json.loads(gzip.decompress(file.read_bytes())).get("Records", []):
            yield json.dumps(each)


def test_ours_is_what_lint_advises(ours):
    """The pattern holds the globs that lint offers, and one code more: Security Hub is not enabled."""
    assert all(f'($.errorCode = "{glob}")' in ours.text for glob in (*GLOBS, "InvalidAccessException"))
    assert ours.text.count("errorCode") == len(GLOBS) + 1


def test_ours_matches_what_scan_finds(ours):
    """On the example deliveries the filter and the denial rule of scan agree on every record."""
    found = [(ours(raw), bool(denials(decode(raw.encode()), raw.encode(), Rule()))) for raw in records()]
    assert {(True, True), (False, False)} == set(found)
    assert sum(matched for matched, _ in found) == 58


def test_ours_is_as_issued():
    """Two filters with one pattern: with default 0 for the alarm, and by role, without a default, for graphs."""
    found = template("slr-denied")
    watched, graph = found.filters
    (alarm,) = found.alarms
    assert watched.pattern.text == graph.pattern.text
    assert (watched.transformation.default, watched.transformation.dimensions) == (0, ())
    assert (graph.transformation.default, graph.transformation.dimensions) == (
        None,
        (("Role", "$.userIdentity.sessionContext.sessionIssuer.userName"),),
    )
    assert alarm.stat.metric[:2] == (watched.transformation.namespace, watched.transformation.name)
    assert (alarm.stat.statistic, alarm.stat.period, alarm.threshold, alarm.comparison_operator) == (
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
    )
    assert (alarm.datapoints_to_alarm, alarm.evaluation_periods, alarm.treat_missing_data) == (
        1,
        12,
        "notBreaching",
    )
    assert alarm.actions.ok == ()


def test_the_article_is_as_published():
    """The article's set-up is kept to the letter, mistakes included."""
    (found,), (alarm,) = template("article").filters, template("article").alarms
    assert found.pattern.text == (
        "{ $.eventName = Get* && $.errorCode = AccessDenied && "
        '$.userIdentity.sessionContext.sessionIssuer.arn = "arn:aws:iam::*:role/aws-service-role/*" }'
    )
    assert (found.transformation.value, found.transformation.default) == ("1", 1)
    assert (alarm.stat.statistic, alarm.stat.period, alarm.threshold) == ("Sum", 3600, 1)
    assert (alarm.datapoints_to_alarm, alarm.evaluation_periods, alarm.treat_missing_data) == (
        1,
        1,
        "notBreaching",
    )


def test_the_benchmark_is_complete():
    """Recommendations 4.1 to 4.15 have a filter and an alarm each, and none a default that counts."""
    found = template("cis")
    numbers = [alarm.name.split("-")[1] for alarm in found.alarms]
    assert numbers == [f"4.{number}" for number in range(1, 16)]
    assert {each.transformation.default for each in found.filters} == {None}
    assert [(each.transformation.namespace, each.transformation.name) for each in found.filters] == [
        alarm.stat.metric[:2] for alarm in found.alarms
    ]


LINTED = {
    "article": [
        "narrow-event-name",
        "forgotten-codes",
        "fixed-partition",
        "default-counts-others",
        "always-breaching",
    ],
    "slr-denied": [],
    "cis": ["forgotten-codes", "missing-field"],
}


@pytest.mark.parametrize("name", NAMES)
def test_what_lint_says(name):
    """The article's mistakes are named, ours has none, and the benchmark's are its two known gaps."""
    assert sorted(each.rule for each in lint_template(template(name))) == sorted(LINTED[name])
