"""Queries with names: those that people saved here, and those that come with rolewatch."""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of, spelled
from rolewatch.base.sanitise import terminal
from rolewatch.insights.library import LONGEST_NAME, about, library
from rolewatch.store import saved_queries
from rolewatch.store.saved_queries import SavedRow
from rolewatch.web.access import Visitor
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk, Note

MOST: Final = 1000  # queries


def all_queries(desk: Desk) -> list[dict[str, Any]]:
    """Give all queries, those saved here first: `name`, `about`, `query`, `origin`, and who saved it when."""
    own = [
        {"name": row.name, "about": about(row.query), "query": row.query, "origin": "saved", "by": row.by, "at": spelled(moment_of(row.at))}
        for row in desk.read(saved_queries.listed)
    ]  # fmt: skip
    given = [
        {
            "name": each.name,
            "about": each.about,
            "query": each.text,
            "origin": "library",
            "by": None,
            "at": None,
        }
        for each in library()
    ]
    return [*own, *given]


def in_folders(queries: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Put queries into the folders that the slashes in their names make."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for query in queries:
        folder = "saved here" if query["origin"] == "saved" else query["name"].partition("/")[0]
        folders.setdefault(folder, []).append(query)
    return folders


def save(desk: Desk, visitor: Visitor, name: str, text: str, *, replace: bool) -> SavedRow:
    """Save a query, and note it; ProblemError 409 where another one has the name, or where there are too many."""
    if not name.strip() or terminal(name) != name or len(name) > LONGEST_NAME:
        raise ProblemError(
            Problem(422, "That makes no sense", f"A name has 1 to {LONGEST_NAME} characters that can be seen.", "Write, for example, team/deleted-buckets.")
        )  # fmt: skip
    name = name.strip()
    if name in {each.name for each in library()}:
        raise _taken(f"{name} comes with rolewatch.", "Choose another name.")
    row = SavedRow(name, text, visitor.name, milliseconds(desk.clock()))

    def work(connection: sa.Connection, note: Note) -> None:
        there = saved_queries.one(connection, name)
        if there and there.query == text:
            return
        if there and not replace:
            raise _taken(
                f"{there.by} has saved another query as {name}.", "Replace it, or choose another name."
            )
        if not there and saved_queries.count(connection) >= MOST:
            raise _taken(f"{MOST:,} queries are saved, as many as may.", "Delete one that nobody needs.")
        saved_queries.save(connection, row)
        note("save-query", name, {"query": text})

    desk.change(visitor, work)
    return row


def remove(desk: Desk, visitor: Visitor, name: str) -> None:
    """Delete a query, and note it; ProblemError 404 if there is none of that name."""

    def work(connection: sa.Connection, note: Note) -> None:
        if not saved_queries.remove(connection, name):
            raise ProblemError(Problem(404, "No such query", f"No query is saved as {name}.", "It may have been deleted since."))  # fmt: skip
        note("delete-query", name, {})

    desk.change(visitor, work)


def _taken(detail: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(409, "Not saved", detail, remedy))
