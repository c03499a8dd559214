"""Deliveries that could not be read: listed, and read again on command, so that nothing of them counts twice.

Whoever reads them again tells nobody: what it changes is noted, and the watcher tells of it by its own settings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of, spelled
from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.scan.pool import batches_of
from rolewatch.sources import Delivery
from rolewatch.sources.delivery import RefusedDelivery
from rolewatch.sources.locators import delivery_of, found_again, located
from rolewatch.store import deliveries
from rolewatch.store.deliveries import Failure
from rolewatch.store.schema import storable
from rolewatch.store.state import State
from rolewatch.watch.commit import OvertakenError
from rolewatch.watch.following import Following
from rolewatch.watch.gathering import Wanted, gather
from rolewatch.watch.housekeeping import RETRIED
from rolewatch.watch.intake import Asked, Taken, read, taken
from rolewatch.watch.kept import followed
from rolewatch.watch.manner import MANNER, Manner
from rolewatch.watch.partly import Partly, partly_read
from rolewatch.watch.register import Changed, Register
from rolewatch.watch.successes import KEPT, Successes

LENGTH: Final = 16  # bytes of a denial's identity
GONE: Final = "its content was not kept, so it cannot be read again"
REFUSED: Final = "it is nothing that could be read"

Clock = Callable[[], datetime]


class Outcome(NamedTuple):
    """What became of a delivery that was read again; `reason` is why it still cannot be read, "" if it was."""

    name: str
    reason: str


class Retried(NamedTuple):
    """What reading again came to: each delivery, and how many records and denials were new."""

    outcomes: Sequence[Outcome]
    records: int
    denials: int

    @property
    def unread(self) -> list[Outcome]:
        """List those that still cannot be read."""
        return [outcome for outcome in self.outcomes if outcome.reason]


def listed(state: State) -> list[dict[str, Any]]:
    """List the deliveries that could not be read, the latest first, in the shape of `deliveries failed`."""
    return [
        {
            "id": identify(failure),
            "name": failure.name,
            "source": failure.source,
            "reason": failure.reason,
            "first": _spelled(failure.first),
            "last": _spelled(failure.last),
            "attempts": failure.attempts,
            "records": failure.records,
            "retryable": not impossible(failure),
        }
        for failure in state.read(deliveries.failures)
    ]


def identify(failure: Failure) -> str:
    """Give the short name of a failure: 16 hex digits."""
    return failure.mark.hex()[:16]


def impossible(failure: Failure) -> str:
    """Say why a delivery cannot be read again; "" if it can."""
    if failure.locator is None:
        return GONE
    try:
        found = delivery_of(failure.locator)
    except CannotDo as error:
        return error.message
    return f"{REFUSED}: {found.reason}" if isinstance(found, RefusedDelivery) else ""


def chosen(state: State, names: Sequence[str]) -> list[Failure]:
    """Choose failures by the names or ids of their deliveries; all that can be read again if none is named.

    Raises UsageError for a name that none of them has.
    """
    known = state.read(deliveries.failures)
    if not names:
        return [failure for failure in known if not impossible(failure)]
    found: dict[bytes, Failure] = {}
    for name in names:
        own = [failure for failure in known if storable(name) in (failure.name, identify(failure))]
        if not own:
            raise UsageError(
                f"no delivery that failed is called {name!r}",
                remedy="`rolewatch deliveries failed` lists them",
            )
        found |= {failure.mark: failure for failure in own}
    return list(found.values())


class Retry:
    """Reads deliveries again, as the watcher of the state would. It may run beside that, and beside others of its kind."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state, self._clock = state, clock

        def work(connection: sa.Connection) -> tuple[str | None, list[tuple[str, Any]]]:
            return deliveries.note(connection, MANNER), followed(connection)

        note, known = state.read(work)
        self._manner = Manner.decode(note)
        self._request = self._manner.request()
        self._spans = self._manner.spans()
        self._following = Following()
        for name, facts in known:
            self._following.follow(name, facts)
        self._earlier: Successes | None = None

    def run(self, failures: Iterable[Failure]) -> Retried:
        """Read some again, a batch at a time; what was read is no failure any more."""
        outcomes: list[Outcome] = []
        records = denials = 0
        found: dict[str, Failure] = {}
        able: list[Delivery] = []
        for failure in failures:
            why = impossible(failure)
            if why or failure.locator is None:
                outcomes.append(Outcome(failure.name, why or GONE))
                continue
            delivery = delivery_of(failure.locator)
            found[delivery.identity] = failure
            able.append(delivery)
        for batch in batches_of(iter(able)):
            done = self._read([(delivery, found[delivery.identity]) for delivery in batch])
            outcomes += done.outcomes
            records += done.records
            denials += done.denials
        return Retried(outcomes, records, denials)

    def _read(self, pairs: Sequence[tuple[Delivery, Failure]]) -> Retried:
        wanted = Wanted(changes=self._manner.blame)
        detector, _, changes = gather([delivery for delivery, _ in pairs], (), self._request, wanted)
        earlier = self._successes() if detector.summary.denials else None
        holds = taken(detector, Asked(self._following, earlier), changes)
        partly = partly_read([delivery for delivery, _ in pairs], detector, self._request)
        again = _Again(pairs, holds, partly)
        try:
            changed = self._state.write(lambda connection: self._commit(connection, again))
        except OvertakenError:  # some of them were read by somebody else meanwhile: each by itself
            if len(pairs) == 1:
                return Retried([Outcome(pairs[0][1].name, "")], 0, 0)
            parts = [self._read([pair]) for pair in pairs]
            outcomes = [outcome for part in parts for outcome in part.outcomes]
            return Retried(outcomes, sum(part.records for part in parts), sum(part.denials for part in parts))
        changed.follow(self._following)
        outcomes = [
            Outcome(failure.name, holds.unreadable.get(delivery.name, "")) for delivery, failure in pairs
        ]
        return Retried(outcomes, again.records, changed.denials)

    def _commit(self, connection: sa.Connection, again: "_Again") -> Changed:
        """Commit a batch; OvertakenError if any of it was read by somebody else meanwhile."""
        now = self._clock()
        moment = milliseconds(now)
        for _, failure in again.pairs:
            if not deliveries.take_failure(connection, failure):
                raise OvertakenError
        register = Register(connection, now, self._spans, "live", None, blame=self._manner.blame)
        changed = register.take(again.holds(), self._following)
        deliveries.fail(connection, list(again.failures(moment)))
        places = located({delivery.identity: delivery for delivery, _ in again.pairs})
        deliveries.keep_recent(connection, places, moment)
        if self._manner.lake:
            deliveries.keep_for_lake(connection, places, moment)
        if changed.findings:
            deliveries.add_to_note(connection, RETRIED, sorted(changed.findings))
        hits = max(0, again.counts.get("hits", 0) - again.repeated)
        numbers = {"records": again.records, "denials": changed.denials, "late": changed.late}
        numbers |= {"duplicates": max(0, hits - changed.denials), "retried": len(again.pairs)}
        deliveries.count(connection, numbers)
        return changed

    def _successes(self) -> Successes:
        """Read once more what arrived lately, since it may prove that a denial is over already."""
        if self._earlier is None:
            self._earlier = Successes(self._request)
            since = milliseconds(self._clock() - KEPT)
            texts = self._state.read(lambda connection: deliveries.recent(connection, since))
            for batch in batches_of(found_again(texts)):
                self._earlier.absorb(read(batch, self._request), self._clock(), forget=False)
        return self._earlier


class _Again:
    """A batch that was read again: what of it was not counted before, and what still failed."""

    def __init__(
        self, pairs: Sequence[tuple[Delivery, Failure]], found: Taken, partly: Mapping[str, Partly]
    ) -> None:
        self.pairs, self._taken, self._partly = pairs, found, partly
        self.counts = found.counts
        self._counted = {name for _, failure in pairs for name in _identities(failure.counted)}
        self.repeated = sum(denial.identity in self._counted for denial in found.denials)
        self.records = max(0, found.counts.get("records", 0) - sum(failure.records for _, failure in pairs))

    def holds(self) -> Taken:
        """Give what it holds without the denials that were counted when its deliveries were read in part."""
        new = [denial for denial in self._taken.denials if denial.identity not in self._counted]
        return self._taken._replace(denials=new)

    def failures(self, moment: int) -> Iterator[Failure]:
        """Yield what still could not be read, or not to its end."""
        for delivery, failure in self.pairs:
            reason = self._taken.unreadable.get(delivery.name)
            if reason is None:
                continue
            partly = self._partly.get(delivery.identity, Partly(0, b""))
            counted = _identities(failure.counted) | _identities(partly.denials)
            yield failure._replace(
                reason=reason,
                last=moment,
                attempts=failure.attempts + 1,
                records=max(failure.records, partly.records),
                counted=b"".join(sorted(counted)),
            )


def _identities(together: bytes) -> set[bytes]:
    return {together[at : at + LENGTH] for at in range(0, len(together), LENGTH)}


def _spelled(milliseconds_: int) -> str:
    return spelled(moment_of(milliseconds_))
