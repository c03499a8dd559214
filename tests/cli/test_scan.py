"""`rolewatch scan` as a whole command: what each option leaves in, and how the command ends."""

import gzip
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deliveries
import pytest

from rolewatch.catalog.codes import classify
from rolewatch.cli.scan import FORMATS, OPTIONS, PRINCIPALS, SEVERITIES, is_open
from rolewatch.denials.principal import KINDS
from rolewatch.findings.severity import LEVELS
from rolewatch.report.formats import FORMATS as WRITERS

STORY = ["back", "blind", "config.amazonaws.com", "far", "macie2.amazonaws.com", "medium"]
HOME, OTHER = deliveries.HOME, deliveries.OTHER

SELECTED = [
    ("", STORY),
    ("--since 2026-03-02", ["far"]),
    ("--until 2026-03-02", [name for name in STORY if name != "far"]),
    ("--since 2026-03-01T10:03:00Z --until 2026-03-01T10:04:00Z", ["medium"]),
    ("--since 2026-03-01T10:02:59.5Z --until 2026-03-01T10:03:00.5Z", ["medium"]),
    ("--since 2026-03-01T12:03+02:00 --until 2026-03-01T12:04+02:00", ["medium"]),
    ("--since 2d", []),
    (f"--account {OTHER}", ["far"]),
    (f"--account {OTHER},{HOME}", STORY),
    (f"--account {OTHER} --account {HOME}", STORY),
    ("--region eu-west-1", ["far"]),
    ("--region us-east-1 --region eu-west-1", STORY),
    ("--service macie", ["far"]),
    ("--service macie.amazonaws.com,autoscaling", ["config.amazonaws.com", "far", "medium"]),
    ("--severity none", STORY),
    ("--severity low", ["back", "blind", "config.amazonaws.com", "far", "medium"]),
    ("--severity medium", ["back", "blind", "far", "medium"]),
    ("--severity high", ["back", "blind", "far"]),
    ("--severity critical", []),
    ("--no-recovery", STORY),
    ("--jobs 1", STORY),
    ("--jobs 2", STORY),
    ("--gunzip-limit 1MiB --gunzip-ratio 100", STORY),
]


@pytest.mark.parametrize(("words", "expected"), SELECTED)
def test_an_option_leaves_in_what_it_says(found, words, expected):
    """Times are UTC, `since` is included and `until` is not, lists may be repeated, `--severity` means that and worse."""
    assert expected == found("logs", *words.split())


def test_no_recovery_never_calls_anything_recovered(report):
    """Later successes are not looked for."""
    statuses = [
        {f["status"] for f in report("logs", *words)["findings"]} for words in ([], ["--no-recovery"])
    ]
    assert statuses == [{"blocked", "recovered"}, {"blocked"}]


def test_silent_after_is_the_time_without_an_attempt(here, report):
    """Longer than that before the last record of the account, a finding is silent."""
    later = deliveries.record(9, eventTime="2026-03-04T00:00:00Z")
    deliveries.write(here / "logs" / "later.json", later)

    def silent(*words):
        found = report("logs", *words)["findings"]
        return {f["resource"].rpartition(":")[2] for f in found if f["status"] == "silent"}

    quiet = {"blind", "config.amazonaws.com", "macie2.amazonaws.com", "medium"}
    assert [silent(), silent("--silent-after", "2d"), silent("--silent-after", "3d")] == [set(), quiet, set()]


PRINCIPALS_FOUND = [
    ("", ["blind"]),
    ("--principals slr", ["blind"]),
    ("--principals service", ["blind", "direct"]),
    ("--principals service-role", ["blind", "passed"]),
    ("--principals service,service-role", ["blind", "direct", "passed"]),
    ("--principals all", ["blind", "direct", "passed", "somebody"]),
]


@pytest.mark.parametrize(("words", "expected"), PRINCIPALS_FOUND)
def test_principals_are_watched_beside_service_linked_roles(here, found, words, expected):
    """Whoever else is asked for, service-linked roles are always watched."""
    role = f"arn:aws:iam::{HOME}:role/Passed"
    issuer = {"type": "Role", "arn": role, "accountId": HOME}
    session = {"type": "AssumedRole", "accountId": HOME, "sessionContext": {"sessionIssuer": issuer}}
    file = deliveries.write(
        here / "who.json",
        deliveries.denial(1),
        deliveries.denial(
            2, resource="direct", userIdentity={"type": "AWSService", "invokedBy": "config.amazonaws.com"}
        ),
        deliveries.denial(3, resource="passed", userIdentity=session | {"invokedBy": "lambda.amazonaws.com"}),
        deliveries.denial(4, resource="somebody", userIdentity=session),
    )
    assert expected == found(str(file), *words.split())


PATTERNS_FOUND = [
    (
        "{ $.errorCode = AccessDenied && $.eventName = GetBucket* }",
        ["back", "blind", "far", "medium"],
        "AccessDenied",
    ),
    ('{ $.requestParameters.bucketName = "seen" }', ["seen"], None),
    ("{ $.errorCode = NoSuchThing }", [], None),
    ("macie2", ["macie2.amazonaws.com"], "AccessDenied"),
]


@pytest.mark.parametrize(("pattern", "expected", "code"), PATTERNS_FOUND)
def test_a_pattern_replaces_the_denial_rule(report, pattern, expected, code):
    """Records that match are findings, refused or not, and a note says so."""
    told = report("logs", "--pattern", pattern)
    assert sorted(finding["resource"].rpartition(":")[2] for finding in told["findings"]) == expected
    assert {code for finding in told["findings"] for code in finding["error_codes"]} == {code} - {None}
    assert told["notes"] == [
        f"findings are the records that match {pattern}, whether or not anything was refused"
    ]


PATTERN_PRINCIPALS = [
    ("", ["blind", "somebody"]),
    ("--principals slr", ["blind"]),
    ("--principals all", ["blind", "somebody"]),
]


@pytest.mark.parametrize(("words", "expected"), PATTERN_PRINCIPALS)
def test_a_pattern_is_for_all_principals(here, found, words, expected):
    """A pattern names whom it wants; `--principals` narrows it."""
    user = {"type": "IAMUser", "accountId": HOME, "arn": f"arn:aws:iam::{HOME}:user/ann"}
    somebody = deliveries.denial(2, resource="somebody", userIdentity=user)
    file = deliveries.write(here / "who.json", deliveries.denial(1), somebody)
    assert found(str(file), "--pattern", "{ $.errorCode = AccessDenied }", *words.split()) == expected


def test_a_pattern_that_is_refused(call):
    """The service's text, with the pattern and a caret below the place; nothing is read."""
    status, out, err = call("scan", "logs", "--pattern", "{ $.errorCode = ! }")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "{ $.errorCode = ! }",
        "                ^",
        "rolewatch: Invalid metric filter pattern",
    ]


def test_authentication_counts_failed_credentials_too(here, found):
    """An expired token is no denial unless it is asked for."""
    file = deliveries.write(here / "expired.json", deliveries.denial(1, errorCode="ExpiredToken"))
    assert (classify("ExpiredToken"), found(str(file)), found(str(file), "--authentication")) == (
        "authentication",
        [],
        ["blind"],
    )


def test_what_inflates_beyond_the_limits_is_unreadable(here, report):
    """The delivery is named with the option that would admit it, and the status is 3."""
    person = deliveries.record(1, userIdentity={"type": "IAMUser"})
    one = json.dumps(person, separators=(",", ":")).encode()
    many = gzip.compress(b'{"Records":[' + b",".join([one] * (72 * 1024**2 // len(one))) + b"]}", 1)
    (here / "bomb.json.gz").write_bytes(many)
    limit = report("logs", "--gunzip-limit", "100", status=3)
    ratio = report("bomb.json.gz", "--gunzip-ratio", "10", status=3)
    reasons = [found["unreadable"][0]["reason"] for found in (limit, ratio)]
    assert ["--gunzip-limit" in reasons[0], "--gunzip-ratio" in reasons[1]] == [True, True], reasons


def test_standard_input_is_a_source(cli):
    """A dash stands for it, among others; what arrives is recognised by its content."""
    for path in ("logs/story.json.gz", "plain.json"):
        deliveries.write(cli.folder / path, *deliveries.story())
        done = cli("scan", "-", "--format", "json", stdin=(cli.folder / path).read_bytes())
        report = json.loads(done.stdout)
        assert (done.returncode, len(report["findings"]), report["totals"]["deliveries"]) == (
            0,
            len(STORY),
            1,
        )


def test_every_source_is_read_once(report):
    """A file named twice, and again in its folder and by a pattern, is one delivery."""
    totals = report("logs/story.json.gz", "logs", "logs/*.gz", "logs/../logs")["totals"]
    assert (totals["deliveries"], totals["records"]) == (1, 8)


def test_a_sources_name_may_begin_with_a_dash(cli):
    """It stands after two dashes."""
    deliveries.write(cli.folder / "-x.json", deliveries.denial(1))
    assert (
        json.loads(cli("scan", "--format", "json", "--", "-x.json").stdout)["findings"][0]["resource"]
        == "arn:aws:s3:::blind"
    )


ORDER = [
    ("--since 2026-03-02 --until 2026-03-01", "--since 2026-03-02T00:00:00Z is not before --until 2026-03-01T00:00:00Z"),
    ("--since 2026-03-02 --until 2026-03-02", "--since 2026-03-02T00:00:00Z is not before --until 2026-03-02T00:00:00Z"),
    ("--since 99999999w", "--since: that is before 1970, and CloudTrail began in 2013"),
    ("--until 60000w", "--until: that is before 1970, and CloudTrail began in 2013"),
    ("--since 0001-01-01", "--since: that is before 1970, and CloudTrail began in 2013"),
    ("--since 9999-12-31T23:59:59.9Z", "--since: that is before 1970, and CloudTrail began in 2013"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), ORDER)
def test_a_window_that_holds_nothing_is_wrong_usage(call, words, message):
    """It would look like a clean result."""
    assert (2, "", f"rolewatch: {message}\n") == call("scan", ".", *words.split())


EXITS = [
    ("logs", 0),
    ("logs --exit-code 0", 0),
    ("logs --exit-code 1", 1),
    ("logs --exit-code 7 --severity high", 7),
    ("logs --exit-code 1 --severity critical", 0),
    ("logs bad.json", 3),
    ("logs bad.json --exit-code 1", 1),
    ("logs bad.json --exit-code 1 --severity critical", 3),
    ("logs bad.json --exit-code 1 --output missing/out", 4),
    ("logs bad.json nowhere --exit-code 1 --output missing/out", 2),
]


@pytest.mark.parametrize(("words", "expected"), EXITS)
def test_exit_statuses_in_their_order(call, words, expected):
    """Where several hold: 2, 4, 1, 3. What was filtered out was not found."""
    Path("bad.json").write_text("{")
    assert expected == call("scan", *words.split())[0]


OPEN = [
    (
        status,
        verdict,
        status in {"blocked", "silent"} and verdict in {"fix-your-policy", "aws-side", "unknown"},
    )
    for status in ("blocked", "silent", "recovered", "gone")
    for verdict in ("fix-your-policy", "aws-side", "unknown", "harmless", "service-not-enabled")
]


@pytest.mark.parametrize(("status", "verdict", "expected"), OPEN)
def test_what_counts_as_found(status, verdict, expected):
    """Blocked or silent, and neither harmless nor a service that is not enabled."""
    assert expected == is_open({"status": status, "verdict": verdict})


def test_a_span_counts_back_from_now(here, found):
    """Six hours ago is before, two days ago is after."""
    old = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file = str(deliveries.write(here / "fresh.json", deliveries.denial(1, eventTime=old)))
    assert [found(file, "--since", since) for since in ("2d", "6h")] == [["blind"], []]
    assert [found(file, "--until", until) for until in ("2d", "6h")] == [[], ["blind"]]


def test_a_master_is_spark_s(call):
    """Nothing else has one."""
    status, out, err = call("scan", "logs", "--master", "local[2]")
    assert (status, out) == (2, "")
    assert "--master means nothing without --engine spark" in err


@pytest.mark.parametrize("words", [[], ["--master", "local[2]"]])
def test_without_spark(call, monkeypatch, words):
    """What is missing is named, and the extra that has it."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    status, out, err = call("scan", "logs", "--engine", "spark", *words)
    assert (status, out) == (4, "")
    assert "Spark is not installed (pip install 'rolewatch[spark]')" in err


def test_without_java(cli):
    """What Spark needs is named."""
    done = cli("scan", "logs", "--engine", "spark", JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (4, "")
    assert "Spark does not start" in done.stderr
    assert "Java 17" in done.stderr


def test_choices_are_those_of_the_rooms_below():
    """What can be typed is what the rooms know: formats, kinds of principals, levels of severity."""
    assert (tuple(WRITERS), KINDS, LEVELS) == (FORMATS, PRINCIPALS, SEVERITIES)


def test_every_option_is_tested_here():
    """Each option of the table is typed in a test of this folder."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_scan*.py"))
    assert [option.name for option in OPTIONS if f"--{option.name}" not in texts] == []
