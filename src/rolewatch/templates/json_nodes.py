"""JSON text in, nodes out, with the offset of every value; YAML's parsers refuse some JSON (tabs, long keys, surrogate escapes)."""

import json
import re

from rolewatch.templates.nodes import DEEPEST, MOST, PLAIN, Entry, Mapping, Node, Scalar, Sequence
from rolewatch.templates.source import Source
from rolewatch.templates.yaml_nodes import check_unique

_SPACE = re.compile(r"[ \t\r\n]*+")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"')
_LITERAL = re.compile(r"true\b|false\b|null\b|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")


def json_nodes(source: Source) -> Node:
    """Parse JSON; TemplateError with the place of what is wrong."""
    reader = _Reader(source)
    root = reader.value(0)
    reader.space()
    if reader.at < len(source.text):
        raise reader.wrong("the end of the file")
    return root


class _Reader:
    """Reads from `at` on."""

    def __init__(self, source: Source) -> None:
        self.at = 0
        self._source = source
        self._text = source.text
        self._total = 0

    def space(self) -> str:
        """Go past white space, and return the character that comes then."""
        found = _SPACE.match(self._text, self.at)
        self.at = found.end() if found else self.at
        return self._text[self.at : self.at + 1]

    def wrong(self, wanted: str) -> Exception:
        """Make the error for what stands here instead of what is wanted."""
        return self._source.error(
            f"Template format error: JSON not well-formed: {wanted} is wanted here", self.at
        )

    def value(self, depth: int) -> Node:
        """Read a value."""
        first = self.space()
        self._total += 1
        if self._total > MOST:
            raise self._source.error(f"more than {MOST:,} values", self.at, remedy="split the file")
        if first and first in "{[":
            if depth >= DEEPEST:
                raise self._source.error(f"nested more than {DEEPEST} levels deep", self.at)
            return self._mapping(depth) if first == "{" else self._sequence(depth)
        if first == '"':
            return self._string("a value")
        found = _LITERAL.match(self._text, self.at)
        if not found:
            raise self.wrong("a value")
        self.at = found.end()
        return Scalar(found[0], found.start(), found.end(), PLAIN)

    def _string(self, wanted: str) -> Scalar:
        found = _STRING.match(self._text, self.at)
        if not found:
            raise self.wrong(wanted if self._text[self.at : self.at + 1] != '"' else "a text that ends")
        text = found[0][1:-1]
        if "\\" in text:
            try:
                text = json.loads(found[0])
            except ValueError as error:
                self.at += getattr(error, "pos", 0)
                raise self.wrong("an escape of JSON") from None
        self.at = found.end()
        return Scalar(text, found.start(), found.end(), '"')

    def _sequence(self, depth: int) -> Sequence:
        start, items = self.at, []
        self.at += 1
        if self.space() != "]":
            items.append(self.value(depth + 1))
            while self._goes_on("]"):
                items.append(self.value(depth + 1))
        self.at += 1
        return Sequence(tuple(items), start)

    def _mapping(self, depth: int) -> Mapping:
        start = self.at
        entries: dict[str, Entry] = {}
        self.at += 1
        if self.space() != "}":
            self._entry(entries, depth)
            while self._goes_on("}"):
                self._entry(entries, depth)
        self.at += 1
        return Mapping(entries, start)

    def _goes_on(self, close: str) -> bool:
        """Go past a comma; False at the end of the list or mapping."""
        after = self.space()
        if after == ",":
            self.at += 1
            return True
        if after != close:
            raise self.wrong(f"a comma or {close!r}")
        return False

    def _entry(self, entries: dict[str, Entry], depth: int) -> None:
        self.space()
        key = self._string("a key in double quotes")
        check_unique(self._source, key, entries)
        if self.space() != ":":
            raise self.wrong("a colon")
        self.at += 1
        entries[key.text] = Entry(key, self.value(depth + 1))
