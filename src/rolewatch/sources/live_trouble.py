"""Trouble of live sources: what passes is told, but not over and over; what does not is raised at the start."""

import threading
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from rolewatch.base import aws
from rolewatch.base.errors import RolewatchError, SourceError
from rolewatch.base.sanitise import terminal
from rolewatch.sources.live import Told
from rolewatch.sources.live_time import Time

QUIET: Final = 60.0  # seconds in which one kind of trouble is told once
KINDS: Final = 256  # of trouble that are remembered for longer than that
LONGEST: Final = 300  # characters of a reason
THROTTLED: Final = frozenset(
    {"LimitExceededException", "OverLimit", "ProvisionedThroughputExceeded", "RequestLimitExceeded"}
    | {"RequestThrottled", "RequestThrottledException", "SlowDown", "Throttling", "ThrottlingException"}
    | {"ThrottledException", "TooManyRequestsException"}
)

T = TypeVar("T")


class Trouble:
    """Tells what goes wrong at one place, each kind once a minute at most. Its methods may be called by any thread."""

    def __init__(self, name: str, told: Told, time: Time | None = None) -> None:
        self.name = name
        self._told = told
        self._time = time or Time()
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, kind: str, reason: str) -> None:
        """Tell a reason, unless one of this kind was told a short while ago."""
        now = self._time.monotonic()
        with self._lock:
            if now < self._last.get(kind, -QUIET) + QUIET:
                return
            if len(self._last) >= KINDS:
                self._last = {each: when for each, when in self._last.items() if now < when + QUIET}
            self._last[kind] = now
        self._told(self.name, terminal(reason, LONGEST))

    def failed(self, doing: str, error: Exception) -> None:
        """Tell that a request failed and will be made again."""
        self.tell(f"{doing} {aws.code_of(error)}", f"{doing} failed, and is tried again: {reason_of(error)}")

    def try_first(self, doing: str, request: Callable[[], T], missing: Mapping[str, str]) -> T | None:
        """Make a first request, to find out whether it is in vain: None if it failed in a way that passes.

        Raises SourceError for an error code in `missing`, with the message there, and CannotDo for any other refusal.
        """
        try:
            return request()
        except aws.errors() as error:
            if aws.code_of(error) in missing:
                raise SourceError(missing[aws.code_of(error)]) from error
            if not passes(error):
                raise aws.cannot(error, f"cannot {doing} {self.name}") from error
            self.failed(doing, error)
        return None


def passes(error: BaseException | None) -> bool:
    """Whether it may work if it is tried again, by and by."""
    return isinstance(error, Exception) and (aws.code_of(error) in THROTTLED or aws.is_passing(error))


def is_throttling(error: Exception) -> bool:
    """Whether AWS refused a request because there were too many."""
    return aws.code_of(error) in THROTTLED


def reason_of(error: Exception) -> str:
    """Say in one line what an error was."""
    return error.message if isinstance(error, RolewatchError) else aws.describe(error)
