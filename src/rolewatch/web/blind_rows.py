"""Services and accounts with all that is blind of them, in the order in which people look."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from rolewatch.findings.severity import LEVELS
from rolewatch.store.blind_spots import Cell

_NEVER: Final = "\U0010ffff"  # after every time


class Row(NamedTuple):
    """A service or an account, with all that is blind of it. `place` and `since` as in `Cell`."""

    name: str
    blocked: int
    silent: int
    place: int
    security: bool
    since: str
    others: int  # accounts of a service, services of an account

    @property
    def severity(self) -> str | None:
        """The worst severity of what is blocked."""
        return severity_of(self.place)


def rows(cells: Iterable[Cell]) -> tuple[list[Row], list[Row]]:
    """Sum up cells by service, security services first, then the worst; and by account, the worst first."""
    services, accounts = dict[str, _Sum](), dict[str, _Sum]()
    for cell in cells:
        for name, found in ((cell.service, services), (cell.account, accounts)):
            known = found.get(name)
            if known is None:
                found[name] = known = _Sum()
            known.add(cell)
    return (
        sorted(
            (each.row(name) for name, each in services.items()),
            key=lambda row: (not row.security, *_rank(row)),
        ),
        sorted((each.row(name) for name, each in accounts.items()), key=_rank),
    )


def severity_of(place: int) -> str | None:
    """Name the severity of a place in lists; None for nothing."""
    return LEVELS[place // 2] if place >= 0 else None


class _Sum:
    """Cells added up; what is silent does not count in `since` beside what is blocked."""

    __slots__ = ("blocked", "blocked_since", "cells", "place", "security", "silent", "silent_since")

    def __init__(self) -> None:
        self.blocked = self.silent = self.cells = 0
        self.place = -1
        self.security = False
        self.blocked_since = self.silent_since = _NEVER

    def add(self, cell: Cell) -> None:
        """Add a cell."""
        _, _, blocked, silent, place, security, since = cell
        self.cells += 1
        self.blocked += blocked
        self.silent += silent
        self.place = max(self.place, place)
        self.security |= security
        if since and blocked:
            self.blocked_since = min(self.blocked_since, since)
        elif since:
            self.silent_since = min(self.silent_since, since)

    def row(self, name: str) -> Row:
        """Give what was added up."""
        since = self.blocked_since if self.blocked else self.silent_since
        return Row(
            name,
            self.blocked,
            self.silent,
            self.place,
            self.security,
            since if since != _NEVER else "",
            self.cells,
        )


def _rank(row: Row) -> tuple[int, int, int, str]:
    return -(row.place // 2), -row.blocked, -row.silent, row.name
