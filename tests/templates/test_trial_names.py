"""The names in a test: alarms that there are not, and metrics that no alarm looks at."""

import pytest
from template_texts import FILTER, alarm, read, template

from rolewatch.templates import read_trials
from rolewatch.templates.trial_names import Known

TEST = """\
template: x
tests:
  - name: t
    metrics: [{namespace: Local, name: Denied, values: 0}]
    initial_state: {DeniedAlarm: OK}
    expect:
      - {alarm: DeniedAlarm, at: 1m, state: OK}
"""
COMPOSITE = "Type: AWS::CloudWatch::CompositeAlarm\nProperties: {AlarmName: both, AlarmRule: ALARM(a)}\n"
MATH = (
    "[{Id: e1, Expression: m1 + m2}, "
    "{Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: One}, Period: 60, Stat: Sum}}, "
    "{Id: m2, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: Two}, Period: 60, Stat: Sum}}]"
)
PLAIN = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period", "Dimensions"))


def wrong(text, **resources):
    """Return what is wrong with the names of a test of these resources."""
    (test,) = read_trials(text.encode(), "t").tests
    return [str(error) for error in Known(read(template(**resources))).wrong(test)]


@pytest.mark.parametrize(
    "resources", [{"DeniedAlarm": alarm()}, {"A": alarm(AlarmName="DeniedAlarm")}], ids=["logical id", "name"]
)
def test_alarms_have_two_names(resources):
    """Alarms of a template are known by their names and by their logical ids."""
    assert wrong(TEST, **resources) == []


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("alarm: DeniedAlarm", "alarm: Denied", ["t:7:9: there is no alarm 'Denied' (did you mean DeniedAlarm?)"]),
        ("alarm: DeniedAlarm", "alarm: zzz", ["t:7:9: there is no alarm 'zzz' (there are stack-DeniedAlarm, both, DeniedAlarm, Both)"]),
        ("{DeniedAlarm: OK}", "{both: OK, boht: OK}", ["t:5:31: there is no alarm 'boht' (did you mean both?)"]),
        ("DeniedAlarm", "X", [f"t:{place}: there is no alarm 'X' (there are stack-DeniedAlarm, both, DeniedAlarm, Both)" for place in ("7:9", "5:21")]),
    ],
    ids=["close", "far", "initial state", "all of them"],
)  # fmt: skip
def test_unknown_alarms(old, new, messages):
    """An expectation or initial state of an alarm that does not exist is an error."""
    assert wrong(TEST.replace(old, new), DeniedAlarm=alarm(), Both=COMPOSITE) == messages


def test_no_alarms():
    """Where there are none, that is said."""
    (first, second) = wrong(TEST.replace("metrics:", "metrics: [] #"), T="Type: AWS::SNS::Topic\n")
    assert first == "t:7:9: there is no alarm 'DeniedAlarm' (there are none)"
    assert second == "t:5:21: there is no alarm 'DeniedAlarm' (there are none)"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("name: Deneid", "t:4:40: no alarm looks at the metric Local/Deneid (did you mean Local/Denied?)"),
        ("dimensions: {r: a}, name: Denied", "t:4:60: no alarm looks at the metric Local/Denied {r: a} (did you mean Local/Denied?)"),
        ("dimensions: {x: a, r: b}, name: Roles", "t:4:66: no alarm looks at the metric Local/Roles {r: b, x: a} (did you mean Local/Roles {r: b}?)"),
        ("name: zzzzzzzzzzzzzzzzzzzzzzz", "t:4:40: no alarm looks at the metric Local/zzzzzzzzzzzzzzzzzzzzzzz (there are Local/Denied, Local/Roles {r: b}, N/One, N/Two)"),
    ],
    ids=["misspelled", "dimensions", "other dimensions", "far"],
)  # fmt: skip
def test_metrics_that_nobody_looks_at(metric, message):
    """A test of them would hold whatever the values are, so it is an error."""
    of_role = alarm(MetricName="Roles", Dimensions="[{Name: r, Value: b}]")
    text = TEST.replace("name: Denied,", f"{metric},")
    assert wrong(text, DeniedAlarm=alarm(), Of=of_role, Math=alarm(Metrics=MATH, **PLAIN)) == [message]


@pytest.mark.parametrize(
    ("metric", "resources"),
    [
        ("namespace: N, name: Two", {"Math": alarm(Metrics=MATH, **PLAIN)}),
        ("namespace: Local, name: Roles, dimensions: {r: a}", {"A": alarm(MetricName="Roles", Dimensions="[{Name: r, Value: a}]")}),
        ("namespace: Local, name: Other", {"F": FILTER.replace("MetricName: Denied", "MetricName: Other")}),
        ("namespace: Local, name: Other", {"Bad": alarm(MetricName="Other", Period=45)}),
    ],
    ids=["of metric math", "with dimensions", "of a filter", "perhaps of an alarm that was left out"],
)  # fmt: skip
def test_metrics_that_are_known(metric, resources):
    """Whatever an alarm or a filter of the template has is no error."""
    text = TEST.replace("namespace: Local, name: Denied", metric)
    assert wrong(text, DeniedAlarm=alarm(), **resources) == []


@pytest.mark.parametrize(
    "bad", [alarm(Period=45), alarm(AlarmName="!Ref Nowhere")], ids=["refused", "nameless"]
)
def test_alarms_that_were_left_out(bad):
    """They are known: what is wrong with them is told elsewhere."""
    assert wrong(TEST, DeniedAlarm=bad) == []
