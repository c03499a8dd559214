"""Findings that somebody else wrote: they are explained, or refused with what is wrong, and nothing else happens."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_buckets import BUCKETS

from rolewatch.base.errors import RolewatchError, UsageError
from rolewatch.explain.explanation import Asked, explain
from rolewatch.explain.folder import Folder
from rolewatch.explain.incident import incident_of
from rolewatch.report.explanation import explanation_json, explanation_text
from rolewatch.report.json_text import dumps
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["arn:aws:s3:::x", "arn:", "s3:*", "", "service:x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Give a finding, and a folder with the policy that it needs."""
    folder, case = tmp_path_factory.mktemp("incident"), BUCKETS[0]
    (folder / "records.json").write_text(json.dumps({"Records": [case.record()]}))
    case.write(folder / "policies")
    report = run(
        [str(folder / "records.json")], ScanRequest(jobs=1), now=datetime(2026, 10, 5, 8, tzinfo=UTC)
    )
    return report["findings"][0], Folder(str(folder / "policies"))


@settings(max_examples=50)
@given(st.data())
def test_a_finding_that_was_tampered_with_is_explained_or_refused(found, data):
    """Whatever stands in the place of any of its values."""
    finding, folder = found
    finding = json.loads(json.dumps(finding))
    key = data.draw(st.sampled_from(sorted(finding)))
    place, value = finding, data.draw(JUNK)
    if isinstance(finding[key], dict) and finding[key] and data.draw(st.booleans()):
        place, key = finding[key], data.draw(st.sampled_from(sorted(finding[key])))
    place[key] = value
    made = None
    with suppress(RolewatchError):
        made = explain(incident_of(finding), Asked(data.draw(st.sampled_from([folder, None]))))
    if made is None:
        return
    assert explanation_text(made).isprintable() is False  # it has lines
    assert json.loads(dumps(explanation_json(made)))["resource"]


@pytest.mark.parametrize(
    "change",
    [{"actions": {}}, {"actions": None}, {"role_arn": 3}, {"cause": "x"}, {"candidates": ["x"]}, {"open_actions": ["DescribeKey"]}, {"resource": None}],
)  # fmt: skip
def test_what_is_no_finding_is_refused(found, change):
    """With the way to get one."""
    with pytest.raises(UsageError, match=r"this is no finding: .* \(give one as `rolewatch scan"):
        incident_of(found[0] | change | ({"open_actions": []} if change.get("actions") == {} else {}))


def test_the_owner_is_known_by_the_record_else_by_the_arn(found):
    """And is the role's account where neither tells."""
    key = "arn:aws:kms:eu-west-1:444455556666:key/1"
    finding = found[0]
    owners = [
        incident_of(finding | change).owner
        for change in ({}, {"resource": key}, {"resource": key, "resource_account": "777788889999"})
    ]
    assert owners == ["111122223333", "444455556666", "777788889999"]
