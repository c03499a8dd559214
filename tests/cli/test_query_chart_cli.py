"""`rolewatch query --chart`: which of the ways to draw is taken, and how it ends."""

import sys

import pytest

BY_HOUR = "stats count(*) as n by bin(1h)"
DRAWN = "n by eventSource\ns3.amazonaws.com     │"


@pytest.fixture
def run(call):
    """Give a way to query the story: a query and words in; status, stdout and stderr out."""
    return lambda text, *words: call("query", text, "logs", *words)


def test_in_the_terminal(run, here):
    """It goes to standard output, or to a file as text."""
    text = "stats count(*) as n by eventSource | sort n desc, eventSource"
    status, out, err = run(text, "--chart")
    assert (status, err) == (0, "")
    assert out.startswith(DRAWN)
    assert run(text, "--chart", "--output", "chart.txt") == (0, "", "")
    assert (here / "chart.txt").read_text() == out


@pytest.mark.parametrize(
    ("name", "start"), [("x.svg", b"<svg"), ("x.PNG", b"\x89PNG"), ("x.html", b"<!doctype html>")]
)
@pytest.mark.parametrize("words", [(), ("--chart",)])
def test_as_a_picture(run, here, name, start, words):
    """The ending of the file's name says of what kind; --chart need not be said."""
    assert run(BY_HOUR, *words, "--output", name) == (0, "", "")
    assert (here / name).read_bytes().startswith(start)


def test_rows_in_a_file_of_such_a_name(run, here):
    """A format that is typed is what is written."""
    assert run(BY_HOUR, "--output", "x.html", "--format", "csv") == (0, "", "")
    assert (here / "x.html").read_text().startswith("bin(1h),n\n")


def test_settings(run, here):
    """A format that is set does not keep a chart from being drawn, and a chart that is set gives way to a format."""
    (here / "rolewatch.toml").write_text('format = "csv"\n')
    assert "peak 7" in run(BY_HOUR, "--chart")[1]
    (here / "rolewatch.toml").write_text("[query]\nchart = true\n")
    assert "peak 7" in run(BY_HOUR)[1]
    assert run(BY_HOUR, "--format", "jsonl")[1].startswith("{")


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (
            BY_HOUR,
            ("--chart", "--format", "csv"),
            "--chart draws, and --format prints rows (write one of them)",
        ),
        (
            "fields eventName",
            ("--chart",),
            "--chart draws what stats gives, and this query has none (end it with",
        ),
        (
            "stats values(eventName)",
            ("--output", "x.svg"),
            "--chart draws numbers, and this query gives none",
        ),
    ],
)
def test_what_cannot_be_drawn(run, here, text, words, message):
    """It is told before anything is read or kept, and the status is 2."""
    status, out, err = run(text, *words, "--save", "x")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (here / ".config").exists()
    assert not (here / "x.svg").exists()


def test_without_the_extra(run, monkeypatch):
    """A picture needs a package, which is named with how to get it; the status is 4. A terminal needs none."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    status, out, err = run(BY_HOUR, "--output", "x.svg")
    assert (status, out) == (4, "")
    assert err.startswith(
        "rolewatch: a picture needs vl-convert-python, which is not installed (pip install 'rolewatch[web]'"
    )
    assert run(BY_HOUR, "--chart")[0] == 0


def test_no_rows(run):
    """It is no failure."""
    assert run("filter eventName = 'None' | stats count(*) by bin(1h)", "--chart") == (0, "no rows\n", "")


@pytest.mark.parametrize("name", ["blocked/by-day", "activity/busiest-roles"])
def test_queries_of_the_library_for_charts(run, name):
    """Those that say so can be drawn."""
    status, out, err = run(f"@{name}", "--chart")
    assert (status, err, "2026-03-01" in out) == (0, "", True)
