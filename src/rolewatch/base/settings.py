"""Settings from rolewatch.toml and the environment, as words with the place they come from.

What a word means is decided where the option is known; here it is only found. A key at the top of the file is for
every command that has such an option, a key in a table named after a command for that command only. Some tables have no
options: `[queries]` is for `base/saved.py`, those about notifications are for `base/tables.py`.
"""

import os
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError

NAME = "rolewatch.toml"
QUERIES = "queries"
ROUTE, QUIET, RATE, ACTIONS = "route", "quiet", "rate", "actions"
#: Tables that have no options of a command, each with how it is written.
TABLES: Final[Mapping[str, str]] = {
    QUERIES: "write queries under [queries], NAME = 'QUERY'",
    ROUTE: "write each route under a line [[route]] of its own",
    QUIET: "write quiet times under [quiet], times = ['22:00-07:00']",
    RATE: "write the rate under [rate], limit = '20/10m'",
    ACTIONS: "write actions under [actions], NAME = 'URL'",
}
MOST = 64 * 1024  # bytes of a settings file; dotted keys of any length take tomllib quadratic time


class Setting(NamedTuple):
    """The words of a setting, and where they stand (`ROLEWATCH_SINCE`, `rolewatch.toml: scan.since`)."""

    words: list[str]
    origin: str


def variable(name: str) -> str:
    """Name the environment variable of an option."""
    return f"ROLEWATCH_{name.replace('-', '_').upper()}"


def settings(
    command: str,
    names: Collection[str],
    environ: Mapping[str, str],
    *,
    known: Mapping[str, Collection[str]],
    file: str | None = None,
) -> dict[str, Setting]:
    """Find what is set for the options `names` of a command; the environment goes before the file.

    `known` has the option names of every command, so that a misspelled key is an error. `file` was named on the
    command line. A variable that is empty counts as not set. Raises UsageError for a file that does not exist (if it
    was named) or makes no sense.
    """
    found = _from_file(command, names, environ, known, file)
    for name in names:
        word = environ.get(variable(name))
        if word:
            found[name] = Setting([word], variable(name))
    return found


def place(environ: Mapping[str, str], file: str | None = None) -> str | None:
    """Give the path of the settings file to read, None if there is none.

    It is the one that was named (by `file`, else by ROLEWATCH_CONFIG), else rolewatch.toml in the current folder, else
    the user's (XDG Base Directory Specification).
    """
    named = file or environ.get("ROLEWATCH_CONFIG")
    if named:
        return named
    for path in (NAME, home_of(environ)):
        if os.path.isfile(path):  # noqa: PTH113 - is_file() raises where a folder must not be looked into
            return path
    return None


def kept_at(environ: Mapping[str, str], name: str) -> str:
    """Give the folder of what is kept under a name, `state` or `lake` (XDG Base Directory Specification)."""
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~", ".local", "state").expanduser()
    return os.fspath(Path(base, "rolewatch", name))


def home_of(environ: Mapping[str, str]) -> str:
    """Give the path of the user's own settings file, whether there is one or not."""
    home = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not home.is_absolute():  # which the specification says to ignore
        home = Path(environ.get("HOME") or "/", ".config")
    return str(home / "rolewatch" / NAME)


def _from_file(
    command: str,
    names: Collection[str],
    environ: Mapping[str, str],
    known: Mapping[str, Collection[str]],
    file: str | None,
) -> dict[str, Setting]:
    path = place(environ, file)
    if path is None:
        return {}
    content = content_of(path)
    everywhere = {name for command_names in known.values() for name in command_names}
    found: dict[str, Setting] = {}
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    own = {*known, *TABLES}
    for key, value in content.items():
        if key in TABLES:
            check_shape(key, value, path)
        if key in tables or key in TABLES:
            continue
        if key in known and key not in everywhere:  # `notify` is both
            raise UsageError(
                f"{path}: {key} is the name of a command", remedy=f"write its options under [{key}]"
            )
        if key not in everywhere and _are_tables(value):
            check_key(key, own, path, everywhere)
        check_key(key, everywhere, path, own)
        if key in names:
            found[key] = Setting(_words(value, f"{path}: {key}"), f"{path}: {key}")
    for table, keys in tables.items():
        if table in TABLES:
            continue
        check_key(table, own, path, everywhere)
        for key, value in keys.items():
            check_key(key, known[table], f"{path}: [{table}]", ())
            if table == command and key in names:
                found[key] = Setting(_words(value, f"{path}: {table}.{key}"), f"{path}: {table}.{key}")
    return found


def content_of(path: str) -> dict[str, Any]:
    """Read a settings file; UsageError for one that cannot be read, or is no TOML."""
    import tomllib  # noqa: PLC0415 - most calls have no settings file

    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST + 1)
        if len(content) > MOST:
            raise UsageError(f"{path}: larger than 64 KiB, which no settings file is")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}", remedy="check --config and ROLEWATCH_CONFIG"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start})", remedy="save it as UTF-8") from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    except ValueError as error:  # what TOML does not allow, a NUL byte in the path
        raise UsageError(f"{path}: {error}") from None


def check_shape(name: str, value: Any, path: str) -> None:
    """Raise UsageError where what has the name of one of `TABLES` is no table, or no list of tables."""
    if name == ROUTE:
        if not _are_tables(value):
            raise UsageError(f"{path}: {name} is a list of tables", remedy=TABLES[name])
    elif not isinstance(value, dict):
        raise UsageError(f"{path}: {name} is a table", remedy=TABLES[name])


def check_key(key: str, allowed: Collection[str], where: str, others: Collection[str]) -> None:
    """Raise UsageError for a key that is not allowed, with the nearest of those that are, else of the others."""
    if key in allowed:
        return
    import difflib  # noqa: PLC0415 - only where a word is wrong

    close = difflib.get_close_matches(key, allowed, 1) or difflib.get_close_matches(key, others, 1)
    raise UsageError(
        f"{where}: nothing is called {key!r}", remedy=f"did you mean {close[0]!r}?" if close else None
    )


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _words(value: Any, origin: str) -> list[str]:
    """Spell a value of the file as it would be typed."""
    if isinstance(value, list):
        return [word for item in value for word in _words(item, origin)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (datetime, date, time)):
        return [value.isoformat()]
    if isinstance(value, (str, int, float)):
        return [str(value)]
    raise UsageError(f"{origin}: a text, a number, true, false or a list of them is wanted here")
