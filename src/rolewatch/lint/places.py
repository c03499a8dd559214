"""Advice and the file it is about in; the same advice out, with the line and column of the property itself.

Lines are written in the file's own syntax, and a pattern that AWS refuses, which is text only here, is repaired.
"""

import re
from collections.abc import Iterable

from rolewatch.lint.advice import Advice
from rolewatch.lint.quoted import as_written
from rolewatch.lint.repair import REFUSED, lint_refused
from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.templates.document import Document, read_document
from rolewatch.templates.nodes import Entry, Mapping, Node, Scalar, Sequence
from rolewatch.templates.spans import offset_in

_STEP = re.compile(r"\[([0-9]+)\]|[^.\[\]]+")


def exact(advice: Iterable[Advice], content: bytes, name: str) -> list[Advice]:
    """Point each piece of advice at its property, or, of a filter pattern, at the character; in the order of the file.

    What is not written there, because it is a default, keeps the place of its resource and has no old line.
    """
    document = read_document(content, name)
    found = [_pointed(each, document) for each in advice]
    return sorted(found, key=lambda each: each.place[:3] if each.place else ("", 0, 0))


def _pointed(advice: Advice, document: Document) -> Advice:
    place = advice.place
    if place is None or not place.path:
        return advice
    reached, whole = _follow(document.root, place.path)
    if not whole:
        return as_written(advice._replace(old=None), None, document)
    advice = as_written(advice, reached, document)
    if reached is None:
        return advice
    offset, value = reached.key.start, reached.value
    if (
        place[1:3] >= document.source.place(offset)[1:3]
    ):  # the reader of templates has pointed within it already
        return _repaired(advice, value) if place.path.endswith(("FilterPattern", "filterPattern")) else advice
    if advice.span and isinstance(value, Scalar):
        offset = offset_in(document.source.text, value, advice.span[0])
    return advice._replace(place=document.source.place(offset, place.path))


def _repaired(advice: Advice, written: Node) -> Advice:
    """Add why a pattern is refused, and the right one, if the pattern stands in the file."""
    if isinstance(written, Mapping):
        written = written.get("Fn::Sub") or written
    if advice.rule == REFUSED and isinstance(written, Scalar) and "${" not in written.text:
        try:
            compile_pattern(written.text)
        except PatternError as error:
            return lint_refused(error)._replace(place=advice.place)
    return advice


def _follow(node: Node, path: str) -> tuple[Entry | None, bool]:
    """Return the last key on a path, and whether the whole path is there; below a function's key, nothing can be told."""
    reached: Entry | None = None
    for step in _STEP.finditer(path):
        if isinstance(node, Mapping) and not step[1]:
            written = step[0] if step[0] in node.entries else step[0][:1].lower() + step[0][1:]
            entry = node.entries.get(written)
            if entry is None:
                return reached, _is_function(node)
            reached, node = entry, entry.value
        elif isinstance(node, Sequence) and step[1] and int(step[1]) < len(node.items):
            node = node.items[int(step[1])]
        else:
            return reached, _is_function(node)
    return reached, True


def _is_function(node: Node) -> bool:
    names = list(node.entries) if isinstance(node, Mapping) else []
    return len(names) == 1 and (names[0].startswith("Fn::") or names[0] == "Ref")
