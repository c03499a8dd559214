"""The option that names the state of a watcher, and what it opens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

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
def opened(called: Called) -> Iterator["State"]:
    """Open the state that is named, else the default one, and close it at the end."""
    from rolewatch.store.state import State, default_place  # noqa: PLC0415 - as above

    state = State(called.values["state"] or default_place(called.environ))
    try:
        yield state
    finally:
        state.close()
