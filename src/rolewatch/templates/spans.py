"""A character of a text in; the offset at which it is written in the file, through quotes, escapes, folding and indentation, out."""

import re
from collections.abc import Callable
from itertools import takewhile

from rolewatch.templates.nodes import GIVEN, PLAIN, Scalar

_PROPERTIES = re.compile(r"(?:[!&][^\s,\[\]{}]*\s+)+")
_SPACE = re.compile(r"[ \t\r\n]+")
_ORDINARY = re.compile(r"""[^ \t\r\n\\'"]+""")  # characters that stand for themselves in every style
_ONE_BREAK = re.compile(r"\r\n?|\n")
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(?:\r\n?|\n)([ \t]*(?:(?:\r\n?|\n)[ \t]*)*)|(.))",
    re.DOTALL,
)
_HEADER = re.compile(r"[|>]([-+1-9]*)[^\r\n]*(?:\r\n?|\n)?")
_LINE = re.compile(r"([^\r\n]*)(\r\n?|\n|$)")
_NAMED = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
          "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}  # fmt: skip

Written = list[tuple[str, int]]  # characters, each with the offset at which it is written


def written(text: str, start: int, end: int) -> tuple[int, int]:
    """Give where a scalar itself is written: behind its tag and anchor."""
    before = _PROPERTIES.match(text, start, end) if text[start : start + 1] in ("!", "&") else None
    return (before.end() if before else start), end


def offset_in(text: str, scalar: Scalar, position: int) -> int:
    """Give the offset of a scalar's character number `position` in the file's text; its start where that cannot be told.

    It can be told as long as what comes before it is written there: not behind a `${…}` of `Fn::Sub`.
    """
    found = offsets(text, scalar)
    return found[position] if position < len(found) else scalar.start


def offsets(text: str, scalar: Scalar) -> list[int]:
    """Give the offsets in the file's text of a scalar's characters, and of its end, as far as they can be told."""
    reader = _READERS.get(scalar.style)
    characters = reader(text, scalar.start, scalar.end) if reader else []
    if not characters:
        return []
    shown = "".join(character for character, _ in characters)
    same = len(scalar.text)
    if not shown.startswith(scalar.text):
        pairs = zip(shown, scalar.text, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return [*(offset for _, offset in characters), characters[-1][1] + 1][: same + 1]


def _flow(text: str, at: int, end: int, special: Callable[[str, int], tuple[str, int] | None]) -> Written:
    """Read a text whose line breaks are folded: one is a space, each further one a line break."""
    found: Written = []
    while at < end:
        space = _SPACE.match(text, at, end)
        if space:
            breaks = len(_ONE_BREAK.findall(space[0]))
            shown = space[0] if not breaks else " " if breaks == 1 else "\n" * (breaks - 1)
            found += [(character, at + (0 if breaks else number)) for number, character in enumerate(shown)]
            at = space.end()
            continue
        ordinary = _ORDINARY.match(text, at, end)
        if ordinary:
            found += zip(ordinary[0], range(at, end), strict=False)
            at = ordinary.end()
            continue
        escape = special(text, at)
        characters, after = escape or (text[at], at + 1)
        found += [(character, at) for character in characters]
        at = after
    return found


def _plain(text: str, start: int, end: int) -> Written:
    return _flow(text, start, end, lambda _text, _at: None)


def _single(text: str, start: int, end: int) -> Written:
    return _flow(
        text, start + 1, end - 1, lambda text, at: ("'", at + 2) if text.startswith("''", at) else None
    )


def _double(text: str, start: int, end: int) -> Written:
    return _flow(text, start + 1, end - 1, _escaped)


def _escaped(text: str, at: int) -> tuple[str, int] | None:
    found = _ESCAPE.match(text, at)
    if not found:
        return None
    code = found[1] or found[2] or found[3]
    if code:
        return _character(text, int(code, 16), found.end())
    if found[4] is not None:  # a line break that counts for nothing; the empty lines behind it do count
        return "\n" * len(_ONE_BREAK.findall(found[4])), found.end()
    return _NAMED.get(found[5], found[5]), found.end()


def _character(text: str, code: int, after: int) -> tuple[str, int]:
    """Give the character of a code; JSON writes one beyond the sixteenth bit as two."""
    second = _ESCAPE.match(text, after) if 0xD800 <= code < 0xDC00 else None
    low = int(second[2], 16) if second and second[2] else 0
    if second and 0xDC00 <= low < 0xE000:
        return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), second.end()
    return (chr(code) if code <= 0x10FFFF else "\ufffd"), after


def _block(text: str, start: int, end: int) -> list[tuple[str, int]] | None:
    """Give the lines of a block without their indentation, each with its offset; None where there is none."""
    header = _HEADER.match(text, start, end)
    if not header:
        return None
    lines = [(found[1], found.start()) for found in _LINE.finditer(text, header.end(), end) if found[0]]
    indents = [len(line) - len(line.lstrip(" ")) for line, _ in lines if line.strip(" ")]
    if not indents or any(char.isdigit() for char in header[1]):
        return None
    return [(line[indents[0] :], offset + min(indents[0], len(line))) for line, offset in lines]


def _literal(text: str, start: int, end: int) -> Written:
    found: Written = []
    for line, offset in _block(text, start, end) or []:
        found += [(character, offset + number) for number, character in enumerate(line)]
        found.append(("\n", offset + len(line)))
    return found


def _folded(text: str, start: int, end: int) -> Written:
    """Read a folded block: a line break between two lines is a space, unless one of them is indented or empty."""
    found: Written = []
    previous, empty = "", 0  # the last line with anything in it, and how many empty ones came after it
    for number, (line, offset) in enumerate(_block(text, start, end) or []):
        if not line:
            empty += 1
            continue
        indented = line[0] in " \t" or previous[:1] in (" ", "\t")
        if number and previous:
            separator = "\n" * (empty + 1) if indented else "\n" * empty or " "
            found += [(character, offset - 1) for character in separator]
        else:
            found += [("\n", offset - 1)] * empty
        found += [(character, offset + place) for place, character in enumerate(line)]
        previous, empty = line, 0
    last = found[-1][1] + 1 if found else start
    return found + [("\n", last)] * (empty + 1)


_READERS: dict[str, Callable[[str, int, int], Written] | None] = {
    PLAIN: _plain,
    "'": _single,
    '"': _double,
    "|": _literal,
    ">": _folded,
    GIVEN: None,
}
