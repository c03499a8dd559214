"""Queries with names: those that come with rolewatch, from `library.json`, and what is told of any of them."""

from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import msgspec

LIBRARY: Final = "library"
LONGEST_NAME: Final = 255  # of a query definition (API reference)


class SavedQuery(NamedTuple):
    """A query by its name, in which slashes make folders; `about` says what it answers, `origin` where it is kept."""

    name: str
    about: str
    text: str
    origin: str


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    """A row of the file: the commands of a query stand on lines of their own."""

    name: str
    about: str
    query: list[str]


@cache
def library() -> tuple[SavedQuery, ...]:
    """Give the queries that come with rolewatch, in the order of the file."""
    content = resources.files("rolewatch.insights").joinpath("library.json").read_bytes()
    rows = msgspec.json.decode(content, type=list[_Row])
    return tuple(SavedQuery(row.name, row.about, "\n| ".join(row.query), LIBRARY) for row in rows)


def about(text: str) -> str:
    """Say what a query is about that nobody has described: its first comment, else its own words in one line."""
    first = text.lstrip().partition("\n")[0]
    if first.startswith("#"):
        return first.lstrip("#").strip()
    return " ".join(text.split())
