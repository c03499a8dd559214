"""The tables of rolewatch.toml about notifications in; who is told what, when and how fast, out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.base.settings import ACTIONS, QUIET, RATE, ROUTE
from rolewatch.base.tables import (
    Tables,
    address,
    check_keys,
    notification_tables,
    switch_of,
    text_of,
    texts_of,
)
from rolewatch.findings.match import nearest, pattern_of
from rolewatch.findings.severity import LEVELS
from rolewatch.notify.notification import KINDS
from rolewatch.notify.pace import RATE as USUAL
from rolewatch.notify.pace import Rate, parse_rate
from rolewatch.notify.quiet import URGENT, Quiet, parse_quiet
from rolewatch.notify.routes import Route, Routes

_PATTERNS: Final = ("account", "service", "role", "verdict", "resource")
_ROUTE_KEYS: Final = (*_PATTERNS, "severity", "kind", "to", "stop")


class Routing(NamedTuple):
    """Everything that is set about telling. `rate` None is no limit; `actions`: ARN or logical id → its targets.

    `path` is the settings file that was read, None if there is none.
    """

    routes: Routes
    quiet: Quiet
    rate: Rate | None
    actions: Mapping[str, tuple[str, ...]]
    path: str | None


def routing_of(environ: Mapping[str, str], file: str | None = None, notify: Sequence[str] = ()) -> Routing:
    """Read what is set; `notify` are the targets of what no route keeps for itself. UsageError names the file and the key."""
    tables = notification_tables(environ, file)
    default = tuple(dict.fromkeys(address(each, environ, "--notify") for each in notify))
    routes = tuple(
        _route(table, environ, f"{tables.path}: {ROUTE} {number}")
        for number, table in enumerate(tables.routes, 1)
    )
    return Routing(
        Routes(routes, default), _quiet(tables), _rate(tables), _actions(tables, environ), tables.path
    )


def _route(table: Mapping[str, Any], environ: Mapping[str, str], origin: str) -> Route:
    check_keys(table, _ROUTE_KEYS, origin)
    if "to" not in table:
        raise UsageError(f"{origin}: it says not to whom", remedy="write to = ['URL'], or to = [] for nobody")
    patterns = dict(
        pattern_of(key, text_of(table, key, "", origin), origin, _PATTERNS)
        for key in _PATTERNS
        if key in table
    )
    return Route(
        to=_addresses(table, "to", environ, origin),
        patterns=patterns,
        kinds=tuple(_one_of(KINDS, kind, f"{origin}: kind") for kind in texts_of(table, "kind", origin)),
        severity=_severity(table, "severity", LEVELS[0], origin),
        stop=switch_of(table, "stop", origin, default=True),
    )


def _quiet(tables: Tables) -> Quiet:
    origin = f"{tables.path}: [{QUIET}]"
    check_keys(tables.quiet, ("times", "zone", "urgent"), origin)
    return parse_quiet(
        texts_of(tables.quiet, "times", origin),
        zone=text_of(tables.quiet, "zone", "UTC", origin),
        urgent=_severity(tables.quiet, "urgent", URGENT, origin),
        place=f"{origin}: times",
    )


def _rate(tables: Tables) -> Rate | None:
    origin = f"{tables.path}: [{RATE}]"
    check_keys(tables.rate, ("limit",), origin)
    if "limit" not in tables.rate:
        return USUAL
    return parse_rate(text_of(tables.rate, "limit", "", origin), f"{origin}: limit")


def _actions(tables: Tables, environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    origin = f"{tables.path}: [{ACTIONS}]"
    return {name: _addresses(tables.actions, name, environ, origin) for name in tables.actions}


def _addresses(
    table: Mapping[str, Any], key: str, environ: Mapping[str, str], origin: str
) -> tuple[str, ...]:
    found = texts_of(table, key, origin)
    where = f"{origin}: {terminal(key, 100)}"
    several = len(found) > 1
    return tuple(
        dict.fromkeys(
            address(text, environ, f"{where}, number {number}" if several else where)
            for number, text in enumerate(found, 1)
        )
    )


def _severity(table: Mapping[str, Any], key: str, default: str, origin: str) -> str:
    return _one_of(LEVELS, text_of(table, key, default, origin), f"{origin}: {key}")


def _one_of(words: Sequence[str], word: str, origin: str) -> str:
    if word not in words:
        raise UsageError(f"{origin}: nothing is called {terminal(word, 60)!r}", remedy=nearest(word, words))
    return word
