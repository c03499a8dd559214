"""Functions that Spark calls in Python: those of all engines, and those for which its own words say something else.

Spark's `rlike` is Java's expressions, which backtrack; expressions of users are RE2's here, in linear time. `upper` of
Java makes two characters of one, `round` reads decimals, a double's text is not the shortest, and JSON is another one.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rolewatch.base.sanitise import encodable
from rolewatch.engines import spark_structures as structures
from rolewatch.engines.functions import FUNCTIONS
from rolewatch.patterns.regex import compiled
from rolewatch.plan import Type

WHOLE: Final = 1e15  # numbers below it are written without a fraction if they have none


def _matches(text: str, expression: str) -> bool:
    return compiled(expression).search(text.encode()) is not None


def _extract(text: str, expression: str, group: int) -> str | None:
    """Give what a group took of the first match: nothing where it took no part."""
    match = compiled(expression).search(text.encode())
    return None if match is None else str((match.group(group) or b"").decode())


def _extract_all(text: str, expression: str) -> str:
    """List all matches; one right behind another may be empty."""
    regex, data = compiled(expression), text.encode()
    found: list[str] = []
    place = 0
    while place <= len(data) and (match := regex.search(data, place)):
        start, end = match.span()
        found.append(data[start:end].decode())
        place = end if end > start else _behind(data, end)
    return structures.listed(found)


def _behind(data: bytes, place: int) -> int:
    """Give the place of the next character."""
    place += 1
    while place < len(data) and data[place] & 0xC0 == 0x80:
        place += 1
    return place


def _regex_replace(text: str, expression: str, replacement: str) -> str:
    """Replace all matches as RE2's GlobalReplace does: no empty one right behind another."""
    regex, data, parts = compiled(expression), text.encode(), _replacement(replacement)
    found: list[bytes] = []
    place, last = 0, -1
    while place <= len(data) and (match := regex.search(data, place)):
        start, end = match.span()
        found.append(data[place:start])
        if start == end == last:
            place = _behind(data, end)
            found.append(data[end:place])
            continue
        found += (part if type(part) is bytes else match.group(part) or b"" for part in parts)
        place = last = end
    return b"".join((*found, data[place:])).decode()


@lru_cache(maxsize=256)
def _replacement(text: str) -> tuple[bytes | int, ...]:
    r"""Read a replacement, in which `\1` stands for a group and `\\` for itself."""
    parts: list[bytes | int] = []
    first, *others = text.split("\\")
    parts.append(first.encode())
    rest = iter(others)
    for each in rest:
        if each:
            parts += (int(each[0]), each[1:].encode())
        else:
            parts.append(b"\\" + next(rest, "").encode())
    return tuple(parts)


def _upper(text: str) -> str:
    """Write capitals, one character for each: `ŉ` has none."""
    return text.upper() if text.isascii() else "".join(map(_capital, text))


@lru_cache(maxsize=4096)
def _capital(char: str) -> str:
    if char == "ß":
        return "ẞ"
    return next((each for each in (char.upper(), char.title()) if len(each) == 1), char)


def _lower(text: str) -> str:
    """Write small letters, one character for each."""
    return text.lower() if text.isascii() else "".join(char.lower()[0] for char in text)


def _text(number: float) -> str:
    return str(int(number)) if abs(number) < WHOLE and number == int(number) else repr(number)


def _rounded(number: float, digits: float = 0.0) -> float:
    """Round halves away from zero, as DuckDB does: what is rounded is the product with a power of ten."""
    places = int(max(min(digits, 15.0), -15.0))
    power = 10.0 ** abs(places)
    shifted = number / power if places < 0 else number * power
    if not math.isfinite(shifted):
        return number
    whole = math.trunc(shifted)
    rest = abs(shifted - whole)
    if rest == 0.5 and places > 0 and abs(Fraction(number) * 10**places) < abs(Fraction(shifted)):
        rest = 0.0  # it was the product that was rounded up to a half
    if rest >= 0.5:
        whole += 1 if shifted > 0 else -1
    found = whole * power if places < 0 else whole / power
    return found if math.isfinite(found) else 0.0


def _split(text: str, separator: str) -> str:
    return structures.listed(text.split(separator) if separator else list(text) or [""])


class Function(NamedTuple):
    """A function and the type that Spark has for what it gives; `nulls` if it is called with missing values."""

    call: Callable[..., Any]
    type: str
    nulls: bool = False


_TYPES: Final = {Type.NUMBER: "double", Type.TIME: "bigint", Type.TRUTH: "boolean", Type.TEXT: "string"}
IN_PYTHON: Final = {
    **{name: Function(function.call, _TYPES[function.type]) for name, function in FUNCTIONS.items()},
    "matches": Function(_matches, "boolean"),
    "extract": Function(_extract, "string"),
    "extract_all": Function(_extract_all, "string"),
    "regexreplace": Function(_regex_replace, "string"),
    "toupper": Function(_upper, "string"),
    "tolower": Function(_lower, "string"),
    "text_of_number": Function(_text, "string"),
    "round": Function(_rounded, "double"),
    "split": Function(_split, "string"),
    "jsonparse": Function(structures.parse, "string"),
    "jsonstringify": Function(structures.stringify, "string"),
    "jsonarraysize": Function(structures.size, "double"),
    "jsonarraycontains": Function(structures.holds, "boolean"),
    "leaf": Function(structures.leaf, "string"),
    "inside": Function(structures.inside, "string"),
    "elements": Function(structures.elements, "array<string>", nulls=True),
}


class Called:
    """A function by its name, which is all that travels to the executors; missing in, missing out."""

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name

    def __call__(self, *arguments: Any) -> Any:
        """Call it; halves of characters, which Spark cannot hold, are replaced."""
        function = IN_PYTHON[self.name]
        if None in arguments and not function.nulls:
            return None
        found = function.call(*arguments)
        return encodable(found) if type(found) is str else found
