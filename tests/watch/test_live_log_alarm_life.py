"""Log alarms while templates, log groups, clocks and watchers come and go."""

import pytest
import sqlalchemy as sa
from alarm_stories import START, template_of, told_by, told_by_contributors
from givers import Given
from log_alarm_lives import COUNT, bring, denied, look, rows, stories, text, times
from log_alarm_stories import DENIED, FILTERS, OTHERS, log_alarm
from stories import NOON, call

from rolewatch.insights.log_runs import ask
from rolewatch.scan.replay import replay
from rolewatch.scan.request import ScanRequest
from rolewatch.store import alarms as stored
from rolewatch.store import log_alarms as kept
from rolewatch.store.schema import LOG_RECORDS
from rolewatch.watch.alarms import BACK


@pytest.fixture
def make(tmp_path):
    """Give a way to begin a story of log alarms."""
    with stories(tmp_path) as begin:
        yield begin


def test_records_are_kept_as_long_as_runs_look_at_them(make):
    """Those that the first filters let through, once for each delivery; then they are forgotten."""
    story = make(COUNT)
    one = denied(1)
    bring(story, 70, one, denied(1.05), call(1, "fine"), denied(-60))
    assert rows(story) == 2
    bring(story, 100, one)
    assert rows(story) == 2
    (counted,) = {each.number for each in story.state.read(records) if each.time == int(START + 60) * 1000}
    assert counted == 2
    look(story, 5)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "ALARM")]
    look(story, 9)
    assert rows(story) == 2
    look(story, 10)
    assert rows(story) == 0
    look(story, 15)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "ALARM"), (15, "ALARM", "OK")]


def records(connection):
    """List all records."""
    (query,) = connection.execute(sa.select(LOG_RECORDS.c.query).distinct()).scalars()
    return kept.load(connection, bytes(query), 0, 1 << 62)


def test_a_delivery_counts_once(make):
    """However often it is given."""
    story = make(COUNT)
    delivery = story.delivery(denied(1), at=START + 70)
    story.clock(START + 70)
    for _ in range(3):
        story.arrive(delivery)
    look(story, 5)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "OK")]


def test_late_records(make):
    """A run sees what had arrived by its time, though it is made later, and what comes too late for it counts in the next ones."""
    story = make(log_alarm("one", DENIED, "count(*)", threshold=2, n=1, offset=900))
    bring(story, 70, denied(1))
    bring(story, 320, denied(2), at=1000)
    look(story, 17)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "OK"), (10, "OK", "ALARM")]


def test_another_query(make):
    """What was kept for the old one is not looked at, nor are its results: the state stays until enough runs of the new one are made."""
    story = make(log_alarm("one", DENIED, "count(*)", n=2, m=2, threshold=2))
    bring(story, 400, denied(6), denied(6.1))
    look(story, 10)
    assert times(story) == [(10, "INSUFFICIENT_DATA", "OK")]
    story.text = story.text.replace(DENIED, "filter errorCode = 'Throttling'")
    look(story, 11)
    assert rows(story) == 0
    throttled = [call(minute, errorCode="Throttling") for minute in (11.5, 11.6)]
    bring(story, 700, *throttled, denied(11.5))
    assert rows(story) == 2
    look(story, 15)
    assert story.states == {"one": "OK"}
    look(story, 20)
    assert times(story) == [(10, "INSUFFICIENT_DATA", "OK"), (20, "OK", "ALARM")]


def test_another_threshold(make):
    """Its results stay: the next run is held against the new one with those before it."""
    story = make(
        log_alarm(
            "one",
            DENIED,
            "count(*)",
            every=2,
            offset=120,
            n=3,
            m=3,
            threshold=2,
            TreatMissingData="notBreaching",
        )
    )
    for minute in (1, 3, 5):
        bring(story, 60 * minute + 10, denied(minute))
        look(story, minute + 1)
    assert times(story) == [(6, "INSUFFICIENT_DATA", "OK")]
    story.text = story.text.replace("Threshold: 2", "Threshold: 1")
    bring(story, 430, denied(7))
    look(story, 8)
    assert times(story)[1:] == [(8, "OK", "ALARM")]


def test_contributors_of_another_query(make):
    """For one that rang it is over with the first run of the new query, and that is told to whom it was told."""
    story = make(log_alarm("one", DENIED, "count(*) by requestParameters.bucketName"))
    bring(story, 70, denied(1, "b1"))
    look(story, 5)
    story.text = story.text.replace("by requestParameters.bucketName", "by eventName")
    look(story, 12)
    found = [(who, (time - START) // 60, after) for _, who, time, _, after, *_ in story.contributors]
    assert found == [
        ((("requestParameters.bucketName", "b1"),), 5, "ALARM"),
        ((("requestParameters.bucketName", "b1"),), 10, "OK"),
    ]
    assert [each[1] for each in story.letters] == ["ALARM", "OK"]


def test_an_alarm_that_is_gone(make):
    """Is forgotten with all that was kept for it, and begins anew when it comes back."""
    story = make(COUNT)
    bring(story, 70, denied(1), denied(1.1))
    look(story, 5)
    before = story.text
    story.text = text(log_alarm("other", "filter errorCode = 'x'", "count(*)"))
    look(story, 6)
    assert (story.transitions, rows(story)) == ([], 0)
    assert list(story.state.read(kept.memories)) == []
    story.text = before
    look(story, 7)
    assert story.states == {"one": "INSUFFICIENT_DATA"}
    look(story, 10)
    assert times(story) == [(10, "INSUFFICIENT_DATA", "OK")]


def test_nothing_is_kept_without_templates(make):
    """What nobody evaluates any more is forgotten after the longest time that a query can look back."""
    story = make(COUNT)
    bring(story, 70, denied(1))
    month = 30 * 86_400
    story.state.write(lambda connection: stored.expire(connection, START + 60 + month))
    assert rows(story) == 1
    story.state.write(lambda connection: stored.expire(connection, START + 61 + month))
    assert rows(story) == 0


def test_alarms_with_one_query(make):
    """Keep its records once, for as long as the one looks back that looks back furthest."""
    story = make(
        log_alarm("one", DENIED, "count(*)", threshold=3),
        log_alarm("two", DENIED, "count(*)", every=1, offset=60),
    )
    bring(story, 70, denied(1), denied(1.1))
    assert rows(story) == 2
    look(story, 4)
    bring(story, 270, denied(1.2))
    assert rows(story) == 3
    look(story, 5)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "ALARM")]
    assert times(story, "two") == [(1, "INSUFFICIENT_DATA", "OK"), (2, "OK", "ALARM"), (3, "ALARM", "OK")]


def test_a_clock_that_is_put_back(make):
    """Runs go on from there, with the records that there are and without the results of later runs."""
    story = make(log_alarm("one", DENIED, "count(*) by eventName", n=2, offset=3600))
    bring(story, 3700, denied(61))
    look(story, 75)
    assert story.states == {"one": "ALARM"}
    story.clock(START + 75 * 60 + 5 - BACK - 600)
    story.arrive()
    assert any("the clock went back" in reason for _, reason in story.complaints)
    look(story, 70)
    look(story, 80)
    assert story.states == {"one": "ALARM"}
    (memory,) = story.state.read(kept.memories).values()
    assert memory.alarm == "one"


def test_log_groups(make, tmp_path):
    """Filters and log alarms see the deliveries of their log groups, as in a replay with the same ones."""
    of_trail = "LogGroupIdentifiers: [trail]\n        ScheduledQueryRoleARN"
    alarms = "".join((
        log_alarm("all", DENIED, "count(*)", threshold=3),
        log_alarm("trails", DENIED, "count(*) by requestParameters.bucketName").replace("ScheduledQueryRoleARN", of_trail),
    ))  # fmt: skip
    own = log_alarm("mine", DENIED, "count(*)", every=1, offset=300).replace(
        "ScheduledQueryRoleARN", "LogGroupIdentifiers: [own, elsewhere]\n        ScheduledQueryRoleARN"
    )
    third = FILTERS.replace("  Denied:", "  Third:").split("  ByBucket:")[0].replace("trail", "own")
    third = third.replace("MetricName: Denied", "MetricName: Third")
    quick = OTHERS.split("  Both:")[0]
    metric = quick.replace("Quick", "Thirds").replace("quick", "thirds").replace("MetricName: Denied", "MetricName: Third")  # fmt: skip
    everything = (FILTERS, alarms, quick, own, third, metric)
    groups = {"a": frozenset(("trail",)), "b": frozenset(("own", None)), "c": frozenset((None,))}
    story = make(*everything, groups=groups)
    folders, deliveries, number = {}, {}, 0
    for word, minutes in (("a", (1, 1.2, 1.4, 14)), ("b", (2, 2.5, 21)), ("c", (3, 3.1, 3.2, 3.3, 33))):
        folders[word] = tmp_path / word
        folders[word].mkdir()
        for minute in minutes:
            number += 1
            record = denied(minute, f"b{number % 3}")
            moment = START + int(60 * minute)
            story.folder = folders[word]
            deliveries.setdefault(moment, []).append((word, story.delivery(record, at=moment)))
    story.folder = folders["c"]
    deliveries[START] = [("c", story.delivery(call(0, "calm"), at=START))]
    expected = replay(
        [str(folders["b"]), str(folders["c"])],
        template_of(story.text),
        ScanRequest(),
        delay=0,
        now=NOON,
        groups={"trail": [str(folders["a"])], "own": [str(folders["b"])]},
        ask=ask,
    )
    end, left = expected.end, sorted(deliveries.items())
    sources = {word: Given(word=word) for word in groups}
    for second in range(START + 65, end + 60, 60):
        while left and left[0][0] < second:
            moment, found = left.pop(0)
            story.clock(max(moment, story.now.timestamp()))
            for word, delivery in found:
                sources[word].put(delivery)
            story.watcher(*sources.values()).run(once=True)
        story.clock(second)
        story.watcher(*sources.values()).run(once=True)
    assert story.transitions == told_by(expected.histories)
    assert story.contributors == told_by_contributors(expected.histories)
    assert len(times(story, "thirds")) > 2
    assert [len(times(story, name)) > 1 for name in ("mine", "all", "trails")] == [True, True, True]
    assert story.complaints == []
