"""One transaction for a batch: what it holds, what people are told, what failed, and that its deliveries are done."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.findings.life import Phase
from rolewatch.sources.locators import locator
from rolewatch.store import deliveries
from rolewatch.store.deliveries import Failure
from rolewatch.watch.feed import Given
from rolewatch.watch.following import Following
from rolewatch.watch.intake import Taken
from rolewatch.watch.kept import Spans
from rolewatch.watch.register import Changed, Register, milliseconds
from rolewatch.watch.telling import Teller


class OvertakenError(Exception):
    """Another watcher has done some of these deliveries meanwhile; nothing was committed."""


class Batch(NamedTuple):
    """Deliveries that were read, what they hold, and which of their marks were done before."""

    given: Sequence[Given]
    taken: Taken
    known: Collection[str]


class Rules(NamedTuple):
    """By what a batch is committed; `lake` says that deliveries are to go into one afterwards."""

    spans: Spans
    teller: Teller
    clock: Callable[[], datetime]
    lake: bool = False


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
    if deliveries.finish(connection, until):
        raise OvertakenError
    changed = Register(connection, now, rules.spans, phase, rules.teller).take(batch.taken, following)
    failures = _failures(batch, moment)
    deliveries.fail(connection, failures)
    found = {
        given.arrival.marks[0]: text for given in batch.given if (text := locator(given.arrival.delivery))
    }
    deliveries.keep_recent(connection, found, moment)
    if rules.lake:
        deliveries.keep_for_lake(connection, found, moment)
    notes = {given.source.word: note for given in batch.given if (note := given.source.note()) is not None}
    deliveries.keep_notes(connection, notes)
    counts = batch.taken.counts
    numbers = {name: counts.get(name, 0) for name in ("records", "bytes", "bytes_compressed")}
    numbers |= {"deliveries": len(batch.given), "failed": len(failures)}
    numbers |= {"denials": changed.denials, "late": changed.late}
    numbers["duplicates"] = max(0, counts.get("hits", 0) - changed.denials)
    deliveries.count(connection, numbers)
    return changed


def _failures(batch: Batch, moment: int) -> list[Failure]:
    """List what could not be read, or not to its end."""
    unreadable, found = batch.taken.unreadable, dict[bytes, Failure]()
    for given in batch.given:
        delivery = given.arrival.delivery
        if delivery.name in unreadable:
            mark = deliveries.mark_of(delivery.identity)
            found[mark] = Failure(
                mark=mark,
                name=delivery.name,
                source=given.source.word,
                reason=unreadable[delivery.name],
                locator=locator(delivery),
                first=moment,
                last=moment,
                attempts=1,
            )
    return list(found.values())
