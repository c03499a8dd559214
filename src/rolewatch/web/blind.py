"""Blind spots as the start page and the API show them: who is blind where, since when, and what has changed."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import markupsafe
import msgspec

from rolewatch.catalog.roles import service_name
from rolewatch.findings.severity import LEVELS
from rolewatch.report import html_markup, words
from rolewatch.store.blind_spots import Cell, Latest
from rolewatch.web.answers import ours
from rolewatch.web.blind_counts import DAYS, Counted
from rolewatch.web.blind_rows import Row, severity_of

SERVICES: Final = 30  # rows of the matrix …
ACCOUNTS: Final = 20  # … and its columns, where nobody asks for more
MOST: Final = 200  # of either, at most
LISTED: Final = 5  # services in a sentence
TALL: Final = 100  # pixels of the tallest bar of the chart


class Matrix(NamedTuple):
    """Services down and accounts across; `left_out`: how many there are beyond these."""

    services: Sequence[Row]
    accounts: Sequence[Row]
    cells: Mapping[tuple[str, str], Cell]
    left_out: tuple[int, int]


def matrix_of(counted: Counted, services: int = SERVICES, accounts: int = ACCOUNTS) -> Matrix:
    """Choose what a matrix shows: the first services and accounts, which are the worst."""
    shown, across = counted.services[:services], counted.accounts[:accounts]
    cells = {
        pair: counted.cells[pair]
        for row in shown
        for column in across
        if (pair := (row.name, column.name)) in counted.cells
    }
    return Matrix(
        shown, across, cells, (len(counted.services) - len(shown), len(counted.accounts) - len(across))
    )


def answer(counted: Counted) -> str:
    """Say in a sentence who is blind; nothing in it comes from a record."""
    if not counted.read:
        return "Nothing was read yet"
    services = [row.name for row in counted.services if row.blocked]
    if not services:
        return "No AWS service is blocked" if counted.cells else "Nothing is blocked"
    noun = "AWS service" if "" not in services else "principal"
    accounts = words.count(sum(row.blocked > 0 for row in counted.accounts), "account")
    who = f"{words.count(len(services), noun)} {'is' if len(services) == 1 else 'are'} blind"
    if counted.resources is None:
        return f"{who}: {words.count(counted.blocked, 'finding')} in {accounts}"
    return f"{who} on {words.count(counted.resources, 'resource')} in {accounts}"


def described(counted: Counted, matrix: Matrix) -> dict[str, Any]:
    """Give blind spots in the shape of the API."""
    return {
        "answer": answer(counted),
        "as_of": counted.last_event or None,
        "blocked": counted.blocked,
        "silent": sum(row.silent for row in counted.services),
        "resources": counted.resources,
        "services": [
            {"service": row.name, "name": named(row.name), "security_service": row.security, "severity": row.severity,
             "blocked": row.blocked, "silent": row.silent, "accounts": row.others, "since": row.since or None}
            for row in matrix.services
        ],
        "accounts": [
            {"account": row.name, "severity": row.severity, "blocked": row.blocked, "silent": row.silent,
             "services": row.others, "since": row.since or None}
            for row in matrix.accounts
        ],
        "cells": [
            {"service": cell.service, "account": cell.account, "severity": severity_of(cell.place), "blocked": cell.blocked,
             "silent": cell.silent, "since": cell.since or None}
            for cell in matrix.cells.values()
        ],
        "left_out": dict(zip(("services", "accounts"), matrix.left_out, strict=True)),
        "days": [{"day": day, "began": began, "ended": ended} for day, began, ended in counted.days],
        "changed": {"since": counted.since, **{kind: shown(counted, latest) for kind, latest in counted.today.items()}},
    }  # fmt: skip


def shown(counted: Counted, latest: Latest) -> dict[str, Any]:
    """Give what is told of findings that have changed: how many, and the latest of them in a line each."""
    found = (msgspec.json.decode(counted.documents[name]) for name in latest.ids if name in counted.documents)
    return {
        "total": latest.total,
        "findings": [
            {
                **{name: finding[name] for name in ("id", "severity", "status", "service", "account", "resource", "first_denied", "last_denied", "ended")},
                "title": words.title(finding),
            }
            for finding in found
        ],
    }  # fmt: skip


def named(service: str) -> str:
    """Say what people call a service."""
    return service_name(service) if service else "no service"


def address(status: str, service: str | None = None, account: str | None = None, order: str = "") -> str:
    """Write where the findings are that a number counts."""
    fields = {"status": status, "severity": LEVELS[1], "service": service, "account": account, "order": order}
    return "/findings?" + urlencode({name: value for name, value in fields.items() if value})


def told(cell: Cell) -> str:
    """Say what is in a cell: "3 blocked, worst high, since 2026-03-01"."""
    said = [f"{cell.blocked:,} blocked, worst {severity_of(cell.place)}"] if cell.blocked else []
    said += [f"{cell.silent:,} silent"] if cell.silent else []
    return ", ".join([*said, f"since {words.day(cell.since)}"] if cell.since else said)


def level(cell: Cell) -> str:
    """Say by what a cell is coloured: the worst severity of what is blocked, else silent."""
    return severity_of(cell.place) or "silent"


def blinded(matrix: Matrix) -> list[str]:
    """Name the services that lost several resources at once, which is what `critical` means."""
    return [named(row.name) for row in matrix.services if row.severity == "critical"]


def watchers(matrix: Matrix) -> list[str]:
    """Name the security services that are blocked."""
    return [named(row.name) for row in matrix.services if row.security and row.blocked]


class Bar(NamedTuple):
    """A day of the chart: numbers, heights in pixels, where it stands in per cent of the width."""

    day: str
    began: int
    ended: int
    up: int
    down: int
    left: str
    middle: str
    label: str


def bars(counted: Counted) -> list[Bar]:
    """Lay out the chart of days: what began goes up, what ended goes down, on one scale."""
    top = max((max(began, ended) for _, began, ended in counted.days), default=0)
    step = 100 / DAYS
    found = []
    for place, (day, began, ended) in enumerate(counted.days):
        label = f"{datetime.fromisoformat(day):%b} {int(day[8:])}" if (DAYS - 1 - place) % 7 == 0 else ""
        found.append(
            Bar(
                day, began, ended, _height(began, top), _height(ended, top), f"{place * step:.3f}%",
                f"{(place + 0.5) * step:.3f}%", label,
            )
        )  # fmt: skip
    return found


def emphasised(sentence: str) -> markupsafe.Markup:
    """Write a sentence with its numbers in the foreground."""
    pieces = re.split(r"(\d[\d,]*)", sentence)
    return ours(
        html_markup.join(html_markup.el("b", piece) if at % 2 else piece for at, piece in enumerate(pieces))
    )


def account(name: str) -> markupsafe.Markup:
    """Write an account so that a narrow column may set it in lines."""
    return ours(html_markup.account(name or "unknown"))


def most(bars: Sequence[Bar]) -> int:
    """Give the number that the tallest bar stands for."""
    return max((max(bar.began, bar.ended) for bar in bars), default=0)


def below(bars: Sequence[Bar]) -> int:
    """Give the pixels that the chart takes below its axis."""
    return max((bar.down for bar in bars), default=0)


def _height(number: int, top: int) -> int:
    return max(2, round(TALL * number / top)) if number else 0
