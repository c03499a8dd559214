"""What the start page counts, kept between requests: only what findings that were written since may have changed is counted again.

With a hundred thousand findings counting all takes a quarter of a second, and what one of them changes a tenth of that.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, spelled
from rolewatch.store import blind_spots, coverage, deliveries, finding_lists
from rolewatch.store.blind_spots import Cell, Latest, Over, Pair
from rolewatch.watch.manner import MANNER, Manner
from rolewatch.web import blind_rows
from rolewatch.web.blind_rows import Row
from rolewatch.web.desk import Desk

DAYS: Final = 30  # of the chart, today among them
DAY: Final = timedelta(days=1)  # what counts as having changed lately
NAMED: Final = 5  # findings that are named of each kind
MOST_OVER: Final = 2000  # ends that are looked at for the chart
MOST_WRITTEN: Final = 300  # findings beyond which all is counted again
MOST_SOUGHT: Final = (
    3000  # findings of the services and accounts that are counted again, up to which each is looked up
)
MOST_DISTINCT: Final = 20_000  # findings of which the resources are told apart
OVERLAP: Final = 10_000  # milliseconds: transactions do not end in the order in which they began
FRESH: Final = 60.0  # seconds after which it is looked at again even if nothing was written: time passes
CHART: Final = 30.0  # seconds for which the beginnings in the chart may be behind


class Counted(NamedTuple):
    """The numbers of a moment.

    `read`: whether any delivery was; `last_event`: the time of the latest event of any account, "" if there is none;
    `resources`: how many are blocked, None where they are too many to tell apart; `days`: (day, began, ended) of DAYS;
    `complete`: whether `days` knows all ends; `since`: from when on `today` counts; `today`: began, recovered, gone, silent.
    """

    read: bool
    last_event: str
    cells: Mapping[Pair, Cell]
    services: Sequence[Row]
    accounts: Sequence[Row]
    resources: int | None
    days: Sequence[tuple[str, int, int]]
    complete: bool
    since: str
    today: Mapping[str, Latest]
    documents: Mapping[str, str]

    @property
    def blocked(self) -> int:
        """How many findings are blocked."""
        return sum(row.blocked for row in self.services)


class _Kept(NamedTuple):
    """What is kept between two looks; `over`: findings that ended lately, by id; `complete`: whether these are all."""

    cells: Mapping[Pair, Cell]
    over: Mapping[str, Over]
    complete: bool


class Overview:
    """Counts blind spots for all who ask; from any thread, one of them at a time."""

    def __init__(self, desk: Desk, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._monotonic = desk, monotonic
        self._lock = threading.Lock()
        self._kept: _Kept | None = None
        self._began: Mapping[str, int] = {}
        self._began_at = float("-inf")
        self._newest = 0
        self._made = 0.0
        self._counted: Counted | None = None

    def now(self) -> Counted:
        """Give the numbers as they are."""
        with self._lock:
            return self._desk.read(self._look)

    def _look(self, connection: sa.Connection) -> Counted:
        newest, now = finding_lists.newest(connection), self._monotonic()
        known = self._counted
        if known and known.read and newest == self._newest and now - self._made < FRESH:
            return known
        moment = self._desk.clock()
        days = [spelled(moment - timedelta(days=ago))[:10] for ago in reversed(range(DAYS))]
        kept = self._again(connection) or _all(connection, days[0])
        if now - self._began_at >= CHART:
            self._began, self._began_at = blind_spots.began(connection, days[0]), now
        ended = Counter(each.ended[:10] for each in kept.over.values())
        chart = [(day, self._began.get(day, 0), ended[day]) for day in days]
        self._counted = _put_together(connection, kept, chart, moment)
        self._kept, self._newest, self._made = kept, newest, now
        return self._counted

    def _again(self, connection: sa.Connection) -> _Kept | None:
        """Count again what may have changed; None if that is too much, or does not add up since something was taken away."""
        if self._kept is None:
            return None
        fresh = blind_spots.written(connection, self._newest - OVERLAP, MOST_WRITTEN)
        if fresh is None or len(self._kept.over) > 2 * MOST_OVER:
            return None
        pairs = {(each.service, each.account) for each in fresh}
        cells = dict(self._kept.cells)
        before = [cell for pair in pairs if (cell := cells.pop(pair, None))]
        few = sum(cell.blocked + cell.silent for cell in before) <= MOST_SOUGHT
        cells |= blind_spots.cells(connection, pairs, seek=few) if pairs else {}
        if sum(cell.blocked + cell.silent for cell in cells.values()) != blind_spots.total(connection):
            return None
        names = {each.id for each in fresh}
        over = {name: each for name, each in self._kept.over.items() if name not in names}
        over |= {
            each.id: Over(each.id, each.status, each.ended) for each in fresh if each.harm and each.ended
        }
        return _Kept(cells, over, self._kept.complete)


def _all(connection: sa.Connection, first: str) -> _Kept:
    """Count everything; what ended since a day."""
    since = milliseconds(datetime.fromisoformat(f"{first}T00:00:00Z"))
    found = blind_spots.over(connection, since, MOST_OVER + 1)
    over = {each.id: each for each in found[:MOST_OVER]}
    return _Kept(blind_spots.cells(connection), over, complete=len(found) <= MOST_OVER)


def _put_together(
    connection: sa.Connection, kept: _Kept, days: Sequence[tuple[str, int, int]], moment: datetime
) -> Counted:
    services, owners = blind_rows.rows(kept.cells.values())
    few = sum(row.blocked for row in services) <= MOST_DISTINCT
    since = spelled(moment - DAY)
    today = _today(connection, kept.over.values(), moment, since)
    names = {name for latest in today.values() for name in latest.ids}
    return Counted(
        read=bool(deliveries.counters(connection, ["deliveries"])),
        last_event=coverage.accounts(connection)[1],
        cells=kept.cells,
        services=services,
        accounts=owners,
        resources=blind_spots.resources(connection) if few else None,
        days=days,
        complete=kept.complete,
        since=since,
        today=today,
        documents=blind_spots.documents(connection, names),
    )


def _today(
    connection: sa.Connection, over: Iterable[Over], moment: datetime, since: str
) -> dict[str, Latest]:
    """Give what began, ended and fell silent since a time."""
    silent = Manner.decode(deliveries.note(connection, MANNER)).spans().silent
    ended = sorted(
        (each for each in over if each.ended >= since), key=lambda each: (each.ended, each.id), reverse=True
    )
    return {
        "began": blind_spots.newest_began(connection, since, NAMED),
        "recovered": _of(ended, "recovered"),
        "gone": _of(ended, "gone"),
        "silent": blind_spots.fell_silent(
            connection, spelled(moment - DAY - silent), spelled(moment - silent), NAMED
        ),
    }


def _of(over: Sequence[Over], status: str) -> Latest:
    ids = [each.id for each in over if each.status == status]
    return Latest(len(ids), ids[:NAMED])
