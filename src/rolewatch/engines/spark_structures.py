"""Structures in Python, to the letter as DuckDB has them: its JSON reader and writer, where Spark's differ from them.

Nearly JSON is read as well (`[NaN, 1,]`), and numbers lose their spelling when they are taken out (docs/insights.md).
What was read is a tree of lists, Objects and leaves; a leaf is the bytes that it is written as.
"""

import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"[ \t\n\r]*(?:"
    r"(?P<sign>[\[\]{},:])"
    r'|(?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?P<real>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))(?![0-9.eE+-])"
    r"|(?P<word>true|false|null)"
    r"|(?P<other>(?i:-?(?:nan|inf(?:inity)?)))"
    r")"
)
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_ESCAPED: Final = {
    **{chr(code): f"\\u{code:04X}" for code in range(0x20)},
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
}  # fmt: skip
_TO_ESCAPE: Final = re.compile(r'["\\\x00-\x1f]')
_LONE: Final = re.compile("[\ud800-\udfff]")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_LEAST, _MOST = -5, 21  # places of the point, from the first digit on, that are written without an exponent


class Leaf(str):
    """A leaf as it is written: a string with its quotes, a number, a word."""

    __slots__ = ()


class Object(list[tuple[str, Any]]):
    """The members of an object, of which two may have one name."""


Node = Leaf | Object | list[Any]


class _NoJsonError(ValueError):
    """A text that is none."""


@lru_cache(maxsize=256)
def read(text: str) -> Node | None:
    """Read a text; None if it is no JSON."""
    try:
        found, end = _read(text)
    except (_NoJsonError, IndexError):
        return None
    return found if _BLANK.fullmatch(text, end) else None


def _read(text: str) -> tuple[Node, int]:
    """Read one value, without recursion: somebody may have written ten thousand brackets."""
    open_: list[Any] = []
    names: list[str | None] = []  # of the members that are read just now
    place = 0
    may_end = False  # a bracket may close here
    while True:
        token = _TOKEN.match(text, place)
        if token is None:
            raise _NoJsonError
        place = token.end()
        sign = token["sign"]
        if sign in ("[", "{"):
            open_.append([] if sign == "[" else Object())
            names.append(None)
            may_end = True
        elif sign in ("]", "}"):
            if not may_end or (sign == "}") is not isinstance(open_[-1], Object) or names[-1] is not None:
                raise _NoJsonError
            node = open_.pop()
            names.pop()
            if not open_:
                return node, place
            place, may_end = _put(open_, names, node, text, place)
        elif sign:
            raise _NoJsonError
        elif open_ and isinstance(open_[-1], Object) and names[-1] is None:
            if token["text"] is None:
                raise _NoJsonError
            names[-1] = _string(token["text"])
            colon = _BLANK.match(text, place).end()  # type: ignore[union-attr] # it matches nothing as well
            if text[colon] != ":":
                raise _NoJsonError
            place, may_end = colon + 1, False
        else:
            leaf = _leaf_of(token)
            if not open_:
                return leaf, place
            place, may_end = _put(open_, names, leaf, text, place)


def _put(open_: list[Any], names: list[str | None], node: Node, text: str, place: int) -> tuple[int, bool]:
    """Put a value where it belongs; returns what comes behind it, and a comma if there is one."""
    if names[-1] is None:
        open_[-1].append(node)
    else:
        open_[-1].append((names[-1], node))
        names[-1] = None
    after = _BLANK.match(text, place).end()  # type: ignore[union-attr] # it matches nothing as well
    if text[after] == ",":
        return after + 1, True
    if text[after] not in "]}":
        raise _NoJsonError
    return after, True


def _leaf_of(token: re.Match[str]) -> Leaf:
    if token["text"] is not None:
        return Leaf(_quoted(_string(token["text"])))
    if token["number"] is not None:
        return Leaf(
            _number(token["number"]) if token["real"] else "0" if token["number"] == "-0" else token["number"]
        )
    return Leaf(token["word"] or token["other"])


def _string(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    found: str = json.loads(token)
    if _LONE.search(found):
        raise _NoJsonError  # half of a character
    return found


def _quoted(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], text)}"'


def _number(token: str) -> str:
    """Write a number with a fraction or exponent in the shortest way; one that no double holds as it is."""
    value = float(token)
    if not math.isfinite(value):
        return token
    if value == 0:
        return "-0.0" if token.startswith("-") else "0.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    written = "".join(map(str, digits))
    point = len(written) + exponent
    minus = "-" if sign else ""
    if 0 < point <= _MOST:
        whole, fraction = written[:point].ljust(point, "0"), written[point:]
        return f"{minus}{whole}.{fraction or '0'}"
    if _LEAST <= point <= 0:
        return f"{minus}0.{'0' * -point}{written}"
    mantissa = written[0] + (f".{written[1:]}" if written[1:] else "")
    return f"{minus}{mantissa}e{point - 1}"


def write(node: Any) -> str:
    """Write what was read without blanks."""
    parts: list[str] = []
    pending: list[Any] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            parts.append(each)
        elif isinstance(each, Object):
            pending.append("}")
            for number in range(len(each) - 1, -1, -1):
                name, value = each[number]
                pending += (value, f"{',' if number else ''}{_quoted(name)}:")
            pending.append("{")
        else:
            pending.append("]")
            for number in range(len(each) - 1, -1, -1):
                pending += (each[number], "," if number else "")
            pending.append("[")
    return "".join(parts)


def leaf_of(node: Any) -> str | None:
    """Give the text of a leaf, as records' are; None for all else."""
    if not isinstance(node, Leaf):
        return None
    if node.startswith('"'):
        found: str = json.loads(node)
        return found
    return {"null": None, "true": "1", "false": "0"}.get(node, str(node))


def parse(text: str) -> str | None:
    """Give a text that is an object or array."""
    return None if isinstance(read(text), Leaf | None) else text


def stringify(structure: str) -> str | None:
    """Write an object or array."""
    node = read(structure)
    return None if isinstance(node, Leaf | None) else write(node)


def size(structure: str) -> float | None:
    """Count the elements of an array."""
    node = read(structure)
    return float(len(node)) if type(node) is list else None


def holds(structure: str, text: str) -> bool:
    """Whether a leaf in an array is a text."""
    node = read(structure)
    return type(node) is list and any(leaf_of(each) == text for each in node)


def leaf(structure: str) -> str | None:
    """Give the text of what was reached in a structure, if it is a leaf."""
    return leaf_of(read(structure))


def inside(structure: str, *steps: str) -> str | None:
    """Give what stands at some steps into a structure."""
    node: Any = read(structure)
    for step in steps:
        if isinstance(node, Object):
            node = next((value for name, value in node if name == step), None)
        elif type(node) is list and _INDEX.fullmatch(step) and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return None if node is None else write(node)


def elements(structure: str | None) -> list[str | None]:
    """Give the elements of an array; all else is its own only one."""
    node = None if structure is None else read(structure)
    return [write(each) for each in node] if type(node) is list else [structure]


def listed(texts: Sequence[str]) -> str:
    """Write a list of texts."""
    return f"[{','.join(map(_quoted, texts))}]"
