"""What changes, told to open pages as it does: one question a second to the state, whatever the number of pages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.base.errors import RolewatchError
from rolewatch.store import alarms, finding_lists
from rolewatch.web.answers import ProblemError

EVERY: Final = 1.0  # seconds between questions
BEAT: Final = 15.0  # seconds after which a stream says that it is alive
MOST_STREAMS: Final = 500
MOST_NAMED: Final = 200  # findings that are named in one event

Read = Callable[[Callable[[sa.Connection], Any]], Any]


class Seen(NamedTuple):
    """How far the state was: when a finding was written last, and which were then; when an alarm changed last; why it is lost."""

    moment: int = 0
    names: frozenset[str] = frozenset()
    alarm: int = 0
    lost: str = ""


class Live:
    """Asks as long as somebody listens, and tells each stream what is new. All of it in one event loop."""

    def __init__(self, read: Read, every: float = EVERY, beat: float = BEAT) -> None:
        self._read, self._every, self._beat = read, every, beat
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no more streams are taken."""
        return len(self._queues) >= MOST_STREAMS

    async def stream(self, allowed: Callable[[], bool] = lambda: True) -> AsyncIterator[bytes]:
        """Yield events in the format of text/event-stream, until the client is gone, is not `allowed` any more, or the server ends."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(100)
        self._queues.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
        try:
            yield b"retry: 3000\n\n"
            while not self._closed:
                try:
                    event = await asyncio.wait_for(queue.get(), self._beat)
                except TimeoutError:
                    event = b": alive\n\n"
                if event is None or not allowed():
                    return
                yield event
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End all streams, so that the server can end."""
        self._closed = True
        for queue in self._queues:
            _put(queue, None)

    async def _follow(self) -> None:
        seen, _ = await asyncio.to_thread(self._look, None)
        while self._queues:
            await asyncio.sleep(self._every)
            now, fresh = await asyncio.to_thread(self._look, seen)
            event = news(seen, now, fresh)
            if event:
                for queue in list(self._queues):
                    _put(queue, event)
            seen = now

    def _look(self, seen: Seen | None) -> tuple[Seen, list[str]]:
        """Look at the state; returns how far it is, and the findings that were written since."""
        since = seen or Seen()

        def work(connection: sa.Connection) -> tuple[Seen, list[str]]:
            start = seen.moment if seen else finding_lists.newest(connection)
            found = finding_lists.changed(connection, start, MOST_NAMED + 1)
            fresh = [name for name, at in found if at > start or name not in since.names]
            moment = max((at for _, at in found), default=start)
            names = frozenset(name for name, at in found if at == moment)
            return Seen(moment, names, alarms.newest(connection)), fresh

        try:
            looked: tuple[Seen, list[str]] = self._read(work)
        except ProblemError as error:
            return since._replace(lost=error.problem.detail), []
        except RolewatchError as error:
            return since._replace(lost=error.message), []
        return looked


def news(before: Seen, now: Seen, fresh: Sequence[str]) -> bytes | None:
    """Say what is new as an event; None for nothing."""
    if now.lost != before.lost:
        return _event("state", {"ok": not now.lost, "detail": now.lost})
    if not fresh and now.alarm == before.alarm:
        return None
    told = {
        "findings": sorted(fresh)[:MOST_NAMED], "more": len(fresh) > MOST_NAMED, "alarms": now.alarm != before.alarm,
    }  # fmt: skip
    return _event("changed", told)


def _event(kind: str, what: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(what))


def _put(queue: "asyncio.Queue[bytes | None]", event: bytes | None) -> None:
    """Put an event into a queue; a client that takes nothing loses it, and asks again when it comes back."""
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        return
