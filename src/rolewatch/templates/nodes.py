"""What a template is written in: texts, lists and mappings, each with the offset at which it stands.

CloudFormation's short forms are long forms here: `!Ref X` is a mapping of `Ref` to X, `!Sub X` of `Fn::Sub` to X.
"""

from collections.abc import Mapping as Map
from typing import NamedTuple, Union

PLAIN = "plain"  # a style: neither quoted nor a block, in JSON a number, `true`, `false` or `null`
GIVEN = "given"  # a style: not written in the file, but typed, or made from several texts
DEEPEST = 100  # levels of nesting; templates have about fifteen
MOST = 1_000_000  # nodes of a file, what aliases repeat included

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Scalar(NamedTuple):
    """A text as its reader means it; between `start` and `end` it stands as it is written, in YAML's `style`.

    A `secret` one comes from a parameter with NoEcho and is not to be shown.
    """

    text: str
    start: int
    end: int
    style: str
    secret: bool = False

    @property
    def is_null(self) -> bool:
        """Whether it stands for nothing."""
        return self.style == PLAIN and self.text in _NULLS

    @property
    def shown(self) -> str:
        """The text as it may stand in a message."""
        return "****" if self.secret else self.text if len(self.text) <= 200 else f"{self.text[:200]}…"


class Sequence(NamedTuple):
    """A list."""

    items: "tuple[Node, ...]"
    start: int


class Entry(NamedTuple):
    """A key as it is written, and its value."""

    key: Scalar
    value: "Node"


class Mapping(NamedTuple):
    """Keys and values in their order."""

    entries: Map[str, Entry]
    start: int

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, None without one."""
        entry = self.entries.get(key)
        return entry and entry.value


Node = Union[Scalar, Sequence, Mapping]  # noqa: UP007 - the names in quotes above need a real alias


def kind(node: Node) -> str:
    """Name what a node is."""
    if isinstance(node, Scalar):
        return "null" if node.is_null else "a text"
    return "a list" if isinstance(node, Sequence) else "a mapping"
