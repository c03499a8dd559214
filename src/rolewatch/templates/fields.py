"""A mapping of properties in; its values by name and type, and errors in the service's words with the place, out.

CloudFormation converts between texts, numbers and booleans, so `"300"` is a number; `abc` is not. What was never asked
for is known in the end: it has no effect here.
"""

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from difflib import get_close_matches
from itertools import pairwise
from typing import NamedTuple, TypeVar

from rolewatch.templates.definitions import Place, Spelling
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.nodes import Entry, Mapping, Node, Scalar, Sequence
from rolewatch.templates.numerals import number, truth, whole
from rolewatch.templates.source import Source
from rolewatch.templates.spans import offsets

T = TypeVar("T")


class Identity(NamedTuple):
    """Who a resource is: `name` is what it is called without a name of its own, `arn` what refers to it."""

    logical_id: str
    name: str
    arn: str
    place: Place


class Scope(NamedTuple):
    """Where properties are read: the file, and what resolves a node (to None where there is nothing)."""

    source: Source
    resolve: Callable[[Node, str], Node | None]


class Fields:
    """The properties of one thing; `path` is where they are, such as `Resources.Denied.Properties`."""

    def __init__(self, scope: Scope, node: Mapping, path: str) -> None:
        self.scope = scope
        self.node = node
        self.path = path
        self._asked: set[str] = set()
        self._inside: list[Fields] = []

    def error(self, text: str, name: str | None = None, *, remedy: str | None = None) -> TemplateError:
        """Make an error that points at a property's value, or at the whole."""
        entry = self.node.entries.get(name) if name is not None else None
        path = f"{self.path}.{entry.key.text}" if entry else self.path
        return self.scope.source.error(
            text, entry.value.start if entry else self.node.start, path, remedy=remedy
        )

    def unread(self) -> "list[tuple[Fields, Scalar]]":
        """Return the keys that were never asked for, those within lists and mappings too, each with where it is."""
        own = [(self, entry.key) for name, entry in self.node.entries.items() if name not in self._asked]
        return own + [each for inside in self._inside for each in inside.unread()]

    def suggestion(self, name: str) -> str | None:
        """Return the property that exists and looks most like a name that was never asked for."""
        close = get_close_matches(name, self._asked, 1, 0.8)
        return close[0] if close else None

    def has(self, name: str) -> bool:
        """Whether a property is there."""
        return self.value(name) is not None

    def value(self, name: str) -> Node | None:
        """Return a property as it is, resolved."""
        entry = self.written(name)
        return None if entry is None else self.scope.resolve(entry.value, f"{self.path}.{entry.key.text}")

    def written(self, name: str) -> Entry | None:
        """Return a property as it is written, with its functions."""
        self._asked.add(name)
        return self.node.entries.get(name)

    def scalar(self, name: str, *, longest: int | None = None, shortest: int = 0) -> Scalar | None:
        """Return a text with its place."""
        found = self.value(name)
        if found is None:
            return None
        if not isinstance(found, Scalar):
            raise self.error(f"Value of property {name} must be of type String", name)
        if longest is not None and len(found.text) > longest:
            raise self.constraint(name, found, f"length less than or equal to {longest}")
        if len(found.text) < shortest:
            raise self.constraint(name, found, f"length greater than or equal to {shortest}")
        return found

    def spelling(self, name: str, found: Scalar) -> Spelling:
        """Say where the characters of a property's value are written."""
        source = self.scope.source
        start = source.place(found.start, f"{self.path}.{self.node.entries[name].key.text}")
        known = offsets(source.text, found)
        gaps = (number for number, (one, other) in enumerate(pairwise(known), 1) if other != one + 1)
        runs = ((number, *source.place(known[number])[1:3]) for number in (0, *gaps))
        return Spelling(start, len(known), tuple(runs) if known else ())

    def constraint(self, name: str, found: Scalar, rule: str) -> TemplateError:
        """Make the error of a value out of bounds, as AWS's services word it."""
        member = f"{name[:1].lower()}{name[1:]}"
        return self.error(
            f"1 validation error detected: Value '{found.shown}' at '{member}' failed to satisfy constraint: Member must have {rule}",
            name,
        )

    def text(self, name: str, *, longest: int | None = None, shortest: int = 0) -> str | None:
        """Return a text."""
        found = self.scalar(name, longest=longest, shortest=shortest)
        return None if found is None else found.text

    def required(self, name: str, *, longest: int | None = None, shortest: int = 1) -> str:
        """Return a text that has to be there."""
        return self.present(name, self.text(name, longest=longest, shortest=shortest))

    def present(self, name: str, found: T | None) -> T:
        """Return what was found, if it was."""
        if found is None:
            raise self.missing(name)
        return found

    def missing(self, name: str) -> TemplateError:
        """Make the error for a property that has to be there."""
        return self.error(f"required key [{name}] not found")

    def number(self, name: str) -> float | None:
        """Return a number."""
        found = self.scalar(name)
        return None if found is None else self._converted(name, found, number(found.text), "Double")

    def whole(self, name: str) -> int | None:
        """Return a whole number."""
        found = self.scalar(name)
        return None if found is None else self._converted(name, found, whole(found.text), "Integer")

    def truth(self, name: str, otherwise: bool) -> bool:  # noqa: FBT001 - the value, not a switch
        """Return a boolean."""
        found = self.scalar(name)
        return otherwise if found is None else self._converted(name, found, truth(found.text), "Boolean")

    def choice(self, name: str, allowed: Seq[str]) -> str | None:
        """Return one of several words."""
        found = self.scalar(name)
        if found is None or found.text in allowed:
            return None if found is None else found.text
        member = f"{name[:1].lower()}{name[1:]}"
        close = get_close_matches(found.text, allowed, 1, 0.5)
        raise self.error(
            f"1 validation error detected: Value '{found.shown}' at '{member}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(allowed)}]",
            name,
            remedy=f"did you mean {close[0]}?" if close else None,
        )

    def texts(self, name: str) -> list[Scalar]:
        """Return a list of texts, empty where there is none."""
        found = self.value(name)
        if found is None:
            return []
        if not isinstance(found, Sequence) or not all(isinstance(item, Scalar) for item in found.items):
            raise self.error(f"Value of property {name} must be of type List of String", name)
        return [item for item in found.items if isinstance(item, Scalar)]

    def each(self, name: str) -> "Iterator[Fields]":
        """Yield the elements of a list of mappings."""
        found = self.value(name)
        if found is None:
            return
        if not isinstance(found, Sequence):
            raise self.error(f"Value of property {name} must be of type List", name)
        for place, item in enumerate(found.items):
            if not isinstance(item, Mapping):
                path = f"{self.path}.{name}[{place}]"
                raise self.scope.source.error(
                    f"Value of property {name} must be a list of objects", item.start, path
                )
            yield self._within(item, f"{self.path}.{name}[{place}]")

    def inner(self, name: str) -> "Fields | None":
        """Return the mapping under a property."""
        found = self.value(name)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            raise self.error(f"Value of property {name} must be an object", name)
        return self._within(found, f"{self.path}.{name}")

    def _within(self, node: Mapping, path: str) -> "Fields":
        fields = Fields(Scope(self.scope.source, given), node, path)
        self._inside.append(fields)
        return fields

    def _converted(self, name: str, found: Scalar, value: T | None, wanted: str) -> T:
        if value is None:
            raise self.error(
                f"Value of property {name} must be of type {wanted}, {found.shown!r} is none", name
            )
        return value


def given(node: Node, _path: str) -> Node | None:
    """Resolve a node that holds no functions; a null is nothing."""
    return None if isinstance(node, Scalar) and node.is_null else node
