"""What the start page counts, kept between requests: only what findings that were written since may have changed is counted again.

With a hundred thousand findings counting all takes a quarter of a second, and what one of them changes a tenth of that.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import spelled
from rolewatch.store import blind_spots, coverage, deliveries, finding_lists
from rolewatch.store.blind_spots import Cell, Latest, Pair
from rolewatch.watch.manner import MANNER, Manner
from rolewatch.web import blind_rows
from rolewatch.web.blind_rows import Row
from rolewatch.web.desk import Desk

DAYS: Final = 30  # of the chart, today among them
DAY: Final = timedelta(days=1)  # what counts as having changed lately
NAMED: Final = 5  # findings that are named of each kind
MOST_WRITTEN: Final = 300  # findings beyond which all is counted again
MOST_SOUGHT: Final = 3000  # findings of the pairs that are counted again, up to which each pair is looked up
MOST_DISTINCT: Final = 20_000  # findings of which the resources are told apart
OVERLAP: Final = 10_000  # milliseconds: transactions do not end in the order in which they began
FRESH: Final = 60.0  # seconds after which it is looked at again even if nothing was written: time passes
CHART: Final = 30.0  # seconds for which the chart may be behind


class Counted(NamedTuple):
    """The numbers of a moment.

    `read`: whether any delivery was; `last_event`: the time of the latest event of any account, "" if there is none;
    `resources`: how many are blocked, None where they are too many to tell apart; `days`: (day, began, ended) of DAYS;
    `since`: from when on `today` counts; `today`: began, recovered, gone, silent.
    """

    read: bool
    last_event: str
    cells: Mapping[Pair, Cell]
    services: Sequence[Row]
    accounts: Sequence[Row]
    resources: int | None
    days: Sequence[tuple[str, int, int]]
    since: str
    today: Mapping[str, Latest]
    documents: Mapping[str, str]

    @property
    def blocked(self) -> int:
        """How many findings are blocked."""
        return sum(row.blocked for row in self.services)


class Overview:
    """Counts blind spots for all who ask; from any thread, one of them at a time."""

    def __init__(self, desk: Desk, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._monotonic = desk, monotonic
        self._lock = threading.Lock()
        self._cells: Mapping[Pair, Cell] | None = None
        self._days: Sequence[tuple[str, int, int]] = ()
        self._days_at = float("-inf")
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
        moment, cells = self._desk.clock(), self._again(connection)
        if cells is None:
            cells = blind_spots.cells(connection)
        if now - self._days_at >= CHART:
            self._days, self._days_at = _chart(connection, moment), now
        self._counted = _put_together(connection, cells, self._days, moment)
        self._cells, self._newest, self._made = cells, newest, now
        return self._counted

    def _again(self, connection: sa.Connection) -> Mapping[Pair, Cell] | None:
        """Count again what may have changed; None if that is too much, or does not add up since something was taken away."""
        if self._cells is None:
            return None
        pairs = blind_spots.written(connection, self._newest - OVERLAP, MOST_WRITTEN)
        if pairs is None:
            return None
        cells = dict(self._cells)
        before = [cell for pair in pairs if (cell := cells.pop(pair, None))]
        few = sum(cell.blocked + cell.silent for cell in before) <= MOST_SOUGHT
        cells |= blind_spots.cells(connection, pairs, seek=few) if pairs else {}
        right = sum(cell.blocked + cell.silent for cell in cells.values()) == blind_spots.total(connection)
        return cells if right else None


def _chart(connection: sa.Connection, moment: datetime) -> list[tuple[str, int, int]]:
    days = [spelled(moment - timedelta(days=ago))[:10] for ago in reversed(range(DAYS))]
    began, ended = blind_spots.began(connection, days[0]), blind_spots.ended(connection, days[0])
    return [(day, began.get(day, 0), ended.get(day, 0)) for day in days]


def _put_together(
    connection: sa.Connection,
    cells: Mapping[Pair, Cell],
    days: Sequence[tuple[str, int, int]],
    moment: datetime,
) -> Counted:
    services, owners = blind_rows.rows(cells.values())
    few = sum(row.blocked for row in services) <= MOST_DISTINCT
    since = spelled(moment - DAY)
    today = _today(connection, moment, since)
    names = {name for latest in today.values() for name in latest.ids}
    return Counted(
        read=bool(deliveries.counters(connection, ["deliveries"])),
        last_event=coverage.accounts(connection)[1],
        cells=cells,
        services=services,
        accounts=owners,
        resources=blind_spots.resources(connection) if few else None,
        days=days,
        since=since,
        today=today,
        documents=blind_spots.documents(connection, names),
    )


def _today(connection: sa.Connection, moment: datetime, since: str) -> dict[str, Latest]:
    """Give what began, ended and fell silent since a time."""
    silent = Manner.decode(deliveries.note(connection, MANNER)).spans().silent
    from_, until = spelled(moment - DAY - silent), spelled(moment - silent)
    return {
        "began": blind_spots.newest_began(connection, since, NAMED),
        "recovered": blind_spots.newest_ended(connection, "recovered", since, NAMED),
        "gone": blind_spots.newest_ended(connection, "gone", since, NAMED),
        "silent": blind_spots.fell_silent(connection, from_, until, NAMED),
    }
