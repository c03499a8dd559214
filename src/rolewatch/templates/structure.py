"""Nodes of a file of our own in; texts, lists and mappings as they have to be, or an error with the place and a remedy, out."""

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import TypeVar

from rolewatch.templates.nodes import Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.source import Source
from rolewatch.templates.spans import offset_in

T = TypeVar("T")


def nearest(word: str, known: Collection[str]) -> str:
    """Tell what a word may have been meant to be, else what there is."""
    close = get_close_matches(word, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(list(known)[:20])}" if known else "there are none"


class WordError(ValueError):
    """A text that cannot be understood; `position` counts its characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Structure:
    """Takes nodes of one file; each method raises TemplateError for what is not as it says."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def check_keys(self, node: Mapping, known: Collection[str], path: str) -> None:
        """Check that a mapping has no other keys than these."""
        for name, entry in node.entries.items():
            if name not in known:
                raise self._source.error(
                    f"nothing is called {entry.key.shown!r} here",
                    entry.key.start,
                    f"{path}.{name}" if path else name,
                    remedy=nearest(name, known),
                )

    def required(self, node: Mapping, key: str, path: str) -> Node:
        """Take the value of a key that has to be there."""
        found = node.get(key)
        if found is None or (isinstance(found, Scalar) and found.is_null):
            raise self._source.error(f"{key} is missing", node.start, path, remedy=f"write {key}: …")
        return found

    def mapping(self, node: Node, path: str) -> Mapping:
        """Take a mapping."""
        if not isinstance(node, Mapping):
            raise self._source.error(f"a mapping is wanted here, this is {kind(node)}", node.start, path)
        return node

    def items(self, node: Node, path: str) -> tuple[Node, ...]:
        """Take a list's elements."""
        if not isinstance(node, Sequence):
            raise self._source.error(
                f"a list is wanted here, this is {kind(node)}",
                node.start,
                path,
                remedy="write each element after a hyphen, or […]",
            )
        return node.items

    def text(self, node: Node, path: str) -> str:
        """Take a text that is not empty."""
        return self.scalar(node, path).text

    def scalar(self, node: Node, path: str) -> Scalar:
        """Take a text that is not empty, with its place."""
        if not isinstance(node, Scalar) or node.is_null or not node.text.strip():
            what = "an empty one" if isinstance(node, Scalar) and not node.is_null else kind(node)
            raise self._source.error(f"a text is wanted here, this is {what}", node.start, path)
        return node

    def word(self, node: Node, path: str, read: Callable[[str], T]) -> T:
        """Take a text that `read` understands; its ValueError says what is wrong, and behind a semicolon what to write.

        A WordError also says where.
        """
        scalar = self.scalar(node, path)
        try:
            return read(scalar.text.strip())
        except ValueError as error:
            offset = node.start
            if isinstance(error, WordError):
                blank = len(scalar.text) - len(scalar.text.lstrip())
                offset = offset_in(self._source.text, scalar, blank + error.position)
            before, _, after = str(error).rpartition("; ")
            raise self._source.error(
                before or after, offset, path, remedy=after if before else None
            ) from None

    def choice(self, node: Node | None, path: str, allowed: Collection[str]) -> str | None:
        """Take one of several words, None where there is none."""
        if node is None:
            return None
        text = self.text(node, path)
        if text not in allowed:
            raise self._source.error(
                f"{text[:40]!r} is none of {', '.join(allowed)}",
                node.start,
                path,
                remedy=nearest(text, allowed),
            )
        return text

    def texts_by_name(self, node: Node | None, path: str) -> dict[str, str]:
        """Take a mapping of texts, empty where there is none."""
        mapping = Mapping({}, 0) if node is None else self.mapping(node, path)
        return {name: self._plain(entry.value, f"{path}.{name}") for name, entry in mapping.entries.items()}

    def _plain(self, node: Node, path: str) -> str:
        """Take a text that may be empty."""
        if isinstance(node, Scalar) and not node.is_null:
            return node.text
        raise self._source.error(f"a text is wanted here, this is {kind(node)}", node.start, path)
