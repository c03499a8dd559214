"""What all formats have in common: their names, one write, any encoding, and the time they take."""

import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from formatted import infested, written

from rolewatch.report.formats import FORMATS, Options
from rolewatch.report.output import emit


class Counting(StringIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, text):
        """Count and write."""
        self.writes += 1
        return super().write(text)


def test_formats_are_those_of_the_contract():
    """These are the names that `--format` takes, in the order they are told."""
    assert list(FORMATS) == ["table", "json", "jsonl", "csv", "html", "ocsf", "asff"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["report", "one_finding", "no_findings"])
def test_format_is_written_at_once(request, name, kind):
    """A format is one write, so that a failure before it leaves no half of a file; whatever is written ends its line."""
    out = Counting()
    FORMATS[name](request.getfixturevalue(kind), out, Options(environ={}))
    assert out.writes == 1
    assert out.getvalue() in {"", out.getvalue().rstrip("\n") + "\n"}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_format_fits_any_encoding(report, name, encoding):
    """A stream of another encoding than UTF-8 gets everything all the same."""
    raw = BytesIO()
    out = TextIOWrapper(raw, encoding=encoding, newline="")
    FORMATS[name](infested(report, ["漢字é\ud800", "—"]), out, Options(environ={}))
    out.flush()
    assert len(raw.getvalue().decode(encoding)) >= len(report["findings"])


@pytest.mark.parametrize(
    ("encoding", "expected"), [("ascii", b"\\u6f22 \\u2014 \\ud800"), ("utf-8", "漢 — \\ud800".encode())]
)
def test_emit_spells_out_what_an_encoding_lacks(encoding, expected):
    """A character the stream cannot encode is written as its escape."""
    raw = BytesIO()
    out = TextIOWrapper(raw, encoding=encoding)
    emit(out, "漢 — \ud800")
    out.flush()
    assert raw.getvalue() == expected


@pytest.mark.parametrize("name", FORMATS)
def test_format_says_the_same_every_time(report, name):
    """Nothing in the output depends on when or how often it is written, and the report is left as it was."""
    before = written("json", report)
    assert written(name, report) == written(name, report)
    assert written("json", report) == before


def test_formats_are_imported_when_used():
    """To know the formats costs nothing: what draws or encodes is imported when the format is written."""
    code = "import sys, rolewatch.report.formats; print(sorted({'rich', 'csv', 'msgspec', 'html'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", FORMATS)
def test_format_grows_with_its_findings(report, name):
    """A finding more is a finding's text more: nothing is repeated for each of the others."""

    def length(copies):
        pattern = report["findings"][:-1]
        findings = [
            finding | {"id": f"{copy:08}{number:08}"}
            for copy in range(copies)
            for number, finding in enumerate(pattern)
        ]
        return len(written(name, report | {"findings": findings}))

    once, twice, thrice = length(20), length(40), length(60)
    assert abs((thrice - twice) - (twice - once)) < 0.02 * once
