"""Alarms while templates, clocks and watchers come and go."""

from datetime import timedelta
from pathlib import Path

import pytest
from alarm_stories import FILTERS, START, TEMPLATE, AlarmStory, template_of
from givers import Given
from log_alarm_stories import DENIED, log_alarm
from stories import NOON, call, in_memory
from test_live_alarm_evaluation import PLAIN, Evaluated

from rolewatch.store import alarms as stored
from rolewatch.store import datapoints, deliveries
from rolewatch.templates import read_template
from rolewatch.watch.alarm_definitions import definitions_of, kind_of
from rolewatch.watch.alarm_patience import Settled
from rolewatch.watch.alarms import BACK, MISSED

DAY = 86_400
LOG_ALARM = Path(__file__).parents[2] / "examples" / "slr-denied-log-alarm.template.yaml"
ONE = """
  One:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: %s, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 60, EvaluationPeriods: 1,
      Threshold: %s, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: %s, AlarmActions: [page]}
"""
OVER = """
  Over:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: over, AlarmRule: "ALARM(one) OR ALARM(two)", AlarmActions: [page]}
"""


def alarm(name="one", threshold=1, missing="notBreaching"):
    """Write an alarm."""
    return (ONE % (name, threshold, missing)).replace("One:", f"{name.title()}:")


def text(*alarms):
    """Write a template."""
    return f"Resources:{FILTERS}{''.join(alarms)}"


def brief(story):
    """Give what alarms did: (alarm, minutes since noon, state)."""
    return [(row[0], (row[1] - START) // 60, row[3]) for row in story.transitions]


@pytest.fixture
def story(tmp_path):
    """Begin with one alarm."""
    told = Evaluated(str(tmp_path / "state"), text(alarm()))
    yield told
    told.close()


def rows(story):
    """Give the alarms as they are kept."""
    return {row.name: row for row in story.state.read(stored.alarm_states)}


def test_a_new_alarm(story):
    """It knows nothing at first, and is evaluated from the next minute on, with the datapoints that there are."""
    assert rows(story)["one"][:8] == (
        "one", "metric", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:one", None, rows(story)["one"].digest, START,
        START, "INSUFFICIENT_DATA",
    )  # fmt: skip
    assert (rows(story)["one"].reason, rows(story)["one"].open) == (
        "Unchecked: Initial alarm creation",
        False,
    )
    story.keep([(PLAIN, START - 60, 1.0)], START - 30)
    story.tick(START + 64)
    assert brief(story) == []
    story.tick(START + 65)
    assert brief(story) == [("one", 1, "ALARM")]
    assert rows(story)["one"].since == START + 60


def test_templates_that_change(story):
    """A new alarm begins where the watcher learned of it, one that is gone is forgotten, one that is changed keeps its state."""
    story.keep([(PLAIN, START, 1.0)], START + 59)
    story.tick(START + 125)
    assert brief(story) == [("one", 1, "ALARM")]
    story.text = text(alarm(threshold=2), alarm("two"))
    story.restart()
    story.tick(START + 600 + 5)
    found = rows(story)
    assert (found["one"].created, found["one"].updated) == (START, START + 600)
    assert (found["two"].created, found["two"].state) == (START + 600, "INSUFFICIENT_DATA")
    assert brief(story) == [("one", 1, "ALARM"), ("one", 3, "OK")]
    story.tick(START + 665)
    assert brief(story)[-1] == ("two", 11, "OK")
    story.text = text(alarm("two"))
    story.restart()
    story.tick(START + 725)
    assert brief(story) == [("two", 11, "OK")]
    assert rows(story).keys() == {"two"}
    assert story.complaints == [("alarms", "one is in no template any more, and forgotten")]


def test_the_place_in_a_template_is_no_change(story):
    """An alarm that is moved, or written otherwise, is the same."""
    before = rows(story)
    story.text = "Description: moved\n" + text("\n\n", alarm().replace("Threshold: 1", "Threshold: 1.0"))
    story.restart()
    story.tick(START + 305)
    assert rows(story)["one"].updated == before["one"].updated
    assert rows(story)["one"].digest == before["one"].digest


def test_another_kind_of_alarm(story):
    """A composite alarm that has the name of what was a metric alarm is a new one."""
    story.keep([(PLAIN, START, 1.0)], START + 59)
    story.tick(START + 125)
    story.text = text(alarm("two"), OVER.replace("over", "one").replace("ALARM(one) OR ", ""))
    story.restart()
    story.tick(START + 185)
    assert (rows(story)["one"].kind, rows(story)["one"].state) == ("composite", "INSUFFICIENT_DATA")
    story.tick(START + 245)
    assert brief(story) == [("one", 4, "OK"), ("two", 4, "OK")]


def test_a_composite_alarm_over_a_new_one(tmp_path):
    """It is not evaluated for a time when one of its alarms was not there yet."""
    story = Evaluated(str(tmp_path / "state"), text(alarm(), OVER.replace(" OR ALARM(two)", "")))
    story.keep([(PLAIN, START, 1.0)], START + 59)
    story.tick(START + 65)
    assert brief(story) == [("one", 1, "ALARM"), ("over", 1, "ALARM")]
    story.text = text(alarm(), alarm("two"), OVER)
    story.restart()
    story.tick(START + 605)
    assert brief(story) == [("one", 1, "ALARM"), ("one", 4, "OK"), ("over", 1, "ALARM")]
    story.tick(START + 665)
    assert brief(story)[-2:] == [("over", 11, "OK"), ("two", 11, "OK")]
    story.close()


def test_no_more_is_known_of_a_time_that_is_over(story):
    """What arrives after the last evaluation that looks at its time changes nothing, and is counted all the same."""
    story.tick(START + 905)
    story.keep([(PLAIN, START, 1.0)], START + 910)
    story.tick(START + 1805)
    assert brief(story) == [("one", 1, "OK")]
    assert known(story) == {START: {1.0: 1}}


def known(story, named=PLAIN):
    """Give the datapoints of a series, without those that wait."""

    def work(connection):
        numbers = datapoints.units(connection, *named[:3])
        return datapoints.load(connection, numbers.values(), 0).get(numbers.get(named.unit), {})

    return story.state.read(work)


def test_old_datapoints(story):
    """Those of before the time that is remembered are not kept."""
    story.keep(
        [(PLAIN, START - 15 * DAY - 60, 1.0), (PLAIN, START - 15 * DAY + 600, 1.0)], None, now=START + 10
    )
    assert known(story).keys() == {START - 15 * DAY + 600}
    assert story.alarms().kept.days == 15


def test_they_are_kept_as_long_as_alarms_look_back(tmp_path):
    """However short the setting is."""
    band = "TreatMissingData: missing"
    long = (
        alarm()
        .replace("Period: 60, EvaluationPeriods: 1", "Period: 86400, EvaluationPeriods: 5")
        .replace("notBreaching", "missing")
    )
    assert band.partition(" ")[2] in long
    story = AlarmStory(str(tmp_path / "state"), tmp_path, text(long))
    assert story.alarms(kept=story.spans.settle).kept.days == 8
    story.close()


def test_a_clock_that_is_put_back(story):
    """By a little: evaluation waits until the time comes again. By much: it goes on from there, and says so."""
    story.tick(START + 3605)
    story.tick(START + 3605 - BACK + 60)
    assert story.complaints == []
    story.keep([(PLAIN, START + 60, 1.0)], START + 110)
    story.tick(START + 125)
    assert [name for name, _ in story.complaints] == ["alarms"]
    assert "the clock went back" in story.complaints[0][1]
    story.tick(START + 185)
    assert brief(story) == [("one", 1, "OK"), ("one", 3, "ALARM")]
    assert known(story) == {START + 60: {1.0: 1}}


def test_alarms_that_were_made_by_a_clock_ahead(tmp_path):
    """They begin when the clock is right again."""
    story = Evaluated(str(tmp_path / "state"), text(alarm()), at=START + 1000 * DAY)
    story.restart()
    story.tick(START + 5)
    story.tick(START + 65)
    assert brief(story) == [("one", 1, "OK")]
    story.close()


def test_a_long_time_without_a_watcher(story):
    """What was missed is evaluated, but no more of it than CloudWatch takes data of."""
    story.keep([(PLAIN, START, 1.0)], START + 30)
    story.tick(START + 65)
    end = START + MISSED + 20 * 60
    story.keep([(PLAIN, START + 600, 1.0), (PLAIN, START + 40 * 60, 1.0)], None, now=end)
    story.tick(end + 5)
    assert brief(story) == [("one", 1, "ALARM"), ("one", 21, "OK"), ("one", 41, "ALARM"), ("one", 44, "OK")]
    assert "that is too long ago" in story.complaints[0][1]


def test_catching_up_takes_turns(story):
    """It can be stopped in between, and goes on from there."""
    asked = []

    def enough():
        asked.append(None)
        return True

    story.clock(START + 5 * 3600 + 5)
    calls = 0
    while (
        rows(story)["one"].state == "INSUFFICIENT_DATA"
        or story.state.read(stored.evaluated) < START + 5 * 3600
    ):
        story._alarms.tick(story.state, story.now, story.now, enough)
        calls += 1
    assert calls == 5
    assert brief(story) == [("one", 1, "OK")]


def test_what_has_arrived_is_waited_for(story):
    """A minute is evaluated when all that had arrived before its end is committed."""
    story.tick(START + 600, complete=START + 63)
    assert brief(story) == []
    story.keep([(PLAIN, START, 1.0)], START + 40, now=START + 600)
    story.tick(START + 600, complete=START + 599)
    assert brief(story) == [("one", 1, "ALARM"), ("one", 4, "OK")]


def test_records_count_as_often_as_they_arrive(tmp_path):
    """A delivery counts once, a record once for each delivery, as log events do."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path, text(alarm()))
    story.begin()
    denial = call(0, denied=True)
    first, again = in_memory(denial, call(1)), in_memory(denial, name="y")
    story.clock(START + 60)
    story.arrive(first, first)
    story.arrive(first, again)
    assert known(story) == {START: {1.0: 2}, START + 60: {0.0: 1}}
    assert story.state.read(deliveries.counters)["datapoints"] == 3 + 2  # also of the metric by bucket
    story.close()


def test_nothing_is_lost_by_a_batch_that_another_watcher_began(tmp_path):
    """What was read for nothing is counted for nothing."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path, text(alarm()))
    story.begin()
    listed = [in_memory(call(0, denied=True), name=f"d{number}") for number in range(20)]
    sources = [Given(listed, 3), Given(listed[::-1], 4)]
    story.together(*sources)
    assert known(story) == {START: {1.0: 20}}
    story.close()


def test_what_is_left_out():
    """Filters that make no sense, alarms of metrics that nothing here publishes, log alarms: each with its reason."""
    broken = FILTERS.replace("Value: $.requestParameters.bucketName", "Value: $bucket")
    other = alarm("other").replace("Namespace: N", "Namespace: AWS/Lambda")
    found = definitions_of(read_template(f"Resources:{broken}{alarm()}{other}{OVER}".encode(), "x"))
    assert [each.logical_id for each in found.filters] == ["Denied", "Size"]
    assert list(found.all) == ["one"]
    told = [(notice.level, notice.message) for notice in found.notices if notice.level != "unused"]
    assert [level for level, _ in told] == ["error", "warning", "error"]
    assert (
        told[1][1] == "other is not evaluated: no metric filter here publishes its metric AWS/Lambda Denied"
    )
    assert "refers to two, which is no alarm here" in told[2][1]


def test_log_alarms_that_cannot_be_evaluated():
    """A query that is none is an error at its place, and so is a composite alarm over it; the other alarms are evaluated."""
    right, wrong = (
        log_alarm("right", DENIED, "count(*)"),
        log_alarm("wrong", "filter errorCode = ", "count(*)"),
    )
    nobody = log_alarm("nobody", f"{DENIED} | stats count(*) as n", "max(n) by n")
    over = OVER.replace("ALARM(one) OR ALARM(two)", "ALARM(right) AND ALARM(wrong)")
    found = definitions_of(read_template(f"Resources:{right}{wrong}{nobody}{over}".encode(), "x"))
    assert list(found.all) == ["right"]
    told = [(notice.level, notice.message) for notice in found.notices if notice.level != "unused"]
    assert [level for level, _ in told] == ["error"] * 3
    assert [text.split(" cannot be evaluated: ")[0] for _, text in told] == ["wrong", "nobody", "over"]
    assert "refers to wrong, which cannot be evaluated" in told[2][1]


def test_a_log_alarm_of_the_examples():
    """Is evaluated, with nothing to tell about it."""
    found = definitions_of(read_template(LOG_ALARM.read_bytes(), LOG_ALARM.name))
    assert [notice.message for notice in found.notices if notice.level == "error"] == []
    assert [kind_of(each) for each in found.all.values()] == ["log"]
    assert found.contributing == {"slr-denied-by-resource"}


def test_definitions_of_everything():
    """How far alarms look back, and how often."""
    found = definitions_of(template_of(TEMPLATE))
    assert found.step == 60
    assert found.reaches["slow"][1:] == (60, 6 * 300)
    assert found.seconds == 6 * 300


def test_what_is_forgotten(tmp_path):
    """Datapoints after 15 days, what alarms did after 30; their states never."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path, text(alarm()))
    story.clock(START + 5)
    story.begin()
    story.happen(call(1, denied=True))
    story.clock(START + 605)
    story.begin()
    assert brief(story)[1] == ("one", 2, "ALARM")
    first = len(story.transitions)
    for days, points, changes in ((14, True, first), (16, False, first), (31, False, 0)):
        story.clock(START + days * DAY)
        story.happen(call(days * 1440))
        story.begin()
        old = [row for row in story.transitions if row[1] < START + DAY]
        assert (START + 60 in known(story), len(old)) == (points, changes)
    assert story.states == {"one": "OK"}
    story.close()


def test_patience(monkeypatch):
    """What has arrived is waited for as long as sources get on, and for a while where they do not; longer at the beginning."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    settled = Settled()
    first, later = NOON, NOON + timedelta(hours=1)
    assert settled.until(later, through=False) is None
    settled.settle(first)
    clock[0] = 100.0
    assert settled.until(later, through=True) == first
    settled.settle(first)  # nothing new
    clock[0] = 121.0
    assert settled.until(later, through=False) == first
    assert settled.until(later, through=True) == later
    settled.settle(first + timedelta(minutes=1))
    clock[0] = 240.0
    settled.restart()  # the state was away meanwhile
    clock[0] = 300.0
    assert settled.until(later, through=True) == first + timedelta(minutes=1)
    clock[0] = 4000.0
    assert settled.until(later, through=False) == later


def test_a_template_without_filters(tmp_path):
    """There is nothing to count, and nothing that its alarms could see; findings are as ever."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path, f"Resources:{alarm()}")
    story.begin()
    story.happen(call(1, denied=True))
    assert story.findings.keys() == {"b"}
    assert (story.states, story.state.read(datapoints.listed)) == ({}, {})
    story.close()
