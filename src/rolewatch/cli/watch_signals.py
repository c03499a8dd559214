"""Signals to a watcher: SIGTERM and SIGINT end it in good order, a second one at once; SIGHUP reads the settings again."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

INTERRUPTED: Final = 130
_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


class Ended(BaseException):
    """A signal has come before there was anything to finish."""


class Signals:
    """Has signals handled until it is left; `status` is the exit status that the one which ended the work asks for."""

    def __init__(self) -> None:
        self.ended: signal.Signals | None = None
        self._stop: Callable[[], None] | None = None
        self._again: Callable[[], None] | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def status(self) -> int:
        """130 if it was interrupted, else 0."""
        return INTERRUPTED if self.ended is signal.SIGINT else 0

    def meant_for(self, stop: Callable[[], None], again: Callable[[], None]) -> None:
        """Say what ends the work, and what has the settings read again. Both only take note, and return at once."""
        self._stop, self._again = stop, again

    def __enter__(self) -> Self:
        for each in _ENDING:
            self._before[each] = signal.signal(each, self._end)
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._hang_up)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self.ended = signal.Signals(number)
        for each in _ENDING:
            signal.signal(each, signal.SIG_DFL)  # whoever asks again does not want to wait
        if self._stop is None:
            raise Ended
        self._stop()

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        if self._again:
            self._again()
