"""The findings as CSV: read back by a CSV reader, harmless in a spreadsheet."""

import csv
from io import StringIO

import pytest
from formatted import STRINGS, infested, only, steering, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.report.cells import CELL_LIMIT
from rolewatch.report.csv_ import COLUMNS
from rolewatch.report.order import ranked

#: What Excel, LibreOffice or Sheets take for the start of a formula; the last ones are full-width.
FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def rows(report):
    """Return the rows as a CSV reader finds them, by column."""
    return list(csv.DictReader(StringIO(written("csv", report), newline=""), strict=True))


def test_csv_row_by_example(report):
    """Each column holds its part of a finding: lists joined, what is null empty, true and false in words."""
    (row,) = rows(only(report, "hr-exports"))
    assert row == {
        "id": "d2f29c992c28335b",
        "status": "blocked",
        "severity": "high",
        "verdict": "fix-your-policy",
        "service_name": "Amazon Macie",
        "service": "macie.amazonaws.com",
        "security_service": "true",
        "account": "222233334444",
        "role_name": "AWSServiceRoleForAmazonMacie",
        "role_arn": "arn:aws:iam::222233334444:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie",
        "resource": "arn:aws:s3:::hr-exports",
        "resource_type": "AWS::S3::Bucket",
        "resource_account": "333344445555",
        "regions": "us-east-1",
        "denied_actions": "s3:GetObject",
        "open_actions": "s3:GetObject",
        "api_calls": "s3:GetObject",
        "error_codes": "AccessDenied=88",
        "denials": "88",
        "first_denied": "2026-02-25T09:00:00Z",
        "last_denied": "2026-03-03T05:30:00Z",
        "ended": "",
        "policy_type": "",
        "kind": "",
        "evidence": "guess",
        "explanation": "Amazon Macie cannot s3:GetObject on arn:aws:s3:::hr-exports: the message gives no reason; "
        "most likely the resource's own policy denies it (a guess).",
        "consequence": "",
        "candidates": "bucket policy of another account without an Allow (guess); KMS key policy (guess)",
        "changed_by": "",
        "change": "",
        "resource_examples": "arn:aws:s3:::hr-exports/2026/02/a.csv; arn:aws:s3:::hr-exports/2026/02/b.csv",
        "first_event_id": row["first_event_id"],
    }
    assert row["first_event_id"].endswith("-000000000000")


def test_csv_has_a_row_a_finding(report):
    """Every finding is one row, in reading order, below one header."""
    assert [row["id"] for row in rows(report)] == [finding["id"] for finding in ranked(report["findings"])]
    assert written("csv", report).splitlines()[0] == ",".join(name for name, _ in COLUMNS)


def test_csv_without_findings_is_a_header(no_findings):
    """Nothing found is a header alone, so that a program that reads it still knows the columns."""
    assert written("csv", no_findings) == ",".join(name for name, _ in COLUMNS) + "\n"


def test_csv_lists_several_values(report):
    """Several actions, calls, codes and regions are joined with semicolons; actions are named once."""
    (row,) = rows(only(report, "payroll-archive"))
    assert (row["denied_actions"], row["api_calls"]) == (
        "s3:GetBucketLocation; s3:GetEncryptionConfiguration; s3:ListBucket",
        "s3:GetBucketEncryption; s3:GetBucketLocation; s3:HeadBucket",
    )
    assert rows(only(report, "config-bucket-111122223333"))[0]["regions"] == "us-east-1; us-west-2"


@pytest.mark.parametrize("start", FORMULAS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000 "])
def test_csv_starts_no_formula(report, start, before):
    """A cell that a spreadsheet would calculate begins with an apostrophe, blanks before the sign or not."""
    finding = report["findings"][0] | {
        "resource": f"{before}{start}cmd|' /C calc'!A0",
        "regions": [f"{start}1"],
    }
    (row,) = rows(report | {"findings": [finding]})
    assert (row["resource"], row["regions"]) == (f"'{before}{start}cmd|' /C calc'!A0", f"'{start}1")


@pytest.mark.parametrize("start", FORMULAS)
def test_csv_starts_no_formula_behind_a_semicolon(report, start):
    """Where a spreadsheet splits at semicolons, what then begins a cell is no formula either."""
    finding = report["findings"][0] | {"resource": f"x;{start}1;; {start}2", "regions": ["a", f"{start}3"]}
    (row,) = rows(report | {"findings": [finding]})
    assert (row["resource"], row["regions"]) == (f"x;'{start}1;;' {start}2", f"a;' {start}3")


@pytest.mark.parametrize("start", ["\t=", "\r=", "\n=", "\x00="])
def test_csv_shows_control_characters(report, start):
    """A control character before a formula is spelled out, which leaves nothing that could be one."""
    (row,) = rows(report | {"findings": [report["findings"][0] | {"resource": f"{start}1+1"}]})
    assert row["resource"] == f"\\x{ord(start[0]):02x}=1+1"


@pytest.mark.parametrize("text", ["a=b", "1-1", "a; b", "user@example.com", "'=1", "arn:aws:s3:::b"])
def test_csv_leaves_other_text_alone(report, text):
    """A sign within a cell starts no formula and is left as it is."""
    (row,) = rows(report | {"findings": [report["findings"][0] | {"resource": text}]})
    assert row["resource"] == text


def test_csv_cells_are_never_too_long(report):
    """A cell holds at most what Excel takes, the apostrophe included; a cut shows as an ellipsis."""
    finding = report["findings"][0] | {"resource": "=" + "x" * 40_000, "explanation": "y" * CELL_LIMIT}
    (row,) = rows(report | {"findings": [finding]})
    assert (len(row["resource"]), row["resource"][:3], row["resource"][-2:]) == (32_767, "'=x", "x…")
    assert row["explanation"] == "y" * 32_767


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12))
def test_csv_is_safe_whatever_a_record_says(report, strings):
    """Any strings anywhere: as many rows as findings, no control character, and no cell that starts a formula."""
    filled = infested(report, strings)
    found = rows(filled)
    cells = [cell for row in found for cell in row.values()]
    assert len(found) == len(report["findings"])
    assert steering(written("csv", filled)) == set()
    assert [part for cell in cells for part in cell.split(";") if part.lstrip().startswith(FORMULAS)] == []
    assert {len(row) for row in found} == {len(COLUMNS)}
