"""Denials summed up, by finding and case: what findings are built from, however the denials came together.

A scan sums up all it has seen at once; a watcher keeps the sums and adds to them. Sums of different denials merge, in
whatever order; from equal sums come equal findings.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from heapq import nsmallest
from typing import Final, Self

import msgspec

from rolewatch.denials.denial import Case, Denial

EVENT_IDS: Final = 1000
EXAMPLES: Final = 20
Key = tuple[str, str, str]  # account, role or service, resource
Moment = tuple[
    str, str, bytes
]  # eventTime ("" if unknown), eventID ("" if there is none), the denial's identity


class CaseSum(msgspec.Struct, array_like=True):
    """The denials of one case: how many, the first of those with a time, the last of all, and how many on each day."""

    number: int
    undated: int
    first: str | None
    last: Moment
    days: dict[str, int]

    def merge(self, other: Self) -> None:
        """Add other denials of the same case."""
        self.number += other.number
        self.undated += other.undated
        firsts = [first for first in (self.first, other.first) if first]
        self.first = min(firsts, default=None)
        self.last = max(self.last, other.last)
        for day, number in other.days.items():
            self.days[day] = self.days.get(day, 0) + number


class Tally(msgspec.Struct):
    """The denials of one finding: sums by case, (eventTime, eventID) of the oldest, and examples of the resource's parts."""

    cases: dict[Case, CaseSum]
    events: list[tuple[str, str]]
    examples: list[str]

    def merge(self, other: Self) -> None:
        """Add other denials of the same finding."""
        for case, found in other.cases.items():
            known = self.cases.get(case)
            if known is None:
                self.cases[case] = msgspec.structs.replace(found, days=dict(found.days))
            else:
                known.merge(found)
        self.events = nsmallest(EVENT_IDS, {*self.events, *other.events})
        self.examples = nsmallest(EXAMPLES, {*self.examples, *other.examples})

    def subtract(self, case: Case, denial: Denial) -> None:
        """Take out a denial whose better copy counts in its stead; its time stays among the first and last of its case."""
        found = self.cases[case]
        found.number -= 1
        if not found.number:
            del self.cases[case]
            return
        found.undated -= not denial.time
        if denial.time:
            day = denial.time[:10]
            found.days[day] -= 1
            if not found.days[day]:
                del found.days[day]

    def name(self, events: Collection[tuple[str, str]]) -> None:
        """Add (eventTime, eventID) of further copies of its denials."""
        self.events = nsmallest(EVENT_IDS, {*self.events, *events})

    @property
    def denials(self) -> int:
        """How many denials there are."""
        return sum(found.number for found in self.cases.values())

    def in_order(self) -> list[tuple[Case, CaseSum]]:
        """Give the cases, that of the last denial last."""
        return sorted(self.cases.items(), key=lambda pair: pair[1].last)

    def encode(self) -> bytes:
        """Write it down, to be kept."""
        return msgspec.msgpack.encode((list(self.cases.items()), self.events, self.examples))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote."""
        cases, events, examples = msgspec.msgpack.decode(data, type=_Stored)
        return cls(dict(cases), events, examples)


_Stored = tuple[list[tuple[Case, CaseSum]], list[tuple[str, str]], list[str]]


def finding_key(case: Case) -> Key:
    """Say which finding a denial belongs to."""
    return case.who.account, case.who.role_arn or case.who.service, case.resource.arn


def tally(
    denials: Iterable[Denial],
    copies: Mapping[bytes, Collection[str]],
    examples: Mapping[Key, Collection[str]],
) -> dict[Key, Tally]:
    """Sum up denials; `copies` gives the event ids of all copies of an identity, `examples` those of a finding."""
    groups: dict[int, list[Denial]] = {}
    for denial in denials:  # cases are held once, mostly, so that they need not be compared
        groups.setdefault(id(denial.case), []).append(denial)
    found: dict[Key, Tally] = {}
    for group in groups.values():
        case = group[0].case
        key = finding_key(case)
        part = Tally({case: _sum(group)}, _events(group, copies), [])
        if key in found:
            found[key].merge(part)
        else:
            part.examples = nsmallest(EXAMPLES, examples.get(key, ()))
            found[key] = part
    return found


def _sum(group: list[Denial]) -> CaseSum:
    times = [denial.time for denial in group if denial.time]
    last = max((denial.time or "", denial.event_id or "", denial.identity) for denial in group)
    days = Counter(time[:10] for time in times)
    return CaseSum(len(group), len(group) - len(times), min(times, default=None), last, dict(days))


def _events(group: list[Denial], copies: Mapping[bytes, Collection[str]]) -> list[tuple[str, str]]:
    oldest = nsmallest(EVENT_IDS, group, key=lambda denial: (denial.time or "", denial.event_id or ""))
    rows = {
        (denial.time or "", name)
        for denial in oldest
        for name in (denial.event_id, *copies.get(denial.identity, ()))
        if name
    }
    return nsmallest(EVENT_IDS, rows)
