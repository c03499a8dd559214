"""docs/formats.md names everything that the formats write, and nothing else."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from formatted import written

from rolewatch.report.csv_ import COLUMNS
from rolewatch.report.formats import FORMATS
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "formats.md").read_text("utf-8")


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """Return the report of a scan of the examples and of a file that cannot be read."""
    broken = tmp_path_factory.mktemp("input") / "cut.json.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00cut off")
    sources = [str(ROOT / "examples" / "deliveries"), str(broken)]
    return run(sources, ScanRequest(jobs=1), now=datetime(2026, 3, 21, tzinfo=UTC))


def section(heading):
    """Return the text below a heading, up to the next one of the same or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = DOCUMENT.partition(f"\n{heading}\n")
    assert found
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def named(text):
    """Return what the first columns of a text's tables name in code, in order."""
    cells = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return [name for cell in cells for name in re.findall("`([^`]+)`", cell)]


def described(heading):
    """Return the keys that a section's own table describes, without those of sections within it."""
    return named(re.split(r"^#+ ", section(heading), maxsplit=1, flags=re.MULTILINE)[0])


def test_every_format_is_described():
    """Each format is in the table at the top and has a section of its own."""
    headings = [line.removeprefix("## ") for line in DOCUMENT.splitlines() if line.startswith("## ")]
    assert named(DOCUMENT.partition("\n## ")[0]) == headings == list(FORMATS)


def test_every_key_of_the_report_is_described(scanned):
    """The tables name the keys of a real report, in its order, and no others."""
    findings, day = scanned["findings"], scanned["findings"][0]["timeline"][0]
    candidate = next(found["candidates"][0] for found in findings if found["candidates"])
    action = next(iter(findings[0]["actions"].values()))
    assert {
        "### The report": list(scanned),
        "### A finding": list(findings[0]),
        "### An action": list(action),
        "### A cause": list(findings[0]["cause"]),
        "### A candidate": list(candidate),
        "### A day": list(day),
        "### Totals": list(scanned["totals"]),
        "### Coverage": list(scanned["coverage"]),
    } == {
        heading: described(heading)
        for heading in (
            "### The report", "### A finding", "### An action", "### A cause", "### A candidate", "### A day",
            "### Totals", "### Coverage",
        )
    }  # fmt: skip
    assert {tuple(entry) for entry in scanned["skipped"] + scanned["unreadable"]} == {("delivery", "reason")}


def test_every_finding_has_every_key(scanned):
    """Findings do not differ in their keys, and each is written by every format."""
    assert {tuple(finding) for finding in scanned["findings"]} == {tuple(scanned["findings"][0])}
    assert [name for name in FORMATS if not written(name, scanned)] == []


def test_example_has_the_shape_it_describes(scanned):
    """The example of the document is JSON of exactly the documented keys."""
    (text,) = re.findall(r"^```json\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    example = json.loads(text)

    def shape(value):
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items() if key not in {"actions", "error_codes"}}
        return (
            [shape(item) for item in value[:1] if isinstance(item, dict)] if isinstance(value, list) else None
        )

    finding, real = example["findings"][0], scanned["findings"][0]
    assert shape(finding | {"candidates": []}) == shape(real | {"candidates": []})
    assert list(finding["actions"]["s3:HeadBucket"]) == described("### An action")
    for key in ("totals", "coverage"):
        assert list(example[key]) == list(scanned[key])
    assert list(example) == list(scanned)
    totals = example["totals"]
    assert totals["records"] == totals["denials"] + totals["duplicates"] + totals["others"]


def test_every_value_is_described(scanned):
    """Each status, severity, verdict, policy type and tier that a scan gives is named in the document."""
    text = section("## json")
    values = {
        value
        for finding in scanned["findings"]
        for value in (
            finding["status"], finding["severity"], finding["verdict"], *(v for v in finding["cause"].values() if v),
        )
    }  # fmt: skip
    assert {value for value in values if f"`{value}`" not in text and not value.startswith("arn:")} == set()


def test_every_csv_column_is_described():
    """The columns are described in their order."""
    assert named(section("## csv")) == [name for name, _ in COLUMNS]


@pytest.mark.parametrize("name", ["ocsf", "asff"])
def test_every_mapped_attribute_is_described(scanned, name):
    """Each attribute at the top of an OCSF or ASFF finding is named in its section."""
    text = written(name, scanned)
    findings = json.loads(text) if name == "asff" else [json.loads(line) for line in text.splitlines()]
    described = set(re.findall("`([^`]+)`", section(f"## {name}")))
    assert {key for finding in findings for key in finding} - described == set()


def test_every_asff_product_field_is_described(scanned):
    """The names under which Security Hub keeps what it has no place for are listed."""
    row = next(line for line in section("## asff").splitlines() if line.startswith("| `ProductFields`"))
    findings = json.loads(written("asff", scanned))
    names = {key.removeprefix("rolewatch/") for finding in findings for key in finding["ProductFields"]}
    assert names - set(re.findall(r"\w+", row)) == set()


def test_document_says_how_to_import():
    """The command that imports into Security Hub is there."""
    assert "aws securityhub batch-import-findings" in section("## asff")
