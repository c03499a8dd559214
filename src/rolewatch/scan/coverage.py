"""What a scan looked at, and what it could therefore not have seen: a clean result from a blind scan is the worst one.

Accounts, regions and days come from the names of the deliveries where they follow the AWSLogs layout, else from the
first and the last record of each; what detection decodes anyway adds to both. Sources: DESIGN "coverage", research of
peers §5 (denials that are simply not recorded), spec/cloudtrail.md §4.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from rolewatch.base.clock import days_between
from rolewatch.base.wording import some
from rolewatch.cloudtrail.carve import Buffer
from rolewatch.cloudtrail.layout import Layout
from rolewatch.cloudtrail.read import Batch
from rolewatch.denials.record import Record, Unparsable, decode
from rolewatch.scan.categories import NETWORK, categories, gaps, look_for
from rolewatch.scan.digests import Digests, Place
from rolewatch.sources import Window

ANYWHERE = Window()
LOGS, NETWORK_LOGS = "CloudTrail", "CloudTrail-NetworkActivity"  # kinds of the layout
SHOWN = 5  # names in a sentence
NEVER = datetime.min.replace(tzinfo=UTC)


class _Where(msgspec.Struct, gc=False):
    """When and where a record happened."""

    eventTime: str | None = None  # noqa: N815 - CloudTrail's own field names
    awsRegion: str | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815


_where = msgspec.json.Decoder(_Where)


class _Ends(NamedTuple):
    """The times of the first and last record of the deliveries of one minute."""

    delivered: datetime
    first: str
    last: str


class Coverage:
    """A fold over deliveries: what was seen."""

    def __init__(self) -> None:
        self.first: str | None = None
        self.last: str | None = None
        self.recorded: dict[str, str] = {}  # account → the last record that was decoded
        self.delivered: dict[str, datetime] = {}  # account → the last delivery, by its name
        self.latest = NEVER  # delivery of which the name tells the time
        self.earliest: dict[Place, _Ends] = {}  # of the deliveries of each folder
        self.accounts: set[str] = set()
        self.regions: set[str] = set()
        self.seen: set[str] = set()  # as `categories.look_for` names it
        self.deliveries: Counter[Place] = Counter()
        self.digests = Digests()

    def named(self, layout: Layout) -> None:
        """Take in what a delivery's name tells; its delivery time bounds the records in it from above."""
        kind, account, region, day, delivered, _ = layout
        place = _place(account, region, kind, day)
        if place not in self.deliveries:
            self.accounts.add(account)
            self.regions.add(region)
            if kind == NETWORK_LOGS:
                self.seen.add(NETWORK)
        self.deliveries[place] += 1
        if delivered and delivered > self.latest:
            self.latest = delivered
        time = delivered or _end_of(day)
        if time > self.delivered.get(account, NEVER):
            self.delivered[account] = time

    def knows(self, layout: Layout) -> bool:
        """Whether an earlier delivery of the same folder told all that this one's first and last record can tell."""
        known = self.earliest.get(_place_of(layout))
        return known is not None and _moment_of(layout) > known.delivered

    def batch(self, batch: Batch, layout: Layout | None) -> None:
        """Take in a batch without parsing it: the kinds of events, and the first and last record.

        Where the layout tells account, region and day, the earliest delivery of each folder is enough. It is chosen by
        its name and not by its turn, so that however deliveries are shared out the report is the same.
        """
        if layout is None:
            for raw in batch.first_and_last():
                where = _where_of(raw)
                if where:
                    self.record(where)
        elif not self.knows(layout):
            ends = [where.eventTime for raw in batch.first_and_last() if (where := _where_of(raw))]
            times = [time for time in ends if time]
            if times:
                self._earlier(_place_of(layout), _Ends(_moment_of(layout), min(times), max(times)))
        self.kinds(batch, layout)

    def kinds(self, batch: Batch, layout: Layout | None) -> None:
        """Take in the kinds of events of a batch."""
        look_for(batch, self.seen, network=layout is None or layout.kind != LOGS)

    def record(self, record: Record | _Where) -> None:
        """Take in one decoded record."""
        if record.recipientAccountId:
            self.accounts.add(record.recipientAccountId)
        if record.awsRegion:
            self.regions.add(record.awsRegion)
        if record.eventTime:
            self._moment(record.recipientAccountId, record.eventTime)

    def _earlier(self, place: Place, ends: "_Ends") -> None:
        known = self.earliest.get(place)
        if known is None or ends.delivered < known.delivered:
            self.earliest[place] = ends
        elif ends.delivered == known.delivered:
            first, last = min(known.first, ends.first), max(known.last, ends.last)
            self.earliest[place] = _Ends(known.delivered, first, last)

    def _moment(self, account: str | None, time: str) -> None:
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        if account and time > self.recorded.get(account, ""):
            self.recorded[account] = time

    def last_seen(self) -> dict[str, str]:
        """Give the time of the last record of each account, as far as records and the names of deliveries tell."""
        last = {account: _spell_time(moment) for account, moment in self.delivered.items()}
        return last | {account: max(time, last.get(account, "")) for account, time in self.recorded.items()}

    def digest(self, content: bytes, layout: Layout | None) -> None:
        """Take in a digest file; one without a place in the layout says nothing about a place."""
        if layout is not None:
            self.digests.take(content, layout)

    def merge(self, other: "Coverage") -> None:
        """Take in the coverage of other deliveries."""
        times = [time for time in (self.first, other.first) if time]
        self.first = min(times, default=None)
        times = [time for time in (self.last, other.last) if time]
        self.last = max(times, default=None)
        for account, time in other.recorded.items():
            self.recorded[account] = max(time, self.recorded.get(account, ""))
        for account, moment in other.delivered.items():
            self.delivered[account] = max(moment, self.delivered.get(account, moment))
        self.latest = max(self.latest, other.latest)
        for place, ends in other.earliest.items():
            self._earlier(place, ends)
        self.accounts |= other.accounts
        self.regions |= other.regions
        self.seen |= other.seen
        self.deliveries.update(other.deliveries)
        self.digests.merge(other.digests)

    def report(self, *, records: int, window: Window = ANYWHERE) -> dict[str, Any]:
        """Give DESIGN's `coverage`; what `window` left out is no part of it, and is said to be asked for."""
        days = sorted({place.day for place in self.deliveries})
        return {
            "first_record": min(self._firsts(), default=None),
            "last_record": max(self._lasts(), default=None),
            "first_day": days[0] if days else None,
            "last_day": days[-1] if days else None,
            "accounts": sorted(self.accounts & window.accounts if window.accounts else self.accounts),
            "regions": sorted(self.regions & window.regions if window.regions else self.regions),
            "event_categories": categories(self.seen) if records else [],
            "not_visible": list(self._not_visible(records=records, window=window)),
        }

    def _firsts(self) -> Iterator[str]:
        yield from (ends.first for ends in self.earliest.values())
        if self.first:
            yield self.first

    def _lasts(self) -> Iterator[str]:
        yield from (ends.last for ends in self.earliest.values())
        if self.last:
            yield self.last
        if self.latest > max((ends.delivered for ends in self.earliest.values()), default=NEVER):
            yield _spell_time(self.latest)

    def _not_visible(self, *, records: int, window: Window) -> Iterator[str]:
        if not records:
            yield "anything: no CloudTrail record was read"
            return
        yield from gaps(self.seen)
        yield from _places("regions", window.regions, self.regions)
        yield from _places("accounts", window.accounts, self.accounts)
        if len(self.regions) == 1 and not window.regions:
            region = next(iter(self.regions))
            yield f"other regions: every record is from {region}; a single-region trail sees no other"
        for moment, side in ((window.since, "before {}"), (window.until, "from {} on")):
            if moment:
                yield f"{side.format(_spell_time(moment))}: left out, as asked"
        yield from self._missing_days()
        first, last = window.days()
        for place, number in self.digests.lacking(self.deliveries):
            if first <= place.day <= last:
                files, exist = (
                    ("file", "it exists, but it is") if number == 1 else ("files", "they exist, but they are")
                )
                yield f"{number} log {files} of {place.day} in account {place.account}, {place.region}: digest files prove that {exist} not in this input"
        yield "cross-account KMS denials in the key owner's account: CloudTrail logs them only in the caller's account"

    def _missing_days(self) -> Iterator[str]:
        present: dict[tuple[str, str], set[str]] = {}
        for place in self.deliveries:
            if place.kind == LOGS:
                present.setdefault((place.account, place.region), set()).add(place.day)
        for (account, region), days in sorted(present.items()):
            between = days_between(min(days), max(days))
            missing = [
                day
                for day, after in pairwise(between)
                if day not in days and not self.digests.quiet(Place(account, region, LOGS, day), after)
            ]
            if missing:
                yield f"{_spell(missing)} in account {account}, {region}: no delivery although there are some before and after"


def _where_of(raw: Buffer) -> _Where | Record | None:
    try:
        return _where.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            return decode(raw)
        except Unparsable:
            return None  # detection says so, if it is a record that matters


def _places(what: str, asked: frozenset[str], seen: set[str]) -> Iterator[str]:
    """Say what was left out because other places were asked for, and which of these did not show up."""
    if not asked:
        return
    yield f"other {what} than {_listed(asked)}: left out, as asked"
    if asked - seen:
        yield f"{what} {_listed(asked - seen)}: asked for, but no record of them was read"


def _listed(names: Iterable[str]) -> str:
    return some(sorted(names), SHOWN)


def _place_of(layout: Layout) -> Place:
    return _place(layout.account, layout.region, layout.kind, layout.day)


def _moment_of(layout: Layout) -> datetime:
    """Tell when a delivery was made, or the latest that it can have been."""
    return layout.delivered or _end_of(layout.day)


@lru_cache(maxsize=1024)
def _place(account: str, region: str, kind: str, day: str) -> Place:
    return Place(account, region, kind, day)  # many deliveries share a folder


@lru_cache(maxsize=1024)
def _end_of(day: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{day}T23:59:59Z")
    except ValueError:  # the 31st of a month that has thirty days
        return NEVER


def _spell_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _spell(days: list[str]) -> str:
    return ", ".join(days) if len(days) <= SHOWN else f"{len(days)} days between {days[0]} and {days[-1]}"
