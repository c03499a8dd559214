"""Metric filters over deliveries count what an obvious evaluator counts, one record after the other."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import pytest
from loads import DENIED, ROLE, content, delivery, record

from rolewatch.metrics.publish import Publisher
from rolewatch.patterns import compile_pattern
from rolewatch.scan import pool
from rolewatch.scan.count import Counting
from rolewatch.scan.pool import fold
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window
from rolewatch.templates.definitions import MetricFilter, Place, Transformation

DENIALS = '{ $.errorCode = "*AccessDenied*" && $.userIdentity.sessionContext.sessionIssuer.arn = "*:role/aws-service-role/*" }'
ANY_LETTER = "{ $.eventName = %[a-z]% }"  # has no literal


def filtering(pattern, value="1", default=None, dimensions=()):
    """Make a metric filter."""
    transformation = Transformation("Local", "Metric", value, default, dimensions)
    return MetricFilter("F", "f", "", compile_pattern(pattern), transformation, Place("t", 1, 1, ""))


def counted(filters, deliveries, jobs=1, **request):
    """Count; returns the tallies."""
    with fold(deliveries, partial(Counting, filters, ScanRequest(**request)), jobs) as crew:
        return crew.summary


def values(filters, tallies):
    """Give what each filter publishes: dimensions → minute → value → number."""
    return [
        tally.values(
            Publisher(each.pattern, each.transformation).constant,
            each.transformation.default,
            tallies.minutes,
        )
        for each, tally in zip(filters, tallies.tallies, strict=True)
    ]


def literally(filters, records):
    """Count as the reference algorithm of spec/metric-filter.md §4 does (values that are numbers, one default)."""
    found = [{} for _ in filters]
    for each in records:
        time = datetime.fromisoformat(each["eventTime"]).replace(second=0, tzinfo=UTC)
        for series, one in zip(found, filters, strict=True):
            told = one.transformation
            value, dimensions = told.default, ()
            if one.pattern(json.dumps(each)):
                value = float(told.value)
                dimensions = tuple(
                    (name, each[path[2:]]) for name, path in told.dimensions if path[2:] in each
                )
            if value is not None:
                minutes = series.setdefault(dimensions, {})
                minutes.setdefault(int(time.timestamp()), Counter())[value] += 1
    return found


def mixed(number=40):
    """Write records of some minutes, of which some are denials."""
    for index in range(number):
        time = f"2026-03-01T10:{index % 7:02d}:{index:02d}Z"
        yield record("GetBucketAcl", number=index, time=time, **(DENIED if index % 3 == 0 else {}))


FILTERS = [
    filtering(DENIALS),
    filtering(DENIALS, "2", 0.0),
    filtering(ANY_LETTER, "3", 7.0),
    filtering(DENIALS, dimensions=(("Name", "$.eventName"),)),
    filtering("AccessDenied"),
    filtering("", "1", None),
]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("filters", [FILTERS, FILTERS[:1], FILTERS[1:2], FILTERS[2:3], FILTERS[3:4]], ids=["all", "search", "default", "each record", "dimension"])  # fmt: skip
@pytest.mark.parametrize("indent", [None, 1])
def test_counts(filters, indent):
    """Matches and defaults per minute, whether records are found by literals or decoded one by one."""
    records = list(mixed())
    text = content(*records) if indent is None else json.dumps({"Records": records}, indent=indent).encode()
    tallies = counted(
        filters, [delivery(gzip.compress(text), "a.json.gz"), delivery(content(*records), "b.json")]
    )
    assert values(filters, tallies) == literally(filters, records * 2)
    assert sum(tallies.minutes.values()) == 80
    assert (tallies.untimed, tallies.unreadable) == (0, [])


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs(jobs, monkeypatch):
    """Several processes count what one counts, and keep the same examples."""
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 1)
    deliveries = [delivery(content(*mixed(n)), f"{n}.json") for n in (5, 30, 17, 9)]
    alone, several = counted(FILTERS, deliveries), counted(FILTERS, deliveries, jobs)
    assert values(FILTERS, several) == values(FILTERS, alone)
    assert [tally.examples for tally in several.tallies] == [tally.examples for tally in alone.tallies]
    assert (several.named, several.minutes) == (alone.named, alone.minutes)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(since=datetime(2026, 3, 1, 10, 3, 10, tzinfo=UTC)), 21),
        (Window(until=datetime(2026, 3, 1, 10, 3, 10, tzinfo=UTC)), 19),
        (Window(accounts=frozenset(["999999999999"])), 0),
        (Window(regions=frozenset(["us-east-1"])), 40),
    ],
    ids=["since", "until", "account", "region"],
)
def test_window(window, expected):
    """Only records of the window count, the defaults of those that do not match included."""
    records = [each | {"awsRegion": "us-east-1"} for each in mixed()]
    tallies = counted(FILTERS[1:2], [delivery(content(*records))], window=window)
    assert sum(tallies.minutes.values()) == expected
    found = values(FILTERS[1:2], tallies)[0]
    assert sum(sum(each.values()) for each in found.get((), {}).values()) == expected


def test_findings_and_examples():
    """The records behind a minute are kept, with the finding that each belongs to."""
    tallies = counted(FILTERS[:1], [delivery(content(*mixed(4)))])
    (time, first), (_, second) = tallies.tallies[0].behind(None, tallies.minutes).items()
    assert time == int(datetime(2026, 3, 1, 10, 0, tzinfo=UTC).timestamp())
    assert (first.matched, first.defaults, second.matched) == (1, 0, 1)
    (match,) = first.examples
    assert (match.event_name, match.error_code, match.principal) == (
        "GetBucketAcl",
        DENIED["errorCode"],
        ROLE,
    )
    assert first.findings == (match.finding,) == second.findings
    assert tallies.named[match.finding].service == "config.amazonaws.com"


def test_examples_are_bounded():
    """Of an hour no more than the first twenty records are kept, and all count."""
    tallies = counted(FILTERS[-1:], [delivery(content(*mixed(30)), str(n)) for n in range(3)])
    ((_, kept),) = tallies.tallies[0].examples.items()
    assert len(kept) == 20
    assert [match.time for match in kept] == sorted(match.time for match in kept)
    assert sum(tallies.tallies[0].matched.values()) == 90


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("filters", [FILTERS[:1], FILTERS[1:2]], ids=["search", "default"])
def test_a_record_inside_of_another_one(filters):
    """What somebody wrote into a list of a request is no record, and counts for nothing."""
    inner = record(number=9, **DENIED)
    outer = record(number=2, requestParameters={"list": [{"x": 1}, inner, inner, {"y": 2}]})
    tallies = counted(filters, [delivery(content(record(number=1), outer))])
    assert sum(tallies.tallies[0].matched.values()) == 0


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("filters", [FILTERS[1:2], FILTERS[2:3]], ids=["search", "each record"])
@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "2026-13-45T99:99:99Z",
        "0001-01-01T00:00:00Z",
        "2012-12-31T23:59:59Z",
        "2026-03-02T00:00:00Z",
        "9999-12-31T23:59:59Z",
        None,
    ],
)
def test_records_without_a_usable_time(filters, time):
    """They are in no metric, and are counted as such."""
    odd = record(number=2, **DENIED) | {"eventTime": time}
    make = partial(Counting, filters, ScanRequest(), "2026-03-01T23:59")
    with fold([delivery(content(record(number=1), odd))], make, 1) as crew:
        tallies = crew.summary
    assert tallies.untimed == 1
    found = values(filters, tallies)[0]
    assert sum(sum(each.values()) for each in found[()].values()) == 1


def test_a_record_without_eventtime_is_counted_where_every_record_is_decoded():
    """It is in no metric, and is told as well as where literals find the records."""
    odd = {name: value for name, value in record(number=2).items() if name != "eventTime"}
    tallies = counted([filtering(ANY_LETTER)], [delivery(content(record(number=1), odd))])
    assert (tallies.untimed, tallies.counts["records"]) == (1, 2)
