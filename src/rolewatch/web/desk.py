"""What every request works with: the state, who may do what, the clock, what is live; and what goes wrong with these."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar, cast

import sqlalchemy as sa
from fastapi import Depends, Request

from rolewatch.base.errors import CannotDo
from rolewatch.store import audit, finding_lists
from rolewatch.store.migrations import require
from rolewatch.store.state import State
from rolewatch.web.access import CSRF_HEADER, Gate, Visitor, same
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.live import Live

T = TypeVar("T")
Note = Callable[[str, str, Mapping[str, Any]], None]  # writes action, subject and details into the audit log

STALE: Final = 2.0  # seconds for which counts of all findings may be behind while findings are written …
LASTS: Final = 60.0  # … and while none is: findings are also forgotten, which leaves no trace


class _Kept(NamedTuple):
    newest: int
    at: float
    value: object


class Desk:
    """The parts that requests share. `lake`: where records are kept, as typed, "" where there are none."""

    def __init__(
        self,
        state: State,
        gate: Gate,
        clock: Callable[[], datetime],
        *,
        lake: str = "",
        live: Live | None = None,
    ) -> None:
        self.gate, self.clock, self.lake = gate, clock, lake
        self._state = state
        self._ready = False
        self._kept: dict[object, _Kept] = {}
        self.live = live or Live(self.read)

    @property
    def state(self) -> State:
        """The state; ProblemError with what to do where there is none that can be read."""
        if not self._ready:
            try:
                require(self._state)
            except CannotDo as error:
                raise unavailable(error) from error
            self._ready = True
        return self._state

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run something that reads the state in a transaction."""
        return self.state.read(work)

    def kept(self, work: Callable[[sa.Connection], T]) -> T:
        """Give what reading the findings gave before, if none was written since, or that was a moment ago."""
        newest, now = self.read(finding_lists.newest), time.monotonic()
        known = self._kept.get(work)
        if known and (now - known.at < (LASTS if known.newest == newest else STALE)):
            return cast("T", known.value)
        value = self.read(work)
        self._kept[work] = _Kept(newest, now, value)
        return value

    def change(self, visitor: Visitor, work: Callable[[sa.Connection, Note], T]) -> T:
        """Change the state in a transaction. What `work` notes is in the audit log if the change was made, and only then."""

        def whole(connection: sa.Connection) -> T:
            def note(action: str, subject: str, details: Mapping[str, Any]) -> None:
                entry = audit.Entry(self.clock(), visitor.name, visitor.how, action, subject, details)
                audit.add(connection, entry)

            return work(connection, note)

        return self.state.write(whole)


def unavailable(error: CannotDo) -> ProblemError:
    """Say that the state cannot be read, and what to do."""
    return ProblemError(
        Problem(503, "No answer from the state", error.message, error.remedy), {"Retry-After": "5"}
    )


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _reader(request: Request) -> Visitor:
    visitor = _desk(request).gate.visitor(request)
    if visitor is None:
        raise ProblemError(
            Problem(
                401,
                "Who are you?",
                "Reading this needs a token.",
                "Log in, or send `Authorization: Bearer TOKEN`.",
            ),
            {"WWW-Authenticate": "Bearer"},
        )
    return visitor


def _writer(request: Request) -> Visitor:
    visitor = _reader(request)
    if not visitor.may_write:
        status = 401 if visitor.how == "open" else 403
        raise ProblemError(
            Problem(status, "Not allowed", f"{visitor.name} may read here, and change nothing.", "Log in with a token of scope write."),
            {"WWW-Authenticate": "Bearer"} if status == 401 else {},
        )  # fmt: skip
    if visitor.csrf and not same(request.headers.get(CSRF_HEADER, ""), visitor.csrf):
        raise ProblemError(
            Problem(
                403,
                "Not from a page of ours",
                f"A session has to send {CSRF_HEADER}.",
                "Load the page again.",
            )
        )
    return visitor


OfDesk = Annotated[Desk, Depends(_desk)]
Reader = Annotated[Visitor, Depends(_reader)]
Writer = Annotated[Visitor, Depends(_writer)]
