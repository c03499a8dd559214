"""Lines of advice in; the same lines as a JSON file has them out: in quotes, with the comma where there is one."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from rolewatch.lint.advice import Advice
from rolewatch.templates.document import Document
from rolewatch.templates.nodes import Entry, Mapping, Node, Scalar, Sequence

_LITERAL = re.compile(r"-?[0-9][0-9.e+-]*|true|false")
_COMMA = re.compile(r"\s*,")


class _Pair(NamedTuple):
    """A key and a value that is a text."""

    key: Scalar
    value: Scalar


def as_written(advice: Advice, reached: Entry | None, document: Document) -> Advice:
    """Write the old and the new line of a property as its file does; `reached` is the property, None where it is a default.

    Lines of YAML, and patterns, are as they should be.
    """
    if advice.span is not None or next(iter(document.root.entries.values())).key.style != '"':
        return advice
    pair = next(_written(reached, advice.old), None) if reached and advice.old else None
    text = document.source.text
    old = advice.old and _line(advice.old, pair, text)
    if pair:
        old = text[pair.key.start : pair.value.end] + _comma(pair, text)
    return advice._replace(old=old, fix=advice.fix and _line(advice.fix, pair, text))


def _written(reached: Entry, line: str) -> Iterator[_Pair]:
    """Yield the property that a line is about, with a value that is a text: the one reached, or one below it."""
    name, value = line.split(": ", 1)
    names = (name, _in_description(name))
    if reached.key.text in names and isinstance(reached.value, Scalar):
        yield _Pair(reached.key, reached.value)
    for key, found in _entries(reached.value):
        if key.text in names and isinstance(found, Scalar) and found.text == value:
            yield _Pair(key, found)


def _in_description(name: str) -> str:
    """Return a property's name as `aws logs describe-metric-filters` spells it."""
    return name[:1].lower() + name[1:]


def _entries(node: Node) -> Iterator[Entry]:
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            yield entry
            yield from _entries(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _entries(item)


def _line(line: str, pair: _Pair | None, text: str) -> str:
    """Write `Name: value` in quotes; a number and a boolean have none, unless the value in the file has them."""
    name, value = line.split(": ", 1)
    if pair is None:
        bare = _LITERAL.fullmatch(value)
        return f'"{name}": {value if bare else json.dumps(value, ensure_ascii=False)}'
    name = _in_description(name) if pair.key.text[:1].islower() else name
    quoted = json.dumps(value, ensure_ascii=False) if pair.value.style == '"' else value
    return f'"{name}"{text[pair.key.end : pair.value.start]}{quoted}{_comma(pair, text)}'


def _comma(pair: _Pair, text: str) -> str:
    return "," if _COMMA.match(text, pair.value.end) else ""
