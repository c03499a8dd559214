"""The tables of rolewatch.toml about notifications, as they stand there, and what their values have in common.

What they mean is decided in `notify/`. `${NAME}` in an address stands for an environment variable, so that no secret has
to be written into the file; and no error shows an address, since it may hold one.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.base.settings import ACTIONS, QUIET, RATE, ROUTE, check_key, check_shape, content_of, place

_VARIABLE: Final = re.compile(r"\$(?:\$|\{([^}]*)(\}?))")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Tables(NamedTuple):
    """The tables, empty where there is none, and the path of the file, None without one."""

    routes: list[dict[str, Any]]
    quiet: dict[str, Any]
    rate: dict[str, Any]
    actions: dict[str, Any]
    path: str | None


def notification_tables(environ: Mapping[str, str], file: str | None = None) -> Tables:
    """Read the tables from the settings file that counts; UsageError for a file that makes no sense."""
    path = place(environ, file)
    content = {} if path is None else content_of(path)
    for name in (ROUTE, QUIET, RATE, ACTIONS):
        if name in content:
            check_shape(name, content[name], path or "")
    return Tables(
        content.get(ROUTE, []), content.get(QUIET, {}), content.get(RATE, {}), content.get(ACTIONS, {}), path
    )


def check_keys(table: Mapping[str, Any], allowed: Collection[str], origin: str) -> None:
    """Raise UsageError that names the first key of a table that is not allowed, and the nearest that is."""
    for key in table:
        check_key(key, allowed, origin, ())


def text_of(table: Mapping[str, Any], key: str, default: str, origin: str) -> str:
    """Give the text of a key; UsageError that names the key for anything else."""
    value = table.get(key, default)
    if not isinstance(value, str):
        raise UsageError(f"{origin}: {terminal(key, 100)}: a text in quotes is wanted here")
    return value


def texts_of(table: Mapping[str, Any], key: str, origin: str) -> tuple[str, ...]:
    """Give the texts of a key, of which one may stand alone and none is the same as an empty list; UsageError as above."""
    value = table.get(key, [])
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in values):
        raise UsageError(
            f"{origin}: {terminal(key, 100)}: a text in quotes, or a list of them, is wanted here"
        )
    return tuple(values)


def switch_of(table: Mapping[str, Any], key: str, origin: str, *, default: bool) -> bool:
    """Give the switch of a key; UsageError that names the key for anything else."""
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise UsageError(f"{origin}: {key}: true or false is wanted here")
    return value


def address(text: str, environ: Mapping[str, str], origin: str) -> str:
    """Give an address with `${NAME}` replaced from the environment, and `$$` by a dollar sign.

    UsageError that names the variable if it is not set or empty, and for what is no address.
    """

    def replaced(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name = found[1].strip()
        if not found[2] or not _NAME.fullmatch(name):
            raise UsageError(
                f"{origin}: after ${{, the name of a variable and }} are wanted",
                remedy="write ${NAME}, or $$ for a dollar sign",
            )
        value = environ.get(name)
        if not value:
            raise UsageError(
                f"{origin}: the environment variable {name} is not set",
                remedy="set it, or write the address without it",
            )
        return value

    found = _VARIABLE.sub(replaced, text).strip()
    if not _SCHEME.match(found):
        raise UsageError(
            f"{origin}: an address with a scheme is wanted here",
            remedy="write such as https://… or slack://…",
        )
    return found
