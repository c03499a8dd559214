"""Whom a change of an alarm is told, and in which words: those of CloudWatch."""

import json

import pytest
from alarm_stories import START, TEMPLATE, template_of
from test_live_alarm_evaluation import PLAIN, Evaluated
from test_live_alarm_life import alarm, text

from rolewatch.alarms.history import State, Transition
from rolewatch.notify.notification import Notification
from rolewatch.notify.picture import picture
from rolewatch.notify.routes import Route, Routes
from rolewatch.store import alarms as stored
from rolewatch.store import outbox
from rolewatch.templates.definitions import Place, Topic
from rolewatch.watch.alarm_actions import TELL, Acted
from rolewatch.watch.alarm_message import message
from rolewatch.watch.alarm_regions import REGIONS, region_name
from rolewatch.watch.alarm_telling import AlarmTeller

ARN = "arn:aws:sns:us-east-1:111122223333:oncall"
ACCOUNT = "111122223333"
OK, ALARM, UNKNOWN = State.OK, State.ALARM, State.INSUFFICIENT_DATA


def acted(after, *actions, before=OK):
    """Make a change with what it has invoked."""
    return Acted("a", Transition(60, before, after, "why", None, actions), waiting=False)


def audience(changed, *routes, actions=None, is_open=False, topics=()):
    """Say whom a change is told."""
    teller = AlarmTeller(Routes(routes, ("default",)), actions or {}, {}, topics)
    return teller.audience(changed, ACCOUNT, is_open=is_open)


ASKING = Route(("archive",), kinds=("alarm",), stop=False)
GENERAL = Route(("team",))
ANGRY = Route(("pager",), severity="high")
OTHER = Route(("others",), {"account": "444455556666"}, kinds=("alarm",))
FINDINGS = Route(("findings",), {"service": "config*"})


@pytest.mark.parametrize(("after", "is_open", "expected"), [
    (ALARM, False, (("default",), True)),
    (ALARM, True, (("default",), True)),
    (OK, True, (("default",), False)),
    (OK, False, ((), False)),
    (UNKNOWN, False, ((), False)),
    (UNKNOWN, True, ((), True)),
])  # fmt: skip
def test_what_nothing_is_set_about(after, is_open, expected):
    """Who gets findings is told that an alarm rings, and that it is over; a lack of data is neither."""
    assert audience(acted(after, "page", TELL), is_open=is_open) == expected


@pytest.mark.parametrize(("route", "rings", "over", "unknown"), [
    (ASKING, ("archive", "default"), ("archive", "default"), ("archive",)),
    (GENERAL, ("team",), ("team",), ()),
    (ANGRY, ("pager",), ("pager",), ()),
    (OTHER, ("default",), ("default",), ()),
    (FINDINGS, ("default",), ("default",), ()),
])  # fmt: skip
def test_routes(route, rings, over, unknown):
    """A route that asks for alarms gets every change; that it is over goes where it went that it rings."""
    assert audience(acted(ALARM, TELL), route).targets == rings
    assert audience(acted(OK, TELL), route, is_open=True).targets == over
    assert audience(acted(UNKNOWN, TELL), route).targets == unknown


def test_actions_that_the_settings_give_a_target():
    """They go there and to the routes that ask for alarms; what no action tells goes the usual way."""
    actions = {ARN: ("pager", "chat"), "Nobody": ()}
    told = audience(acted(ALARM, ARN, "other", TELL), ASKING, actions=actions)
    assert told == (("pager", "chat", "archive"), False)
    assert audience(acted(OK, ARN, TELL), actions=actions) == (("pager", "chat"), False)
    assert audience(acted(OK, ARN, TELL), actions=actions, is_open=True) == (
        ("pager", "chat", "default"),
        False,
    )
    assert audience(acted(ALARM, "other", TELL), actions=actions) == (("default",), True)
    assert audience(acted(ALARM, "Nobody", TELL), actions=actions) == ((), False)


def test_a_topic_of_the_template_by_its_logical_id():
    """An action names it by its ARN."""
    topic = Topic("SecurityTopic", "oncall", ARN, (), Place("t", 1, 1, ""))
    actions = {"SecurityTopic": ("pager",)}
    assert audience(acted(ALARM, ARN, TELL), actions=actions, topics=(topic,)).targets == ("pager",)
    assert audience(acted(ALARM, "SecurityTopic", TELL), actions=actions).targets == ("pager",)


def test_what_tells_nobody():
    """A change that is held back, or an alarm whose actions are not enabled, changes nothing about what people know."""
    assert audience(acted(OK), ASKING, is_open=True) == ((), True)
    assert audience(acted(ALARM), ASKING) == ((), False)


def test_other_settings():
    """A teller can turn to others while it is used."""
    teller = AlarmTeller(Routes((), ("default",)), {}, {})
    teller.turn_to(Routes((), ("other",)), {ARN: ("pager",)}, {})
    assert teller.audience(acted(ALARM, TELL), ACCOUNT, is_open=False).targets == ("other",)
    assert teller.audience(acted(ALARM, ARN, TELL), ACCOUNT, is_open=False).targets == ("pager",)


def letters(story):
    """Give what is in the outbox, the first first: (name, notification)."""
    found = story.state.read(lambda connection: outbox.listed(connection, ("waiting",)))
    return [
        (each.name, Notification.decode(each.body))
        for each in sorted(found, key=lambda each: (each.due, each.created))
    ]


def test_what_is_told(tmp_path):
    """That it rings with its picture, and that it is over, under one key; each once, in the order in which it happened."""
    story = Evaluated(str(tmp_path / "state"), text(alarm()))
    story.actions = {}
    story.restart()
    story.keep([(PLAIN, START, 1.0), (PLAIN, START, 0.0), (PLAIN, START + 600, 4.0)], None, now=START + 700)
    assert story.tick(START + 725) == 3
    rings, over, again = (told for _, told in letters(story))
    assert [each.alarm["NewStateValue"] for each in (rings, over, again)] == ["ALARM", "OK", "ALARM"]
    assert {each.kind for each in (rings, over, again)} == {"alarm"}
    assert len({each.dedup_key for each in (rings, over, again)}) == 1
    assert len({each.id for each in (rings, over, again)}) == 3
    assert (rings.time, over.time, again.time) == (
        "2026-03-01T12:01:00Z",
        "2026-03-01T12:04:00Z",
        "2026-03-01T12:11:00Z",
    )
    assert again.datapoints[0] == {"timestamp": "2026-03-01T12:01:00Z", "value": 1.0}
    assert again.datapoints[-1] == {"timestamp": "2026-03-01T12:11:00Z", "value": 4.0}
    assert (again.threshold, again.reason) == (1.0, "alarm-action")
    assert picture(again)
    rows = story.state.read(lambda connection: stored.history(connection, "one"))
    assert [row.notification for row in rows] == [again.id, over.id, rings.id]
    assert [json.loads(row.actions) for row in rows] == [["page"], [], ["page"]]
    story.close()


CHILD = """
  Over:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: over, AlarmRule: "ALARM(one)"%s}
"""


@pytest.mark.parametrize(("child", "parent", "told"), [
    ("", "", ["over"]),
    (", AlarmActions: [page]", "", ["one", "over"]),
    ("", ", ActionsEnabled: false, AlarmActions: [page]", []),
    (", ActionsEnabled: false, AlarmActions: [page]", "", ["over"]),
])  # fmt: skip
def test_who_tells(tmp_path, child, parent, told):
    """An alarm without actions below a composite alarm leaves it to that one; none tells whose actions are not enabled."""
    below = alarm().replace(", AlarmActions: [page]", child)
    story = Evaluated(str(tmp_path / "state"), text(below, CHILD % parent))
    story.actions = {}
    story.restart()
    story.keep([(PLAIN, START, 1.0)], START + 30)
    story.tick(START + 65)
    assert sorted(each.alarm["AlarmName"] for _, each in letters(story)) == told
    assert story.states == {"one": "ALARM", "over": "ALARM"}
    story.close()


def test_an_end_that_is_muted_is_told_later(tmp_path):
    """People who were told that an alarm rings are told that it is over, when the mute rule lets them."""
    mute = """
  Mute:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: lunch
      Rule: {Schedule: {Expression: "at(2026-03-01T12:03)", Duration: PT15M}}
      MuteTargets: {AlarmNames: [one]}
"""
    story = Evaluated(str(tmp_path / "state"), text(alarm(), mute))
    story.actions = {}
    story.restart()
    story.keep([(PLAIN, START, 1.0)], START + 30)
    for minute in range(1, 30):
        story.tick(START + 60 * minute + 5)
        story.restart()
    rings, over = (told for _, told in letters(story))
    assert (over.time, over.alarm["StateChangeTime"]) == (
        "2026-03-01T12:18:00Z",
        "2026-03-01T12:04:00.000+0000",
    )
    assert (rings.alarm["ActionExecutedAfterMuteWindow"], over.alarm["ActionExecutedAfterMuteWindow"]) == (
        False,
        True,
    )
    story.close()


ARN_OF = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:"


def written(name, **change):
    """Write the message of an alarm of the template."""
    template = template_of(TEMPLATE)
    found = next(each for each in (*template.alarms, *template.composites) if each.name == name)
    made = Transition(
        START + 60,
        OK,
        ALARM,
        "because",
        '{"triggeringAlarms":[{"arn":"x","state":{"value":"ALARM","timestamp":"t"}}]}',
        (),
    )
    return message(found, made._replace(**change), f"{ARN_OF}{name}", START)


def test_the_message_of_a_metric_alarm():
    """Its keys and values are those that CloudWatch sends to SNS."""
    assert written("large") == {
        "AlarmName": "large",
        "AlarmDescription": None,
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": "2026-03-01T12:00:00.000+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "because",
        "StateChangeTime": "2026-03-01T12:01:00.000+0000",
        "Region": "Europe (Frankfurt)",
        "AlarmArn": f"{ARN_OF}large",
        "OldStateValue": "OK",
        "OKActions": [],
        "AlarmActions": ["page"],
        "InsufficientDataActions": [],
        "ActionExecutedAfterMuteWindow": False,
        "Trigger": {
            "MetricName": "Size",
            "Namespace": "N",
            "Dimensions": [],
            "StatisticType": "ExtendedStatistic",
            "ExtendedStatistic": "p90",
            "Unit": "Bytes",
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 500.0,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    trigger = written("bucket")["Trigger"]
    assert (trigger["StatisticType"], trigger["Statistic"]) == ("Statistic", "SAMPLE_COUNT")
    assert trigger["Dimensions"] == [{"value": "b1", "name": "Bucket"}]
    assert (trigger["Unit"], "DatapointsToAlarm" in trigger) == (None, False)
    assert written("quick")["Trigger"]["DatapointsToAlarm"] == 1


def test_the_message_of_metric_math():
    """It has the queries in place of one metric."""
    trigger = written("share")["Trigger"]
    assert [each["Id"] for each in trigger["Metrics"]] == ["e", "m1", "m2"]
    assert trigger["Metrics"][0] == {"Id": "e", "Expression": "m1 / m2", "ReturnData": True}
    assert trigger["Metrics"][1] == {
        "Id": "m1",
        "MetricStat": {
            "Metric": {"MetricName": "Denied", "Namespace": "N", "Dimensions": []},
            "Period": 120,
            "Stat": "Sum",
        },
        "ReturnData": False,
    }
    assert "MetricName" not in trigger


def test_the_message_of_a_composite_alarm():
    """It has the rule, and what made it hold."""
    found = written("both")
    assert found["AlarmRule"].startswith("ALARM(quick)")
    assert found["TriggeringChildren"] == [{"Arn": "x", "State": {"Value": "ALARM", "Timestamp": "t"}}]
    assert "Trigger" not in found
    assert written("both", reason_data=None)["TriggeringChildren"] == []


def test_messages_are_json():
    """Whatever is in a template, the message can be written."""
    for name in ("quick", "slow", "bucket", "silence", "large", "share", "both", "any"):
        json.dumps(written(name), allow_nan=False)


def test_regions_are_named_as_botocore_names_them():
    """Each row is what AWS's SDK says."""
    import botocore.session  # noqa: PLC0415 - takes a while

    found = botocore.session.get_session().get_data("endpoints")["partitions"]
    known = {
        code: region["description"] for partition in found for code, region in partition["regions"].items()
    }
    assert {code: known.get(code) for code in REGIONS} == REGIONS
    assert region_name("xx-nowhere-1") == "xx-nowhere-1"


def test_what_was_missed_is_told_in_order(tmp_path):
    """However long the time is that is caught up with, an end is never sent before its beginning."""
    story = Evaluated(str(tmp_path / "state"), text(alarm()))
    story.actions = {}
    story.restart()
    story.keep([(PLAIN, START + 600 * number, 1.0) for number in range(60)], None, now=START + 40_000)
    story.tick(START + 40_000)
    told = [each for _, each in letters(story)]
    assert len(told) == 120
    assert [each.time for each in told] == sorted(each.time for each in told)
    assert len({each.id for each in told}) == 120
    story.close()
