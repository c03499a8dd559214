"""How content is had: at once where it is small; over a network by threads, a batch ahead of the one being scanned."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rolewatch.base.errors import RolewatchError
from rolewatch.sources import Delivery

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

AT_ONCE = 8 * 1024 * 1024  # compressed bytes; larger deliveries are read as a stream
THREADS = 8

Fetched = bytes | Exception | None  # None: it is read when its turn comes


class Fetcher:
    """Fetches remote deliveries of at most AT_ONCE bytes; its threads start with the first one."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def start(self, batch: list[Delivery]) -> list[tuple[Delivery, "Future[Fetched] | None"]]:
        """Begin to fetch what has to be fetched, and return at once."""
        return [(delivery, self._submit(delivery)) for delivery in batch]

    def close(self) -> None:
        """Let go of the threads; what was not begun is dropped."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _submit(self, delivery: Delivery) -> "Future[Fetched] | None":
        if not delivery.remote or delivery.size > AT_ONCE:
            return None
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only where something is remote

            self._threads = ThreadPoolExecutor(THREADS)
        return self._threads.submit(attempt, delivery)


def arrived(started: list[tuple[Delivery, "Future[Fetched] | None"]]) -> Iterator[tuple[Delivery, Fetched]]:
    """Yield deliveries with their content or the error of fetching it, in order, waiting where it is not there yet."""
    for delivery, future in started:
        yield delivery, future.result() if future else None


def attempt(delivery: Delivery) -> bytes | Exception:
    """Read a delivery whole; returns its content, or the error to be told when its turn comes."""
    try:
        return delivery.read()
    except (OSError, RolewatchError) as error:
        return error
