"""A batch of records in; the denials in it and the facts that it proves out.

Only marked records are decoded: those with a literal of the rule, or with an escape that may hide one.
"""

from typing import TYPE_CHECKING

from rolewatch.cloudtrail.carve import NONE, Boiled, Buffer
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.denials.record import Record, Success, Unparsable, decode, decode_success
from rolewatch.denials.rule import Fact, Rule, denials, facts, search, selected, worth
from rolewatch.scan.chosen import Chosen, of_linked_roles
from rolewatch.scan.coverage import Coverage
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Gathered

if TYPE_CHECKING:
    from rolewatch.denials.denial import Denial


class Collected(Gathered):
    """What one delivery gave; `proven` facts need not be looked at again. `boiled` are successes not named yet."""

    __slots__ = ("boiled", "denials", "facts")

    def __init__(self, *, proven: bool) -> None:
        super().__init__(proven=proven)
        self.denials: list[Denial] = []
        self.facts: list[Fact] = []
        self.boiled: list[Boiled] = []


class Examiner:
    """Looks through batches; `literals` are those that it wants marked."""

    def __init__(self, request: ScanRequest) -> None:
        pattern, principals = request.pattern, request.principals
        if pattern and "all" in principals and of_linked_roles(pattern):
            principals = frozenset(("slr",))  # the only ones, so that only their successes are followed
        self.rule = Rule(principals, request.authentication)
        usual = search(self.rule, recovery=request.recovery) if request.recovery or not pattern else None
        self._chosen = Chosen(pattern, usual) if pattern else None
        self.literals = self._chosen.literals if self._chosen else usual or NONE
        self._recovery = request.recovery
        self._window = request.window
        self._since, self._until = request.window.spelled()

    def examine(self, batch: Batch, collected: Collected, coverage: Coverage) -> int:
        """Decode the records of a batch that may matter; returns how many could not be."""
        unparsable, until = 0, self._until
        if batch.boiled:
            collected.boiled.append(batch.boiled if until is None else _before(batch.boiled, until))
        rule, recovery, text, chosen = self.rule, self._recovery, batch.text, self._chosen
        look = text if chosen is None or chosen.looks_at_text else batch.view
        for start, end, bits in batch.marked:
            try:
                if chosen and chosen.matches(look(start, end), bits):
                    self._choose(batch, start, text(start, end), collected, coverage)
                    continue
                if chosen:
                    bits &= chosen.usual  # noqa: PLW2901 - what is left has nothing to do with the pattern
                    if not recovery or not bits:
                        continue
                raw = text(start, end)
                told = worth(raw, bits, rule, recovery=recovery)
                if told == "error":
                    self._error(batch, start, raw, collected, coverage)
                elif told:
                    self._prove(batch, start, decode_success(raw), collected)
            except Unparsable:
                if not isinstance(batch, Listed):
                    raise Inexact from None  # the delivery is read the exact way instead
                unparsable += 1
        return unparsable

    def _error(self, batch: Batch, start: int, raw: Buffer, collected: Collected, coverage: Coverage) -> None:
        """Decode in full a record with an error, or what may be one, escaped."""
        record = decode(raw)
        found = denials(record, raw, self.rule) if self._chosen is None else []
        if found:
            _must_stand_alone(batch, start)
        coverage.record(record)
        if found:
            if self._within(record):
                collected.denials += found
        elif self._recovery:
            self._prove(batch, start, record, collected)

    def _choose(
        self, batch: Batch, start: int, raw: Buffer, collected: Collected, coverage: Coverage
    ) -> None:
        """Take in a record that matches the pattern."""
        record = decode(raw)
        if self._chosen and not self._chosen.every:
            _must_stand_alone(batch, start)
        coverage.record(record)
        if self._within(record):
            collected.denials += selected(record, raw, self.rule)

    def _prove(self, batch: Batch, start: int, record: Record | Success, collected: Collected) -> None:
        """Take what a record proves that is no denial."""
        if self._until is None or (record.eventTime or "") < self._until:
            found = facts(record, self.rule)
            if found and collected.proven:
                _must_stand_alone(batch, start)
            collected.facts += found

    def _within(self, record: Record) -> bool:
        """Whether a denial is one that was asked for, by event time and region; one without a time can be any."""
        since, until = self._since, self._until
        time, regions = record.eventTime or "", self._window.regions
        return (
            (since is None or time >= since or not time)
            and (until is None or time < until)
            and (not regions or record.awsRegion in regions)
        )


def _before(boiled: Boiled, until: str) -> Boiled:
    """Leave out what happened at a time or later."""
    end = until.encode()
    lines = boiled.splitlines(keepends=True)
    return b"".join(line for line in lines if line[line.rindex(b"\t") + 1 : -1] < end)


def _must_stand_alone(batch: Batch, start: int) -> None:
    """Raise Inexact if the record at `start` may be part of another one's request."""
    if not batch.stands_alone(start):
        raise Inexact
