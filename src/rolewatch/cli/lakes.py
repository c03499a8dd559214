"""The option that names a lake, and what it opens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rolewatch.base.errors import CannotDo
from rolewatch.base.settings import kept_at
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import complain

if TYPE_CHECKING:
    from rolewatch.lake.lake import Lake

LAKE: Final = Option(
    "lake",
    "the lake: a folder, or s3://bucket/prefix",
    "DIR",
    shown="$XDG_STATE_HOME/rolewatch/lake",
    file=True,
    group="what to look at",
)
EXTRA: Final = "pip install 'rolewatch[lake]', in a checkout pip install '.[lake]'"


@contextmanager
def opened(called: Called) -> Iterator["Lake"]:
    """Open the lake that is to be written; what was staged and is of no use goes away at the end."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - it is an extra
    except ImportError:
        raise CannotDo("a lake is written by pyarrow, which is not installed", remedy=EXTRA) from None
    from rolewatch.lake.place import cannot_write  # noqa: PLC0415 - not needed for --help

    lake = lake_of(called)
    try:
        yield lake
    except (OSError, pa.ArrowException) as error:
        raise cannot_write(f"the lake {lake.place.name}", error) from error
    finally:
        lake.place.close()


def lake_of(called: Called, place: str | None = None) -> "Lake":
    """Give the lake at a place, else the one that is named, else the default one; what is wrong with it is told on stderr."""
    from rolewatch.lake.lake import Lake  # noqa: PLC0415 - not needed for --help
    from rolewatch.lake.place import place_of  # noqa: PLC0415 - as above

    return Lake(place_of(place or called.values["lake"] or default_place(called.environ)), _tell)


def default_place(environ: Mapping[str, str]) -> str:
    """Give the folder of the lake that has no name."""
    return kept_at(environ, "lake")


def _tell(name: str, reason: str) -> None:
    complain(f"cannot read {name}: {reason}")
