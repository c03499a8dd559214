"""A policy, ready to be held against requests: its statements, compiled, each with its place in a file."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.policies.conditions import Test
from rolewatch.policies.principals import Principals
from rolewatch.policies.request import Context
from rolewatch.policies.truth import Truth
from rolewatch.policies.variables import Template, template_of
from rolewatch.policies.wildcards import like, resource_like
from rolewatch.templates.definitions import Place

VARIABLES_SINCE: Final = "2012-10-17"
_KNOWN_ACTIONS: Final = 4096  # answers that an element remembers


class Actions:
    """An Action or NotAction element."""

    def __init__(self, patterns: Sequence[str], *, negated: bool) -> None:
        self.patterns, self.negated = tuple(patterns), negated
        self.word = "NotAction" if negated else "Action"
        self._tests = [like(pattern.lower()) for pattern in patterns]
        self._known: dict[str, bool] = {}

    def match(self, action: str) -> bool:
        """Say whether the element speaks of an action."""
        found = self._known.get(action)
        if found is None:
            if len(self._known) >= _KNOWN_ACTIONS:
                self._known.clear()
            lower = action.lower()
            found = any(test(lower) for test in self._tests) is not self.negated
            self._known[action] = found
        return found


class Resources:
    """A Resource or NotResource element; its ARNs may hold variables."""

    def __init__(self, patterns: Sequence[str], *, negated: bool, variables: bool) -> None:
        self.patterns, self.negated = tuple(patterns), negated
        self._found = Truth.of(not negated)
        texts = [template_of(pattern, variables=variables) for pattern in patterns]
        self._fixed = [resource_like(text) for text in texts if isinstance(text, str)]
        self._open = [text for text in texts if isinstance(text, Template)]

    def match(self, resource: str, context: Context) -> tuple[Truth, tuple[str, ...]]:
        """Say whether the element speaks of a resource, and which keys that hangs on."""
        for test in self._fixed:
            if test(resource):
                return self._found, ()
        missing: tuple[str, ...] = ()
        for text in self._open:
            filled = text.fill(context)
            missing += filled.unknown
            if filled.text is not None and resource_like(filled.text)(resource):
                return self._found, ()
        return (Truth.UNKNOWN, missing) if missing else (~self._found, ())


class Statement(NamedTuple):
    """One statement. `number` counts from 1; `raw` is what is written, as JSON's values; None where an element is not there."""

    number: int
    sid: str | None
    allows: bool
    principals: Principals | None
    actions: Actions
    resources: Resources | None
    tests: tuple[Test, ...]
    place: Place
    raw: Mapping[str, object]

    @property
    def effect(self) -> str:
        """Name its effect."""
        return "Allow" if self.allows else "Deny"

    @property
    def name(self) -> str:
        """Name it for people: its Sid, or its number from 1."""
        return self.sid or f"statement {self.number}"


class Policy(NamedTuple):
    """A policy: its name for people, its version, its statements, and what it is as JSON's values."""

    name: str
    version: str
    statements: tuple[Statement, ...]
    place: Place
    raw: Mapping[str, object]
