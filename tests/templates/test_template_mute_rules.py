"""Alarm mute rules: what is read, and what cannot be."""

import json

import pytest
from template_texts import alarm, read, resolved, template, told

from rolewatch.templates import combined
from rolewatch.templates.definitions import AlarmMuteRule, Place
from rolewatch.templates.mute_rules import MOST_TARGETS

SCHEDULE = "{Schedule: {Expression: cron(0 2 * * SUN), Duration: PT4H}}"


def mute_rule(**changes):
    """Write a mute rule; a change to None takes a property away."""
    properties = {"Rule": SCHEDULE, "MuteTargets": "{AlarmNames: [!Ref A]}"} | changes
    lines = "".join(f"  {name}: {value}\n" for name, value in properties.items() if value is not None)
    return f"Type: AWS::CloudWatch::AlarmMuteRule\nProperties:\n{lines}"


def test_plain():
    """A rule has a generated name, a schedule in UTC, and its targets by name."""
    found = read(template(A=alarm(), M=mute_rule()))
    assert found.notices == ()
    expected = AlarmMuteRule(
        "M", "stack-M", "cron(0 2 * * SUN)", 14_400, "UTC", ("stack-A",), None, None, Place("t.yaml", 12, 3, "Resources.M")
    )  # fmt: skip
    assert found.mute_rules == (expected,)


def test_all_settings():
    """Dates without an offset are in the schedule's time zone; a target counts once."""
    rule = "{Schedule: {Expression: at(2026-05-10T14:00), Duration: PT2H, Timezone: Europe/Berlin}}"
    changes = {"StartDate": "2026-05-01T08:00", "ExpireDate": "'2026-12-31T23:59:59Z'", "MuteTargets": "{AlarmNames: [a, b, a]}"}  # fmt: skip
    (each,) = read(
        template(M=mute_rule(Name="n", Description="d", Tags="[]", Rule=rule, **changes))
    ).mute_rules
    assert (each.name, each.timezone, each.targets) == ("n", "Europe/Berlin", ("a", "b"))
    assert (each.start, each.expire) == (1_777_615_200, 1_798_761_599)


def test_no_targets():
    """A rule without targets mutes nothing, and that is said."""
    for targets in (None, "{AlarmNames: []}"):
        found = read(template(M=mute_rule(MuteTargets=targets)))
        assert [each.targets for each in found.mute_rules] == [()]
        assert [message for _, _, message in told(found, "warning")] == [
            "it has no MuteTargets, so it mutes nothing"
        ]


def scheduled(**changes):
    """Write what is under Rule."""
    fields = {"Expression": "cron(0 2 * * SUN)", "Duration": "PT4H"} | changes
    inner = ", ".join(f"{name}: '{value}'" for name, value in fields.items() if value is not None)
    return {"Rule": f"{{Schedule: {{{inner}}}}}"}


WRONG = [
    ({"Rule": None}, "", "required key [Rule] not found"),
    ({"Rule": "{}"}, ".Rule", "required key [Schedule] not found"),
    (scheduled(Expression=None), ".Rule.Schedule", "required key [Expression] not found"),
    (scheduled(Duration=None), ".Rule.Schedule", "required key [Duration] not found"),
    (scheduled(Expression="cron(0 2 ? * SUN *)"), ".Rule.Schedule.Expression", "cron takes five fields here, Minutes Hours Day-of-month Month Day-of-week, not 6 (write it as in cron(0 2 * * SUN))"),
    (scheduled(Duration="4h"), ".Rule.Schedule.Duration", "'4h' is no duration (write it as in PT4H or P2DT12H)"),
    (scheduled(Timezone="Europe/Nowhere"), ".Rule.Schedule.Timezone", "'Europe/Nowhere' is no time zone known here (write one such as Europe/London, or UTC)"),
    (scheduled(Timezone="../../etc/passwd"), ".Rule.Schedule.Timezone", "'../../etc/passwd' is no time zone known here (write one such as Europe/London, or UTC)"),
    (scheduled(Timezone="Europe"), ".Rule.Schedule.Timezone", "'Europe' is no time zone known here (write one such as Europe/London, or UTC)"),
    ({"StartDate": "soon"}, ".StartDate", "StartDate 'soon' is no time (write it as in 2026-04-15T08:00)"),
    ({"StartDate": "2026-04-15T08:00", "ExpireDate": "2026-04-15T08:00"}, ".ExpireDate", "StartDate has to be before ExpireDate"),
    ({"MuteTargets": "[a]"}, ".MuteTargets", "Value of property MuteTargets must be an object"),
    ({"MuteTargets": f"{{AlarmNames: [{', '.join(map(str, range(MOST_TARGETS + 1)))}]}}"}, ".MuteTargets.AlarmNames", "AlarmNames holds 501 alarms, at most 500 are possible"),
    ({"MuteTargets": "{AlarmNames: ['']}"}, ".MuteTargets.AlarmNames", "1 validation error detected: Value '' at 'alarmNames' failed to satisfy constraint: Member must have length between 1 and 255"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "path", "message"), WRONG)
def test_impossible(changes, path, message):
    """What AWS would refuse is left out, with its place."""
    found = read(template(A=alarm(), M=mute_rule(**changes)))
    assert found.mute_rules == ()
    assert [said for _, _, said in told(found)] == [message]
    assert found.notices[0].place.path == f"Resources.M.Properties{path}"


def test_names_twice():
    """Of two rules of one name the first holds, within a template and over several."""
    first = read(template(A=alarm(), M=mute_rule(Name="n"), N=mute_rule(Name="n")))
    second = read(template(A=alarm(AlarmName="b"), M=mute_rule(Name="n"), N=mute_rule()))
    assert [each.logical_id for each in first.mute_rules] == ["M"]
    both = combined([first, second])
    assert [each.name for each in both.mute_rules] == ["n", "stack-N"]
    assert [message for _, _, message in told(both)] == [
        f"the alarm mute rule n already exists, defined in t.yaml:{line}:3; this one is left out"
        for line in (12, 12)
    ]


def test_references():
    """Ref is a rule's name, its Arn is one of CloudWatch."""
    rest = (
        "  M:\n    Type: AWS::CloudWatch::AlarmMuteRule\n    Properties: {Name: n, Rule: " + SCHEDULE + "}\n"
    )
    assert resolved("!Ref M", rest=rest) == "n"
    assert resolved("!GetAtt M.Arn", rest=rest) == (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm-mute-rule:n"
    )


DESCRIBED = {
    "Name": "nights",
    "AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:nights",
    "Description": "d",
    "Rule": {"Schedule": {"Expression": "cron(0 22 * * *)", "Duration": "PT8H", "Timezone": "Asia/Tokyo"}},
    "MuteTargets": {"AlarmNames": ["denied"]},
    "StartDate": "2026-04-15T08:00:00+00:00",
    "Status": "SCHEDULED",
    "LastUpdatedTimestamp": "2026-04-15T08:00:00.000000+00:00",
    "MuteType": "RECURRING",
}


def test_described():
    """What get-alarm-mute-rule prints is read, alone or merged with the account's filters and alarms."""
    for others in ({}, {"metricFilters": [], "MetricAlarms": []}):
        found = read(json.dumps({**others, **DESCRIBED}))
        assert found.notices == ()
        (each,) = found.mute_rules
        assert each[:6] == ("nights", "nights", "cron(0 22 * * *)", 28_800, "Asia/Tokyo", ("denied",))
        assert (each.start, each.expire) == (1_776_240_000, None)


def test_described_badly():
    """An error has its place; what list-alarm-mute-rules prints has no schedules, and that is said."""
    text = json.dumps({**DESCRIBED, "Rule": {}})
    assert [(str(each.place), each.place.path, each.message) for each in read(text).notices] == [
        (f"t.yaml:1:{text.index('{}') + 1}", "AlarmMuteRule.Rule", "required key [Schedule] not found")
    ]  # fmt: skip
    listed = read('{"AlarmMuteRuleSummaries": [{"Status": "ACTIVE"}]}')
    assert [message for _, _, message in told(listed, "unused")] == [
        "AlarmMuteRuleSummaries is not used here: the whole list (they have no schedules; give what get-alarm-mute-rule prints for each rule)"
    ]
