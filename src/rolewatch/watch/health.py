"""Whether a watcher is alive, and whether it is ready: what probes of an orchestrator ask for."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from rolewatch.base.sanitise import terminal
from rolewatch.watch.observer import AT_MOST, Committed, Observer

SHOWN: Final = 300  # characters of a reason
TROUBLED: Final = (
    180.0  # seconds for which trouble of a source counts: it is told again every minute while it lasts
)
STALE: Final = 60.0  # seconds without an answer of the state, or of a source, after which it counts as away

Monotonic = Callable[[], float]


class Report(NamedTuple):
    """An answer to a probe: whether all is well, and why or why not."""

    ok: bool
    body: Mapping[str, Any]


class Polled(Protocol):
    """Sources that are polled, as `Feed` does."""

    def silent_for(self) -> Mapping[str, float]:
        """Give for each source, by its word, the seconds since its last answer."""


class Pulse(Observer):
    """How a watcher is: when its next turn is due, whether the state answers it, what its sources complained of."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last = monotonic()
        self._due = self._last + AT_MOST
        self._through = False
        self._state = ""
        self._answered = self._last
        self._trouble: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        """Whether the watcher goes on: its next turn is not overdue."""
        return self._monotonic() <= self._due

    @property
    def through(self) -> bool:
        """Whether all that was there at the start is done."""
        return self._through

    def turn(self, seconds: float = AT_MOST) -> None:
        """Note a turn, and when the next one is due."""
        self._last = self._monotonic()
        self._due = self._last + seconds

    def waits(self, reason: str) -> None:
        """Note that the watcher is alive, and waits for the state."""
        self.turn()
        self._state = reason

    def answered(self, reason: str = "") -> None:
        """Note that the state was asked; `reason` says why it did not answer."""
        self._state = reason
        if not reason:
            self._answered = self._monotonic()

    def committed(self, committed: Committed) -> None:
        """Note that the state answers, and that the sources of a batch do."""
        self.turn()
        self.answered()
        with self._lock:
            for given in committed.given:
                self._trouble.pop(given.source.word, None)

    def drained(self, *, first: bool) -> None:
        """Note that the backlog is through."""
        del first
        self._through = True

    def told(self, name: str, reason: str) -> None:
        """Note what a source complains of. From any thread."""
        with self._lock:
            self._trouble[name] = (self._monotonic(), reason)

    def healthy(self) -> Report:
        """Say whether the watcher is alive; if not, only a restart helps."""
        now = self._monotonic()
        check = _check(ok=now <= self._due, last_turn_seconds=round(now - self._last, 3), due_in_seconds=round(self._due - now, 3))  # fmt: skip
        return _report({"loop": check})

    def state_trouble(self) -> str:
        """Say why the state is away; "" if it answers."""
        age = self._monotonic() - self._answered
        return self._state or (f"no answer for {age:.0f} s" if age > STALE else "")

    def troubles(self, polled: Polled) -> dict[str, str]:
        """Say of each source, by its word, why it is away; "" if it answers."""
        now = self._monotonic()
        with self._lock:
            told = {name: why for name, (when, why) in self._trouble.items() if now - when < TROUBLED}
        return {
            word: told.get(word) or (f"no answer for {silent:.0f} s" if silent > STALE else "")
            for word, silent in polled.silent_for().items()
        }

    def ready(self, polled: Polled) -> Report:
        """Say whether the state answers, the backlog is through, and the sources answer."""
        state = self.state_trouble()
        backlog = "" if self._through else "what was there at the start is still being read"
        checks = {"state": _check(ok=not state, reason=state), "backlog": _check(ok=not backlog, reason=backlog)}  # fmt: skip
        for word, why in self.troubles(polled).items():
            checks[f"source {terminal(word, SHOWN)}"] = _check(ok=not why, reason=why)
        return _report(checks)


def _check(*, ok: bool, reason: str = "", **facts: float) -> dict[str, Any]:
    return {"ok": ok} | ({"reason": terminal(reason, SHOWN)} if reason else {}) | facts


def _report(checks: Mapping[str, Mapping[str, Any]]) -> Report:
    wrong: Sequence[str] = [name for name, check in checks.items() if not check["ok"]]
    status = "ok" if not wrong else f"not ok: {', '.join(wrong)}"
    return Report(not wrong, {"status": status, "checks": checks})
