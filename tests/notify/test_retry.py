"""When a notification is tried again."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lives import DAY, NOW
from rolewatch.notify.retry import POLICY, REASONS, Policy, Reason, next_attempt

WAITS = [(1, 5), (2, 10), (3, 20), (7, 320), (8, 640), (9, 900), (10, 900), (10_000, 900)]


@pytest.mark.parametrize(("attempts", "seconds"), WAITS)
def test_waits_double_up_to_the_longest(attempts, seconds):
    """From five seconds to a quarter of an hour, each spread by a quarter of itself."""
    found = [next_attempt(attempts, NOW, created=NOW, jitter=jitter) for jitter in (0, 0.5, 1)]
    expected = [NOW + timedelta(seconds=seconds) * factor for factor in (0.75, 1, 1.25)]
    assert [(each.at, each.reason) for each in found] == [(time, "backing-off") for time in expected]


ASKED = [
    (1.0, 5, "backing-off"),
    (30.0, 30, "asked-to-wait"),
    (1e300, 6 * 3600, "asked-to-wait"),
    (float("inf"), 6 * 3600, "asked-to-wait"),
    (float("nan"), 5, "backing-off"),
    (-5.0, 5, "backing-off"),
    (0.0, 5, "backing-off"),
]


@pytest.mark.parametrize(("asked", "seconds", "reason"), ASKED)
def test_a_target_may_ask_for_a_longer_wait(asked, seconds, reason):
    """Within reason: one that asks for a year is asked again today."""
    found = next_attempt(1, NOW, created=NOW, jitter=0.5, retry_after=asked)
    assert found == (NOW + timedelta(seconds=seconds), reason)


def test_what_is_refused_for_good_is_not_tried_again():
    """A wrong address does not become right."""
    assert next_attempt(1, NOW, created=NOW, jitter=0, passing=False) == (None, "refused")


ENDS = [
    (9, timedelta(days=3), "backing-off"),
    (10, timedelta(days=3), "given-up"),
    (10, timedelta(days=3) - timedelta(seconds=1), "backing-off"),
    (2, timedelta(days=30), "backing-off"),
]


@pytest.mark.parametrize(("attempts", "age", "reason"), ENDS)
def test_it_is_given_up_when_it_is_old_and_was_tried(attempts, age, reason):
    """What got old while nothing ran, or while the network was down, is tried all the same."""
    assert next_attempt(attempts, NOW, created=NOW - age, jitter=0).reason == reason


def test_every_reason_has_a_sentence():
    """For `deliveries` and pages that show the outbox."""
    assert set(REASONS) == set(get_args(Reason))


@given(st.lists(st.floats(0, 1), min_size=400, max_size=400))
def test_a_target_that_is_down_is_tried_for_three_days_and_not_longer(jitters):
    """The last attempt comes within one wait of the end, whatever chance does."""
    time = NOW
    for attempts, jitter in enumerate(jitters, 1):
        found = next_attempt(attempts, time, created=NOW, jitter=jitter)
        if found.at is None:
            break
        assert POLICY.first * 0.75 <= found.at - time <= POLICY.longest * 1.25
        time = found.at
    assert POLICY.lasting <= time - NOW <= POLICY.lasting + POLICY.longest * 1.25
    assert found.reason == "given-up"


def test_another_policy():
    """Everything about it can be set."""
    once = Policy(lasting=DAY * 0, least=1)
    assert next_attempt(1, NOW, created=NOW, jitter=0, policy=once) == (None, "given-up")
