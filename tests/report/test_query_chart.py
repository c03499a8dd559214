"""The rows of `stats` as a chart: what is drawn where, and that whatever is left out is told."""

import pytest
from charted import HOUR, ROOM, answer, at, charted
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import UsageError
from rolewatch.report.query_chart import LONGEST_LABEL, moment, number, shortened
from rolewatch.report.query_chart_shape import Bin, shape_of

NOON = at("2026-03-01T12:00")
BY_HOUR = "stats count(*) as n by bin(1h) as t, eventName"


def values(chart, panel=0):
    """Give the values of a chart's series by their labels."""
    return {series.label: series.values for series in chart.panels[panel].series}


def test_hours_without_a_row_are_zero_where_something_is_counted():
    """Each series has a value for each hour between the first and the last, those with most come first."""
    chart = charted(BY_HOUR, (NOON, "a", 1.0), (NOON + 3 * HOUR, "b", 5.0), (NOON + HOUR, "a", 2.0))
    assert list(values(chart).items()) == [("b", (0, 0, 0, 5)), ("a", (1, 2, 0, 0))]
    assert chart.times == tuple(NOON + hour * HOUR for hour in range(5))
    assert (chart.title, chart.per, chart.notes) == ("n per 1h by eventName", "1h", ())


def test_other_measures_are_nothing_there():
    """An average of no rows is no number; and what has no group has the measure's name."""
    chart = charted("stats avg(strlen(eventName)) as a, max(size) by bin(1h)", (NOON, 1.5, "7"), (NOON + 2 * HOUR, None, "x"))  # fmt: skip
    assert values(chart) == {"a": (1.5, None, None)}
    assert values(chart, 1) == {"max(size)": (7, None, None)}


@pytest.mark.parametrize(
    ("query", "expected", "told"),
    [
        ("stats count(*) as n by bin(1h)", (3, 3, 1), "2 bins of 1h are drawn as one, added up"),
        ("stats count_distinct(a) as n by bin(1h)", (2, 2, 1), "2 bins of 1h are drawn as one, the highest of them"),
    ],
)  # fmt: skip
def test_more_bins_than_columns(query, expected, told):
    """What adds up is added up, of all else the highest is drawn, and it is told."""
    rows = [(NOON + hour * HOUR, float(1 + hour % 2)) for hour in range(5)]
    chart = charted(query, *rows, room=ROOM._replace(columns=3))
    assert values(chart) == {"n": expected}
    assert (chart.notes, chart.per, chart.times[-1]) == ((told,), "2h", NOON + 6 * HOUR)


def test_a_millisecond_in_a_century():
    """The number of bins does not matter to the number of columns."""
    chart = charted("stats count(*) as n by bin(1ms)", (0, 1.0), (at("2070-01-01"), 2.0))
    assert (len(chart.times) - 1, values(chart)["n"][0], values(chart)["n"][-1]) == (720, 1, 2)


def test_months():
    """They are as long as in the calendar."""
    chart = charted("stats count(*) as n by bin(1mo)", (at("2025-12-01"), 1.0), (at("2026-02-01"), 2.0))
    assert values(chart) == {"n": (1, 0, 2)}
    assert [moment(time)[:10] for time in chart.times] == [
        "2025-12-01",
        "2026-01-01",
        "2026-02-01",
        "2026-03-01",
    ]
    assert chart.per == "1 month"


def test_series_that_are_too_many():
    """Those with most are drawn, and of the others it is told how many and how high."""
    rows = [(NOON, f"s{each:02}", float(each + 1)) for each in range(13)]
    chart = charted(BY_HOUR, *rows)
    assert [series.label for series in chart.panels[0].series] == [f"s{each:02}" for each in range(12, 2, -1)]
    assert chart.panels[0].left_out == "3 more series not drawn, of which the highest reaches 3"


def test_side_by_side():
    """Without bins there is a bar for each row, in the order of the rows; those beyond are told."""
    query = "stats count(*) as n, avg(strlen(a)) as size by eventName, errorCode"
    rows = [("a", None, 1.0, 2.5), ("b", "", 3.0, None), ("c", "x", 2.0, 1.0)]
    chart = charted(query, *rows, room=ROOM._replace(bars=2))
    assert chart.labels == ("a · (none)", 'b · ""')
    assert (values(chart), values(chart, 1)) == ({"n": (1, 3)}, {"size": (2.5, None)})
    assert (chart.title, chart.notes) == ("n, size by eventName · errorCode", ("1 more row not drawn",))


def test_a_row_without_groups():
    """It is one bar for each number."""
    chart = charted("stats count(*), min(@timestamp)", (4.0, NOON))
    assert (chart.labels, values(chart), len(chart.panels)) == (("all",), {"count(*)": (4,)}, 1)


def test_rows_without_a_time():
    """They are told, and not drawn."""
    chart = charted(BY_HOUR, (None, "a", 1.0), (NOON, "a", 2.0), (None, "b", 1.0))
    assert (values(chart), chart.notes) == ({"a": (2,)}, ("2 rows without a time not drawn",))


def test_nothing_to_draw():
    """No rows make an empty chart."""
    chart = charted(BY_HOUR)
    assert (chart.times, chart.labels, chart.panels[0].series) == ((), (), ())
    assert charted("stats count(*) by eventName").labels == ()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("fields strlen(a)", "--chart draws what stats gives, and this query has none"),
        ("stats min(@timestamp) by eventName", "--chart draws numbers, and this query gives none"),
        ("stats values(a) as v by b | display b", "--chart draws numbers"),
    ],
)
def test_what_cannot_be_drawn(query, message):
    """It is told from the query alone, with what to write instead."""
    with pytest.raises(UsageError) as caught:
        shape_of(answer(query).plan)
    assert message in str(caught.value)
    assert caught.value.remedy


def test_arithmetic_and_later_commands():
    """Numbers that are made of aggregates are drawn, and so is what a second `stats` gives of the first."""
    chart = charted(
        "stats sum(a) / count(*) as mean by bin(1d) as d | sort d | limit 9", (at("2026-03-01"), 2.5)
    )
    assert values(chart) == {"mean": (2.5,)}
    again = charted(
        "stats count(*) as n by bin(1d) as d, a | stats max(n) as most by d", (at("2026-03-01"), 2.0)
    )
    assert (again.title, values(again)) == ("most by d", {"most": (2,)})


def test_long_labels_are_cut_in_the_middle_and_stay_apart():
    """The end of an ARN tells most of it; two that look the same get a number."""
    names = [f"arn:aws:iam::111122223333:role/{'x' * 30}{each}{'y' * 40}" for each in "ab"]
    chart = charted(BY_HOUR, *((NOON, name, 1.0) for name in names))
    first, second = (series.label for series in chart.panels[0].series)
    assert (first[:15], first[15], first[-32:]) == ("arn:aws:iam::11", "…", "y" * 32)
    assert second.endswith("yyy (2)")
    assert {len(first), len(second)} == {LONGEST_LABEL}


@given(st.text(max_size=90), st.integers(20, 60))
def test_no_label_is_too_long(text, longest):
    """Whatever it is."""
    assert len(shortened(text, longest)) <= longest
    assert shortened(text, longest) == text or len(text) > longest


def test_labels_of_attackers():
    """What would steer a terminal is shown as its escape."""
    chart = charted(BY_HOUR, (NOON, "\x1b[2J\u202e", 1.0))
    assert list(values(chart)) == [r"\x1b[2J\u202e"]


def test_numbers_beyond_all_measure():
    """They are drawn as high as anything is."""
    chart = charted("stats sum(a) as n, max(b) by bin(1d)", (0, 1.7e308, "1e999"), (0, 1.7e308, "-1"))
    assert (values(chart), values(chart, 1)) == ({"n": (1e300,)}, {"max(b)": (1e300,)})


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (12000.0, "12,000"), (0.25, "0.25"), (1e300, "1e+300"), (1 / 3, "0.333333")],
)
def test_numbers(value, expected):
    """Without what they do not need."""
    assert number(value) == expected


@pytest.mark.parametrize(
    ("length", "count", "expected"),
    [
        (Bin(3_600_000, 0), 1, "1h"), (Bin(3_600_000, 0), 24, "1d"), (Bin(60_000, 0), 90, "90m"), (Bin(1, 0), 1500, "1500ms"),
        (Bin(604_800_000, 0), 2, "2w"), (Bin(0, 1), 1, "1 month"), (Bin(0, 3), 2, "6 months"),
    ],
)  # fmt: skip
def test_lengths(length, count, expected):
    """In the largest unit that goes into them."""
    assert length.words(count) == expected
