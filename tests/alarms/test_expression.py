"""Metric math: what expressions mean, what becomes of gaps, and what is wrong with those that mean nothing."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from alarmed import PLACE, alarm, complaint, data, expression, metric, told
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.alarms import tally
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.watch import Watch
from rolewatch.patterns.numbers import java_double
from rolewatch.templates.definitions import Metric, Spelling

GAP = None


def computed(text, reach=5, period=60, others=(), **values):
    """Compute an expression over the periods of one range, from the values of metrics, oldest first."""
    queries = [*(metric(name, period) for name in values), *others, expression(text, "x")]
    metrics = {
        m: units
        for name, row in values.items()
        for m, units in data(row, Metric("N", name), step=period).items()
    }
    watch = Watch(alarm(n=reach - 2, queries=queries), metrics)
    end = np.array([reach * period])
    rows = watch.ranges(end, 0)
    if not watch.along:
        alone = watch.points(end - np.arange(reach - 1, -1, -1) * period)
        assert (rows.present[0].tolist(), rows.values[0].tolist()) == (
            alone.present.tolist(),
            alone.values.tolist(),
        )
    return [
        value if there else GAP
        for there, value in zip(rows.present[0].tolist(), rows.values[0].tolist(), strict=True)
    ]


M1, M2 = [1, 2, GAP, 4, 6], [2, GAP, GAP, 0, 3]

EXPRESSIONS = [
    ("m1", [1, 2, GAP, 4, 6]),
    ("5 * m1", [5, 10, GAP, 20, 30]),
    ("-m1", [-1, -2, GAP, -4, -6]),
    ("+m1 - -1", [2, 3, GAP, 5, 7]),
    ("m1 + m2", [3, 2, GAP, 4, 9]),
    ("m1 - m2", [-1, 2, GAP, 4, 3]),
    ("m1 / m2", [0.5, GAP, GAP, GAP, 2]),
    ("m2 / m1 * 100", [200, 0, GAP, 0, 50]),
    ("2 + 3 * m1", [5, 8, GAP, 14, 20]),
    ("(2 + 3) * m1", [5, 10, GAP, 20, 30]),
    ("8 / 4 / 2 * m1", [1, 2, GAP, 4, 6]),
    ("10 - 3 - 2 + 0 * m1", [5, 5, GAP, 5, 5]),
    ("m1 ^ 2", [1, 4, GAP, 16, 36]),
    ("2 ^ 3 ^ 2 * m1 / 512", [1, 2, GAP, 4, 6]),
    ("-m1 ^ 2", [-1, -4, GAP, -16, -36]),
    ("m1 * 1e1 + .5", [10.5, 20.5, GAP, 40.5, 60.5]),
    ("FILL(m1, 0)", [1, 2, 0, 4, 6]),
    ("FILL(m2, m1)", [2, 2, GAP, 0, 3]),
    ("FILL(m2, REPEAT)", [2, 2, 2, 0, 3]),
    ("FILL(m2, LINEAR)", [2, 4 / 3, 2 / 3, 0, 3]),
    ("FILL(m1, MIN(m1))", [1, 2, 1, 4, 6]),
    ("FILL(DIFF(m1), LINEAR)", [GAP, 1, 1.5, 2, 2]),
    ("FILL(m1, 0) / FILL(m2, 1)", [0.5, 2, 0, GAP, 2]),
    ("SUM([m1, m2])", [3, 2, GAP, 4, 9]),
    ("SUM(METRICS())", [3, 2, GAP, 4, 9]),
    ('SUM(METRICS("m2"))', [2, GAP, GAP, 0, 3]),
    ("SUM([METRICS('m1'), METRICS('m2')])", [3, 2, GAP, 4, 9]),
    ("AVG([m1, m2])", [1.5, 1, GAP, 2, 4.5]),
    ("MIN([m1, m2])", [1, 2, GAP, 0, 3]),
    ("MAX([m1, m2])", [2, 2, GAP, 4, 6]),
    ("DATAPOINT_COUNT([m1, m2])", [2, 1, GAP, 2, 2]),
    ("SUM(100 / [m1, m2])", [150, 50, GAP, 25, 100 / 6 + 100 / 3]),
    ("SUM(-[m1, m2])", [-3, -2, GAP, -4, -9]),
    ("FIRST([m1, m2])", M1),
    ("LAST(METRICS())", M2),
    ("m1 - AVG(m1)", [-2.25, -1.25, GAP, 0.75, 2.75]),
    ("m1 * 0 + SUM(m1)", [13, 13, GAP, 13, 13]),
    ("m1 / MAX(m1)", [1 / 6, 1 / 3, GAP, 4 / 6, 1]),
    ("m1 * 0 + DATAPOINT_COUNT(m2)", [3, 3, GAP, 3, 3]),
    ("m1 * 0 + STDDEV(m2)", [math.sqrt(14 / 9)] * 2 + [GAP] + [math.sqrt(14 / 9)] * 2),
    ("m1 / METRIC_COUNT(METRICS())", [0.5, 1, GAP, 2, 3]),
    ("m1 / PERIOD(m1)", [1 / 60, 2 / 60, GAP, 4 / 60, 0.1]),
    ("ABS(m1 - 3)", [2, 1, GAP, 1, 3]),
    ("CEIL(m1 / 4)", [1, 1, GAP, 1, 2]),
    ("FLOOR(m1 / 4)", [0, 0, GAP, 1, 1]),
    ("LOG(m2)", [math.log(2), GAP, GAP, GAP, math.log(3)]),
    ("LOG10(100 * m1)", [2, math.log10(200), GAP, math.log10(400), math.log10(600)]),
    ("DIFF(m1)", [GAP, 1, GAP, 2, 2]),
    ("DIFF_TIME(m1)", [GAP, 60, GAP, 120, 60]),
    ("RATE(m1)", [GAP, 1 / 60, GAP, 2 / 120, 2 / 60]),
    ("RUNNING_SUM(m1)", [1, 3, GAP, 7, 13]),
    ("IF(m1 < 3, m1)", [1, 2, GAP, GAP, GAP]),
    ("IF(m1 < 3, 10, 2)", [10, 10, GAP, 2, 2]),
    ("IF(m1 == 4 OR m1 == 1, 1, 0)", [1, 0, GAP, 1, 0]),
    ("IF(m1 > 1 AND m1 <= 4, m1, m2)", [2, 2, GAP, 4, 3]),
    ("IF(m1 >= 2 && m1 != 4 || 0 * m1, 1, 0)", [0, 1, GAP, 0, 1]),
    ("IF(1, m1, m2)", M1),
    ("IF(SUM(m1) > 100, m1, m2)", M2),
    ("TIME_SERIES(SUM(m2) * 2)", [10] * 5),
    ("MINUTE(m1)", [0, 1, 2, 3, 4]),
    ("HOUR(m1) + DAY(m1) + DATE(m1) + MONTH(m1) + YEAR(m1)", [0 + 4 + 1 + 1 + 1970] * 5),
    ("EPOCH(m1)", [0, 60, 120, 180, 240]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS)
def test_expressions(text, expected):
    """What an expression makes of two metrics with gaps."""
    found = computed(text, m1=M1, m2=M2)
    assert [GAP if value is GAP else pytest.approx(value) for value in expected] == found


GREAT = 2.0**360


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 * m1 * m1", [GAP, GAP, GAP, GAP, 0]),
        ("m1 ^ 4", [GAP, GAP, GAP, GAP, 0]),
        ("m1 * 1e300", [GAP, GAP, GAP, GAP, 0]),
        ("m1 * m1", [GREAT**2, GREAT**2, GAP, GREAT**2, 0]),
        ("STDDEV([m1, -m1])", [GREAT, GREAT, GAP, GREAT, 0]),
        ("m1 * 0 + STDDEV(m1 * m1)", [GAP] * 5),
        ("SUM([m1 * m1 * 3e91, m1 * m1 * 3e91])", [GAP, GAP, GAP, GAP, 0]),
        ("RUNNING_SUM(m1 * m1 * 3e91)", [GREAT**2 * 3e91, GAP, GAP, GAP, GAP]),
        ("DIFF(m1 * ABS(m1) * 3e91)", [GAP, GAP, GAP, GAP, -(GREAT**2) * 3e91]),
        ("RATE(m1 * ABS(m1) * 3e91)", [GAP, GAP, GAP, GAP, -(GREAT**2) * 3e91 / 60]),
        ("FILL(m1 * ABS(m1) * 3e91, LINEAR)", [GREAT**2 * 3e91, -(GREAT**2) * 3e91, GAP, GREAT**2 * 3e91, 0]),
    ],
)
def test_what_is_too_great_is_missing(text, expected):
    """A result that no double can hold is none, and nothing but that is said of it."""
    found = computed(text, m1=[GREAT, -GREAT, GAP, GREAT, 0])
    assert [GAP if value is GAP else pytest.approx(value) for value in expected] == found


def test_documented_comparisons():
    """The guide's example of comparison and logical operators: a gap beside a value counts as 0."""
    metric1, metric2 = [30, 20, 0, 0], [20, GAP, 20, GAP]
    for text, expected in [
        ("metric1 < metric2", [0, 0, 1, 0]),
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),
    ]:
        assert expected == computed(text, 4, metric1=metric1, metric2=metric2)


def test_documented_choices():
    """The guide's examples of IF."""
    rows = {"metric1": [1, 1, 0, 0, GAP], "metric2": [30, GAP, 0, 0, 30], "metric3": [0, 0, 20, GAP, 20]}
    assert computed("IF(metric1, metric2, metric3)", **rows) == [30, 0, 20, GAP, GAP]
    assert computed("IF(metric1, 5, metric3)", **rows) == [5, 5, 20, GAP, GAP]
    assert computed("IF(metric1, metric2, 5)", **rows) == [30, 0, 5, 5, GAP]


def test_expressions_of_expressions():
    """An expression may use others by their ids; METRICS() does not count them."""
    others = [
        expression("m1 / m2 * 100", "rate", returned=False),
        expression("FILL(rate, 0)", "filled", returned=False),
    ]
    assert computed("filled", others=others, m1=M1, m2=M2) == [50, 0, 0, 0, 200]
    assert computed("SUM(METRICS())", others=others, m1=M1, m2=M2) == [3, 2, GAP, 4, 9]


def test_calendar():
    """Times are those of the period's start, in UTC; Monday is day 1."""
    start = 1_772_582_400 + 5 * 3600 + 60  # Wednesday, 2026-03-04 05:01 UTC
    for text, expected in [
        ("DAY", 3),
        ("DATE", 4),
        ("MONTH", 3),
        ("YEAR", 2026),
        ("HOUR", 5),
        ("MINUTE", 1),
        ("EPOCH", start),
    ]:
        watched = alarm(queries=[metric("m1"), expression(f"{text}(m1)")])
        (transition,) = told(watched, data([1], Metric("N", "m1"), start=start), start + 60, start)
        assert f"[{java_double(float(expected))} (04/03/26 05:01:00)]" in transition.reason


WRONG = [
    ("m1 +", "expected a number, an id or a function, found the end, at character 5 of 'm1 +'"),
    ("m1 m1", "expected an operator or the end, found 'm1', at character 4"),
    ("(m1", "expected ')', found the end, at character 4"),
    ("[m1", "expected ',' or ']', found the end"),
    ("SUM(m1", "expected ',' or ')', found the end"),
    ("m1 % 2", "'%' cannot stand here, at character 4"),
    ("2m1", "'2' cannot stand here, at character 1"),
    ("m3 + 1", "there is no metric or expression with the id m3, at character 1"),
    ("SEARCH('x')", "a text can be the argument of METRICS only"),
    ("SORT(METRICS(), AVG, DESC)", "there is no metric or expression with the id AVG, at character 17"),
    ("1 + NOSUCH(m1)", "rolewatch does not know the function NOSUCH, at character 5"),
    ("sum(m1)", "rolewatch does not know the function sum"),
    ("ABS(m1, 2)", "ABS takes S or TS or TS[], not TS, S"),
    ("FILL(m1)", "FILL takes TS, S or TS, TS or TS[], S or TS[], TS, not TS"),
    ("m1 + [1, m1]", "an array holds time series, at character 6"),
    ("m1 + []", "an array holds time series, at character 6"),
    ("[m1, m1]", "an alarm watches one time series, and the expression gives several time series"),
    ("SUM(m1)", "an alarm watches one time series, and the expression gives a single number"),
    ("[m1] + [m1]", "+ takes"),
    ("SUM(METRICS('zz'))", "METRICS finds no metric, at character 5"),
    ("SUM(METRICS(m1))", "METRICS takes a text or nothing"),
    ("PERIOD(m1 + 1) * m1", "PERIOD takes the id of a metric"),
    ("x + m1", "the expression x depends on itself, at character 1"),
    ("TIME_SERIES(1)", "the expression refers to no metric"),
    ("(" * 60 + "m1" + ")" * 60, "the expression is nested too deeply"),
    ("-" * 60 + "m1", "the expression is nested too deeply"),
    ("m1" + "+m1" * 300, "the expression has too many operators in a row"),
    ("m1 + " + " " * 2050 + "1", "an expression has at most 2048 characters"),
    ("", "expected a number, an id or a function, found the end"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_expressions(text, message):
    """What is wrong with an expression is said with its place, and the alarm's."""
    assert message in complaint(alarm(queries=[metric("m1"), expression(text, "x")]))


@pytest.mark.parametrize(("text", "place"), [
    ("m1 + m3", (3, 15)),
    ("m1 + x", (3, 15)),
    ("1 + NOSUCH(m1)", (4, 2)),
    ("SUM(m1)", (3, 10)),
])  # fmt: skip
def test_where_an_expression_is_wrong(text, place):
    """Where its characters have places, an error has that of the character, here of a text of one and a half lines."""
    start = PLACE._replace(line=3, column=10, path="Expression")
    runs = ((0, 3, 10), (4, 4, 2)) if text.startswith("1") else ((0, 3, 10),)
    query = expression(text, "x")._replace(written=Spelling(start, len(text) + 1, runs))
    _, (notice,) = replay([alarm(queries=[metric("m1"), query])], [], {}, start=0, end=600)
    assert notice.place == start._replace(line=place[0], column=place[1])


@pytest.mark.parametrize(("queries", "message"), [
    ([metric("m1", 60), metric("m2", 300), expression("m1 + m2")], "have the periods 60, 300 (give all of them the same Period)"),
    ([metric("m1", returned=True), expression("m1")], "exactly one metric or expression"),
    ([metric("m1"), expression("m1", returned=False)], "exactly one metric or expression"),
    ([metric("m1", statistic="avg"), expression("m1")], "'avg' is no statistic of CloudWatch"),
])  # fmt: skip
def test_wrong_queries(queries, message):
    """So is what is wrong with the metrics."""
    assert message in complaint(alarm(queries=queries))


def test_a_metric_alone():
    """A query of a metric may be watched without any expression."""
    (transition,) = told(
        alarm(queries=[metric("m1", returned=True)]), data([1], Metric("N", "m1")), 60, initial={"a": "OK"}
    )
    assert '"value":1.0}]' in transition.reason_data


TEXTS = ["m1 + m2", "m1 / m2", "FILL(m1, 0) - m2", "IF(m1 > m2, m1, 1)", "FILL(m1, REPEAT)", "DIFF(m1) + m2", "m1 - AVG(m1)",
         "FILL(m1, 3)", "IF(MINUTE(m1) > 30, FILL(m2, 2))", "SUM([m1, m2]) / METRIC_COUNT(METRICS())"]  # fmt: skip
ROWS = st.dictionaries(st.integers(-200, 400), st.integers(0, 4).map(float), max_size=60)


ALARMS = st.fixed_dictionaries({
    "counts": st.sampled_from([(1, 1), (3, 2), (3, 3)]),
    "period": st.sampled_from([60, 180]),
    "treat": st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
    "delay": st.sampled_from([0, 60, 600]),
})  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), ROWS, ROWS, ALARMS)
def test_every_way_gives_the_same(text, first, second, of):
    """Expressions are evaluated alike from changes, from every step, and from every evaluation on its own."""
    queries = [metric("m1", of["period"]), metric("m2", of["period"]), expression(text)]
    n, m = of["counts"]
    watched = alarm(n=n, m=m, treat=of["treat"], threshold=2.0, queries=queries)
    metrics = {
        **data({60 * minute: {value: 1} for minute, value in first.items()}, Metric("N", "m1")),
        **data({60 * minute: {value: 1} for minute, value in second.items()}, Metric("N", "m2")),
    }
    found = []
    for way in ({"_FEW": 10**9}, {"_FEW": 0, "_EVENT": 10**9}, {"_FEW": 0, "_EVENT": 0}):
        with patch.multiple(tally, **way):
            found.append(
                [(t.time, t.after, t.reason) for t in told(watched, metrics, 24_000, delay=of["delay"])]
            )
    assert found[0] == found[1] == found[2]
