"""When the actions of a composite alarm with a suppressor run: the documented timelines (spec/alarm.md §10.1)."""

import pytest
from alarmed import composite

from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.suppression import suppressed

OK, ALARM = State.OK, State.ALARM


def transitions(states, initial=OK):
    """Make changes from time → state."""
    found, before = [], initial
    for time, after in states.items():
        found.append(Transition(time, before, after, "", None, ()))
        before = after
    return tuple(found)


def acted(own, suppressor, initial=OK, *, wait=2, extension=3, end=100):
    """Give what runs, when, for each change of the composite alarm, and what held it back."""
    alarm = composite("TRUE", suppressor="s", wait_period=wait, extension_period=extension)
    history = History(composite("TRUE", "s"), 0, end, initial, transitions(suppressor, initial))
    return [
        (change.actions, change.acted_at, change.suppressed_by)
        for change in suppressed(alarm, transitions(own), history, end)
    ]


PAGE, CALM, NOTHING = ("page",), ("calm",), ()


@pytest.mark.parametrize(("own", "suppressor", "initial", "expected"), [
    ({2: ALARM}, {}, OK, [(PAGE, 4, "WaitPeriod")]),
    ({2: ALARM}, {3: ALARM}, OK, [(NOTHING, None, "Alarm")]),
    ({2: ALARM, 3: OK}, {}, OK, [(NOTHING, None, "WaitPeriod"), (CALM, 5, "WaitPeriod")]),
    ({2: ALARM}, {}, ALARM, [(NOTHING, None, "Alarm")]),
    ({2: ALARM}, {3: ALARM, 6: OK}, OK, [(PAGE, 9, "ExtensionPeriod")]),
    ({2: ALARM, 7: OK}, {3: ALARM, 6: OK}, OK, [(NOTHING, None, "ExtensionPeriod"), (CALM, 9, "WaitPeriod")]),
])  # fmt: skip
def test_documented_timelines(own, suppressor, initial, expected):
    """The six examples of the CloudWatch guide, with a wait of two and an extension of three."""
    assert expected == acted(own, suppressor, initial)


def test_several_changes_under_suppression():
    """What runs at the end is that of the state then; a suppressor that alarms again starts all over."""
    assert acted({2: ALARM, 4: OK, 5: ALARM}, {1: ALARM, 6: OK, 8: ALARM, 10: OK}) == [
        (NOTHING, None, "Alarm"),
        (NOTHING, None, "Alarm"),
        (PAGE, 13, "ExtensionPeriod"),
    ]


def test_no_periods():
    """Without a wait actions run at once; without an extension, when the suppressor leaves ALARM."""
    assert acted({2: ALARM}, {}, wait=0) == [(PAGE, None, None)]
    assert acted({2: ALARM}, {5: OK}, ALARM, extension=0) == [(PAGE, 5, "Alarm")]


def test_the_end_comes_first():
    """Actions that would run after the end do not."""
    assert acted({2: ALARM}, {}, end=3) == [(NOTHING, None, "WaitPeriod")]


def test_at_the_same_time():
    """A suppressor that alarms together with the composite alarm suppresses; one that comes as the wait ends is too late."""
    assert acted({2: ALARM}, {2: ALARM}) == [(NOTHING, None, "Alarm")]
    assert acted({2: ALARM}, {4: ALARM}) == [(PAGE, 4, "WaitPeriod")]
