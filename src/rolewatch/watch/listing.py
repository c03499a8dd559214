"""What people ask of a state, and what they decide: lists of findings, everything about one, mutes, whose it is."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, spelled
from rolewatch.base.cursors import marks_of, word_of
from rolewatch.base.errors import UsageError
from rolewatch.findings.life import REASONS, Life
from rolewatch.findings.mutes import Mute, ended, is_active, muted_by
from rolewatch.store import finding_lists, findings, mutes
from rolewatch.store.finding_lists import ORDERS, Listed, Wanted
from rolewatch.store.findings import FindingRow
from rolewatch.store.state import State
from rolewatch.watch.register import mute_of, row_of

Finding = dict[str, Any]
_HOST: Final = ".amazonaws.com"


def listed(state: State, wanted: Wanted, *, after: str | None, number: int, now: datetime) -> dict[str, Any]:
    """Give one page of findings in the shape of `findings list`: findings, total, and what `after` the next page takes."""
    wanted = wanted._replace(services=whole_services(wanted.services), after=_place(after, wanted.order))

    def work(connection: sa.Connection) -> tuple[list[Listed], int, list[Mute]]:
        rows = finding_lists.page(connection, wanted, number + 1)
        return rows, finding_lists.count(connection, wanted), _mutes(connection, now)

    rows, total, active = state.read(work)
    shown_rows = rows[:number]
    last = shown_rows[-1] if len(rows) > number else None
    return {
        "findings": [_with_mute(row.document, active, now) for row in shown_rows],
        "total": total,
        "next": word_of(last.marks) if last else None,
    }


def shown(state: State, name: str, *, now: datetime) -> Finding:
    """Give everything about a finding; its id may be shortened where it is clear. UsageError if there is none."""

    def work(connection: sa.Connection) -> Finding:
        row = _one(connection, name)
        finding = _with_mute(row.document, _mutes(connection, now), now)
        life = msgspec.json.decode(row.life, type=Life)
        decisions = [
            {
                **msgspec.to_builtins(each),
                **_said(each.reason),
                "detail": each.detail,
                "notification": each.notification,
            }
            for each in life.decisions
        ]
        return finding | {
            "life": {
                "first_seen": life.first_seen,
                "episode": life.episode,
                "told": life.told,
                "acknowledged": msgspec.to_builtins(life.acknowledged) if life.acknowledged else None,
                "assigned": life.assigned,
                "decisions": decisions,
            }
        }

    return state.read(work)


def change_life(connection: sa.Connection, name: str, change: Callable[[Life], Life]) -> str:
    """Change the life of a finding; returns its id. UsageError if there is none."""
    whole = _one(connection, name).id
    row = findings.load(connection, [whole])[whole]
    life = change(msgspec.json.decode(row.life, type=Life))
    findings.save(connection, [row._replace(life=msgspec.json.encode(life).decode())])
    return whole


def keep_mute(connection: sa.Connection, mute: Mute) -> None:
    """Keep a new mute."""
    mutes.save(connection, row_of(mute))


def end_mutes(connection: sa.Connection, name: str, *, by: str, now: datetime) -> list[str]:
    """End a mute, or all mutes of one finding, by its id; returns theirs. UsageError if none holds."""
    active = _mutes(connection, now)
    found = [mute for mute in active if mute.id == name]
    if not found:
        whole = _one(connection, name).id
        found = [mute for mute in active if mute.match.get("id") == whole]
    if not found:
        raise UsageError(
            f"nothing mutes {name} by its id", remedy="`rolewatch findings mutes` lists the mutes there are"
        )
    for mute in found:
        mutes.save(connection, row_of(ended(mute, now, by)))
    return [mute.id for mute in found]


def all_mutes(state: State, *, now: datetime) -> list[dict[str, Any]]:
    """List all mutes that are remembered, with `active`."""
    rows = state.read(mutes.listed)
    return [{**msgspec.to_builtins(mute), "active": is_active(mute, now)} for mute in map(mute_of, rows)]


def _one(connection: sa.Connection, name: str) -> FindingRow:
    start = name.strip().lower()
    found = findings.one(connection, start) if start else []
    if not found or any(sign not in "0123456789abcdef" for sign in start):
        raise UsageError(
            f"there is no finding {name!r}", remedy="`rolewatch findings list` shows those there are"
        )
    if len(found) > 1 and found[0].id != start:
        raise UsageError(f"several findings begin with {name!r}", remedy="write more of the id")
    return found[0]


def _mutes(connection: sa.Connection, now: datetime) -> list[Mute]:
    return [mute_of(row) for row in mutes.active(connection, milliseconds(now))]


def _with_mute(document: str, active: Iterable[Mute], now: datetime) -> Finding:
    finding: Finding = msgspec.json.decode(document)
    mute = muted_by(finding, active, now)
    said = None
    if mute:
        said = {
            "id": mute.id,
            "by": mute.by,
            "reason": mute.reason,
            "until": spelled(mute.end),
        }
    return finding | {"muted": mute is not None, "mute": said}


def _said(reason: str) -> dict[str, str]:
    return {"reason": reason, "sentence": dict(REASONS).get(reason, reason)}  # type: ignore[call-overload]


def whole_services(services: Sequence[str]) -> list[str]:
    """Name services as findings do: `config` stands for its principal in every partition."""
    return [
        name for each in services for name in ([each] if "." in each else [each + _HOST, f"{each}{_HOST}.cn"])
    ]


def _place(word: str | None, order: str) -> tuple[str | int, ...] | None:
    """Read what a page gave as `next`."""
    if not word:
        return None
    marks = marks_of(word, [int if name == "place" else str for name, _ in ORDERS[order]] + [str])
    if marks is None:
        raise UsageError("--after: no page ends so", remedy="write the word under `next` of the page before")
    return tuple(marks)
