"""What time alone changes: findings fall silent, mutes end, memories fade."""

import time
from collections.abc import Iterable
from datetime import UTC, timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.findings.match import fits
from rolewatch.findings.mutes import Mute
from rolewatch.store import deliveries, findings, identities, mutes, outbox
from rolewatch.store.state import State
from rolewatch.watch.commit import Rules
from rolewatch.watch.following import Following, awaited
from rolewatch.watch.kept import Kept
from rolewatch.watch.register import Changed, Register, milliseconds, mute_of
from rolewatch.watch.successes import KEPT

AT_ONCE: Final = 500  # findings that are looked at again in one transaction
CHECKED: Final = "mutes-checked"  # the note that says until when ended mutes were noticed
CLEAN_SECONDS: Final = 3600.0
SHARED_SECONDS: Final = 2.0  # between looks at what other watchers of the same state have changed
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class Retention(NamedTuple):
    """How long things are remembered that nobody waits for any more."""

    sent: timedelta = timedelta(days=30)  # notifications that were sent
    mutes: timedelta = timedelta(days=365)  # mutes that have ended


REMEMBERED: Final = Retention()


class Housekeeping:
    """Looks after a state; `tick` is to be called about once a second while findings are told as they come."""

    def __init__(
        self, state: State, rules: Rules, following: Following, retention: Retention = REMEMBERED
    ) -> None:
        self._state, self._rules, self._following, self._retention = state, rules, following, retention
        self._clean = self._look = 0.0
        self._seen = milliseconds(rules.clock())

    def tick(self) -> int:
        """Do what is due; returns how many notifications that has made."""
        told = 0
        for ids in self._due():
            changed = self._state.write(partial(self._look_again, ids=ids))
            changed.follow(self._following)
            told += changed.notifications
        self._note_check()
        now = time.monotonic()
        if self._state.shared and now >= self._look:
            self._look = now + SHARED_SECONDS
            self._catch_up()
        if now >= self._clean:
            self._clean = now + CLEAN_SECONDS
            self._state.write(self._forget)
        return told

    def _look_again(self, connection: sa.Connection, ids: Iterable[str]) -> Changed:
        register = Register(connection, self._rules.clock(), self._rules.spans, "live", self._rules.teller)
        return register.look_again(ids)

    def _due(self) -> list[list[str]]:
        """Give the findings to look at again, in parts: those that may be silent now, and those whose mute has ended."""

        def work(connection: sa.Connection) -> list[str]:
            now = self._rules.clock()
            before = (now - self._rules.spans.silent).astimezone(UTC).strftime(_TIME)
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

        def work(connection: sa.Connection) -> list[Kept]:
            return [Kept.of(row) for row in findings.changed_since(connection, since)]

        for kept in self._state.read(work):
            self._following.follow(kept.id, awaited(kept.tally, kept.proven))

    def _forget(self, connection: sa.Connection) -> None:
        now = self._rules.clock()
        moment = milliseconds(now)
        deliveries.expire(connection, moment)
        deliveries.expire_recent(connection, moment - _span(KEPT))
        outbox.expire(connection, moment - _span(self._retention.sent))
        mutes.expire(connection, moment - _span(self._retention.mutes))
        first = (now - timedelta(days=identities.KEPT_DAYS)).astimezone(UTC).date().isoformat()
        identities.drop(connection, first)


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


def _span(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
