"""The status of a finding, from facts kept per action (DESIGN "status"). A pure function; time is a parameter."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple


class Status(NamedTuple):
    """`status` is blocked, recovered, gone or silent; `ended` its time; `open_actions` what is still denied."""

    status: str
    ended: str | None
    open_actions: list[str]


def status(
    denied: Mapping[str, str],
    allowed: Mapping[str, str],
    gone: str | None,
    last_seen: str | None,
    silent_after: timedelta,
) -> Status:
    """Decide the status.

    `denied`: IAM action → time of its last denial ("" if unknown); `allowed`: IAM action, lower case → time of its
    latest success; `gone`: when the resource was last reported as not existing; `last_seen`: the last record seen
    of the account. Times as in eventTime. A denial without a time is never proven over.
    """
    still = sorted(
        action for action, last in denied.items() if not last or allowed.get(action.lower(), "") <= last
    )
    if not still:
        return Status("recovered", max(allowed[action.lower()] for action in denied), [])
    last = max(denied.values())
    dated = all(denied.values())
    if dated and gone and gone > last:
        return Status("gone", gone, still)
    if dated and last_seen and last < _before(last_seen, silent_after):
        return Status("silent", None, still)
    return Status("blocked", None, still)


@lru_cache(maxsize=1024)
def _before(time: str, span: timedelta) -> str:
    try:
        moment = datetime.fromisoformat(time)
        return (moment - span).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return ""  # not a time: nothing lies before it
