"""Proofs of access and disappearance: kept while deliveries are read, looked at again where they decide a status.

The fast path cannot tell a record from one that somebody wrote into a list inside of another record's request. Which
proofs matter is known only when every denial is; those are looked at again where they were read.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from rolewatch.base.errors import RolewatchError
from rolewatch.cloudtrail.carve import HIDING, Literals, bit
from rolewatch.cloudtrail.read import Batch, Content, Inexact
from rolewatch.cloudtrail.split import Damaged, Skipped
from rolewatch.denials.record import Unparsable, decode, decode_success
from rolewatch.denials.rule import Fact, Rule, facts
from rolewatch.denials.sieve import Deeds, Sieve, deeds_of
from rolewatch.scan.boiled import BoiledProofs
from rolewatch.scan.examine import Collected
from rolewatch.scan.facts import Facts, Latest
from rolewatch.scan.origins import Origins
from rolewatch.sources import Delivery

Key = tuple[str, ...]
State = tuple[Origins, Facts, BoiledProofs]
ACCESS = 3  # parts of the key of an access: principal, action, resource


class Witness(NamedTuple):
    """The record that tells a fact: its eventTime and eventID ("" if it has none)."""

    time: str
    event_id: str


#: Looks at deliveries again for the records that tell some facts of each.
Hear = Callable[[Iterable[tuple[Delivery, set[Fact]]]], Iterable[dict[Key, Witness]]]


class Proofs:
    """The facts of a scan, and where each was read.

    A fact has the number of the delivery it was read in, below zero where nothing is left to prove. `content` opens a
    delivery again; `exactly` collects from one with everything parsed, and raises what `content` does.
    """

    def __init__(
        self, rule: Rule, content: Callable[[Delivery], Content], exactly: Callable[[Delivery], Collected]
    ) -> None:
        self._rule = rule
        self._content = content
        self._exactly = exactly
        self._origins = Origins()
        self._facts, self._boiled = Facts(), BoiledProofs()
        self._asked: Collection[Key] = ()
        self._found: dict[Key, Latest] = {}

    @property
    def state(self) -> State:
        """All that was kept; it can be pickled."""
        return self._origins, self._facts, self._boiled

    @state.setter
    def state(self, state: State) -> None:
        self._origins, self._facts, self._boiled = state

    def keep(self, collected: Collected, delivery: Delivery) -> None:
        """Keep what was collected from a delivery."""
        if not collected.facts and not collected.boiled:
            return
        number = self._origins.keep(delivery)
        self._add(collected, -number if collected.proven else number)

    def absorb(self, other: "Proofs") -> None:
        """Take in what other proofs hold, which are of no use afterwards."""
        numbers = {number: self._origins.keep(delivery) for number, delivery in other._origins.numbered()}  # noqa: SLF001 - one of its kind
        self._facts.absorb(other._facts, numbers)  # noqa: SLF001 - one of its kind
        for part in other._boiled:  # noqa: SLF001 - one of its kind
            for origin, lines in part:
                self._boiled.add(lines, numbers[origin])

    def find(self, keys: Collection[Key]) -> dict[Key, str]:
        """Give the latest time of each fact, not proven yet."""
        self._asked, self._found = keys, self._find(keys)
        return {key: time for key, (time, _) in self._found.items()}

    def prove(self, due: Mapping[Key, str]) -> dict[Key, str] | None:
        """Look again at facts that `find` gave, where they were read; None if they hold.

        If one does not, because somebody wrote a record into another one's request, all deliveries are read again the
        exact way: then the times of all facts asked for are returned, which need no proof any more.
        """
        unproven: dict[int, set[Fact]] = {}
        for key, time in due.items():
            origin = self._found[key][1]
            if origin > 0:
                unproven.setdefault(origin, set()).add((*key, time))
        if all(self._hold(origin, wanted) for origin, wanted in sorted(unproven.items())):
            return None
        self._read_again()
        return self.find(self._asked)

    def witnessed(
        self, after: Mapping[Key, str], deeds: Deeds, hear: Hear | None = None
    ) -> dict[Key, Witness]:
        """Give a record of each fact that is later than `after` says, with the event that tells it, looked at again.

        Of accesses it is the first, as far as all are remembered. `deeds` are those among the facts asked for. What cannot
        be read any more tells nothing. `hear` looks at them again in other processes, instead of in this one.
        """
        again = False
        while True:
            found = self._facts.of(after)
            self._sift(deeds, found, after)
            due: dict[int, set[Fact]] = {}
            for key, (time, origin) in found.items():
                if time > after[key]:
                    due.setdefault(origin, set()).add((*key, time))
            told: dict[Key, Witness] = {}
            places = ((self._origins.delivery(abs(origin)), due[origin]) for origin in sorted(due))
            for heard in hear(places) if hear else (self.hear(*place) for place in places):
                told |= heard
            if again or sum(map(len, due.values())) == len(told) or not any(origin > 0 for origin in due):
                return told
            self._read_again()
            again = True

    def hear(self, delivery: Delivery, wanted: set[Fact]) -> dict[Key, Witness]:
        """Find the records of a delivery's own that tell some facts."""
        told: dict[Key, Witness] = {}
        for exact in (False, True):
            with suppress(Inexact, Damaged, Skipped, OSError, RolewatchError):
                for batch in self._content(delivery).batches(_told_by(wanted), exact=exact):
                    for start, end, _ in batch.marked:
                        self._hear(batch, start, end, wanted, told)
                break
        return told

    def _hear(self, batch: Batch, start: int, end: int, wanted: set[Fact], told: dict[Key, Witness]) -> None:
        with suppress(Unparsable):
            record = decode(batch.text(start, end))
            heard = wanted.intersection(facts(record, self._rule))
            if heard and batch.stands_alone(start):
                for fact in heard:
                    told.setdefault(fact[:-1], Witness(fact[-1], record.eventID or ""))

    def _find(self, keys: Collection[Key]) -> dict[Key, Latest]:
        found = {key: latest for key in keys if (latest := self._facts.find(key))}
        accesses = [key for key in keys if len(key) == ACCESS]
        if accesses:
            self._sift(deeds_of(accesses), found)
        return found

    def _sift(self, deeds: Deeds, found: dict[Key, Latest], after: Mapping[Key, str] | None = None) -> None:
        sieve = Sieve(deeds, found, self._rule, after)
        for part in self._boiled:
            sieve.sift(part)

    def _hold(self, origin: int, wanted: set[Fact]) -> bool:
        """Whether these facts are told by records of the files' own, not by something inside of another record."""
        with suppress(Unparsable, Inexact, Damaged, Skipped, OSError, RolewatchError):
            for batch in self._content(self._origins.delivery(origin)).batches(_told_by(wanted)):
                for start, end, _ in batch.marked:
                    told = wanted.intersection(facts(decode_success(batch.text(start, end)), self._rule))
                    if told and batch.stands_alone(start):
                        wanted -= told
                if not wanted:
                    return True
        return False

    def _read_again(self) -> None:
        """Take all facts from the deliveries once more, with everything parsed."""
        self._facts, self._boiled = Facts(), BoiledProofs()
        for number, delivery in self._origins.numbered():
            try:
                self._add(self._exactly(delivery), -number)
            except (Skipped, OSError, RolewatchError):
                continue  # it can no longer be read: what it told is not proven

    def _add(self, collected: Collected, origin: int) -> None:
        for fact in collected.facts:
            self._facts.add(fact[:-1], fact[-1], origin)
        if collected.boiled:
            self._boiled.add(b"".join(collected.boiled), origin)


def _told_by(wanted: Collection[Fact]) -> Literals:
    """Say what a record that tells one of these facts holds: its time, and the role whose access it is, if it is one."""
    times = tuple(sorted({fact[-1].encode() for fact in wanted}))
    roles = {fact: fact[0].encode() for fact in wanted if len(fact) > ACCESS and fact[0].startswith("arn:")}
    if len(roles) < len(wanted):
        return Literals((times,))
    return Literals((times, tuple(sorted(set(roles.values())))), needed=(HIDING, bit(0) | bit(1)))
