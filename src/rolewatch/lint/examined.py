"""A compiled pattern in; what all rules about its conditions start from out."""

from typing import NamedTuple

from rolewatch.lint import trail
from rolewatch.lint.advice import Span
from rolewatch.lint.located import Leaf, Node, fields, leaves, located, replaced
from rolewatch.patterns import Pattern, PatternError, compile_pattern


class Examined(NamedTuple):
    """A pattern with its conditions located.

    `node` are those of a JSON pattern; `fields` spans and conditions of a space-delimited one.
    """

    pattern: Pattern
    node: Node | None
    fields: list[tuple[Span, Node | None]]
    about_trail: bool

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.pattern.text

    def leaves(self) -> list[Leaf]:
        """Return all single conditions, in the order of the text."""
        nodes = [self.node, *(node for _, node in self.fields)]
        return [leaf for node in nodes if node is not None for leaf in leaves(node)]

    def corrected(self, span: Span, new: str) -> str | None:
        """Return the pattern with a span replaced; None if the service would not take that."""
        return accepted(replaced(self.text, span, new))


def examined(pattern: Pattern) -> Examined:
    """Examine a pattern."""
    node = located(pattern)
    return Examined(pattern, node, fields(pattern), node is not None and trail.is_about_trail(node))


def accepted(text: str) -> str | None:
    """Return a pattern that the service accepts as it is, None for any other text."""
    try:
        compile_pattern(text)
    except PatternError:
        return None
    return text
