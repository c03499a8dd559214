"""Deliveries in; the records that queries of log alarms look at out: their fields, when they happened and when they arrived.

They are read and let through as a replay does it (`rolewatch.insights.log_sieve`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from rolewatch.insights.log_sieve import BEGIN, Asked, Reading, Repeats, let_through, mark, reading
from rolewatch.insights.lower import MESSAGE, TIMESTAMP
from rolewatch.plan import Get, Plan, gets
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.rows import Collected, Table, Value, moment
from rolewatch.sources import Delivery

_SECOND: Final = 1000  # milliseconds
_MINUTE: Final = 60 * _SECOND

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[str | int | None])


class Sought(NamedTuple):
    """What is kept for a query: `fields` of the records of some log groups that its `first` steps let through, so long before each run.

    With `lines` their texts are kept, too. Whatever is not the same has another `key`: a query that is changed sees nothing that was kept for the old one.
    """

    key: bytes
    first: Plan
    fields: tuple[Get, ...]
    lines: bool
    groups: frozenset[str | None]
    seconds: int


class Found(NamedTuple):
    """A record: when its delivery arrived (seconds since 1970, None where nothing tells), its time (milliseconds), and what it holds.

    `digest` orders records of the same time.
    """

    arrived: int | None
    time: int
    digest: bytes
    fields: bytes
    message: bytes | None


#: Records by the keys of queries.
Records = Mapping[bytes, Sequence[Found]]
NO_RECORDS: Final[Records] = {}  # travels from the processes that read


def sought(asked: Asked, groups: frozenset[str | None]) -> Sought:
    """Say what is kept for an alarm that sees some log groups."""
    named = sorted(str(name) for name in groups if name is not None)
    plan, lines = asked.question.plan, asked.alarm.lines > 0 and asked.filtered
    fields = tuple(get for get in gets(asked.first) if get != MESSAGE or MESSAGE in gets(plan))
    text = repr((asked.first.steps, fields, lines, named, None in groups))
    key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
    return Sought(key, asked.first, fields, lines, groups, asked.alarm.query.start)


class Collector(Repeats):
    """Collects the records that queries look at which see the same log groups.

    Times of arrival are multiples of `step` seconds. No run before `first` (seconds since 1970) is ever made any more.
    """

    def __init__(self, queries: Sequence[Sought], step: int, first: int, request: ScanRequest) -> None:
        how = _reading(tuple(each.first for each in queries))
        super().__init__(how.fields, how.pattern, request, how.sift)
        self._summary = Table(len(how.fields) + 1)
        self._queries, self._step, self._fields = queries, step, how.fields
        self._since = (first - max(each.seconds for each in queries)) * _SECOND
        self._place = how.fields.index(TIMESTAMP)

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Add the rows of a delivery with the time at which it arrived."""
        part = arrival(delivery, self._step)
        rows = [
            (identity, (*row, part))
            for identity, row in gathered.rows
            if isinstance(time := row[self._place], int) and time >= self._since
        ]
        gathered.rows = rows
        super().keep(delivery, gathered)

    def found(self, latest: str) -> Records:
        """Give what was found for each query, up to the `latest` minute, spelled as eventTime does."""
        table, last = self._summary, (moment(f"{latest}Z") or 0) + _MINUTE - 1
        if not table.number:
            return NO_RECORDS
        *values, arrivals = table.columns
        columns = dict(zip(self._fields, values, strict=True))
        found: dict[bytes, Sequence[Found]] = {}
        chosen = let_through([each.first for each in self._queries], columns, table.number)
        for each, places in zip(self._queries, chosen, strict=True):
            own, messages = [columns[get] for get in each.fields], columns.get(MESSAGE)
            filtered = MESSAGE in gets(each.first)
            rows: list[Found] = []
            for place in places:
                time, arrived = columns[TIMESTAMP][place], arrivals[place]
                if not isinstance(time, int) or not BEGIN <= time <= last:
                    continue
                fields = _ENCODER.encode([column[place] for column in own])
                text = str(messages[place]) if filtered and messages else None
                digest = hashlib.sha256(fields).digest()[:16] if text is None else mark(text)
                came = arrived if isinstance(arrived, int) else None
                message = text.encode("utf-8", "replace") if each.lines and text is not None else None
                rows.append(Found(came, time, digest, fields, message))
            if rows:
                found[each.key] = rows
        return found


def arrival(delivery: Delivery, step: int) -> int | None:
    """Say when a delivery arrived, rounded down to a multiple of so many seconds; None where nothing tells."""
    moment = delivery.arrived()
    return None if moment is None else int(moment) // step * step


def columns_of(fields: Sequence[Get], rows: Sequence[bytes]) -> dict[Get, list[Value]]:
    """Give the fields of records again, by column."""
    values = list(zip(*map(_DECODER.decode, rows), strict=True)) or [()] * len(fields)
    return {get: list(column) for get, column in zip(fields, values, strict=True)}


@lru_cache(maxsize=32)
def _reading(firsts: tuple[Plan, ...]) -> Reading:
    return reading(firsts)
