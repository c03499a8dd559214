"""One statement and one request in; whether it speaks of that request, and if not, which element is in the way."""

from collections.abc import Sequence
from typing import NamedTuple

from rolewatch.base.wording import some
from rolewatch.policies.conditions import Test, value_shown
from rolewatch.policies.policy import Statement
from rolewatch.policies.principals import Level
from rolewatch.policies.request import Request
from rolewatch.policies.truth import Truth


class Applied(NamedTuple):
    """What a statement says of a request. `element` decided that, None where all of them match.

    `level` and `perhaps` as in `principals`; `missing` is what it, or that, hangs on.
    """

    statement: Statement
    truth: Truth
    element: str | Test | None = None
    missing: tuple[str, ...] = ()
    level: Level = Level.EVERYONE
    perhaps: Level = Level.NOBODY

    @property
    def closely(self) -> Truth:
        """Whether it names who asks as closely as it can."""
        return Truth.UNKNOWN if self.perhaps > self.level else self.truth


def apply(statement: Statement, request: Request, *, bounded: bool = False) -> Applied:
    """Hold a request against a statement: actions first, as they rule out most, then principal, resource, condition.

    `bounded`: who asks has a permissions boundary, which a NotPrincipal of a Deny always hits.
    """
    actions = statement.actions
    if not actions.match(request.action):
        return Applied(statement, Truth.NO, actions.word, (), Level.EVERYONE)
    level, perhaps, truth = Level.EVERYONE, Level.NOBODY, Truth.YES
    missing: tuple[str, ...] = ()
    if statement.principals is not None:
        named = statement.principals.names(request.principal, bounded=bounded and not statement.allows)
        truth, level, hangs_on, perhaps = named
        if truth is not Truth.YES:
            element = "NotPrincipal" if statement.principals.negated else "Principal"
            if truth is Truth.NO:
                return Applied(statement, truth, element)
        if hangs_on:
            missing = (hangs_on,)
    if statement.resources is not None:
        holds, keys = statement.resources.match(request.resource, request.context)
        if holds is not Truth.YES:
            if holds is Truth.NO:
                return Applied(statement, holds, "NotResource" if statement.resources.negated else "Resource")
            truth = min(truth, holds)
            missing += keys
    for test in statement.tests:
        held = test.decide(request.context)
        if held.truth is Truth.NO:
            return Applied(statement, Truth.NO, test)
        if held.truth is Truth.UNKNOWN:
            truth = Truth.UNKNOWN
            missing += held.missing
    return Applied(statement, truth, None, missing, level, perhaps)


def why(applied: Applied, request: Request) -> str:
    """Say in words why a statement matches, does not, or hangs on something."""
    statement, element = applied.statement, applied.element
    if Truth.UNKNOWN in (applied.truth, applied.closely):
        missing = ", ".join(dict.fromkeys(applied.missing))
        return (
            f"hangs on {missing}"
            if applied.truth is Truth.UNKNOWN
            else f"matches; whom it names closely hangs on {missing}"
        )
    if element is None:
        return "all its elements match" if statement.tests else "its elements match, and it has no condition"
    if isinstance(element, Test):
        found = value_shown(request.context.of(element.key.lower()))
        return f"{element.operator} {element.key} {some(element.values)} does not hold: {found}"
    if element in ("Action", "NotAction"):
        return _listed(element, statement.actions.patterns, request.action)
    if element in ("Resource", "NotResource") and statement.resources:
        return _listed(element, statement.resources.patterns, request.resource)
    if element == "Principal":
        return f"Principal does not name {request.principal.arn}"
    return f"NotPrincipal names {request.principal.arn}"


def _listed(element: str, patterns: Sequence[str], found: str) -> str:
    if element.startswith("Not"):
        return f"{element} names {found}"
    return f"{element} {some(patterns)} does not match {found}"
