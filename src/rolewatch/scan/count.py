"""The step of a replay: one delivery into what metric filters count, and the records behind it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from rolewatch.cloudtrail.carve import HIDING, bit
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.denials.denial import Denial
from rolewatch.denials.principal import issuer_of
from rolewatch.denials.record import Record, Unparsable, decode
from rolewatch.denials.rule import ERROR, Rule, denials
from rolewatch.findings.build import finding_id
from rolewatch.findings.tally import finding_key
from rolewatch.metrics.publish import Publisher
from rolewatch.patterns.records import Matcher
from rolewatch.patterns.search import EVERY, MOST_BITS, search
from rolewatch.patterns.selected import Message
from rolewatch.scan.asked import ACCOUNT, REGION, TIME, Asked
from rolewatch.scan.replayed import Match, Named
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Gathered, Stepper
from rolewatch.scan.tally import EXAMPLES, HOUR, MINUTE, Tallies, Tally, epoch
from rolewatch.sources import Delivery
from rolewatch.templates.definitions import MetricFilter

RULE = Rule()
FIRST = "2013-01-01T00:00"  # the year in which CloudTrail began
LAST = "~"  # comes after all times


class Counted(Gathered):
    """What one delivery gave: how many records of each minute, and how many of them several filters matched.

    What else filters counted is in `tallies`, by their numbers.
    """

    __slots__ = ("matched", "minutes", "named", "tallies")

    def __init__(self, *, proven: bool) -> None:
        super().__init__(proven=proven)
        self.minutes: dict[str, int] = {}
        self.matched: dict[tuple[str, tuple[int, ...]], int] = {}
        self.tallies: defaultdict[int, Tally] = defaultdict(Tally)
        self.named: dict[str, Named] = {}


class Counting(Stepper[Counted, Tallies]):
    """Counts what metric filters match; raises UsageError for one that refers to what its pattern cannot give.

    Where literals find all records that may match, only those are decoded, and the others are counted by the minute.
    """

    def __init__(
        self, filters: Sequence[MetricFilter], request: ScanRequest, latest: str = "9999-12-31T23:59"
    ) -> None:
        """Take what to count; minutes after `latest`, spelled as eventTime does, are taken for nonsense, as are those before FIRST."""
        self._latest = latest
        super().__init__(Tallies(len(filters)), Limits(request.gunzip_limit, request.gunzip_ratio))
        patterns = [each.pattern for each in filters]
        self._publishers = [Publisher(each.pattern, each.transformation) for each in filters]
        paths = [path for publisher in self._publishers for path in publisher.paths]
        places = [REGION, ACCOUNT] if request.window.narrow else []
        self._matcher = Matcher(patterns, [TIME, *places, *paths])
        for publisher in self._publishers:
            publisher.bind(self._matcher)
        self._time = self._matcher.reach(TIME)
        self._asked = Asked(request.window, self._matcher.reach) if request.window.narrow else None
        found = None if request.window.narrow else search(patterns)
        self._each = found is None  # every record is decoded
        self._settled: dict[tuple[str, tuple[int, ...]], str] = {}
        self._varying = frozenset(n for n, each in enumerate(self._publishers) if each.constant is None)
        literals = found or EVERY
        wanted = literals.wanted
        # Records with an error may be denials; where there is no room to look for it, each that matches is looked through.
        self._error = bit(len(wanted)) if len(wanted) < MOST_BITS else 0
        wanted = (*wanted, ERROR) if self._error else wanted
        self.literals = literals._replace(wanted=wanted, minutes=not self._each)

    def begin(self, *, proven: bool) -> Counted:
        """Give an empty place for what a delivery gives."""
        return Counted(proven=proven)

    def examine(self, batch: Batch, gathered: Counted) -> int:
        """Hold the marked records of a batch against all filters; returns how many could not be decoded."""
        exact = isinstance(batch, Listed)
        if not self._each:
            if batch.minutes.get(b"") and not exact:
                raise Inexact  # a time that is written otherwise can still be read
            for spelled, number in batch.minutes.items():
                counted = spelled.decode()
                gathered.minutes[counted] = gathered.minutes.get(counted, 0) + number
        unparsable, minutes, matched = 0, gathered.minutes, gathered.matched
        matcher, asked, time_of, each = self._matcher, self._asked, self._time, self._each
        text: Callable[[int, int], Message] = batch.text if matcher.looks_at_text else batch.view
        compacted = (
            not (exact or batch.holds(b'": ') or batch.holds(b"\n")) if matcher.looks_at_text else False
        )
        if each and len(batch.marked) < batch.count:
            raise Inexact  # one has no time, or another one has two
        for start, end, bits in batch.marked:
            raw = text(start, end)
            read = matcher.read(raw)
            if read is None:
                if not exact:
                    raise Inexact
                unparsable += 1
                continue
            time = time_of(read)
            if type(time) is not str:
                time = ""
            minute = time[:MINUTE]
            if each:
                if asked and not asked.admits(read, time):
                    continue
                minutes[minute] = minutes.get(minute, 0) + 1
            found = matcher.matching(raw, read, compacted=compacted)
            if not found:
                continue
            # Where every record is decoded, each is one whole object, and none of them can be a part of another.
            if not each and not batch.stands_alone(start):
                raise Inexact
            key = minute, tuple(found)
            number = matched.get(key, 0)
            matched[key] = number + 1
            if self._varying and not self._varying.isdisjoint(found):
                self._publish(minute, raw, read, found, gathered)
            error = not self._error or bits & (HIDING | self._error) != 0
            if error or number < EXAMPLES:
                self._look(time, raw, key[1], gathered, error=error)
        return unparsable

    def keep(self, delivery: Delivery, gathered: Counted) -> None:
        """Add up what filters counted."""
        del delivery
        summary = self.summary
        for minute, number in gathered.minutes.items():
            if not self._is_time(minute):
                summary.untimed += number
            else:
                summary.minutes[minute] += number
        for (minute, numbers), records in gathered.matched.items():
            for number in numbers if self._is_time(minute) else ():
                summary.tallies[number].matched[minute] += records
        for number, tally in gathered.tallies.items():
            summary.tallies[number].merge(tally)
        summary.named |= gathered.named

    def _is_time(self, minute: str) -> bool:
        """Whether a minute is one that CloudTrail can have recorded: one far off would make years of silence of a replay."""
        return FIRST <= minute <= self._latest and epoch(minute) is not None

    def _publish(self, minute: str, raw: Message, read: Any, numbers: list[int], gathered: Counted) -> None:
        """Publish what a record gives to filters whose values differ."""
        for number in self._varying.intersection(numbers) if self._is_time(minute) else ():
            published = self._publishers[number].publish(raw, read)
            if published:
                gathered.tallies[number].publish(minute, published)

    def _look(
        self, time: str, raw: Message, numbers: tuple[int, ...], gathered: Counted, *, error: bool
    ) -> None:
        """Keep a record if it is among the first of its hour, and note which findings it belongs to if it may hold an `error`."""
        hour, known, tallies = (time[:HOUR], numbers), self.summary.tallies, gathered.tallies
        late = time >= self._settled.get(hour, LAST)
        if (late and not error) or not self._is_time(time[:MINUTE]):
            return
        wanted = [] if late else [n for n in numbers if known[n].wants(time) and tallies[n].wants(time)]
        if not late and not any(known[n].wants(time) for n in numbers):
            self._settled[hour] = time  # of later records of this hour, none can be among the first
        record = bytes(raw)
        if not wanted and ERROR not in record:
            return
        match, ids = described(time, record, gathered.named)
        for number in wanted:
            tallies[number].keep(match)
        for number in numbers if ids else ():
            tallies[number].findings.setdefault(time[:MINUTE], set()).update(ids)


def described(time: str, raw: bytes, named: dict[str, Named]) -> tuple[Match, list[str]]:
    """Say what a record is about, and which findings it belongs to, whose names are added to `named`."""
    try:
        record = decode(raw)
        found = denials(record, raw, RULE) if ERROR in raw else []
    except Unparsable:
        record, found = Record(), []
    ids = []
    for denial in found:
        ids.append(finding_id(finding_key(denial.case)))
        named[ids[-1]] = _named(denial)
    match = Match(
        time, record.eventID, record.eventSource, record.eventName, record.errorCode, _who(record),
        record.recipientAccountId, ids[0] if ids else None,
    )  # fmt: skip
    return match, ids


def _who(record: Record) -> str | None:
    """Name who made a call: the role behind a session, else the user, the service or the kind of either."""
    identity = record.userIdentity
    if identity is None:
        return None
    return issuer_of(identity) or identity.arn or identity.invokedBy or identity.type


def _named(denial: Denial) -> Named:
    who = denial.case.who
    return Named(who.service, who.role_name, who.account, denial.case.resource.arn)
