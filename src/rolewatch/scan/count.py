"""The step of a replay: one delivery into what metric filters count, and the records behind it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rolewatch.cloudtrail.carve import Buffer, Literals
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.denials.denial import Denial
from rolewatch.denials.principal import issuer_of
from rolewatch.denials.record import Record, Unparsable, decode
from rolewatch.denials.rule import ERROR, Rule, denials
from rolewatch.findings.build import finding_id, finding_key
from rolewatch.metrics.publish import Publisher
from rolewatch.patterns.records import Matcher
from rolewatch.patterns.search import EVERY, search
from rolewatch.scan.replayed import Match, Named
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Gathered, Stepper
from rolewatch.scan.tally import MINUTE, Tallies, Tally, epoch
from rolewatch.sources import Delivery, Window
from rolewatch.templates.definitions import MetricFilter

TIME, ID, REGION, ACCOUNT = ("eventTime",), ("eventID",), ("awsRegion",), ("recipientAccountId",)
RULE = Rule()


class Counted(Gathered):
    """What one delivery gave: how many records of each minute, and what filters counted, by their numbers."""

    __slots__ = ("minutes", "named", "tallies")

    def __init__(self, *, proven: bool) -> None:
        super().__init__(proven=proven)
        self.minutes: Counter[str] = Counter()
        self.tallies: dict[int, Tally] = {}
        self.named: dict[str, Named] = {}


class Counting(Stepper[Counted, Tallies]):
    """Counts what metric filters match; raises UsageError for one that refers to what its pattern cannot give.

    Where literals find all records that may match, only those are decoded, and the others are counted by the minute.
    """

    def __init__(self, filters: Sequence[MetricFilter], request: ScanRequest) -> None:
        super().__init__(Tallies(len(filters)), Limits(request.gunzip_limit, request.gunzip_ratio))
        patterns = [each.pattern for each in filters]
        self._publishers = [Publisher(each.pattern, each.transformation) for each in filters]
        paths = [path for publisher in self._publishers for path in publisher.paths]
        self._matcher = Matcher(patterns, [TIME, ID, REGION, ACCOUNT, *paths])
        for publisher in self._publishers:
            publisher.bind(self._matcher)
        self._time, self._id = self._matcher.reach(TIME), self._matcher.reach(ID)
        self._window = _Asked(request.window, self._matcher)
        found = None if request.window.narrow else search(patterns)
        self._each = found is None  # every record is decoded
        self.literals: Literals = (found or EVERY)._replace(minutes=not self._each)

    def begin(self, *, proven: bool) -> Counted:
        """Give an empty place for what a delivery gives."""
        return Counted(proven=proven)

    def examine(self, batch: Batch, gathered: Counted) -> int:
        """Hold the marked records of a batch against all filters; returns how many could not be decoded."""
        exact = isinstance(batch, Listed)
        if not self._each:
            if batch.minutes.get(b"") and not exact:
                raise Inexact  # a time that is written otherwise can still be read
            for minute, number in batch.minutes.items():
                gathered.minutes[minute.decode()] += number
        unparsable, minutes = 0, gathered.minutes
        matcher, window, time_of, text = self._matcher, self._window, self._time, batch.text
        for start, end, _ in batch.marked:
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
            if self._each:
                if window.narrow and not window.admits(read, time):
                    continue
                minutes[time[:MINUTE]] += 1
            found = matcher.matching(raw, read)
            if found:
                if not batch.stands_alone(start):
                    raise Inexact
                if epoch(time[:MINUTE]) is not None:
                    self._publish(time, raw, read, found, gathered)
        return unparsable

    def keep(self, delivery: Delivery, gathered: Counted) -> None:
        """Add up what filters counted."""
        del delivery
        summary = self.summary
        for minute, number in gathered.minutes.items():
            if epoch(minute) is None:
                summary.untimed += number
            else:
                summary.minutes[minute] += number
        for number, tally in gathered.tallies.items():
            summary.tallies[number].merge(tally)
        summary.named |= gathered.named

    def _publish(self, time: str, raw: Buffer, read: Any, numbers: list[int], gathered: Counted) -> None:
        minute, known = time[:MINUTE], self.summary.tallies
        found = self._id(read)
        event_id = found if isinstance(found, str) else ""
        tallies = [gathered.tallies.setdefault(number, Tally()) for number in numbers]
        wanted: list[Tally] = []
        for number, tally in zip(numbers, tallies, strict=True):
            tally.matched[minute] += 1
            publisher = self._publishers[number]
            if publisher.constant is None:
                published = publisher.publish(raw, read)
                if published:
                    tally.publish(minute, published)
            if known[number].wants(time, event_id) and tally.wants(time, event_id):
                wanted.append(tally)
        if not wanted and ERROR not in raw:
            return
        match, ids = _described(time, event_id, raw, gathered.named)
        for tally in wanted:
            tally.keep(match)
        for tally in tallies if ids else ():
            tally.findings.setdefault(minute, set()).update(ids)


def _described(time: str, event_id: str, raw: Buffer, named: dict[str, Named]) -> tuple[Match, list[str]]:
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
        time, event_id or None, record.eventSource, record.eventName, record.errorCode, _who(record),
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


class _Asked:
    """The window of event time, accounts and regions that records have to lie in."""

    def __init__(self, window: Window, matcher: Matcher) -> None:
        self.narrow = window.narrow
        self._since, self._until = (
            moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(moment, datetime) else None
            for moment in (window.since, window.until)
        )
        self._accounts, self._regions = window.accounts, window.regions
        self._account, self._region = matcher.reach(ACCOUNT), matcher.reach(REGION)

    def admits(self, read: Any, time: str) -> bool:
        """Whether a record lies in it."""
        return (
            (self._since is None or time >= self._since)
            and (self._until is None or time < self._until)
            and (not self._accounts or self._account(read) in self._accounts)
            and (not self._regions or self._region(read) in self._regions)
        )
