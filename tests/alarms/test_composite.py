"""Composite alarms: rules, what makes them change, and what is said about it (spec/alarm.md §10)."""

import re

import pytest
from alarmed import PLACE, alarm, composite, data

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import State
from rolewatch.alarms.rule import children, holds, parse_rule
from rolewatch.templates.definitions import Metric, Spelling

STATES = {"CPUUtilizationTooHigh": "ALARM", "DiskReadOpsTooHigh": "OK", "DeploymentInProgress": "INSUFFICIENT_DATA",
          "A": "ALARM", "B": "ALARM", "C": "OK", "a b": "OK", 'a"b': "ALARM", "TRUE": "OK"}  # fmt: skip
ARN = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"

RULES = [
    ("ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)", False),
    ("ALARM(CPUUtilizationTooHigh) AND NOT ALARM(DeploymentInProgress)", True),
    ("(ALARM(CPUUtilizationTooHigh) OR ALARM(DiskReadOpsTooHigh)) AND OK(C)", True),
    ("ALARM(C) AND ALARM(C) OR ALARM(A)", True),
    ("ALARM(A) OR ALARM(C) AND ALARM(C)", True),
    ("NOT ALARM(A) OR ALARM(A)", True),
    ("NOT (ALARM(A) OR ALARM(C))", False),
    ("INSUFFICIENT_DATA(DeploymentInProgress)", True),
    ("AT_LEAST(2, ALARM, (A, B, C))", True),
    ("AT_LEAST(3, ALARM, (A, B, C))", False),
    ("AT_LEAST(1, NOT ALARM, (A, B, C))", True),
    ("AT_LEAST(67%, ALARM, (A, B, C))", False),
    ("AT_LEAST(66%, ALARM, (A, B, C))", True),
    ("AT_LEAST(50%, OK, (A, C))", True),
    ('OK("a b") AND ALARM("a\\"b")', True),
    (f"ALARM({ARN}A)", True),
    (f'ALARM("{ARN}a b") OR OK("{ARN}a b")', True),
    ('OK("TRUE")', True),
    ("TRUE", True),
    ("False", False),
    ("ALARM(A)\n  AND\n  ALARM(B)", True),
    ("ALARM( A )", True),
]


@pytest.mark.parametrize(("text", "expected"), RULES)
def test_rules(text, expected):
    """A rule holds or does not."""
    assert expected == holds(parse_rule(text), lambda name: State(STATES[name]))


@pytest.mark.parametrize(("text", "message", "position"), [
    ("", "found the end", 0),
    ("ALARM(A) ALARM(B)", "expected AND, OR or the end, found ALARM", 9),
    ("ALARM(A) AND", "found the end", 12),
    ("ALARM()", "expected an alarm's name or ARN, found )", 6),
    ("ALARM(A", "expected ')', found the end", 7),
    ("alarm(A)", "found alarm", 0),
    ('ALARM("A)', "a quote is not closed", 6),
    ("AT_LEAST(x, ALARM, (A))", "expected a number or a percentage", 9),
    ("AT_LEAST(101%, ALARM, (A))", "expected a number or a percentage", 9),
    ("AT_LEAST(1, BAD, (A))", "expected ALARM, OK or INSUFFICIENT_DATA", 12),
    ("AT_LEAST(1, ALARM, A)", "expected '('", 19),
    ("(" * 200 + "TRUE" + ")" * 200, "nested too deeply", 101),
    (" OR ".join(f"ALARM(a{i})" for i in range(101)), "100 alarms", 0),
    (" OR ".join(["TRUE"] * 501), "500 elements", 0),
    ("x" * 10_241, "10240 characters", 10_240),
])  # fmt: skip
def test_wrong_rules(text, message, position):
    """What is wrong with a rule is said with its place."""
    with pytest.raises(AlarmError, match=re.escape(message)) as caught:
        parse_rule(text)
    assert position == caught.value.position


def test_children():
    """The alarms of a rule are found in the order of its text."""
    rule = parse_rule("AT_LEAST(1, OK, (B, A)) AND NOT (ALARM(C) OR TRUE OR OK(A))")
    assert [child.name for child in children(rule)] == ["B", "A", "C", "A"]


def watched(name, **more):
    """Make an alarm on a metric of its own."""
    return alarm(60, treat="notBreaching", name=name, metric=Metric("N", name), **more)


def metrics(**values):
    """Make metrics by the names of their alarms, from digits, one a minute."""
    return {metric: units for name, digits in values.items() for metric, units in data([int(d) for d in digits], Metric("N", name)).items()}  # fmt: skip


def run(rules, values, end=600, **more):
    """Replay alarms on metrics with composite alarms over them: changes by the alarm's name, and notices."""
    histories, notices = replay(
        [watched(name) for name in values],
        [each if not isinstance(each, str) else composite(each) for each in rules],
        metrics(**values),
        start=0,
        end=end,
        **more,
    )
    return {history.alarm.name: history.transitions for history in histories}, notices


def changes(transitions):
    """Give minutes and states."""
    return [(change.time // 60, str(change.after)) for change in transitions]


def test_follows_its_children():
    """A composite alarm is evaluated when it is created, and when a child changes; it says which."""
    found, notices = run(["ALARM(x) AND ALARM(y)"], {"x": "011110", "y": "001100"}, 360)
    assert (notices, changes(found["c"])) == ((), [(1, "OK"), (3, "ALARM"), (5, "OK")])
    created, alarming, calm = found["c"]
    assert created.reason == f"{ARN}c was created and its alarm rule evaluates to OK"
    assert created.reason_data == (
        f'{{"triggeringAlarms":[{{"arn":"{ARN}x","state":{{"value":"OK","timestamp":"1970-01-01T00:01:00.000+0000"}}}},'
        f'{{"arn":"{ARN}y","state":{{"value":"OK","timestamp":"1970-01-01T00:01:00.000+0000"}}}}]}}'
    )
    assert alarming.reason == f"{ARN}y transitioned to ALARM at Thursday 01 January, 1970 00:03:00 UTC"
    assert alarming.reason_data == (
        f'{{"triggeringAlarms":[{{"arn":"{ARN}y","state":{{"value":"ALARM","timestamp":"1970-01-01T00:03:00.000+0000"}}}}]}}'
    )
    assert calm.reason == f"{ARN}y transitioned to OK at Thursday 01 January, 1970 00:05:00 UTC"
    assert [change.actions for change in found["c"]] == [("calm",), ("page",), ("calm",)]


def test_a_second_child_changes_nothing():
    """A second child that alarms changes neither state nor reason."""
    found, _ = run(["ALARM(x) OR ALARM(y)"], {"x": "0111", "y": "0011"}, 240)
    assert changes(found["c"]) == [(1, "OK"), (2, "ALARM")]


def test_changes_at_the_same_time_are_one():
    """Children that change together make no state in between; the one that decided is named."""
    found, _ = run(
        ["ALARM(x) AND NOT ALARM(y)", composite("ALARM(x) AND ALARM(y)", "d")], {"x": "011", "y": "011"}, 180
    )
    assert changes(found["c"]) == [(1, "OK")]
    assert found["d"][-1].reason.startswith(f"{ARN}y transitioned to ALARM")


def test_composites_over_composites():
    """They may stand in any order, and be given by ARN."""
    found, notices = run(
        [composite(f"ALARM({ARN}inner) AND NOT OK(x)", "outer"), composite("ALARM(x)", "inner")],
        {"x": "0110"},
        240,
    )
    assert notices == ()
    assert [(1, "OK"), (2, "ALARM"), (4, "OK")] == changes(found["outer"]) == changes(found["inner"])
    assert list(found) == ["x", "outer", "inner"]


def test_states_to_begin_with():
    """A composite alarm that has a state keeps it until a child changes, or its rule says otherwise at once."""
    found, _ = run(["ALARM(x)"], {"x": "1110"}, 240, initial={"x": State.ALARM, "c": State.ALARM})
    assert changes(found["c"]) == [(4, "OK")]
    found, _ = run(["ALARM(x)"], {"x": "1110"}, 240, asked=[120, 240], initial={"x": State.ALARM})
    assert changes(found["c"]) == [(2, "ALARM"), (4, "OK")]


def test_no_evaluation_no_change():
    """Where there is no time to evaluate, nothing changes."""
    found, notices = run(["TRUE"], {"x": "1"}, 0)
    assert (found, notices) == ({"x": (), "c": ()}, ())


@pytest.mark.parametrize(("rules", "messages"), [
    (["ALARM(nobody)"], ["c cannot be evaluated: its AlarmRule refers to nobody, which is no alarm here, at character 7 of 'ALARM(nobody)'"]),
    ([composite("OK(b)", "a"), composite("OK(a)", "b"), composite("OK(a)", "d")],
     [*(f"{name} cannot be evaluated: its AlarmRule depends on itself" for name in "ab"),
      "d cannot be evaluated: its AlarmRule refers to a, which cannot be evaluated, at character 4 of 'OK(a)'"]),
    (["OK(c)"], ["c cannot be evaluated: its AlarmRule depends on itself"]),
    (["ALARM(", composite("OK(c)", "d")], ["c cannot be evaluated: expected an alarm's name or ARN, found the end, at character 7 of 'ALARM('",
     "d cannot be evaluated: its AlarmRule refers to c, which cannot be evaluated, at character 4 of 'OK(c)'"]),
])  # fmt: skip
def test_what_cannot_be_evaluated(rules, messages):
    """Rules that refer to nothing, or to themselves, are reported, and the other alarms go on."""
    found, notices = run(rules, {"x": "1"})
    assert [("error", message, PLACE) for message in messages] == [tuple(notice) for notice in notices]
    assert list(found) == ["x"]


@pytest.mark.parametrize(("rule", "column"), [
    ("ALARM(x) AND", 22),
    ("OK(x) OR OK(nobody)", 22),
    ("OK(x) OR OK(c)", 10),
])  # fmt: skip
def test_where_a_rule_is_wrong(rule, column):
    """Where the rule's characters have places, an error has that of the character; of a circle, of the rule's beginning."""
    start = PLACE._replace(line=3, column=10, path="rule")
    written = Spelling(start, len(rule) + 1, ((0, 3, 10),))
    _, (notice,) = run([composite(rule, written=written)], {"x": "1"})
    assert notice.place == start._replace(column=column)


def test_a_child_that_cannot_be_evaluated():
    """A composite alarm over an alarm that cannot be evaluated cannot be either."""
    histories, notices = replay([watched("x", statistic="bad")], [composite("OK(x)")], {}, start=0, end=60)
    assert (histories, len(notices)) == ((), 2)
    assert "x, which cannot be evaluated" in notices[1].message
