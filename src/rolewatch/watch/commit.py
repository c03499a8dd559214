"""One transaction for a batch: what it holds, what people are told, what failed, and that its deliveries are done."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds
from rolewatch.findings.life import Phase
from rolewatch.sources.locators import locator
from rolewatch.store import delivered, deliveries, sources
from rolewatch.store.deliveries import Failure
from rolewatch.watch.feed import Given
from rolewatch.watch.following import Following
from rolewatch.watch.intake import Taken
from rolewatch.watch.kept import Explain, Spans, unexplained
from rolewatch.watch.lateness import Lateness, word_of
from rolewatch.watch.partly import Partly
from rolewatch.watch.register import Changed, Register
from rolewatch.watch.telling import Teller

if TYPE_CHECKING:
    from rolewatch.watch.alarm_counts import Counts
    from rolewatch.watch.alarms import Alarms
    from rolewatch.watch.explaining import Explainer

NOTHING: Final[Mapping[str, Partly]] = {}


class OvertakenError(Exception):
    """Another watcher has done some of these deliveries meanwhile; nothing was committed."""


class Batch(NamedTuple):
    """Deliveries that were read, what they hold, and which of their marks were done before.

    `places`: where those that can be read again are, by mark (`locators`); `partly`: what was counted of those that are
    damaged, by identity; `lateness` says what to note of their sources, if
    anybody wants to know. `counts` are the datapoints of metric filters.
    """

    given: Sequence[Given]
    taken: Taken
    known: Collection[str]
    places: Mapping[str, str]
    partly: Mapping[str, Partly] = NOTHING
    lateness: Lateness | None = None
    counts: "Counts | None" = None


class Rules(NamedTuple):
    """By what a batch is committed; `lake` says that deliveries are to go into one afterwards; `alarms` those of templates.

    `explainer` knows the policies that findings are held against; `blame` says that changes of policies are kept, and told.
    """

    spans: Spans
    teller: Teller
    clock: Callable[[], datetime]
    lake: bool = False
    alarms: "Alarms | None" = None
    explainer: "Explainer | None" = None
    blame: bool = False

    @property
    def explain(self) -> Explain:
        """What puts into findings what policies say of them, within one transaction."""
        return self.explainer.turn() if self.explainer else unexplained

    def register(self, connection: sa.Connection, now: datetime, phase: Phase) -> Register:
        """Make what takes denials into findings in a transaction."""
        return Register(
            connection, now, self.spans, phase, self.teller, explain=self.explain, blame=self.blame
        )


def commit(
    connection: sa.Connection, batch: Batch, rules: Rules, phase: Phase, following: Following
) -> Changed:
    """Commit a batch; OvertakenError if another watcher did part of it meanwhile."""
    now = rules.clock()
    moment = milliseconds(now)
    until = {
        mark: moment + given.source.keep * 1000
        for given in batch.given
        for mark in given.arrival.marks
        if mark not in batch.known
    }
    if not deliveries.finish(connection, until):
        raise OvertakenError
    register = rules.register(connection, now, phase)
    changed = register.take(batch.taken, following)
    failures = _failures(batch, moment)
    deliveries.fail(connection, failures)
    deliveries.keep_recent(connection, batch.places, moment)
    delivered.add(connection, batch.taken.folders)
    if rules.lake:
        deliveries.keep_for_lake(connection, batch.places, moment)
    notes = {given.source.word: note for given in batch.given if (note := given.source.note()) is not None}
    deliveries.keep_notes(connection, notes)
    if batch.lateness:
        sources.came(connection, batch.lateness.came(batch.given, batch.taken.last_seen, moment))
    counts = batch.taken.counts
    numbers = {name: counts.get(name, 0) for name in ("records", "bytes", "bytes_compressed")}
    numbers |= {"deliveries": len(batch.given), "failed": len(failures)}
    numbers |= {"denials": changed.denials, "late": changed.late}
    numbers["duplicates"] = max(0, counts.get("hits", 0) - changed.denials)
    if rules.alarms and batch.counts:
        numbers["datapoints"] = rules.alarms.keep(connection, batch.counts, now)
    deliveries.count(connection, numbers)
    return changed


def _failures(batch: Batch, moment: int) -> list[Failure]:
    """List what could not be read, or not to its end."""
    unreadable, found = batch.taken.unreadable, dict[bytes, Failure]()
    for given in batch.given:
        delivery = given.arrival.delivery
        if delivery.name in unreadable:
            mark = deliveries.mark_of(delivery.identity)
            partly = batch.partly.get(delivery.identity)
            found[mark] = Failure(
                mark=mark,
                name=delivery.name,
                source=word_of(given.source),
                reason=unreadable[delivery.name],
                locator=locator(delivery),
                first=moment,
                last=moment,
                attempts=1,
                records=partly.records if partly else 0,
                counted=partly.denials if partly else b"",
            )
    return list(found.values())
