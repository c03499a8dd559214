"""Names of statistics, told from mistakes and taken apart."""

from fractions import Fraction

import pytest

from rolewatch.templates.statistic import SIMPLE, Statistic, StatisticError, is_extended, parse_statistic

EXTENDED = ["p0", "p50", "p99.9", "p100", "p99.9999999999", "tm99", "tc1", "ts90", "wm0.5", "IQM", "PR(1:10)", "PR(:5)", "TM(10%:90%)",
            "TC(:90%)", "WM(10%:)", "TS(1:2.5)", "TM(2:5)"]  # fmt: skip
WRONG = ["", "p", "p101", "p-1", "P90", "P99", "px", "iqm", "PR(10:1)", "PR(10%:90%)", "PR(1%:2%)", "PR(5:5)", "TM(90%:10%)", "TM(:)",
         "TM()", "tm", "tm90%", "TM(10%:90)", "TM(10:90%)", "TM(0%:101%)", "p1.12345678901", "p99.12345678901", "sum", "Sum ", "IQM(1:2)",
         "XX(1:2)", f"PR(:{'9' * 16})"]  # fmt: skip


def test_names():
    """Those of statistic sets are told from those that need the values, and both from mistakes; capitals matter."""
    assert [name for name in EXTENDED if not is_extended(name)] == []
    assert [name for name in (*SIMPLE, *WRONG) if is_extended(name)] == []
    assert {True} == {parse_statistic(name).simple for name in SIMPLE}
    assert {False} == {parse_statistic(name).simple for name in EXTENDED}


@pytest.mark.parametrize("text", WRONG)
def test_refused_texts(text):
    """What the service does not know is refused."""
    with pytest.raises(StatisticError, match="is no statistic of CloudWatch"):
        parse_statistic(text)


PARTS = [
    ("p99.9", ("p", None, Fraction(999, 1000), True)),
    ("wm5", ("wm", None, Fraction(1, 20), True)),
    ("IQM", ("tm", Fraction(1, 4), Fraction(3, 4), True)),
    ("TM(10%:)", ("tm", Fraction(1, 10), None, True)),
    ("TC(2.5:7)", ("tc", Fraction(5, 2), Fraction(7), False)),
    ("PR(:7)", ("pr", None, Fraction(7), False)),
    ("Sum", ("Sum", None, None, False)),
]


@pytest.mark.parametrize(("text", "parts"), PARTS)
def test_parts(text, parts):
    """Bounds are exact, as parts of 1 or as values."""
    assert Statistic(text, *parts) == parse_statistic(text)


def test_beyond_alarms():
    """Only a range of percentiles may reach beyond what the API names for alarms."""
    texts = ("TM(5%:95%)", "TM(10%:90%)", "WM(:95%)", "TS(9.9%:)", "p99", "tm99", "PR(1:2)", "TM(1:2)")
    assert [parse_statistic(text).beyond_alarms for text in texts] == [True, False, True, True, *[False] * 4]
