"""The findings as JSON lines."""

import json

from formatted import STRINGS, infested, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_jsonl_is_a_finding_a_line(report):
    """Each line is a finding, just as it stands under `findings` in the JSON format, in the same order."""
    lines = written("jsonl", report).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json", report))["findings"]


def test_jsonl_without_findings_is_empty(no_findings):
    """Nothing found is no line, not an empty one."""
    assert written("jsonl", no_findings) == ""


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12))
def test_jsonl_lines_are_never_broken(report, strings):
    """Line separators of any kind in a record do not begin a line: as many lines as findings, all of ASCII."""
    text = written("jsonl", infested(report, strings))
    assert text.isascii()
    assert len(text.splitlines()) == text.count("\n") == len(report["findings"])
