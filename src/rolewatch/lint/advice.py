"""What a piece of advice holds, and how a rule is written down: data, and nothing else."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from rolewatch.templates.definitions import Place

Subject = TypeVar("Subject")
Span = tuple[int, int]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # AWS refuses it, or it never does what it is there for
    WARNING = "warning"  # it does something else than it looks like
    INFO = "info"  # it is worth knowing


class Advice(NamedTuple):
    """What is wrong, why, and the corrected line.

    `place` is where in a template, None for a pattern on its own; `span` the characters of the pattern concerned, from
    0, None where advice is not about a pattern. `old` is the line as it is and `fix` the corrected one: a whole pattern,
    or a property with its value; None where no single line would put it right.
    """

    rule: str
    severity: Severity
    message: str
    place: Place | None = None
    span: Span | None = None
    old: str | None = None
    fix: str | None = None


class Said(NamedTuple):
    """What a rule says of its subject; who runs the rule makes Advice of it.

    `property` is the path below the resource's properties that is concerned, such as `MetricTransformations[0].DefaultValue`.
    """

    severity: Severity
    message: str
    span: Span | None = None
    property: str | None = None
    old: str | None = None
    fix: str | None = None


class Rule(NamedTuple, Generic[Subject]):
    """A rule: its name, which never changes, what it looks for in a few words, and the function that looks."""

    id: str
    title: str
    check: Callable[[Subject], Iterable[Said]]
