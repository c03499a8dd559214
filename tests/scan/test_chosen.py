"""A scan for the records that match a filter pattern finds those, whichever literals the pattern has."""

import gzip
import json
from datetime import UTC, datetime
from itertools import product

import msgspec
import pytest
from loads import DENIED, ROLE, USER, content, delivery, linked, record, write

from rolewatch.denials.rule import Rule, search
from rolewatch.patterns import compile_pattern
from rolewatch.scan.chosen import Chosen, of_linked_roles
from rolewatch.scan.detect import Detector
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

NOW = datetime(2026, 3, 20, tzinfo=UTC)
LINKED = '$.userIdentity.sessionContext.sessionIssuer.arn = "*:role/aws-service-role/*"'
PATTERNS = [
    f"{{ $.eventName = Get* && $.errorCode = AccessDenied && {LINKED} }}",
    f"{{ {LINKED} }}",
    "{ $.errorCode = AccessDenied }",
    "{ $.errorCode NOT EXISTS }",
    "{ $.eventName = HeadBucket || $.errorCode = *Throttl* }",
    "{ $.eventName = %^Get% && $.userIdentity.type = IAMUser }",
    "AccessDenied -HeadBucket",
    "",
    '{ $.requestParameters.bucketName = "b\\u0041" }',
]


def records():
    """Write records of a role and of a user, refused and not, of some calls; one hides a letter behind an escape."""
    ways = product(
        ["GetBucketAcl", "HeadBucket", "DeleteBucket"],
        [linked(), USER],
        [{}, DENIED, {"errorCode": "ThrottlingException"}],
    )
    return [
        record(name, number=number, time=f"2026-03-01T10:00:{number:02d}Z", userIdentity=who, **error)
        for number, (name, who, error) in enumerate(ways)
    ] + [record("GetBucketAcl", number=99, time="2026-03-01T10:01:00Z", **DENIED)]


def escaped(text):
    """Hide the letters of a denial's code, as JSON may."""
    place = text.rindex(b"AccessDenied")
    return text[:place] + b"\\u0041ccessDenied" + text[place + 12 :]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("principals", [("slr",), ("all",)])
@pytest.mark.parametrize("recovery", [True, False])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_records_that_match(pattern, recovery, principals):
    """Every matching record of a watched principal counts, no other does."""
    compiled, text = compile_pattern(pattern), escaped(content(*records()))
    raws = map(bytes, msgspec.json.decode(text, type=dict[str, list[msgspec.Raw]])["Records"])
    matching = [json.loads(raw) for raw in raws if compiled(raw.decode())]
    wanted = [each["eventID"] for each in matching if "all" in principals or each["userIdentity"] == linked()]
    detector = Detector(ScanRequest(pattern=compiled, recovery=recovery, principals=frozenset(principals)))
    detector.step(delivery(gzip.compress(text)))
    assert sorted(each.event_id for each in detector.summary.denials.values()) == sorted(wanted)
    assert detector.summary.totals()["others"] == len(records()) - len(wanted)


def scanned(tmp_path, pattern, *found, principals=("all",)):
    """Scan records for a pattern and return the findings."""
    write(tmp_path, "a.json.gz", *found)
    request = ScanRequest(pattern=compile_pattern(pattern), principals=frozenset(principals))
    return run([str(tmp_path)], request, now=NOW)["findings"]


@pytest.mark.parametrize("principals", [("all",), ("slr",)])
def test_recovery(tmp_path, principals):
    """Records that do not match prove recovery as they do for denials."""
    denied = record("GetBucketAcl", number=1, **DENIED)
    allowed = record("GetBucketAcl", number=2, time="2026-03-02T10:00:00Z")
    (finding,) = scanned(tmp_path, PATTERNS[0], denied, allowed, principals=principals)
    assert (finding["status"], finding["role_arn"]) == ("recovered", ROLE)


def test_nothing_refused(tmp_path):
    """A record that reports no refusal is not said to be blocked by a policy."""
    (finding,) = scanned(tmp_path, "{ $.eventName = GetBucketAcl }", record("GetBucketAcl"))
    assert (finding["verdict"], finding["error_codes"], finding["severity"]) == ("unknown", {}, "low")
    assert "report no refusal" in finding["explanation"]


def test_nobody(tmp_path):
    """A matching record without any principal counts too."""
    (finding,) = scanned(
        tmp_path, "{ $.eventName = GetBucketAcl }", record("GetBucketAcl", userIdentity=None)
    )
    assert (finding["role_name"], finding["role_arn"], finding["denials"]) == ("nobody", None, 1)


ONLY_LINKED = [
    (f"{{ $.a = 1 && {LINKED} }}", True),
    (f"{{ $.a = 1 || {LINKED} }}", False),
    (f"{{ ({LINKED} && $.a = 1) || ({LINKED} && $.b != 2) }}", True),
    ('{ $.resources[0].ARN = "*:role/aws-service-role/*" }', False),
    (LINKED.replace("=", "!=").join(["{ ", " }"]), False),
    ('{ $.userIdentity.sessionContext.sessionIssuer.arn = "*role*" }', False),
    ('"role/aws-service-role/"', False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "expected"), ONLY_LINKED)
def test_of_linked_roles(pattern, expected):
    """A pattern asks for service-linked roles if every way to match it asks for their path."""
    assert of_linked_roles(compile_pattern(pattern)) is expected


def test_search_is_shared():
    """What the pattern and the search for recovery have in common is looked for once, and successes are still boiled down."""
    usual = search(Rule(), recovery=True)
    chosen = Chosen(compile_pattern(PATTERNS[0]), usual)
    assert chosen.literals.wanted == (*usual.wanted, b'"AccessDenied"')
    assert chosen.literals.plain == usual.plain
    assert Chosen(compile_pattern(PATTERNS[1]), usual).literals.plain == 0
