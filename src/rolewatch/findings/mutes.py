"""Mutes: somebody decided not to hear of a finding, or of all that match, for a reason and until a time.

A mute never forgets: what it held back and is still blocked when it ends is told then. It covers severities up to the
one it was made for, so that a mute for one bucket that is noise does not hide that a service goes blind.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from rolewatch.base.errors import UsageError
from rolewatch.findings.match import Patterns, fits, refuse_everything, specificity
from rolewatch.findings.severity import LEVELS

Finding = dict[str, Any]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

LONGEST: Final = timedelta(days=366)
COVERED: Final = "high"  # the worst severity that a mute covers unless it is asked to cover more
#: What `ended_by` says of a mute that nobody ended.
RECOVERED: Final = "recovered"


class Mute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mute. `match` has patterns by key of a finding; that of a single finding is {"id": its id}.

    `by` is a person. `covers` is the worst severity it holds back. `until_recovered`: it ends before `until` if its
    finding recovers or is gone. `ended` is when it ended before its time, and `ended_by` who did it.
    """

    id: str
    match: dict[str, str]
    reason: str
    by: str
    created: Moment
    until: Moment
    until_recovered: bool = False
    covers: str = COVERED
    ended: Moment | None = None
    ended_by: str = ""

    @property
    def end(self) -> datetime:
        """When it ends, or has ended."""
        return self.until if self.ended is None else min(self.ended, self.until)


def new_mute(
    match: Patterns,
    *,
    reason: str,
    by: str,
    until: datetime | timedelta,
    now: datetime,
    until_recovered: bool = False,
    severity: str | None = None,
    longest: timedelta = LONGEST,
) -> Mute:
    """Make a mute that ends at a time, or after a span; UsageError for one without reason, person or sensible end.

    `severity` is the worst one that the person knows of: that of the finding, or `critical` where all is to be covered.
    The id is the same for the same words at the same time.
    """
    refuse_everything(match, "the mute")
    for name, text in (("reason", reason), ("by", by)):
        if not text.strip():
            raise UsageError(f"a mute has to say its {name}", remedy=f"write --{name} TEXT")
    end = _ends(until, now)
    if end <= now:
        raise UsageError(
            f"--until: {end.isoformat()} is past, so the mute would hide nothing",
            remedy="give a time to come",
        )
    if end - now > longest:
        raise UsageError(
            f"--until: {end.isoformat()} is more than {longest.days} days away",
            remedy="give a nearer end: a mute that nobody looks at again is a blind spot of its own",
        )
    if until_recovered and "id" not in match:
        raise UsageError(
            "a mute that ends with the recovery is for one finding, not for all that match",
            remedy="mute the finding by its id",
        )
    covers = max(COVERED, severity or COVERED, key=LEVELS.index)
    words = (
        *sorted(map("=".join, match.items())),
        reason.strip(),
        by.strip(),
        now.isoformat(),
        end.isoformat(),
    )
    return Mute(
        id=hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:12],
        match=dict(match),
        reason=reason.strip(),
        by=by.strip(),
        created=now,
        until=end,
        until_recovered=until_recovered,
        covers=covers,
    )


def is_active(mute: Mute, now: datetime) -> bool:
    """Whether it has not ended; at the moment of its end it has."""
    return now < mute.end


def muted_by(finding: Finding, mutes: Iterable[Mute], now: datetime) -> Mute | None:
    """Find the mute that holds a finding back: the most specific, of equals the one that lasts longest."""
    level = LEVELS.index(finding["severity"])
    found = (
        mute
        for mute in mutes
        if is_active(mute, now) and level <= LEVELS.index(mute.covers) and fits(mute.match, finding)
    )
    return max(found, key=lambda mute: (specificity(mute.match), mute.end, mute.id), default=None)


def ended(mute: Mute, now: datetime, by: str) -> Mute:
    """End a mute; one that has ended already stays as it is."""
    return msgspec.structs.replace(mute, ended=now, ended_by=by) if is_active(mute, now) else mute


def ended_by_recovery(finding: Finding, mutes: Iterable[Mute], now: datetime) -> list[Mute]:
    """List the mutes that end because this finding recovered or is gone, as they are then."""
    if finding["status"] not in ("recovered", "gone"):
        return []
    return [
        ended(mute, now, RECOVERED)
        for mute in mutes
        if mute.until_recovered and is_active(mute, now) and fits(mute.match, finding)
    ]


def _ends(until: datetime | timedelta, now: datetime) -> datetime:
    try:
        end = now + until if isinstance(until, timedelta) else until
    except OverflowError:
        raise UsageError("--until is beyond the calendar", remedy="give a nearer end") from None
    return end if end.tzinfo else end.replace(tzinfo=UTC)
