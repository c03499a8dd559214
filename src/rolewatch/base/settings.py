"""Settings from rolewatch.toml and the environment, as words with the place they come from.

What a word means is decided where the option is known; here it is only found. A key at the top of the file is for
every command that has such an option, a key in a table named after a command for that command only.
"""

import difflib
import tomllib
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError

NAME = "rolewatch.toml"


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
    command line. Raises UsageError for a file that does not exist (if it was named) or makes no sense.
    """
    found = _from_file(command, names, environ, known, file)
    for name in names:
        word = environ.get(variable(name))
        if word is not None:
            found[name] = Setting([word], variable(name))
    return found


def place(environ: Mapping[str, str], file: str | None = None) -> tuple[Path | None, bool]:
    """Give the settings file to read (None: there is none), and whether somebody named it."""
    named = file or environ.get("ROLEWATCH_CONFIG")
    if named:
        return Path(named), True
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    places = [Path(NAME), *([Path(home) / "rolewatch" / NAME] if home else [])]
    return next((path for path in places if path.is_file()), None), False


def _from_file(
    command: str,
    names: Collection[str],
    environ: Mapping[str, str],
    known: Mapping[str, Collection[str]],
    file: str | None,
) -> dict[str, Setting]:
    path, _ = place(environ, file)
    if path is None:
        return {}
    content = _read(path)
    everywhere = {name for command_names in known.values() for name in command_names}
    found: dict[str, Setting] = {}
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    for key, value in content.items():
        if key not in tables:
            _check(key, everywhere, f"{path}", {*known, *everywhere})
            if key in names:
                found[key] = Setting(_words(value, f"{path}: {key}"), f"{path}: {key}")
    for table, keys in tables.items():
        _check(table, known, f"{path}", known)
        for key, value in keys.items():
            _check(key, known[table], f"{path}: [{table}]", known[table])
            if table == command and key in names:
                found[key] = Setting(_words(value, f"{path}: {table}.{key}"), f"{path}: {table}.{key}")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}", remedy="check --config and ROLEWATCH_CONFIG"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def _check(key: str, allowed: Collection[str], where: str, nearest: Collection[str]) -> None:
    if key not in allowed:
        close = difflib.get_close_matches(key, nearest, 1)
        raise UsageError(
            f"{where}: nothing is called {key!r}", remedy=f"did you mean {close[0]!r}?" if close else None
        )


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
