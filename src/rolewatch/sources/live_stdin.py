"""Standard input that is followed to its end: `-`.

It is cut between JSON values: at each place where one object ends and the next begins, and at its end where it has paused. A
file on disk can be had again, a pipe cannot: what was read and not done is lost when the process ends.
"""

import os
import queue
import re
import select
import sys
import threading
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from rolewatch.base.errors import SourceError
from rolewatch.cloudtrail.gunzip import GunzipError, Limits, is_gzip, stream
from rolewatch.cloudtrail.unwrap import repair, valid
from rolewatch.sources.delivery import BytesDelivery
from rolewatch.sources.live import BATCH, DAY, Arrival, LiveSource, Memory, Told
from rolewatch.sources.live_time import Time
from rolewatch.sources.live_trouble import Trouble

PAUSE: Final = 0.2  # seconds after which what has come is given
PATIENCE: Final = 2.0  # seconds of silence after which lines are given that are no whole JSON
FULL: Final = 4 * 1024 * 1024  # bytes after which what has come is given at once
LONGEST: Final = 64 * 1024 * 1024  # bytes of one JSON value: a log file of CloudTrail has 50 MB at most
AHEAD: Final = 8  # batches that are read before they are asked for
READ: Final = 64 * 1024
JOINT: Final = (
    256  # bytes that two values lie apart, at most, where they are cut although the input does not pause
)
_JOINT: Final = re.compile(rb'[}\]](?=\s*\{\s*"\w|\r?\n\s*[\[{])')
_LIMITS: Final = Limits(content=sys.maxsize)  # of a stream without an end, which is never held as a whole


class Cutter:
    """Cuts a stream of JSON values: `feed` it, and `take` what is whole."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._looked = 0
        self.whole = 0  # bytes at the beginning that are whole values

    def __len__(self) -> int:
        """Return how many bytes are held."""
        return len(self._data)

    def feed(self, piece: bytes) -> None:
        """Add what was read.

        In valid JSON the two brackets of a joint follow each other only between values: a string holds no line break, and after
        the quotation mark that ends one comes no letter.
        """
        start = max(self._looked - JOINT, self.whole)
        self._data += piece
        for joint in _JOINT.finditer(self._data, start):
            self.whole = joint.end()
        self._looked = len(self._data)

    def settle(self, *, patient: bool) -> None:
        """Find out, in a pause, whether the rest is whole too; in a long one (`patient`) whole lines have to do."""
        rest = bytes(self._data[self.whole :])
        lines = rest.endswith(b"\n")
        last = rest.rstrip().rpartition(b"\n")[2]
        if not rest.strip() or valid(repair(rest)) or (lines and (patient or valid(repair(last)))):
            self.whole = len(self._data)

    def take(self, *, everything: bool = False) -> bytes:
        """Take what is whole, or all that there is."""
        end = len(self._data) if everything else self.whole
        taken = bytes(self._data[:end])
        del self._data[:end]
        self.whole, self._looked = 0, len(self._data)
        return taken


class _Closed(Exception):  # noqa: N818 - no error
    """The source is closed."""


class StdinSource(LiveSource):
    """Follows standard input, plain or gzip, or another `descriptor`; raises SourceError if it is closed.

    What comes is read by a thread of its own, a few batches ahead.
    """

    keep = DAY

    def __init__(
        self, memory: Memory, told: Told, *, descriptor: int | None = None, time: Time | None = None
    ) -> None:
        super().__init__("-")
        self._memory, self._time = memory, time or Time()
        self._trouble = Trouble("-", told, self._time)
        self._descriptor = _standard_input() if descriptor is None else descriptor
        self._awake, self._wake = os.pipe()
        self._closing = threading.Event()
        self._batches: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._cutter = Cutter()
        self._last = self._since = 0.0  # when the last byte came, and the first one that was not given yet
        self._settled: bool | None = None  # since the last byte; True: patiently
        self._found: list[Arrival] = []  # what the memory could not be asked about yet
        self._number = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="rolewatch-stdin", daemon=True)
        self._thread.start()

    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give what has come since the last call."""
        wait = seconds
        while len(self._found) < BATCH and not self._ended:
            try:
                content = self._batches.get(timeout=wait) if wait > 0 else self._batches.get_nowait()
            except queue.Empty:
                break
            wait = 0.0
            if content is None:
                self._ended = True
            else:
                self._found.append(self._arrival(content))
        if self._ended and not self._found:
            self._time.wait(self._closing, wait)
        known = self._memory.known([arrival.marks[0] for arrival in self._found])
        found, self._found = self._found, []
        return [arrival for arrival in found if arrival.marks[0] not in known]

    @property
    def drained(self) -> bool:
        """Whether all was given up to its end."""
        return self._ended and not self._found

    @property
    def finished(self) -> bool:
        """Whether it has ended, and all was given."""
        return self.drained

    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Take note; what was read cannot be read again."""

    def close(self) -> None:
        """Stop reading."""
        if self._closing.is_set():
            return
        self._closing.set()
        os.write(self._wake, b"x")
        self._thread.join()
        for descriptor in (self._awake, self._wake, self._descriptor):
            os.close(descriptor)

    def _arrival(self, content: bytes) -> Arrival:
        self._number += 1
        identity = f"-#{self._number}+{sha256(content).hexdigest()[:32]}"
        delivery = BytesDelivery(
            name=f"-#{self._number}",
            identity=identity,
            named=True,
            size=len(content),
            remote=False,
            content=content,
        )
        return Arrival(delivery, (identity,))

    def _run(self) -> None:
        """Read to the end, or until the source is closed."""
        try:
            for piece in self._pieces():
                self._feed(piece)
        except _Closed:
            return
        except GunzipError as error:
            self._trouble.tell("gzip", error.reason)
        except OSError as error:
            self._trouble.tell("read", f"reading stopped: {error.strerror or error}")
        try:
            self._give(self._cutter.take(everything=True))
            self._put(None)
        except _Closed:
            return

    def _pieces(self) -> Iterator[bytes]:
        head = self._read(2)
        if len(head) == 1:
            head += self._read(1)
        if not is_gzip(head):
            yield head
            yield from iter(lambda: self._read(READ), b"")
            return
        first = [head]
        yield from stream(lambda size: first.pop() if first else self._read(size), _LIMITS)

    def _read(self, size: int) -> bytes:
        """Read what there is, waiting for it; in the pauses what has come is given."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._awake, select.POLLIN)
        while True:
            left = self._until_pause()
            ready = dict(poll.poll(None if left is None else max(left, 0.0) * 1000))
            if self._awake in ready:
                raise _Closed
            if ready:
                self._last, self._settled = self._time.monotonic(), None
                return os.read(self._descriptor, size)
            self._settled = self._settled is not None
            self._cutter.settle(patient=self._settled)
            self._give(self._cutter.take())

    def _until_pause(self) -> float | None:
        """Return in how many seconds the silence counts as a pause; None if nothing is left to be given."""
        if not len(self._cutter) or self._settled:
            return None
        return self._last + (PAUSE if self._settled is None else PATIENCE) - self._time.monotonic()

    def _feed(self, piece: bytes) -> None:
        cutter, now = self._cutter, self._time.monotonic()
        if not len(cutter):
            self._since = now
        cutter.feed(piece)
        if len(cutter) - cutter.whole > LONGEST:
            self._give(cutter.take(everything=True))
        elif cutter.whole >= FULL or (cutter.whole and now >= self._since + PAUSE):
            self._give(cutter.take())
            self._since = now

    def _give(self, content: bytes) -> None:
        if content.strip():
            self._put(content)

    def _put(self, content: bytes | None) -> None:
        while not self._closing.is_set():
            try:
                self._batches.put(content, timeout=PAUSE)
            except queue.Full:
                continue
            return
        raise _Closed


def _standard_input() -> int:
    """Return a descriptor of standard input that is ours to close."""
    try:
        return os.dup(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        raise SourceError("-: standard input is closed") from None
