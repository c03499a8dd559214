"""What people are told of log alarms and their contributors, and what that needs."""

import pytest
import sqlalchemy as sa
from alarm_stories import START
from givers import Given
from log_alarm_lives import COUNT, bring, denied, look, rows, stories, times
from log_alarm_stories import DENIED, FILTERS, LINES, log_alarm
from stories import call

from rolewatch.insights import log_runs
from rolewatch.notify.notification import Notification
from rolewatch.scan.request import ScanRequest
from rolewatch.store import alarms as stored
from rolewatch.store import log_alarms as kept
from rolewatch.store import outbox
from rolewatch.store.schema import LOG_RECORDS
from rolewatch.watch import readers
from rolewatch.watch.alarm_message import LONGEST_LINE, ROOM, shortened


@pytest.fixture
def make(tmp_path):
    """Give a way to begin a story of log alarms."""
    with stories(tmp_path) as begin:
        yield begin


def letters(story):
    """Give what is in the outbox, the first first."""
    found = story.state.read(lambda connection: outbox.listed(connection, ("waiting",)))
    return [
        Notification.decode(each.body) for each in sorted(found, key=lambda each: (each.due, each.created))
    ]


HOSTILE = "\x1b[31mred\u202e" + "é" * 3000


def test_what_is_told_of_contributors(make):
    """Each has messages of its own under a key of its own, with its attributes and the log lines, made safe and cut."""
    story = make(log_alarm("one", DENIED, "count(*) by requestParameters.bucketName, userAgent", **LINES))
    bring(story, 70, denied(1, "b1", userAgent=HOSTILE), denied(1.1, "b2"))
    look(story, 5)
    bring(story, 700, denied(11.6, "b2"))
    for minute in (10, 15, 25):
        look(story, minute)
    told = letters(story)
    assert [(each.alarm["AlarmContributorAttributes"]["requestParameters.bucketName"], each.alarm["NewStateValue"]) for each in told] == [
        ("b1", "ALARM"), ("b2", "ALARM"), ("b1", "OK"), ("b2", "OK"),
    ]  # fmt: skip
    one, two, one_over, two_over = told
    assert one.dedup_key == one_over.dedup_key != two.dedup_key == two_over.dedup_key
    assert len({each.id for each in told}) == 4
    assert {each.alarm["AlarmName"] for each in told} == {"one"}
    agent = one.alarm["AlarmContributorAttributes"]["userAgent"]
    assert agent.startswith("\\x1b[31mred\\u202eé")
    assert len(agent) == 300
    lines = one.alarm["LogLines"]
    assert len(lines) == 2
    assert all(len(line) <= LONGEST_LINE and "\x1b" not in line for line in lines)
    assert '"bucketName":"b2"' in lines[0]
    assert (
        one.alarm["Trigger"]["AggregationExpression"] == "count(*) by requestParameters.bucketName, userAgent"
    )
    assert one.alarm["Trigger"]["Threshold"] == 1.0
    assert one.datapoints == ({"timestamp": "2026-03-01T12:05:00Z", "value": 1.0},)
    rows_of = story.state.read(stored.history)
    assert {row.notification for row in rows_of if row.contributor} == {each.id for each in told}
    assert all(row.notification is None for row in rows_of if not row.contributor)


def test_ends_are_told_to_those_who_know(make):
    """A contributor that ends is told to whom it was told that it rings, through restarts; no other."""
    story = make(log_alarm("one", DENIED, "count(*) by requestParameters.bucketName"))
    story.actions = {}
    bring(story, 70, denied(1, "b1"))
    look(story, 5)
    assert [each.alarm["NewStateValue"] for each in letters(story)] == ["ALARM"]
    (memory,) = story.state.read(kept.memories).values()
    look(story, 15)
    assert [each.alarm["NewStateValue"] for each in letters(story)] == ["ALARM", "OK"]
    assert story.state.read(kept.memories)["one"].memory != memory.memory


MUTE = """
  Mute:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: lunch
      Rule: {Schedule: {Expression: "at(2026-03-01T12:14)", Duration: PT15M}}
      MuteTargets: {AlarmNames: [one]}
"""


def test_an_end_that_is_muted_is_told_later(make):
    """When the window ends, by another watcher, though no run takes place at that moment; with the lines of its run."""
    story = make(log_alarm("one", DENIED, "count(*) by requestParameters.bucketName", every=60, offset=3600, **LINES), MUTE.replace("12:14", "12:59"))  # fmt: skip
    bring(story, 3000, denied(50, "b1"))
    for minute in (60, 65, 70, 74, 75):
        look(story, minute)
    (rings,) = letters(story)
    assert (rings.time, rings.alarm["StateChangeTime"]) == (
        "2026-03-01T13:14:00Z",
        "2026-03-01T13:00:00.000+0000",
    )
    assert rings.alarm["ActionExecutedAfterMuteWindow"] is True
    assert len(rings.alarm["LogLines"]) == 1
    (waiting,) = [each for each in story.contributors if each[3] == "OK"]
    assert waiting[8] == START + 74 * 60


def test_a_composite_alarm_over_log_alarms(make):
    """Leaves telling to itself where those below have no actions."""
    over = """
  Over:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: over, AlarmRule: "ALARM(one)"}
"""
    below = log_alarm("one", DENIED, "count(*) by eventName").replace("AlarmActions: [page]", "ActionsEnabled: true").replace("      OKActions: [calm]\n", "")  # fmt: skip
    story = make(below, over)
    story.actions = {}
    bring(story, 70, denied(1))
    look(story, 5)
    assert [each.alarm["AlarmName"] for each in letters(story)] == ["over"]
    assert story.states == {"one": "ALARM", "over": "ALARM"}


def test_more_contributors_than_count(make, monkeypatch):
    """Is said once."""
    monkeypatch.setattr(log_runs, "MOST_CONTRIBUTORS", 1)
    story = make(log_alarm("one", DENIED, "count(*) by requestParameters.bucketName", every=1, offset=600))
    alarms = story.alarms()
    bring(story, 70, denied(1, "b1"), denied(1, "b2"))
    story.complaints.clear()
    for minute in (2, 3, 4):
        story.clock(START + 60 * minute + 5)
        alarms.tick(story.state, story.now, story.now)
    assert len([reason for _, reason in story.complaints if "PARTIAL_DATA" in reason]) == 1
    assert {who for _, who, *_ in story.contributors} == {(("requestParameters.bucketName", "b1"),)}


def test_lines_have_room():
    """Of many long ones the first are kept, and so many that a message of any kind can hold them."""
    found = shortened(["é" * 5000] * 50)
    assert 5 < len(found) < 50
    assert sum(len(line) * 6 for line in found) <= ROOM
    assert shortened(["a\nb"]) == ("a\\x0ab",)


def test_processes_beside(make, monkeypatch):
    """What processes beside a watcher read is kept as what it reads itself."""
    monkeypatch.setattr(readers, "LARGE", 0)
    story = make(COUNT, FILTERS)
    story.clock(START + 100)
    watcher = story.watcher(
        Given([story.delivery(denied(1), call(1), at=START + 70)]), request=ScanRequest(jobs=2)
    )
    watcher.run(once=True)
    assert rows(story) == 1
    look(story, 5)
    assert times(story) == [(5, "INSUFFICIENT_DATA", "OK")]


def test_texts_are_kept_for_lines_only(make):
    """Where no alarm asks for log lines, a record is what its query names."""
    for alarm, kept_so in ((COUNT, False), (log_alarm("one", DENIED, "count(*)", **LINES), True)):
        story = make(alarm)
        bring(story, 70, denied(1))
        (text_of,) = story.state.read(
            lambda connection: connection.execute(sa.select(LOG_RECORDS.c.message)).scalars().all()
        )
        assert (text_of is not None) is kept_so
