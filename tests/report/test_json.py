"""The report as JSON: the contract's keys, in reading order, as ASCII that every parser reads back."""

import json

from formatted import STRINGS, infested, written
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rolewatch.report.json_text import dumps
from rolewatch.report.order import ranked

REPORT = {"findings", "totals", "skipped", "unreadable", "coverage"}
FINDING = {
    "id", "account", "resource_account", "role_arn", "role_name", "service", "resource", "resource_type",
    "resource_examples", "regions", "actions", "error_codes", "denials", "first_denied", "last_denied", "status",
    "severity", "verdict", "cause", "event_ids",
}  # fmt: skip
ACTION = {"iam_action", "denials", "last_denied", "last_allowed"}
CAUSE = {"policy_type", "kind", "evidence"}
TOTALS = {
    "deliveries", "skipped", "damaged", "unreadable", "records", "denials", "duplicates", "others", "bytes_compressed",
    "bytes", "seconds",
}  # fmt: skip
COVERAGE = {"first_record", "last_record", "accounts", "regions", "event_categories", "not_visible"}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


def spelled(value):
    r"""Return a value with lone surrogates written as the text ``\ud800``, as the format has them."""
    if isinstance(value, dict):
        return {spelled(key): spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def test_json_keeps_the_contract(report):
    """Every key that DESIGN promises is there, whatever more there is."""
    found = json.loads(written("json", report))
    finding = found["findings"][0]
    action = next(iter(finding["actions"].values()))
    promised = [
        (REPORT, found), (FINDING, finding), (ACTION, action), (CAUSE, finding["cause"]), (TOTALS, found["totals"]),
        (COVERAGE, found["coverage"]), ({"delivery", "reason"}, found["skipped"][0]),
        ({"delivery", "reason"}, found["unreadable"][0]),
    ]  # fmt: skip
    assert [keys - value.keys() for keys, value in promised] == [set()] * 8


def test_json_is_the_report(report):
    """The text parses to the report as it was given, its findings in reading order, nothing added or left out."""
    found = json.loads(written("json", report))
    assert found == spelled(report | {"findings": ranked(report["findings"])})
    assert list(found) == list(report)


def test_json_puts_first_what_is_read_first(report):
    """Blocked security services come first, then other blocked services, silent, harmless, recovered and gone ones."""
    found = json.loads(written("json", report))["findings"]
    assert [finding["resource"].rpartition(":")[2][:16] for finding in found if "\\" not in finding["resource"]] == [
        "cloudtrail-logs-", "payroll-current", "payroll-archive", "hr-exports", "nightly", "key/1234abcd-12a",
        "flow-logs", "table/orders", "config-bucket-11", "macie2.us-east-1", "repository/shop/", "old-exports",
    ]  # fmt: skip


def test_json_does_not_change_the_report(report):
    """Writing leaves the order of the caller's findings alone."""
    before = [finding["id"] for finding in report["findings"]]
    written("json", report)
    assert [finding["id"] for finding in report["findings"]] == before


def test_json_is_printable_ascii(report):
    """Whatever a record holds, the text is ASCII without control characters, indented, and ends with a line feed."""
    text = written("json", report)
    assert {char for char in text if char != "\n" and not " " <= char <= "~"} == set()
    assert (text[:3], text[-3:]) == ("{\n ", "\n}\n")


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12))
def test_json_holds_whatever_a_record_says(report, strings):
    """Any strings in any field come back, lone surrogates spelled out."""
    filled = infested(report, strings)
    assert json.loads(written("json", filled)) == spelled(filled | {"findings": ranked(filled["findings"])})


@given(VALUES)
@example({"\ud800": ["\udfff", {"a": "\U0010ffff\x7f\x80\u2028"}]})
@example([0.1, 1e300, -(2**63), 2**63 - 1, True, None])
def test_dumps_reads_back(value):
    """On one line or indented, a value is ASCII and parses to itself, lone surrogates spelled out."""
    for indent in (0, 1):
        text = dumps(value, indent=indent)
        assert text.isascii()
        assert json.loads(text) == spelled(value)
    assert "\n" not in dumps(value)


def test_dumps_writes_what_is_beyond_the_basic_plane_as_a_pair():
    """A character beyond U+FFFF is a pair of escapes, as JSON wants it; what ASCII can show stays as it is."""
    assert dumps("\U0001f600 \u6f22 ~ \x7f \x9b") == '"\\ud83d\\ude00 \\u6f22 ~ \\u007f \\u009b"'
