"""How the table is drawn: in two layouts, with and without colour, and nothing is cut off or obeyed."""

import re
from io import StringIO

import pytest
from formatted import STRINGS, by_resource, infested, only, steering, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rolewatch.base.sanitise import terminal
from rolewatch.report.formats import Options
from rolewatch.report.table import write

SGR = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = [40, 100, 159, 160, 250]

# fmt: off
ONE_ROW = [
    "  STATUS     RESOURCE                       ACCOUNT         DENIED ACTIONS                 DENIALS  LAST DENIED (UTC)    WHY",
    "  blocked    arn:aws:s3:::payroll-archive   111122223333    open: s3:GetBucketLocation,         80  2026-03-03 07:11:46  fix-your-policy [by message]: the",
    "  critical                                  us-east-1       s3:GetEncryptionConfiguration                                resource's own policy explicitly",
    "                                                            closed: s3:ListBucket                                        denies it.",
]
# fmt: on


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


def to_terminal(report, **options):
    """Return what a terminal gets."""
    out = Terminal()
    write(report, out, Options(**{"environ": {"TERM": "xterm-256color"}, **options}))
    return out.getvalue()


def cells(report, **options):
    """Return the cells of the only row of a wide table, by heading, each as one line."""
    lines = written("table", report, width=200, **options).partition("\n\nLooked at")[0].splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("  STATUS"))
    names = re.split(r"\s{2,}", lines[head].strip())
    starts = [lines[head].index(name) for name in names]
    ends = [*starts[1:], None]
    return {
        name: " ".join(" ".join(line[start:end] for line in lines[head + 1 :]).split())
        for name, start, end in zip(names, starts, ends, strict=True)
    }


def test_table_of_one_finding_on_a_wide_screen(one_finding):
    """From 160 columns on a finding is a row, and each of its cells is folded within its column."""
    lines = written("table", one_finding, width=160).splitlines()
    assert lines[4:8] == ONE_ROW


def test_table_row_holds_what_a_block_holds(report):
    """Side by side stand the same facts: both accounts, open actions, verdict, candidate, how it ended, and who."""
    assert cells(only(report, "hr-exports")) == {
        "STATUS": "blocked high",
        "RESOURCE": "arn:aws:s3:::hr-exports",
        "ACCOUNT": "222233334444 (resource in 333344445555) us-east-1",
        "DENIED ACTIONS": "open: s3:GetObject",
        "DENIALS": "88",
        "LAST DENIED (UTC)": "2026-03-03 05:30:00",
        "WHY": "fix-your-policy [GUESS]: the message gives no reason; most likely the resource's own policy denies it "
        "(a guess). likely: bucket policy of another account without an Allow [GUESS]: across accounts the bucket "
        "policy must allow the role; nothing else can",
    }
    report["findings"] = [found for found in report["findings"] if found["status"] == "silent"]
    row = cells(report)
    assert row["RESOURCE"].endswith("Amazon DynamoDB, role AWSServiceRoleForDynamoDBReplication")
    assert row["WHY"].endswith("now: no attempt since 2026-02-20 10:00:00 UTC: not proof of recovery")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("color", [True, False])
def test_table_cuts_nothing_off(report, width, color):
    """Very long names, wide characters included, are folded and whole; no line is wider than the screen."""
    finding = by_resource(report, "arn:aws:s3:::payroll-current")
    finding |= {"resource": "arn:aws:s3:::" + "漢字😀" * 200, "regions": ["é"] * 200, "denials": 10**9}
    text = SGR.sub("", written("table", report | {"findings": [finding]}, width=width, color=color))
    assert [text.count(char) for char in "漢字😀é"] == [200] * 4
    assert "1,000,000,000" in text
    assert [line for line in text.split("\n") if cell_len(line) > width] == []


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12), width=st.sampled_from(WIDTHS), color=st.booleans())
def test_table_obeys_no_record(report, strings, width, color):
    """Whatever is in a record, only our own colours reach the terminal, and lines neither overflow nor end blank."""
    text = written("table", infested(report, strings), width=width, color=color)
    plain = SGR.sub("", text) if color else text
    assert steering(plain) == set()
    assert [line for line in plain.split("\n") if line.endswith(" ") or cell_len(line) > width] == []


def test_table_shows_what_attacks(report, hostile):
    """Escape sequences, markup and bidi overrides are spelled out, in either layout."""
    for width in (100, 200):
        text = "".join(written("table", report, width=width).split())
        assert "".join(terminal(hostile).split()) in text


def test_table_without_a_terminal_is_plain(report):
    """A file or a pipe gets no escape sequence, no trailing blank, and lines of 120 columns unless it says otherwise."""
    text = written("table", report)
    lines = text.split("\n")
    assert "\x1b" not in text
    assert [line for line in lines if line != line.rstrip()] == []
    assert 100 < max(map(cell_len, lines)) <= 120
    assert max(map(cell_len, written("table", report, environ={"COLUMNS": "66"}).split("\n"))) <= 66


def test_table_in_colour_says_the_same(report):
    """With colour the text is the same, and every escape sequence is one that sets a style."""
    colored = to_terminal(report, width=100)
    assert "\x1b[1;31mcritical\x1b[0m" in colored
    assert SGR.sub("", colored) == written("table", report, width=100)


@pytest.mark.parametrize(
    ("environ", "color", "colored"),
    [
        ({"TERM": "xterm"}, None, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, None, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, None, True),
        ({"TERM": "dumb"}, None, False),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, True),
    ],
)
def test_table_colours_by_terminal_and_environment(report, environ, color, colored):
    """Colours come with a terminal, go with NO_COLOR or a dumb one, and an explicit choice beats both."""
    assert ("\x1b[" in to_terminal(report, environ=environ, color=color, width=100)) is colored


@pytest.mark.parametrize("columns", ["", "0", "-5", "wide", "\u00b2", "\u0664\u0660", "9" * 5000, "12345"])
def test_table_ignores_a_width_that_is_none(report, columns):
    """A COLUMNS variable that is no number of columns is as good as none."""
    assert written("table", report, environ={"COLUMNS": columns}) == written("table", report)


@pytest.mark.parametrize("width", [1, 10, 39])
def test_table_is_never_narrower_than_can_be_read(report, width):
    """On a tiny terminal lines are folded to 40 columns."""
    assert written("table", report, width=width) == written("table", report, width=40)
