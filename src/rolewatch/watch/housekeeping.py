"""What time alone changes: findings fall silent, mutes end, memories fade."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of, spelled
from rolewatch.findings.match import fits
from rolewatch.findings.mutes import Mute
from rolewatch.store import (
    accounts,
    alarms,
    datapoints,
    delivered,
    deliveries,
    findings,
    identities,
    mutes,
    outbox,
    policy_changes,
)
from rolewatch.store.state import State
from rolewatch.watch.commit import Rules
from rolewatch.watch.following import Fact, Following
from rolewatch.watch.kept import awaited_by
from rolewatch.watch.observer import Observer
from rolewatch.watch.register import Changed, mute_of
from rolewatch.watch.successes import KEPT

AT_ONCE: Final = 500  # findings that are looked at again in one transaction
CHECKED: Final = "mutes-checked"  # the note that says until when ended mutes were noticed
CLEAN_SECONDS: Final = 3600.0
DAYS_KEPT: Final = timedelta(days=100)  # for which it is known of which days log files came
CREDIBLE: Final = timedelta(days=7)  # by which the clock may be ahead of the newest event that was ever seen
RETRIED: Final = (
    "retried"  # the note that names the findings which deliveries that were read again have changed
)
SHARED_SECONDS: Final = 2.0  # between looks at what other watchers of the same state have changed


class Retention(NamedTuple):
    """How long things are remembered that nobody waits for any more."""

    sent: timedelta = timedelta(days=30)  # notifications that were sent
    ended: timedelta | None = None  # findings that recovered or are gone; None for ever
    mutes: timedelta = timedelta(days=365)  # mutes that have ended
    failed: timedelta = timedelta(days=90)  # deliveries that could not be read
    datapoints: timedelta = timedelta(days=15)  # of metrics, where nothing evaluates them
    transitions: timedelta = timedelta(days=30)  # what alarms did, as long as CloudWatch keeps their history
    changes: timedelta = timedelta(days=90)  # of policies, but for the last two, and those that findings name


REMEMBERED: Final = Retention()


class Housekeeping:
    """Looks after a state; `tick` is to be called about once a second while findings are told as they come."""

    def __init__(
        self,
        state: State,
        rules: Rules,
        following: Following,
        retention: Retention = REMEMBERED,
        observer: Observer | None = None,
    ) -> None:
        self._state, self._rules, self._following, self._retention = state, rules, following, retention
        self._observer = observer or Observer()
        # Marks are forgotten only when sources have had time to ask for them, after however long a pause.
        self._clean, self._look = time.monotonic() + CLEAN_SECONDS, 0.0
        self._seen = milliseconds(rules.clock())

    def tick(self, *, last: bool = False) -> int:
        """Do what is due, with the `last` call all that would be in a while; returns how many notifications that has made."""
        told = 0
        for ids in self._due():
            changed = self._state.write(partial(self._look_again, ids=ids))
            changed.follow(self._following)
            self._observer.changed(changed)
            told += changed.notifications
        self._note_check()
        told += self._tell_of_retried()
        now = time.monotonic()
        if self._state.shared and now >= self._look:
            self._look = now + SHARED_SECONDS
            self._catch_up()
        if now >= self._clean or last:
            self._clean = now + CLEAN_SECONDS
            self._state.write(self._forget)
        return told

    def _look_again(self, connection: sa.Connection, ids: Iterable[str]) -> Changed:
        rules = self._rules
        return rules.register(connection, rules.clock(), "live").look_again(ids)

    def _tell_of_retried(self) -> int:
        """Take up what `rolewatch deliveries retry` has changed; returns how many notifications that has made."""
        if not self._state.read(partial(deliveries.note, source=RETRIED)):
            return 0

        def work(connection: sa.Connection) -> Changed:
            ids = (deliveries.take_note(connection, RETRIED) or "").split()
            return self._look_again(connection, ids)

        changed = self._state.write(work)
        changed.follow(self._following)
        self._observer.changed(changed)
        return changed.notifications

    def _due(self) -> list[list[str]]:
        """Give the findings to look at again, in parts: those that may be silent now, and those whose mute has ended."""

        def work(connection: sa.Connection) -> list[str]:
            now = self._rules.clock()
            before = spelled(now - self._rules.spans.silent)
            found = findings.stale(connection, before, AT_ONCE)
            self._checked = milliseconds(now)
            last = deliveries.note(connection, CHECKED)
            ended = mutes.ended_between(connection, int(last), self._checked) if last else []
            return found + _held_back(connection, [mute_of(row) for row in ended])

        ids = list(dict.fromkeys(self._state.read(work)))
        return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]

    def _note_check(self) -> None:
        """Remember until when mutes were looked at, now that what they held back is told."""

        def work(connection: sa.Connection) -> bool:
            last = deliveries.note(connection, CHECKED)
            return last is None or bool(mutes.ended_between(connection, int(last), self._checked))

        if self._state.read(work):
            note = {CHECKED: str(self._checked)}
            self._state.write(lambda connection: deliveries.keep_notes(connection, note))

    def _catch_up(self) -> None:
        """Take up what other watchers have changed, with an overlap, since transactions end in any order."""
        since = self._seen - 10_000
        self._seen = milliseconds(self._rules.clock())

        def work(connection: sa.Connection) -> list[tuple[str, dict[Fact, str]]]:
            return [(row.id, awaited_by(row)) for row in findings.changed_since(connection, since)]

        for name, facts in self._state.read(work):
            self._following.follow(name, facts)

    def _forget(self, connection: sa.Connection) -> None:
        now = self._rules.clock()
        moment = milliseconds(now)
        credible = min(moment, _latest(connection, moment))
        deliveries.expire(connection, credible)
        deliveries.expire_failures(connection, moment - _span(self._retention.failed))
        deliveries.expire_recent(connection, moment - _span(KEPT))
        outbox.expire(connection, moment - _span(self._retention.sent))
        if self._retention.ended is not None:
            findings.expire(connection, ("recovered", "gone"), moment - _span(self._retention.ended))
        mutes.expire(connection, moment - _span(self._retention.mutes))
        reached = moment_of(credible)
        first = (reached - timedelta(days=identities.KEPT_DAYS)).date().isoformat()
        identities.drop(connection, first)
        kept = self._rules.alarms.kept if self._rules.alarms else self._retention.datapoints
        datapoints.expire(connection, (credible - _span(kept)) // 1000)
        alarms.expire(connection, (credible - _span(self._retention.transitions)) // 1000)
        policy_changes.expire(connection, spelled(reached - self._retention.changes))
        delivered.expire(connection, (reached - DAYS_KEPT).date().isoformat())


def _held_back(connection: sa.Connection, ended: list[Mute]) -> list[str]:
    """Give the findings that some mutes were about and that are still open."""
    if not ended:
        return []
    found = []
    for row in findings.with_status(connection, ("blocked", "silent")):
        document = msgspec.json.decode(row.document)
        if any(fits(mute.match, document) for mute in ended):
            found.append(row.id)
    return found


def _latest(connection: sa.Connection, otherwise: int) -> int:
    """Give the latest moment that events make credible: a clock that was put forward must not make us forget what counts."""
    times = accounts.last_events(connection).values()
    try:
        return milliseconds(datetime.fromisoformat(max(times)) + CREDIBLE)
    except (ValueError, OverflowError):  # there are none
        return otherwise


def _span(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
