from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from rolewatch.cloudtrail.layout import parse
from rolewatch.sources import Filter, Window
from rolewatch.sources.days import cover

KEY = "AWSLogs/{account}/CloudTrail/{region}/{day}/x.json.gz"


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, ("0000-00-00", "9999-99-99")),
        (datetime(2023, 7, 10, tzinfo=UTC), None, ("2023-07-10", "9999-99-99")),
        (None, datetime(2023, 7, 10, tzinfo=UTC), ("0000-00-00", "2023-07-11")),
        (
            datetime(2023, 7, 10, 23, 59, tzinfo=UTC),
            datetime(2023, 12, 31, 1, tzinfo=UTC),
            ("2023-07-10", "2024-01-01"),
        ),
        (datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 2, 28, tzinfo=UTC), ("2024-02-28", "2024-02-29")),
        (datetime(2023, 7, 10, 1, tzinfo=timezone(timedelta(hours=2))), None, ("2023-07-09", "9999-99-99")),
        (datetime(2023, 7, 10, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), ("2023-07-10", "9999-12-31")),
    ],
)
def test_days_of_delivery_reach_from_since_to_one_day_after_until(since, until, expected):
    """Folders are UTC days of delivery, which comes after the event."""
    assert expected == Window(since=since, until=until).days()


@pytest.mark.parametrize(
    ("account", "region", "day", "expected"),
    [
        ("111122223333", "us-east-1", "2023/07/10", True),
        ("111122223333", "us-east-1", "2023/07/12", True),
        ("111122223333", "us-east-1", "2023/07/09", False),
        ("111122223333", "us-east-1", "2023/07/13", False),
        ("444455556666", "us-east-1", "2023/07/10", False),
        ("111122223333", "eu-west-1", "2023/07/10", False),
    ],
)
def test_a_filter_admits_what_can_hold_the_window(account, region, day, expected):
    """Account, region and day must all match."""
    window = Window(
        since=datetime(2023, 7, 10, 5, tzinfo=UTC),
        until=datetime(2023, 7, 11, 5, tzinfo=UTC),
        accounts=frozenset({"111122223333"}),
        regions=frozenset({"us-east-1"}),
    )
    layout = parse(KEY.format(account=account, region=region, day=day))
    assert expected == Filter(window).admits(layout)


def test_a_filter_admits_what_has_no_layout():
    """Nothing tells what such a delivery holds, so it has to be read."""
    assert Filter(Window(accounts=frozenset({"111122223333"}))).admits(None) is True


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2023-07-10", "2023-07-10", ["2023/07/10/"]),
        ("2023-07-30", "2023-08-01", ["2023/07/30/", "2023/07/31/", "2023/08/01/"]),
        ("2023-07-09", "2023-07-20", ["2023/07/09/", "2023/07/1", "2023/07/20/"]),
        ("2023-07-01", "2023-07-31", ["2023/07/"]),
        ("2024-02-01", "2024-02-29", ["2024/02/"]),
        (
            "2023-02-01",
            "2023-02-27",
            ["2023/02/0", "2023/02/1", *(f"2023/02/{day}/" for day in range(20, 28))],
        ),
        ("2022-12-31", "2024-01-01", ["2022/12/31/", "2023/", "2024/01/01/"]),
        ("2023-07-11", "2023-07-10", []),
    ],
)
def test_a_range_of_days_takes_few_prefixes(first, last, expected):
    """Whole years, months and tens of days are one prefix each."""
    assert expected == list(cover(first, last))


def test_prefixes_hold_exactly_the_days_of_their_range():
    """Every day of three years is under exactly one prefix if it is in the range, and under none if it is not."""
    start = date(2023, 1, 1)
    days = [start + timedelta(days=n) for n in range(3 * 365 + 1)]
    for first, last in [(0, 0), (5, 45), (30, 60), (58, 60), (0, 364), (200, 900), (364, 365), (40, 1090)]:
        prefixes = list(cover(days[first].isoformat(), days[last].isoformat()))
        for number, day in enumerate(days):
            under = [prefix for prefix in prefixes if f"{day:%Y/%m/%d}/".startswith(prefix)]
            assert (first <= number <= last) == len(under), (day, prefixes)


def test_three_months_take_two_dozen_prefixes_at_most():
    """The worst of all windows of 90 days still costs few listings."""
    start = date(2023, 1, 1)
    worst = max(
        len(
            list(cover((start + timedelta(days=n)).isoformat(), (start + timedelta(days=n + 89)).isoformat()))
        )
        for n in range(366)
    )
    assert worst <= 24
