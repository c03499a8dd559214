"""The words typed as SOURCE in, deliveries out (DESIGN, SOURCE)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rolewatch.base.errors import SourceError
from rolewatch.sources.delivery import Delivery, stdin
from rolewatch.sources.files import Problems, Walk
from rolewatch.sources.window import Window

_Start = Callable[[], Iterator[Delivery]]


def deliveries(source: str, window: Window, *, problems: Problems) -> Iterator[Delivery]:
    """Return the deliveries of one SOURCE; see `deliveries_of`."""
    return deliveries_of([source], window, problems)


def deliveries_of(sources: Sequence[str], window: Window, problems: Problems) -> Iterator[Delivery]:
    """Return the deliveries of several SOURCEs one after another, each once, lazily.

    A delivery that is both named and met on a walk comes as the named one. `problems` gets (name, reason) for what
    could not be looked at. Raises SourceError at once for a word that means nothing that exists, before any work.
    """
    walk = Walk(window, problems)
    starts = [_start(source, walk) for source in dict.fromkeys(sources)]
    return (delivery for start in starts for delivery in start())


def _start(source: str, walk: Walk) -> _Start:
    """Check one word and return how to begin with it."""
    if source == "-":
        delivery = stdin()
        return lambda: iter((delivery,))
    try:
        if Path(source).is_dir():
            return lambda: walk.folder(source)
        named = walk.reserve(source)
    except FileNotFoundError:
        raise SourceError(f"{source}: no such file or folder") from None
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror or error}") from None
    except ValueError as error:  # a NUL byte
        raise SourceError(f"{source!r}: {error}") from None
    return lambda: iter((named,) if named else ())
