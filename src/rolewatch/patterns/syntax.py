"""The parts of a parsed filter pattern: data, and nothing else. Source of the language: spec/filter-pattern.md."""

from decimal import Decimal
from enum import Enum
from typing import NamedTuple


class Number(NamedTuple):
    """A number as written and as an exact value."""

    text: str
    value: Decimal


class Text(NamedTuple):
    """A word or a quoted text; `*` in it stands for any run of characters."""

    text: str


class Regex(NamedTuple):
    """What stands between two percent signs."""

    source: str


Value = Number | Text | Regex


class Any_(Enum):  # noqa: N801 - `Any` is typing's
    """The step `[*]` or `.*`: all elements of an array, or all values of an object."""

    ANY = "*"


ANY = Any_.ANY
Step = str | int | Any_  # a name, an index, or ANY


class Selector(NamedTuple):
    """A path into a JSON message, such as `$.userIdentity.type`; `text` is how it was written."""

    steps: tuple[Step, ...]
    text: str


class Comparison(NamedTuple):
    """`subject operator value`: the subject is a Selector, or the name or number of a field of a line."""

    subject: Selector | str
    operator: str  # one of = != < <= > >=
    value: Value


class Is(NamedTuple):
    """`selector IS NULL|TRUE|FALSE`."""

    subject: Selector
    what: bool | None


class NotExists(NamedTuple):
    """`selector NOT EXISTS`."""

    subject: Selector


class And(NamedTuple):
    """All of several conditions."""

    parts: "tuple[Condition, ...]"


class Or(NamedTuple):
    """One of several conditions."""

    parts: "tuple[Condition, ...]"


Condition = Comparison | Is | NotExists | And | Or


class Everything(NamedTuple):
    """The empty pattern."""


class Terms(NamedTuple):
    """Texts that a message must hold, must not hold, and one of which it must hold (if there are no others)."""

    plain: tuple[str, ...]
    excluded: tuple[str, ...]
    optional: tuple[str, ...]


class Json(NamedTuple):
    """`{ … }`."""

    condition: Condition


class Field(NamedTuple):
    """A field of a line: its name, or None, and what it has to be."""

    name: str | None
    condition: Condition | None


class Line(NamedTuple):
    """`[ … ]`: fields of a line; `ellipsis` is the number of fields before the `...`, or None without one."""

    fields: tuple[Field, ...]
    ellipsis: int | None


Parsed = Everything | Terms | Regex | Json | Line
