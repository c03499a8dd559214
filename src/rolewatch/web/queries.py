"""Queries that are being run for visitors: each in a process of its own, so many at once, so long, and then ended."""

import logging
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from starlette.requests import Request

from rolewatch.web import query_frames as frames
from rolewatch.web.answers import Problem, ProblemError

Status = Literal["running", "done", "failed", "cancelled"]
_LOG: Final = logging.getLogger("rolewatch.web")
_COMMAND: Final = (sys.executable, "-P", "-m", "rolewatch.web.query_worker")


class Limits(NamedTuple):
    """What queries may take: at once, at once of one visitor; seconds, and bytes of memory and of temporary files, each.

    A replay may take `replaying` seconds. Results are kept for some seconds, as many as have so many bytes together.
    """

    running: int = 4
    of_one: int = 2
    seconds: int = 60
    replaying: int = 600
    memory: int = 1024**3
    spill: int = 4 * 1024**3
    kept: int = 128 * 1024**2
    lasting: float = 1800.0


class Wanted(NamedTuple):
    """A query as it is asked: of which lake, from when until when, how many rows, and as what (`query_frames.Asked`).

    Where there is `replay` an alarm is replayed instead.
    """

    query: str
    lake: str
    since: datetime | None
    until: datetime | None
    now: datetime
    most: int
    form: str = "rows"
    replay: frames.Replaying | None = None


class Run:
    """A query that is running or has ended. What it has of an answer stays when it is cancelled."""

    def __init__(
        self, wanted: Wanted, visitor: str, limits: Limits, process: "subprocess.Popen[bytes]"
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.wanted, self.visitor = wanted, visitor
        self.status: Status = "running"
        self.progress = frames.Progress("Starting", None)
        self.rows: list[bytes] = []
        self.size = 0
        self.answered: frames.Answered | None = None
        self.counted: frames.Counted | None = None
        self.replayed: frames.Replayed | None = None
        self.failed: frames.Failed | None = None
        self.started, self.ended_at = time.monotonic(), 0.0
        self.ended = threading.Event()
        self.folder = Path(tempfile.mkdtemp(prefix="rolewatch-query-"))
        self._limits, self._process = limits, process
        self._seconds = limits.replaying if wanted.replay else limits.seconds
        self._why: Literal["", "cancelled", "late"] = ""
        self._timer = threading.Timer(self._seconds, self._stop, ["late"])
        self._timer.daemon = True
        threading.Thread(target=self._follow, daemon=True, name="query").start()

    @property
    def seconds(self) -> float:
        """For how long it has been running, or ran."""
        return (self.ended_at or time.monotonic()) - self.started

    def cancel(self) -> None:
        """End it, if it has not ended."""
        self._stop("cancelled")

    def forget(self) -> None:
        """End it, and remove what it left."""
        self.cancel()
        self.ended.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _stop(self, why: Literal["cancelled", "late"]) -> None:
        if not self.ended.is_set():
            self._why = self._why or why
            self._process.kill()

    def _follow(self) -> None:
        """Take in what the process tells, until it ends."""
        process, wanted, limits = self._process, self.wanted, self._limits
        assert process.stdin is not None  # noqa: S101 - so it was started
        assert process.stdout is not None  # noqa: S101
        since, until = (each.isoformat() if each else None for each in (wanted.since, wanted.until))
        asked = frames.Asked(
            wanted.query, wanted.lake, since, until, wanted.now.isoformat(), wanted.most, wanted.form, str(self.folder),
            limits.memory, limits.spill, self._seconds, wanted.replay,
        )  # fmt: skip
        self._timer.start()
        try:
            frames.ask(process.stdin, asked)
            while message := frames.told_in(process.stdout):
                self._take(message)
        except OSError:
            pass  # it has ended already; why, is told below
        finally:
            self._timer.cancel()
            process.kill()
            process.wait()
            process.stdout.close()
            _close(process)
            self._end()

    def _take(self, message: frames.Message) -> None:
        match message:
            case frames.Progress():
                self.progress = message
            case frames.Rows(rows):
                self.rows += rows
                self.size += sum(map(len, rows))
            case frames.Answered():
                self.answered = message
            case frames.Counted():
                self.counted = message
            case frames.Replayed(content):
                self.replayed = message
                self.size += len(content)
            case frames.Failed():
                self.failed = message

    def _end(self) -> None:
        if self.failed and self.failed.log:
            _LOG.error("internal error: %s, in a query", self.failed.log)
        if self.answered or self.replayed:  # what follows it is the histogram, and can be missing
            self.status, self.failed = "done", None
        elif self._why == "cancelled":
            self.status = "cancelled"
        else:
            self.status = "failed"
            self.failed = self.failed or _why(self.wanted, self._seconds if self._why == "late" else None)
        self.ended_at = time.monotonic()
        if self.wanted.form == "rows":
            shutil.rmtree(self.folder, ignore_errors=True)
        self.ended.set()


class Queries:
    """All queries of a server; one process is started ahead, so that the next query need not wait for it."""

    def __init__(self, limits: Limits | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or Limits()
        self._monotonic = monotonic
        self._runs: dict[str, Run] = {}
        self._spare: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self.close = weakref.finalize(
            self, _end_all, self._spare, self._runs
        )  # at the latest when this process ends

    def start(self, wanted: Wanted, visitor: str) -> Run:
        """Begin to run a query; ProblemError 429 if too many are running."""
        with self._lock:
            self._expire()
            running = [run for run in self._runs.values() if run.status == "running"]
            own = sum(run.visitor == visitor for run in running)
            if own >= self.limits.of_one:
                raise _too_many(f"{own} queries of yours are running.", "Wait for one of them, or cancel it.")
            if len(running) >= self.limits.running:
                raise _too_many(
                    f"{len(running)} queries are running, as many as may.", "Try again in a moment."
                )
            run = Run(wanted, visitor, self.limits, self._process())
            self._runs[run.id] = run
        return run

    def warm(self) -> None:
        """Start a process ahead, where none waits."""
        with self._lock:
            if not self._spare or self._spare[0].poll() is not None:
                _end_spare(self._spare)
                self._spare.append(_started())

    def run(self, name: str, *, replay: bool = False) -> Run:
        """Give a query, or a replay, by its id; ProblemError 404 if there is none."""
        with self._lock:
            self._expire()
            run = self._runs.get(name)
        if run is None or (run.wanted.replay is not None) != replay:
            what = "replay" if replay else "query"
            raise ProblemError(
                Problem(404, f"No such {what}", "It never was, or its result is kept no longer.", f"Run the {what} again.")
            )  # fmt: skip
        return run

    def _process(self) -> "subprocess.Popen[bytes]":
        """Take the process that waits, if it still does."""
        if self._spare and self._spare[0].poll() is None:
            return self._spare.pop()
        _end_spare(self._spare)
        return _started()

    def _expire(self) -> None:
        """Forget results that are old, and the oldest if they are too many."""
        now, size = self._monotonic(), 0
        for name, run in reversed(list(self._runs.items())):
            if not run.ended.is_set():
                continue
            size += run.size + 1024
            if size > self.limits.kept or now - run.ended_at > self.limits.lasting:
                del self._runs[name]
                run.forget()


def queries_of(request: Request) -> Queries:
    """Give the queries of the server that is asked."""
    found: Queries = request.app.state.queries
    return found


def _started() -> "subprocess.Popen[bytes]":
    """Start a process that waits for a query; in a session of its own, so that Ctrl+C is not for it."""
    return subprocess.Popen(  # noqa: S603 - this program itself
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _end_spare(spare: "list[subprocess.Popen[bytes]]") -> None:
    """End a process that waits for a query."""
    while spare:
        process = spare.pop()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        _close(process)


def _end_all(spare: "list[subprocess.Popen[bytes]]", runs: "dict[str, Run]") -> None:
    """End all processes, and remove what they left."""
    _end_spare(spare)
    while runs:
        runs.popitem()[1].forget()


def _close(process: "subprocess.Popen[bytes]") -> None:
    """Close what a process read from, which flushes what it never took."""
    try:
        if process.stdin:
            process.stdin.close()
    except OSError:
        return


def _why(wanted: Wanted, late: int | None) -> frames.Failed:
    """Say why there is no answer of what was ended after so many `late` seconds, or ended by itself without a word."""
    if wanted.replay:
        remedy = "Replay less time; `rolewatch replay` on a shell has no such limit."
        if late is None:
            return frames.Failed(
                400, "Not enough memory", "The replay needs more memory than it may take here.", remedy
            )
        return frames.Failed(400, "It took too long", f"A replay may take {late} seconds here.", remedy)
    return frames.NO_ROOM if late is None else _too_late(late)


def _too_late(seconds: int) -> frames.Failed:
    return frames.Failed(
        400, "It took too long", f"A query may take {seconds} seconds here.",
        "Ask for less time, or filter by a field with a column (eventName, eventSource, errorCode …) first; `rolewatch query` on a shell has no such limit.",
    )  # fmt: skip


def _too_many(detail: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(429, "Too many queries", detail, remedy), {"Retry-After": "5"})
