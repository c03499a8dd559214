"""A compiled pattern in; what all rules about its conditions start from out."""

import difflib
from typing import Final, NamedTuple

from rolewatch.lint import trail
from rolewatch.lint.advice import Span
from rolewatch.lint.located import Leaf, Node, fields, leaves, located, replaced
from rolewatch.patterns import Pattern, PatternError, compile_pattern

_KNOWN: Final = {str(path[0]).lower(): path[0] for path in trail.FIELDS}
_COMMON: Final = frozenset(("annotation", "errormessage", "requestid", "resources", "useragent"))
# Keys in small letters that tell CloudTrail's lists of resources from those of other logs.
_OWN: Final = ("arn", "arnprefix")


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
    return Examined(pattern, node, fields(pattern), node is not None and _is_about_trail(node))


def _is_about_trail(node: Node) -> bool:
    """Whether a JSON pattern is about CloudTrail: its fields are, if perhaps misspelled, and not of any log's kind only."""
    paths = [leaf.path for leaf in leaves(node)]
    roots = {str(path[0]).lower() for path in paths}
    known = roots & _KNOWN.keys()
    own = any(path[0] == "resources" and str(path[-1]).lower() in _OWN for path in paths)
    return (own or not known <= _COMMON) and all(
        difflib.get_close_matches(root, _KNOWN, 1, 0.85) for root in roots - known
    )


def accepted(text: str) -> str | None:
    """Return a pattern that the service accepts as it is, None for any other text."""
    try:
        compile_pattern(text)
    except PatternError:
        return None
    return text
