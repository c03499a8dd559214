"""The option that names the state of a watcher, and what it opens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rolewatch.base.settings import kept_at
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option

if TYPE_CHECKING:
    from rolewatch.store.state import State

STATE: Final = Option(
    "state",
    "the state: a folder, or postgresql://user@host/database",
    "PLACE",
    shown="$XDG_STATE_HOME/rolewatch/state",
    file=True,
    group="what to look at",
)


@contextmanager
def looked_into(called: Called) -> Iterator["State"]:
    """Open the state that a watcher has made; CannotDo if there is none."""
    from rolewatch.store.migrations import require  # noqa: PLC0415 - not needed for --help

    with opened(called) as state:
        require(state)
        yield state


@contextmanager
def held(called: Called) -> Iterator["State"]:
    """Open the state for a watcher, the only one if it lies in a folder; CannotDo that names another one."""
    from rolewatch.base.clock import spelled  # noqa: PLC0415 - not needed for --help
    from rolewatch.store.lock import Lock  # noqa: PLC0415 - as above

    with opened(called) as state:
        if state.folder is None:
            yield state
            return
        state.make()
        lock = Lock(state.folder, spelled(datetime.now(UTC)))
        try:
            yield state
        finally:
            lock.release()


@contextmanager
def opened(called: Called) -> Iterator["State"]:
    """Open the state that is named, else the default one, and close it at the end."""
    from rolewatch.store.state import State  # noqa: PLC0415 - as above

    state = State(place_of(called))
    try:
        yield state
    finally:
        state.close()


def place_of(called: Called) -> str:
    """Say where the state is: the place that is named, else the default one."""
    return called.values["state"] or kept_at(called.environ, "state")
