"""The sample report, whole and in parts."""

import copy

import pytest
from sample import HOSTILE, sample


@pytest.fixture
def report():
    """Return a realistic report of thirteen findings; a fresh one each time, so a test may change it."""
    return copy.deepcopy(sample())


@pytest.fixture
def hostile():
    """Return the string that the last finding carries in every field."""
    return HOSTILE


@pytest.fixture
def one_finding(report):
    """Return the report with one plain finding only (AWS Config, payroll-archive), everything readable."""
    report["findings"] = [f for f in report["findings"] if f["resource"] == "arn:aws:s3:::payroll-archive"]
    report["skipped"], report["unreadable"] = [], []
    report["totals"] |= {"deliveries": 2, "skipped": 0, "damaged": 0, "unreadable": 0}
    report["totals"] |= {"records": 100, "denials": 80, "duplicates": 5, "others": 15}
    return report


@pytest.fixture
def no_findings(report):
    """Return the report of a scan that found nothing."""
    report["findings"], report["skipped"], report["unreadable"] = [], [], []
    report["totals"] |= {"skipped": 0, "damaged": 0, "unreadable": 0}
    report["totals"] |= {"records": 687, "denials": 0, "duplicates": 0, "others": 687}
    return report
