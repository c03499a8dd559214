"""One key of a Condition element and what is known of it in; whether it holds out.

Source: IAM User Guide, "Conditions with multiple context keys or values" and "Single-valued vs. multivalued context keys".
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from rolewatch.policies.operators import OPERATORS, Operator
from rolewatch.policies.request import Context, Unsure, Value
from rolewatch.policies.truth import Truth
from rolewatch.policies.variables import Template, template_of
from rolewatch.policies.wildcards import LITERALLY, Predicate, shown

_WILDCARD: Final = re.compile(r"[*?]")
_IF_EXISTS: Final = "ifexists"
_SETS: Final = ("forallvalues:", "foranyvalue:")
_NO, _UNKNOWN, _YES = Truth.NO, Truth.UNKNOWN, Truth.YES


class Held(NamedTuple):
    """Whether a condition holds, and the keys that it hangs on where that is not known."""

    truth: Truth
    missing: tuple[str, ...] = ()


class Test(NamedTuple):
    """One key of a condition: operator as written, key as written, values as written, and how it is decided."""

    operator: str
    key: str
    values: tuple[str, ...]
    decide: Callable[[Context], Held]


def test_of(operator: str, key: str, values: Sequence[str], *, variables: bool) -> Test:
    """Compile a key of a condition; one with an operator that is not known is never certain."""
    name = operator.lower()
    every = name.startswith(_SETS[0])
    some = name.startswith(_SETS[1])
    name = name.partition(":")[2] if every or some else name
    lenient = name.endswith(_IF_EXISTS)
    name = name.removesuffix(_IF_EXISTS)
    own = key.lower()
    if name == "null" and not (every or some or lenient):
        decide = _null(own, values, key)
    elif name in OPERATORS:
        decide = _Comparison(
            own, key, values, OPERATORS[name], variables=variables, every=every, some=some, lenient=lenient
        )
    else:
        held = Held(_UNKNOWN, (f"operator {operator}",))

        def decide(_: Context) -> Held:
            return held

    return Test(operator, key, tuple(values), decide)


def _null(key: str, values: Sequence[str], written: str) -> Callable[[Context], Held]:
    """Make the test of whether a key is there; an empty text is none (IAM User Guide, "Condition", "The request context")."""
    wanted = {value.lower() for value in values}
    absent, there = (_HELD[Truth.of(word in wanted)] for word in ("true", "false"))
    unknown = absent if absent is there else Held(_UNKNOWN, (written,))

    def decide(context: Context) -> Held:
        value = context.of(key)
        if isinstance(value, Unsure):
            return there if value.there else unknown
        return absent if value is None or not any(value) else there

    return decide


class _Comparison:
    """Compares the values of a key with the values of the policy."""

    def __init__(
        self,
        key: str,
        written: str,
        values: Sequence[str],
        operator: Operator,
        *,
        variables: bool,
        every: bool,
        some: bool,
        lenient: bool,
    ) -> None:
        self._key, self._operator = key, operator
        self._every, self._some = every, some
        # Whether it holds for a key that is not there.
        self._absent = _YES if lenient else _NO if some else Truth.of(every or operator.negated)
        self._texts: list[str] = []
        self._predicates: list[Predicate] = []
        self._open: list[Template] = []
        self._unknown = Held(_UNKNOWN, (written,))
        for value in values:
            text = template_of(value, variables=variables) if operator.fills else value
            if isinstance(text, Template):
                self._open.append(text)
                continue
            predicate = operator.test(text)
            if predicate:
                self._texts.append(text)
                self._predicates.append(predicate)

    def __call__(self, context: Context) -> Held:
        value = context.of(self._key)
        if value is None or value == ():
            return _HELD[self._absent]
        if isinstance(value, Unsure):
            if value.values is not None:
                present = self._with(value.values, context)
            else:
                present = Held(self._guessed(value))
            if present.truth is not _UNKNOWN and (value.there or present.truth is self._absent):
                return _HELD[present.truth]
            return self._unknown
        return self._with(value, context)

    def _with(self, values: Sequence[str], context: Context) -> Held:
        """Say whether it holds for a key with these values."""
        if (self._every or self._some) and not any(values):
            # Nothing but empty texts is no value to a set operator (IAM User Guide, "Single-valued vs. multivalued context keys").
            return _HELD[Truth.of(self._every)]
        predicates = self._predicates
        if len(values) == 1 and not self._open:
            matches = _any(values[0], predicates, _NO)
            return _HELD[~matches if self._operator.negated else matches]
        missing: tuple[str, ...] = ()
        for template in self._open:
            filled = template.fill(context)
            missing += filled.unknown
            predicate = None if filled.text is None else self._operator.test(filled.text)
            if predicate:
                predicates = [*predicates, predicate]
        truth = self._combined([_any(value, predicates, _UNKNOWN if missing else _NO) for value in values])
        return Held(truth, missing if truth is _UNKNOWN else ())

    def _combined(self, found: Sequence[Truth]) -> Truth:
        """Put together what each value of the request matches."""
        if self._operator.negated:
            found = [~truth for truth in found]
            # Without a set operator, a key with several values must have none that matches.
            return max(found) if self._some else min(found)
        return min(found) if self._every else max(found)

    def _guessed(self, value: Unsure) -> Truth:
        """Say whether it holds for a key that is there with a value that is known in part."""
        if self._open:
            return _UNKNOWN
        texts = self._texts
        if value.may_be:
            matches = _UNKNOWN if any(value.may_be(shown(text)) for text in texts) else _NO
        elif value.begins and self._operator.prefixes:
            matches = max((_begins(text, value.begins, self._operator) for text in texts), default=_NO)
        else:
            return _UNKNOWN if texts else Truth.of(self._operator.negated)
        return ~matches if self._operator.negated else matches


def _any(value: str, predicates: Iterable[Predicate], otherwise: Truth) -> Truth:
    """Say whether a value matches; `otherwise` where none matches that is known."""
    for test in predicates:
        if test(value):
            return _YES
    return otherwise


def _begins(text: str, beginnings: Iterable[str], operator: Operator) -> Truth:
    """Say whether a policy's value matches something of which only the beginning is known."""
    if LITERALLY in text:
        return _UNKNOWN
    head = _WILDCARD.split(text, maxsplit=1)[0] if operator.wildcards else text
    if not any(
        head.startswith(each) or (operator.wildcards and each.startswith(head)) for each in beginnings
    ):
        return _NO
    test = operator.test(text) if operator.wildcards and text.endswith("*") else None
    # What a star at the end goes on from, it goes on from whatever follows.
    return _YES if test and all(map(test, beginnings)) else _UNKNOWN


_HELD: Final = (Held(_NO), Held(_UNKNOWN), Held(_YES))


def value_shown(value: Value) -> str:
    """Show what is known of a key."""
    if value is None:
        return "absent"
    if isinstance(value, Unsure):
        return "not known"
    return ", ".join(f'"{each}"' for each in value[:5]) or "no values"
