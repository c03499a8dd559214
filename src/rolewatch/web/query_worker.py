"""The process that runs one query: it has memory, time and a folder of its own, and ends when nobody waits for it any more.

`python -P -m rolewatch.web.query_worker` reads what to run from standard input, and tells what comes of it on standard output.
"""

import os
import resource
import select
import shutil
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import duckdb
import msgspec

from rolewatch.base.errors import CannotDo, RolewatchError, UsageError
from rolewatch.base.machine import cores
from rolewatch.base.sanitise import encodable
from rolewatch.engines import windows
from rolewatch.engines.answers import Answer
from rolewatch.engines.duckdb import Limits
from rolewatch.engines.histogram import counting, histogram, step_of
from rolewatch.engines.lake import answer_lake, can_matter
from rolewatch.engines.stages import answer_query
from rolewatch.insights import Moments, QueryError, parse_query, plan_nested, plan_segments
from rolewatch.lake.lake import Lake
from rolewatch.lake.place import place_of
from rolewatch.lint.query_fields import unknown_fields
from rolewatch.plan import Constant, Get, Plan
from rolewatch.plan.stages import Segment
from rolewatch.report.query_chart_picture import picture_of, specification
from rolewatch.report.query_chart_shape import shape_of
from rolewatch.report.query_rows import spelled
from rolewatch.sources.window import Window
from rolewatch.web import query_frames as frames

if TYPE_CHECKING:
    from rolewatch.insights.syntax import Query, Span

IDLE: Final = 600.0  # seconds that it waits for a query
EVERY: Final = 0.2  # seconds between what it tells of its progress
BYTES: Final = 32 * 1024**2  # of the rows that are told
_NICE: Final = 5  # pages go first
_BESIDE: Final = 1024**3  # bytes of memory beside those of the engine: programs, and rows on their way


def main() -> None:
    """Wait for a query, run it, and end."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no message
    if not select.select([0], [], [], IDLE)[0]:
        return
    asked = frames.asked_in(sys.stdin.buffer)
    if asked is None:
        return
    _limit(asked)
    threading.Thread(target=_end_with_server, args=[asked.folder], daemon=True).start()
    Run(asked, out).run()
    out.flush()
    os._exit(0)  # engines and threads need not be taken down in order


class Run:
    """One query that is being run."""

    def __init__(self, asked: frames.Asked, out: IO[bytes]) -> None:
        self._asked = asked
        self._out = out
        self._lock = threading.Lock()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._doing = "Looking at the files of the lake"
        self._share: float | None = None  # of the work that is done, where the engine does not know it
        self._over = threading.Event()
        self._limits = Limits(asked.memory, asked.spill, asked.folder, self._started)

    def run(self) -> None:
        """Run it, and tell what comes of it, whatever that is."""
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            if self._asked.replay:
                self._replay(self._asked.replay)
            else:
                self._answer()
        except Exception as error:  # noqa: BLE001 - whoever asked has to be told
            self._tell(failure(error))
        self._over.set()

    def _answer(self) -> None:
        asked = self._asked
        now = datetime.fromisoformat(asked.now)
        since, until = (datetime.fromisoformat(each) if each else None for each in (asked.since, asked.until))
        window = Window(since, until)
        query = parse_query(asked.query)
        moments = Moments(*windows.range_of(window, now))
        lake = Lake(place_of(asked.lake), lambda _name, _reason: None)
        within = windows.moved(window, query.offset, now)
        parts: list[Segment] = list(plan_segments(query, moments))
        before = windows.before(parts[0], within, now)

        def planned(values: "Mapping[Span, tuple[Constant, ...]]") -> Sequence[Segment]:
            parts[:] = plan_segments(query, moments, values)
            return parts

        def ask(plan: Plan, period: str | None, number: int) -> Answer:
            return self._of_lake(plan, lake, before if period and before else within, number)

        found = answer_query(
            planned,
            plan_nested(query, moments),
            ask,
            {},
            most=asked.most,
            threads=cores(),
            limits=self._limits,
        )
        if asked.form != "rows":
            self._write(found)
            return
        self._told(found, query)
        self._count(parts[0].plan, lake, within, now)

    def _replay(self, replay: frames.Replaying) -> None:
        from rolewatch.web.replay_worker import replayed  # noqa: PLC0415 - only for replays

        def progress(read: int, number: int) -> None:
            self._doing, self._share = "Reading records", read / max(number, 1)

        self._share = 0.0
        self._tell(frames.Replayed(replayed(self._asked, replay, self._limits, progress)))

    def _of_lake(self, plan: Plan, lake: Lake, window: Window, number: int) -> Answer:
        return answer_lake(
            plan, lake, window, most=number, threads=cores(), doubtful=_doubtful, limits=self._limits
        )

    def _told(self, found: Answer, query: "Query") -> None:
        """Tell the rows, as many as there is room for, and what they rest on."""
        kinds = [shown.expression.type for shown in found.plan.shown]
        rows, size = [], 0
        for row in found.rows:
            values = (spelled(value, kind) for value, kind in zip(row, kinds, strict=True))
            text = msgspec.json.encode([None if value is None else encodable(value) for value in values])
            size += len(text)
            if size > BYTES:
                break
            rows.append(text)
        for lot in frames.lots(rows):
            self._tell(frames.Rows(lot))
        columns = [(encodable(shown.name), shown.expression.type.value) for shown in found.plan.shown]
        cut = len(rows) < len(found.rows)
        notes = notes_on(found, query)
        self._tell(frames.Answered(columns, found.statistics, found.more or cut, cut, notes, chart(found)))

    def _write(self, found: Answer) -> None:
        """Write the rows into a file, as `rolewatch query --format` does."""
        from rolewatch.report.output import Options  # noqa: PLC0415 - only for files
        from rolewatch.report.query_rows import FORMATS  # noqa: PLC0415 - as above

        self._doing = "Writing the file"
        path = Path(self._asked.folder, f"rows.{self._asked.form}")
        with path.open("w", encoding="utf-8", newline="") as file:
            FORMATS[self._asked.form](found, file, Options(environ={}), False)  # noqa: FBT003 - all formats are called alike
        self._tell(frames.Answered([], found.statistics, found.more, cut=False, notes=[], chart=None))

    def _count(self, plan: Plan, lake: Lake, window: Window, now: datetime) -> None:
        """Tell when the records were that match."""
        self._doing = "Counting over time"
        known = [part for part in lake.manifest().parts if can_matter(part, window)]
        first = min((part.first for part in known if part.first is not None), default=None)
        last = max((part.last for part in known if part.last is not None), default=None)
        if first is None or last is None:
            return
        begin, end = windows.range_of(window, now)
        start = begin if window.since else first
        end = end if window.since or window.until else last + 1
        if start >= end:
            return
        step = step_of(start, end)
        found = self._of_lake(counting(plan, step), lake, window, 1_000_000)
        made = histogram(found.rows, start, end, step)
        self._tell(frames.Counted(made.start, made.step, list(made.counts)))

    def _started(self, engine: "duckdb.DuckDBPyConnection") -> None:
        self._engine = engine
        if self._doing.startswith("Looking"):
            self._doing = "Reading records"

    def _watch(self) -> None:
        """Tell how far the work is, now and then."""
        while not self._over.wait(EVERY):
            engine, share = self._engine, self._share
            if engine is not None and share is None:
                try:
                    share = engine.query_progress() / 100
                except duckdb.Error:
                    share = None
            self._tell(frames.Progress(self._doing, share if share is not None and 0 <= share <= 1 else None))

    def _tell(self, message: frames.Message) -> None:
        with self._lock:
            frames.tell(self._out, message)


def chart(found: Answer) -> bytes | None:
    """Describe the chart of an answer in Vega-Lite; None for rows that no chart shows."""
    try:
        shape = shape_of(found.plan)
    except UsageError:
        return None
    return msgspec.json.encode(specification(picture_of(found, shape))) if found.rows else None


def notes_on(found: Answer, query: "Query") -> list[str]:
    """Say what has to be known of an answer."""
    notes = frames.notes_on(found.unreadable)
    for name, near in unknown_fields(get.steps for get in found.absent).items():
        advice = f" Did you mean {near}?" if near else ""
        notes.append(f"The field {name} is in no record that was looked at, and CloudTrail has none.{advice}")
    if query.chooses_groups:
        notes.append("SOURCE chooses log groups of an account; this query was asked of the lake.")
    return [encodable(note) for note in notes]


def failure(error: Exception) -> frames.Failed:
    """Say why a query has no answer, to whoever asked it."""
    if isinstance(error, QueryError):
        return frames.Failed(
            400, "The query is wrong", error.message, error.remedy, error.start, error.end, error.drawing()
        )
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return frames.NO_ROOM
    if isinstance(error, RolewatchError):
        title = "Not possible now" if isinstance(error, CannotDo) else "That makes no sense"
        return frames.Failed(503 if isinstance(error, CannotDo) else 400, title, error.message, error.remedy)
    if isinstance(error, RecursionError):
        return frames.Failed(
            400, "The query is wrong", "It is nested too deeply.", "Write it in several steps."
        )
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('rolewatch/')[2]}:{frame.lineno}"
    log = f"{type(error).__name__} at {place}"
    return frames.Failed(500, "A mistake of rolewatch", f"{log}.", "Please report this line.", log=log)


def _doubtful(get: Get) -> bool:
    return bool(unknown_fields([get.steps]))


def _limit(asked: frames.Asked) -> None:
    """Take no more of the machine than a query may: memory, files, and the time of processors as the last resort."""
    os.nice(_NICE)
    limits = (
        (resource.RLIMIT_DATA, asked.memory + _BESIDE),
        (resource.RLIMIT_FSIZE, asked.spill),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, (asked.seconds + 10) * cores()),
    )
    for kind, wanted in limits:
        _, hard = resource.getrlimit(kind)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))


def _end_with_server(folder: str) -> None:
    """End at once when the server has: nothing comes on standard input, so what comes is its end."""
    os.read(0, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
