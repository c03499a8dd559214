"""The sample report, whole, in parts and multiplied, and a browser to open it."""

import copy
import hashlib
from pathlib import Path

import pytest
from sample import HOSTILE, sample

from rolewatch.report.html import write


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


@pytest.fixture
def show(browser, tmp_path):
    """Return a function that opens a report; whatever it says to the console or asks of a network fails the test."""
    contexts, said = [], []

    def _show(report, **settings):
        path = Path(tmp_path, f"{len(contexts)}.html")
        with path.open("w", encoding="utf-8") as out:
            write(report, out)
        context = browser.new_context(
            **{
                "viewport": {"width": 1280, "height": 900},
                "color_scheme": "light",
                "reduced_motion": "reduce",
                **settings,
            }
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on(
            "request",
            lambda request: said.append(request.url) if not request.url.startswith("file:") else None,
        )
        page.goto(path.as_uri())
        return page

    _show.said = said
    yield _show
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def many(report):
    """Return a report of 5,000 findings in 60 accounts."""
    pattern, findings = report["findings"][:-1], []
    accounts = [f"{100_000_000_000 + number * 7919}" for number in range(60)]
    for number in range(5000):
        finding = copy.copy(pattern[number % len(pattern)])
        name = hashlib.sha256(str(number).encode()).hexdigest()[:16]
        finding |= {
            "id": name,
            "account": accounts[number // len(pattern) % 60],
            "resource": f"arn:aws:s3:::bucket-{number}",
        }
        findings.append(finding)
    return report | {"findings": findings}
