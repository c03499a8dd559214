"""When a notification is tried again that a target did not take, or that it is not: then it is a dead letter."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

Reason = Literal["backing-off", "asked-to-wait", "refused", "given-up"]
REASONS: Final[Mapping[Reason, str]] = {
    "backing-off": "it is tried again, after a wait that doubles each time",
    "asked-to-wait": "it is tried again when the target has asked for it",
    "refused": "the target refused it for good, so it is not tried again",
    "given-up": "it was tried for long enough, and is not tried again",
}


class Policy(NamedTuple):
    """How long to wait, and how long to try.

    `first` is the first wait, which doubles each time up to `longest`; `asked` the longest that a target may ask for. It
    is given up when it is as old as `lasting` and was tried `least` times: what got old while nothing ran is tried, too.
    """

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=15)
    asked: timedelta = timedelta(hours=6)
    lasting: timedelta = timedelta(days=3)
    least: int = 10


POLICY: Final = Policy()


class Next(NamedTuple):
    """When it is tried again, None for never; and why."""

    at: datetime | None
    reason: Reason


def next_attempt(
    attempts: int,
    now: datetime,
    *,
    created: datetime,
    jitter: float,
    retry_after: float | None = None,
    passing: bool = True,
    policy: Policy = POLICY,
) -> Next:
    """Say when to try again after `attempts` (at least 1) have failed, the last of them now.

    `created`: when it could be sent first. `jitter`, from 0 to 1, makes the wait three to five quarters of itself.
    `retry_after`: the seconds that the target asks to wait for. `passing`: whether trying again may help.
    """
    if not passing:
        return Next(None, "refused")
    if attempts >= policy.least and now - created >= policy.lasting:
        return Next(None, "given-up")
    doublings = min(attempts - 1, 32)  # beyond, the wait is the longest anyway
    wait = min(policy.first * 2**doublings, policy.longest) * (0.75 + jitter / 2)
    # Targets have sent anything, so also what is negative, infinite or no number.
    seconds = min(retry_after, policy.asked.total_seconds()) if retry_after and retry_after > 0 else 0.0
    asked = timedelta(seconds=seconds)
    return Next(now + asked, "asked-to-wait") if asked > wait else Next(now + wait, "backing-off")
