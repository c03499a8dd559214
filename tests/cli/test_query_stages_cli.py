"""`rolewatch query` with tables to look up in, times to compare with, and bins that are moved."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from deliveries import HOME, denial, record, write

from rolewatch.engines.windows import earlier

LOOK = "stats count(*) as n by recipientAccountId as a | lookup t account as a OUTPUT team | sort n desc"
DAYS = "pattern eventName | diff | display @pattern, @sampleCount, @diffEventCount"


@pytest.fixture
def rows(call):
    """Give a way to query to JSON: words in, the rows out."""

    def found(*words):
        status, out, err = call("query", *words, "--format", "json")
        assert (status, err) == (0, "")
        return json.loads(out)["results"]

    return found


def test_a_table(rows, here):
    """A file with a byte order mark, quotes and empty lines is one."""
    (here / "t.csv").write_bytes(f'\ufeffteam,account\r\n"a, ""b""",{HOME}\r\n\r\nother,1\r\n'.encode())
    assert rows(LOOK, "logs", "--lookup", "t=t.csv") == [
        {"a": HOME, "n": "7", "team": 'a, "b"'},
        {"a": "444455556666", "n": "1"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("account,name\n1,2\n", "t.csv has no column 'team' (its first line names account, name)"),
        ("", "--lookup t.csv: empty (its first line names the columns)"),
        ("account,team\n1\n", "--lookup t.csv: row 2 has 1 cells, and there are 2 columns"),
        ('account,team\n"1\n', "--lookup t.csv: no CSV: unexpected end of data"),
        (b"\xff", "--lookup t.csv: not UTF-8 (byte 0)"),
        (b"x" * (10 * 1024**2 + 1), "--lookup t.csv: larger than 10 MiB"),
        (None, "--lookup t.csv: No such file or directory"),
    ],
    ids=range(7),
)
def test_what_is_no_table(call, here, content, message):
    """It is told before anything is read, and the status is 2."""
    if content is not None:
        (here / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    status, out, err = call("query", LOOK, "logs", "--lookup", "t=t.csv")
    assert (status, out) == (2, "")
    assert message in err


def test_a_table_that_is_not_given(call):
    """What to write is told."""
    status, _, err = call("query", LOOK, "logs")
    assert (status, err.count("(write --lookup t=FILE.csv)")) == (2, 1)


def test_a_time_before(rows, here):
    """Records of the time before are read as well, and no others; both are in the statistics."""
    days = [record(1, eventTime=f"2026-03-{day:02}T10:00:00Z", eventID=str(day), eventName=name) for day, name in ((1, "Old"), (3, "Both"), (4, "Gone"), (5, "Both"), (6, "New"), (7, "Later"))]  # fmt: skip
    write(here / "days" / "x.json", *days)
    window = ("days", "--since", "2026-03-05", "--until", "2026-03-07")
    assert [tuple(row.values()) for row in rows(DAYS, *window)] == [
        ("Gone", "0", "-1"),
        ("New", "1", "1"),
        ("Both", "1", "0"),
    ]
    week = rows(DAYS.replace("diff", "diff previousWeek", 1), *window)
    assert [tuple(row.values()) for row in week] == [("Both", "1", "1"), ("New", "1", "1")]


def test_a_time_without_a_beginning(call):
    """It cannot be compared."""
    status, out, err = call("query", DAYS, "logs", "--until", "2026-03-02")
    assert (status, out) == (2, "")
    assert "write --since, such as --since 1d" in err


@pytest.mark.parametrize(
    ("since", "compared", "expected"),
    [
        ("2026-03-05T12:00", "previous", "2026-03-03T12:00"),
        ("2026-03-05T12:00", "previousday", "2026-03-04T12:00"),
        ("2026-03-05T12:00", "previousweek", "2026-02-26T12:00"),
        ("2026-03-31T12:00", "previousmonth", "2026-02-28T12:00"),
        ("2026-01-15T12:00", "previousmonth", "2025-12-15T12:00"),
    ],
)
def test_times_before(since, compared, expected):
    """A month before is the same day of the month before, or its last."""
    start, before = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (since, expected))
    assert earlier(start, timedelta(days=2), compared) == before


def test_bins_that_are_moved(rows):
    """The time range is that of the bins: the records are those of a day before."""
    text = "stats count(*) as n by bin(1d) as day offset 4d"
    (row,) = rows(text, "logs", "--since", "2026-03-05", "--until", "2026-03-06")
    assert row == {"day": "2026-03-05 00:00:00.000", "n": "7"}
    assert [row["day"][:10] for row in rows(text, "logs")] == ["2026-03-05", "2026-03-09"]


def test_a_chart_of_what_was_looked_up(call, here):
    """A stage before `stats` makes no difference to a chart."""
    (here / "t.csv").write_text(f"account,team\n{HOME},core\n")
    text = "lookup t account as recipientAccountId OUTPUT team | stats count(*) as n by team | sort n desc"
    status, out, err = call("query", text, "logs", "--lookup", "t=t.csv", "--chart")
    assert (status, err) == (0, "")
    assert [line.split("│")[0].strip() for line in out.splitlines()] == ["n by team", "core", "(none)"]


def test_a_chart_of_what_stages_give(call, here):
    """Numbers behind a stage are drawn as bars: patterns by how many there are, groups with what was looked up."""
    status, out, err = call("query", "pattern eventName | display @pattern, @sampleCount", "logs", "--chart")
    assert (status, err, out.splitlines()[0]) == (0, "", "@sampleCount by @pattern")
    (here / "t.csv").write_text(f"account,team\n{HOME},core\n")
    status, out, err = call("query", LOOK, "logs", "--lookup", "t=t.csv", "--chart")
    assert (status, err) == (0, "")
    assert [line.split("│")[0].strip() for line in out.splitlines()] == [
        "n by a · team", f"{HOME} · core", "444455556666 · (none)",
    ]  # fmt: skip


def test_hostile_texts(call, here):
    """What stands in messages and tables steers no terminal."""
    evil = [
        denial(number, errorMessage=f"\x1b[2J {word} of many more \u202e")
        for number, word in ((1, "one"), (2, "two"))
    ]
    write(here / "evil" / "x.json", *evil)
    (here / "t.csv").write_text(f"account,team\n{HOME},\x1b[31m=1+1\n")
    text = "pattern errorMessage | display @pattern"
    assert call("query", text, "evil") == (0, "@pattern\n\\x1b[2J <Token-1> of many more \\u202e\n", "")
    status, out, _ = call("query", LOOK, "logs", "--lookup", "t=t.csv")
    assert (status, "\x1b" in out, r"\x1b[31m=1+1" in out) == (0, False, True)
