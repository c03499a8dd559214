"""A baseline is an earlier report; what it had is not new."""

import json

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.findings.baseline import new_since, read_baseline

KNOWN = {"a": "blocked", "b": "recovered"}
FINDINGS = [{"id": "a", "status": "blocked", "denials": 3}, {"id": "b", "status": "recovered", "denials": 1}]

REPORTS = {
    "a report": json.dumps({"findings": FINDINGS, "totals": {}}),
    "an indented report": json.dumps({"totals": {}, "findings": FINDINGS}, indent=1) + "\n",
    "a finding a line": "".join(json.dumps(finding) + "\n" for finding in FINDINGS),
}


@pytest.mark.parametrize("content", REPORTS.values(), ids=REPORTS)
def test_formats(content):
    """The json and the jsonl report both are baselines."""
    assert read_baseline(content.encode(), "last.json") == KNOWN


@pytest.mark.parametrize("content", [b"", b'{"findings":[]}'])
def test_nothing_found(content):
    """A report without findings, which as jsonl is an empty file, is a baseline that knows nothing."""
    assert read_baseline(content, "last.json") == {}


def test_no_status():
    """A finding without a status counts as blocked then."""
    assert read_baseline(b'{"findings":[{"id":"a"}]}', "last.json") == {"a": "blocked"}


NO_REPORTS = {
    "no JSON": b"resource,status\n",
    "another object": b'{"Records":[]}',
    "a list": b"[1]",
    "a finding without id": b'{"findings":[{"status":"blocked"}]}',
    "an id of the wrong type": b'{"findings":[{"id":7}]}',
    "bytes that are no text": b'{"findings":[{"id":"\xff"}]}',
    "nested beyond reason": b'{"findings":[' + b"[" * 100_000,
    "nested beyond reason in a key that does not matter": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("content", NO_REPORTS.values(), ids=NO_REPORTS)
def test_no_report(content):
    """What is no report is refused, with the file's name and what to give instead."""
    with pytest.raises(UsageError, match=r"^last\.json: not a report of rolewatch .*--format json"):
        read_baseline(content, "last.json")


NEW = [
    ("known and still blocked", "a", "blocked", False),
    ("known and silent by now", "a", "silent", False),
    ("known and recovered by now", "a", "recovered", False),
    ("over then and still over", "b", "recovered", False),
    ("over then, gone now", "b", "gone", False),
    ("over then and blocked again", "b", "blocked", True),
    ("over then, denied again and silent since", "b", "silent", True),
    ("never seen", "c", "blocked", True),
    ("never seen, and over already", "c", "recovered", True),
]


@pytest.mark.parametrize(("name", "status", "new"), [case[1:] for case in NEW], ids=[case[0] for case in NEW])
def test_new(name, status, new):
    """New is what the baseline does not have, or had as over while it is open again."""
    finding = {"id": name, "status": status}
    assert new_since([finding], KNOWN) == ([finding] if new else [])
