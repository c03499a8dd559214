"""How days become bars of the HTML report's charts."""

import pytest

from rolewatch.report.html_days import MOST_BARS, Scale, bars, scale


def reported(days, first=None, last=None):
    """Return as much of a report as a scale looks at."""
    timeline = [{"day": day, "denials": 1, "allowed": 0} for day in days]
    return {"findings": [{"timeline": timeline}], "coverage": {"first_record": first, "last_record": last}}


@pytest.mark.parametrize(
    ("days", "step", "count"),
    [
        (["2026-03-01"], 1, 1),
        (["2026-03-01", "2026-03-31"], 1, 31),
        (["2026-01-01", "2026-04-30"], 1, 120),
        (["2026-01-01", "2026-05-01"], 7, 18),
        (["2024-01-01", "2026-12-31"], 30, 37),
        (["2000-01-01", "2026-12-31"], 365, 28),
        (["0001-01-01", "9999-12-31"], 30434, 120),
    ],
)
def test_scale_has_few_enough_bars(days, step, count):
    """A bar is a day, a week, a month or a year, or more: there are never more bars than fit on a page."""
    axis = scale(reported(days))
    assert (axis.step, axis.bars) == (step, count)
    assert axis.bars <= MOST_BARS
    assert [axis.place(day) for day in (min(days), max(days))] == [0, count - 1]
    assert [axis.label(0)[:10], axis.label(count - 1)[-10:] >= max(days)] == [min(days), True]


@pytest.mark.parametrize(
    "day", ["", "yesterday", "2026-02-30", "2026-3-1", "20260301", "\u0662026-03-01", "2026-03-01T"]
)
def test_scale_leaves_out_what_is_no_day(day):
    """A text that is no day neither stretches the scale nor gets a bar."""
    axis = scale(reported(["2026-03-01", day]))
    assert axis == scale(reported(["2026-03-01"]))
    assert axis.place(day) is None
    assert scale(reported([day])) is None


def test_scale_takes_in_the_quiet_days_of_the_input():
    """The days before the first and after the last denial are drawn as well, as long as bars stay single days."""
    near = scale(reported(["2026-03-10"], "2026-03-01T04:00:00Z", "2026-03-20T00:00:00Z"))
    far = scale(reported(["2026-03-10"], "2019-03-01T04:00:00Z", "2026-03-20T00:00:00Z"))
    assert (near.label(0), near.bars, far.label(0), far.bars) == ("2026-03-01", 20, "2026-03-10", 1)


def test_bars_add_up_findings():
    """Days that share a bar are added up over all findings; days outside the scale are left out."""
    axis = Scale(first=739_000, step=7, bars=2)
    first, other = axis.label(0)[:10], axis.label(1)[:10]
    timeline = [{"day": day, "denials": 2, "allowed": 1} for day in (first, other, "1999-01-01")]
    assert bars([{"timeline": timeline}, {"timeline": timeline[:1]}], axis) == [(0, 4, 2), (1, 2, 1)]


def test_ticks_name_the_month_or_the_day():
    """Below short bars stands the day, below long ones the year."""
    start = scale(reported(["2026-03-01"])).first
    assert Scale(start, 1, 1).tick(0) == "Mar 1"
    assert Scale(start, 30, 1).tick(0) == "Mar 2026"
