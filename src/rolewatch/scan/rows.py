"""The step of a query: one delivery into columns, of the fields that a plan asks for."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, Self

import msgspec

from rolewatch.base.sanitise import encodable
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.match_json import MISSING, Node
from rolewatch.patterns.numbers import JsonNumber
from rolewatch.patterns.search import EVERY, search
from rolewatch.patterns.selected import Message, Path, Selected
from rolewatch.plan import Get
from rolewatch.scan.asked import ACCOUNT, REGION, TIME, Asked
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Gathered, Stepper
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery

ID: Final = ("eventID",)
_ALWAYS: Final = (TIME, REGION, ACCOUNT, ID)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: A string, or white space outside of one.
_BETWEEN: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|\s+', re.DOTALL)
_LONGEST: Final = 9  # digits of an index

Value = str | int | None
Identity = tuple[str, str]
#: Columns and the number of their rows in; the places of those that are still needed, and of all that match, out.
Sift = Callable[[Sequence[Sequence[Value]], int], tuple[Sequence[int], Sequence[int]]]
CHUNK: Final = 50_000  # rows after which those are sorted out that nobody needs
LEFT: Final = 5_000  # rows that are handed on without


class Table(Reading):
    """Columns, one for each field in the order asked for.

    `identities` are the rows' own, `known` those of all records seen. Rows that match, and yet are no longer needed, are
    `counted` by their identities, those without one by their number.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.columns: list[list[Value]] = [[] for _ in range(width)]
        self.identities: list[Identity | None] = []
        self.known: set[Identity] = set()
        self.duplicates = 0
        self.counted: set[Identity] = set()
        self.anonymous = 0
        self.sifted = 0

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.identities)

    @property
    def matched(self) -> int:
        """How many records matched that are in no row any more."""
        return self.anonymous + len(self.counted.difference(self.identities))

    def add(self, identity: Identity | None, row: Sequence[Value]) -> None:
        """Add a record, unless it is there: trails overlap, and deliveries are repeated."""
        if identity is not None:
            if identity in self.known:
                self.duplicates += 1
                return
            self.known.add(identity)
        self.identities.append(identity)
        for column, value in zip(self.columns, row, strict=True):
            column.append(value)

    def merge(self, other: Self) -> None:
        """Take in the records of other deliveries."""
        super().merge(other)
        again = self.known & other.known
        self.duplicates += other.duplicates + len(again)
        self.anonymous += other.anonymous
        self.counted |= other.counted
        rows = zip(*other.columns, strict=True) if other.columns else repeat((), other.number)
        for identity, row in zip(other.identities, rows, strict=True):
            if identity not in again:
                self.add(identity, row)
        self.known |= other.known

    def sift(self, sift: Sift) -> None:
        """Keep only rows that are still needed."""
        kept, matched = sift(self.columns, self.number)
        for place in set(matched).difference(kept):
            identity = self.identities[place]
            if identity is None:
                self.anonymous += 1
            else:
                self.counted.add(identity)
        self.columns = [[column[place] for place in kept] for column in self.columns]
        self.identities = [self.identities[place] for place in kept]
        self.sifted = self.number


class Reader:
    """Takes fields out of records, one at a time, decoding nothing else; also those that tell what record it is."""

    def __init__(self, fields: Sequence[Get]) -> None:
        ways = [steps for get in fields if (steps := steps_of(get))]
        paths = {*_ALWAYS, *map(_path, ways)}
        selected = Selected(paths, paths.intersection({*_ALWAYS, *ways}))
        self.decode, self.reach = selected.read, selected.reach
        self._values = [_value_of(get, selected) for get in fields]

    def values(self, read: Any, raw: Message) -> tuple[Value, ...]:
        """Give the fields of a record that was decoded."""
        return tuple(value(read, raw) for value in self._values)

    def __call__(self, raw: Message) -> tuple[Value, ...] | None:
        """Give the fields of a record; None if it cannot be decoded."""
        read = self.decode(raw)
        return None if read is None else self.values(read, raw)


class Collected(Gathered):
    """The rows of one delivery."""

    __slots__ = ("rows",)

    def __init__(self, *, proven: bool) -> None:
        super().__init__(proven=proven)
        self.rows: list[tuple[Identity | None, tuple[Value, ...]]] = []


class Rows(Stepper[Collected, Table]):
    """Steps deliveries into a table; with a pattern only records that hold its literals need be looked at."""

    def __init__(
        self, fields: Sequence[Get], pattern: Pattern | None, request: ScanRequest, sift: Sift | None = None
    ) -> None:
        super().__init__(Table(len(fields)), Limits(request.gunzip_limit, request.gunzip_ratio))
        self._sift = sift
        self._reader = reader = Reader(fields)
        self._asked = Asked(request.window, reader.reach) if request.window.narrow else None
        self._time, self._id, self._account = map(reader.reach, (TIME, ID, ACCOUNT))
        self.literals = (search([pattern]) if pattern else None) or EVERY

    def begin(self, *, proven: bool) -> Collected:
        """Give an empty place for what a delivery gives."""
        return Collected(proven=proven)

    def examine(self, batch: Batch, gathered: Collected) -> int:
        """Take the fields of the marked records of a batch; returns how many could not be decoded."""
        exact, unparsable, rows = isinstance(batch, Listed), 0, gathered.rows
        if self.literals.every and len(batch.marked) < batch.count:
            raise Inexact  # one has no time, or another one has two
        for start, end, _ in batch.marked:
            raw = batch.view(start, end)
            read = self._reader.decode(raw)
            if read is None:
                if not exact:
                    raise Inexact
                unparsable += 1
                continue
            row = self._row(read, raw)
            if row is None:
                continue
            if not self.literals.every and not batch.stands_alone(start):
                raise Inexact
            rows.append(row)
        return unparsable

    def _row(self, read: Any, raw: Message) -> tuple[Identity | None, tuple[Value, ...]] | None:
        """Make the row of a record; None for one that does not lie in the window."""
        if self._asked:
            time = self._time(read)
            if not self._asked.admits(read, time if type(time) is str else ""):
                return None
        return self._identity(read), self._reader.values(read, raw)

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Add the rows of a delivery."""
        del delivery
        for identity, row in gathered.rows:
            self._summary.add(identity, row)
        self._sift_beyond(CHUNK)

    def finish(self) -> Table:
        """Give the table without what is not needed, as far as that is worth a search."""
        self._sift_beyond(LEFT)
        return self._summary

    def _sift_beyond(self, rows: int) -> None:
        table = self._summary
        if self._sift and table.number - table.sifted > rows:
            table.sift(self._sift)

    def _identity(self, read: Any) -> Identity | None:
        """Name a record: an event is recorded once for each account that it concerns."""
        event, account = self._id(read), self._account(read)
        return (event, account if type(account) is str else "") if event and type(event) is str else None


def steps_of(get: Get) -> Path | None:
    """Give the way to a field of the record; None for what is called by another kind of name."""
    first, *others = get.steps
    if first.startswith("@@"):
        return (first[1:], *others)  # how a field whose own name begins so is called
    return None if first.startswith("@") else get.steps


def _path(steps: Path) -> Path:
    """Give the steps to decode: those before the first that may be an index. A record is an object: its first step is a name."""
    index = (place for place, step in enumerate(steps) if place and _index(str(step)) is not None)
    return steps[: next(index, len(steps))]


def _value_of(get: Get, selected: Selected) -> Callable[[Any, Message], Value]:
    """Give the function that takes a field of what was decoded of a record, or of the record itself."""
    if get.steps == ("@message",):
        return lambda _, raw: line(raw)
    if get.steps == ("@timestamp",):
        time = selected.reach(TIME)
        return lambda read, _: moment(found) if type(found := time(read)) is str else None
    steps = steps_of(get)
    if steps is None:
        return lambda _, __: None
    path = _path(steps)
    reach, rest = selected.reach(path), [str(step) for step in steps[len(path) :]]
    if not rest:
        return lambda read, _: leaf(reach(read))
    return lambda read, _: leaf(_inside(reach(read), rest))


def _inside(node: Node, steps: Sequence[str]) -> Node:
    for step in steps:
        if type(node) is dict:
            node = node.get(step, MISSING)
        elif type(node) is list and (index := _index(step)) is not None and index < len(node):
            node = node[index]
        else:
            return MISSING
    return node


def _index(step: str) -> int | None:
    """Give the index that a step may be; `²` is a digit for Python alone, and no array has an element of ten digits."""
    return int(step) if step.isascii() and step.isdigit() and len(step) <= _LONGEST else None


def line(raw: Message) -> str:
    """Write a record as one line, without white space between its parts."""
    text = bytes(raw)
    try:
        text = msgspec.json.format(text, indent=-1)
    except (msgspec.MsgspecError, RecursionError):  # it takes no half of a character
        text = _BETWEEN.sub(rb"\1", text)
    return text.decode("utf-8", "replace")


def leaf(node: Node) -> str | None:
    """Give the text of a field's value; None where there is none, and of objects and arrays."""
    if type(node) is str:
        return encodable(node)
    if node is True:
        return "1"
    if node is False:
        return "0"
    if type(node) is int:
        return str(node)
    if type(node) is not JsonNumber:
        return None
    return "0" if node.text == "-0" else node.text  # as the decoder gives it that knows integers


@lru_cache(maxsize=65536)
def moment(text: str) -> int | None:
    """Give the milliseconds of an eventTime; None for what is none, or lies outside of the years 1 to 9999."""
    try:
        found = datetime.fromisoformat(text)
        aware = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return (aware - _EPOCH) // _MILLISECOND
