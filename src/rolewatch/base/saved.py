"""The table `[queries]` of rolewatch.toml: texts by their names, read, and changed in place.

All else in the file stays to the letter: its comments, its order, the ends of its lines.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.base.settings import MOST, QUERIES, content_of, home_of, place

#: Strings, comments, brackets and ends of lines: all that tells where a statement ends.
_TOKEN: Final = re.compile(
    r'(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\n)",
    re.DOTALL,
)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_LITERAL: Final = re.compile(r"[^'\x00-\x1f\x7f]*")  # what may stand between apostrophes
_LINES: Final = re.compile(r"(?:[^'\x00-\x08\x0b-\x1f\x7f]|'(?!''))*(?<!')")  # between three of them


class _Statement(NamedTuple):
    """A header, or a key and its value, with all lines it takes; `value` is where its last string stands, if any."""

    start: int
    end: int
    value: tuple[int, int] | None


def saved_queries(environ: Mapping[str, str], file: str | None = None) -> tuple[dict[str, str], str | None]:
    """Give the texts by name, and the path of the settings file that is read; UsageError for what is no text."""
    path = place(environ, file)
    return ({}, None) if path is None else (_queries(content_of(path), path), path)


def save_query(
    name: str, text: str, environ: Mapping[str, str], file: str | None = None, *, replace: bool = False
) -> tuple[str, bool]:
    """Keep a text in the settings file that is read, else in the user's, which is made where there is none.

    Returns the file's path, and whether it was changed. A file is replaced as a whole. UsageError for a name that has
    another text already, unless that is to be replaced.
    """
    path = place(environ, file) or home_of(environ)
    there = os.path.exists(path)  # noqa: PTH110 - exists() raises where a folder must not be looked into
    if there and not os.path.isfile(path):  # noqa: PTH113 - as above
        raise UsageError(f"{path} is no file in which a query could be kept", remedy="name one with --config")
    before = _queries(content_of(path), path).get(name) if there else None
    if before == text:
        return path, False
    if before is not None and not replace:
        raise UsageError(
            f"{path} has another query called {name!r}", remedy="write --replace to put this one in its place"
        )
    try:
        old = Path(path).read_bytes().decode() if there else ""
        new = with_query(old, name, text, path)
        if len(new.encode()) > MOST:
            raise UsageError(f"{path} would be larger than 64 KiB, which no settings file is")
        _replace(path, new)
    except OSError as error:
        raise CannotDo(f"cannot write {path}: {error.strerror or error}") from None
    return path, True


def with_query(content: str, name: str, text: str, path: str) -> str:
    """Give the content of a settings file with a text by a name; UsageError where no program can put it in."""
    end = "\r\n" if "\r\n" in content else "\n"
    made = _made(content, name, text, end)
    if made is None or _parsed(made) != _expected(content, name, text):
        raise UsageError(
            f"{path}: the queries there cannot be changed", remedy=f"write them below a line [{QUERIES}]"
        )
    return made


def _made(content: str, name: str, text: str, end: str) -> str | None:
    """Write a text over the old one of its name, else behind the last of the table, else into a new table."""
    table: tuple[str, ...] = ()
    last: int | None = None
    line = f"{_key(name)} = {_value(text, end)}{end}"
    for statement in _statements(content):
        found = _parsed(content[statement.start : statement.end])
        if _is_header(content, statement):
            table = _path(found)
        elif table + _path(found) == (QUERIES, name) and statement.value:
            start, stop = statement.value
            return content[:start] + _value(text, end) + content[stop:]
        if found and table == (QUERIES,):
            last = statement.end
    if last is not None:
        before = content[:last]
        return before + ("" if before.endswith("\n") else end) + line + content[last:]
    if QUERIES in _parsed(content):  # by keys with dots, which have to stand before all tables
        mark = "\ufeff" if content.startswith("\ufeff") else ""
        return f"{mark}{QUERIES}.{line}{content.removeprefix(mark)}"
    gap = "" if not content.strip("\ufeff\r\n") else end if content.endswith("\n") else end * 2
    return f"{content}{gap}[{QUERIES}]{end}{line}"


def _statements(content: str) -> Iterator[_Statement]:
    """Yield the statements of a file that TOML can read."""
    start = 1 if content.startswith("\ufeff") else 0
    depth, value = 0, None
    for token in _TOKEN.finditer(content, start):
        match token.lastgroup:
            case "string":
                value = token.span()
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "end" if not depth:
                yield _Statement(start, token.end(), value)
                start, value = token.end(), None
    if start < len(content):
        yield _Statement(start, len(content), value)


def _is_header(content: str, statement: _Statement) -> bool:
    return content[statement.start : statement.end].lstrip(" \t").startswith("[")


def _path(found: dict[str, Any]) -> tuple[str, ...]:
    """Give the keys that a statement names, one within the other."""
    path: tuple[str, ...] = ()
    node: Any = found
    while isinstance(node, dict) and len(node) == 1:
        ((key, node),) = node.items()
        path += (key,)
    return path


def _parsed(content: str) -> dict[str, Any]:
    """Read TOML; nothing, where it is none."""
    import tomllib  # noqa: PLC0415 - most calls save nothing

    try:
        return tomllib.loads(content.removeprefix("\ufeff"))
    except ValueError:
        return {}


def _expected(content: str, name: str, text: str) -> dict[str, Any]:
    found = _parsed(content)
    return found | {QUERIES: found.get(QUERIES, {}) | {name: text}}


def _queries(content: dict[str, Any], path: str) -> dict[str, str]:
    """Give the texts of the table."""
    found = content.get(QUERIES, {})
    for name, text in found.items():
        if not isinstance(text, str):
            raise UsageError(f"{path}: {QUERIES}.{name}: a query is a text in quotes")
    return dict(found)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _value(text: str, end: str) -> str:
    """Write a text as TOML, with as few escapes as can be."""
    if _LITERAL.fullmatch(text):
        return f"'{text}'"
    if "\n" in text and _LINES.fullmatch(text):
        return f"'''{end}{text.replace(chr(10), end)}'''"
    return _quoted(text)


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    return _ESCAPES.get(sign) or (f"\\u{ord(sign):04x}" if sign < " " or sign == "\x7f" else sign)


def _replace(path: str, content: str) -> None:
    """Write a file whole, or leave the old one; what a link points to is replaced, not the link."""
    import tempfile  # noqa: PLC0415 - takes a while, and most calls save nothing

    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".rolewatch-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content.encode())
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            Path(name).chmod(target.stat().st_mode & 0o777)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
