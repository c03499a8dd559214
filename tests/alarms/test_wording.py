"""How the service writes numbers and times."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rolewatch.alarms.wording import counted, long_time, number, short_time, stamp, was
from rolewatch.patterns.numbers import java_double


@given(st.floats(allow_nan=False))
def test_numbers(value):
    """The short way to write a double gives what the long one does."""
    assert number(value) == java_double(value)


@given(st.integers(0, 2**32))
def test_times(seconds):
    """The short way to write a time gives what strftime does."""
    when = datetime.fromtimestamp(seconds, UTC)
    assert short_time(seconds) == when.strftime("%d/%m/%y %H:%M:%S")
    assert stamp(seconds) == when.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    assert long_time(seconds) == when.strftime("%A %d %B, %Y %H:%M:%S UTC")


def test_long_time():
    """The documented example."""
    assert long_time(1_658_505_465) == "Friday 22 July, 2022 15:57:45 UTC"


def test_counts():
    """One is singular, all else plural."""
    assert [f"{counted(n, 'period')} {was(n)}" for n in (0, 1, 2)] == [
        "0 periods were",
        "1 period was",
        "2 periods were",
    ]
