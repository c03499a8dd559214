"""Conditions in; whether any message can meet them out. "Yes" is a guess where "no" cannot be proved.

A condition is taken apart into alternatives, each a set of single conditions and denials of such (disjunctive normal
form). Conditions on one field are tried on values of every kind that could tell them apart, by the matcher itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from rolewatch.lint import trail
from rolewatch.lint.globs import TooMany, witness
from rolewatch.lint.located import Leaf, Node, Path
from rolewatch.patterns import compile_pattern
from rolewatch.patterns.syntax import ANY, Comparison, NotExists, Number, Regex, Text

MOST_ALTERNATIVES = 500
MOST_INDEX = 50
_MISSING: Any = object()
_KIND = {
    bool: trail.FLAG,
    dict: trail.OBJECT,
    list: trail.LIST,
    type(None): trail.NULL,
    str: trail.TEXT,
    Decimal: trail.NUMBER,
}
_KINDS = frozenset(_KIND.values())
_COMPARED = frozenset((trail.TEXT, trail.NUMBER))
_LINE = frozenset((trail.TEXT,))
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
MOST_DIGITS = 1100  # a pattern is no longer


class Claim(NamedTuple):
    """A single condition that is said to hold, or not to."""

    leaf: Leaf
    holds: bool


Alternative = tuple[Claim, ...]


def alternatives(node: Node, *, holds: bool = True) -> list[Alternative] | None:
    """Return the ways in which a condition holds (or does not); None if there are more than 500."""
    if isinstance(node, Leaf):
        return [(Claim(node, holds),)]
    each = [alternatives(part, holds=holds) for part in node.parts]
    if (node.kind == "||") == holds:
        joined = [way for ways in each if ways is not None for way in ways]
        return None if None in each or len(joined) > MOST_ALTERNATIVES else joined
    product: list[Alternative] = [()]
    for ways in each:
        if ways is None or len(product) * len(ways) > MOST_ALTERNATIVES:
            return None
        product = [(*have, *way) for have in product for way in ways]
    return product


def contradiction(way: Alternative, *, about_trail: bool) -> list[Claim] | None:
    """Return the claims on one field that cannot all be true; None if there are none, or none can be proved."""
    groups: dict[Path, list[Claim]] = {}
    for claim in way:
        groups.setdefault(claim.leaf.path, []).append(claim)
    for path, claims in groups.items():
        field = trail.field_of(path) if about_trail else None
        if not _possible(tuple(claims), path, field):
            return _fewest(claims, path, field)
    return _below_nothing(way)


def _below_nothing(way: Alternative) -> list[Claim] | None:
    """Return a claim that nothing can be below a path, and one that there is something; None without such."""
    bare = {claim.leaf.path: claim for claim in way if _bears_nothing(claim)}
    for claim in way:
        path = claim.leaf.path
        above = next((path[:size] for size in range(1, len(path)) if path[:size] in bare), None)
        if above:
            # Below what is missing and below a boolean, a text or a number there is equally nothing.
            missing = isinstance(bare[above].leaf.condition, NotExists)
            message = "{}" if missing else _message(above, True, line=False)  # noqa: FBT003 - the boolean
            if _holds(claim.leaf.text, message) != claim.holds:
                return [bare[above], claim]
    return None


def _bears_nothing(claim: Claim) -> bool:
    """Whether a claim is true only where a path leads to nothing, or to what has no fields or elements."""
    condition, path = claim.leaf.condition, claim.leaf.path
    simple = isinstance(condition, Comparison | NotExists) or condition.what is not None
    return claim.holds and simple and not _is_wide(path)


def never(node: Node, *, about_trail: bool) -> list[Claim] | None:
    """Return claims that contradict each other if a condition can never hold, else None."""
    return _impossible(alternatives(node), about_trail=about_trail)


def always(node: Node, *, about_trail: bool) -> bool:
    """Whether a condition holds for every object."""
    return _impossible(alternatives(node, holds=False), about_trail=about_trail) is not None


def one_is_true(different: Sequence[Leaf], *, about_trail: bool) -> bool:
    """Whether one of several conditions on one field is true of every text and number that it may hold."""
    path = different[0].path
    known = trail.field_of(path) if about_trail else None
    kinds = _COMPARED & known.kinds if known else _COMPARED
    return bool(kinds) and not _possible(
        tuple(Claim(leaf, holds=False) for leaf in different), path, trail.Field(kinds, always=True)
    )


def _impossible(ways: list[Alternative] | None, *, about_trail: bool) -> list[Claim] | None:
    found: list[Claim] | None = None
    for way in ways or []:
        found = contradiction(way, about_trail=about_trail)
        if found is None:
            return None
    return found


def _fewest(claims: list[Claim], path: Path, field: trail.Field | None) -> list[Claim]:
    """Leave out claims as long as the rest still cannot be true."""
    kept = list(dict.fromkeys(claims))
    for claim in list(kept):
        fewer = [each for each in kept if each is not claim]
        if fewer and not _possible(tuple(fewer), path, field):
            kept = fewer
    return kept


@lru_cache(maxsize=16384)
def _possible(claims: tuple[Claim, ...], path: Path, field: trail.Field | None) -> bool:
    """Whether one value of a field can make all claims about it true."""
    if _opposed(claims, path):
        return False
    if _is_wide(path):
        return True
    line = isinstance(claims[0].leaf.condition.subject, str)
    kinds = _LINE if line else field.kinds if field else _KINDS
    may_be_missing = not line and not (field and field.always)
    try:
        values = list(_values(claims, line=line))
    except TooMany:
        return True
    for value in values:
        fits = may_be_missing if value is _MISSING else _KIND[type(value)] in kinds or line
        if fits and all(
            _holds(claim.leaf.text, _message(path, value, line=line)) == claim.holds for claim in claims
        ):
            return True
    return _unsure(claims, kinds & _COMPARED)


def _is_wide(path: Path) -> bool:
    """Whether a path leads to several nodes at once, or to one that takes a long list."""
    return ANY in path or any(isinstance(step, int) and step > MOST_INDEX for step in path)


def _opposed(claims: tuple[Claim, ...], path: Path) -> bool:
    """Whether a condition is said to hold and not to hold, or a value to be equal and to differ."""
    true = {claim.leaf.condition for claim in claims if claim.holds}
    if any(not claim.holds and claim.leaf.condition in true for claim in claims):
        return True
    compared = [condition for condition in true if isinstance(condition, Comparison)]
    equal = {condition.value for condition in compared if condition.operator == "="}
    return ANY not in path and any(
        condition.operator == "!=" and condition.value in equal for condition in compared
    )


def _unsure(claims: Iterable[Claim], kinds: frozenset[str]) -> bool:
    """Whether a text or number that was not tried might do: one that a regular expression or a size asks for."""
    claims = tuple(claims)
    comparisons = [claim.leaf.condition for claim in claims if isinstance(claim.leaf.condition, Comparison)]
    if not kinds or any(claim.holds and not isinstance(claim.leaf.condition, Comparison) for claim in claims):
        return False  # nothing but strings and numbers takes part in comparisons
    if any(isinstance(condition.value, Regex) for condition in comparisons):
        plain = tuple(claim for claim in claims if not _has_regex(claim))
        return not plain or _possible(plain, plain[0].leaf.path, trail.Field(kinds, always=True))
    # One number has many spellings, of which a text or a glob may admit others than were tried.
    spelled = any(isinstance(condition.value, Text) for condition in comparisons)
    sized = any(isinstance(condition.value, Number) for condition in comparisons)
    line = isinstance(claims[0].leaf.condition.subject, str)
    return spelled and sized and (line or trail.NUMBER in kinds)


def _has_regex(claim: Claim) -> bool:
    condition = claim.leaf.condition
    return isinstance(condition, Comparison) and isinstance(condition.value, Regex)


def _values(claims: Iterable[Claim], *, line: bool) -> Iterator[Any]:
    """Yield values of every kind, among them one for each way in which the claims can come out together."""
    yield from () if line else (_MISSING, None, True, False, {}, [], [None])
    wanted: list[str] = []
    unwanted: list[str] = []
    numbers: list[Decimal] = []
    for claim in claims:
        condition = claim.leaf.condition
        if not isinstance(condition, Comparison) or isinstance(condition.value, Regex):
            continue
        value = condition.value
        if isinstance(value, Number):
            numbers.append(value.value)
        elif _NUMBER.fullmatch(value.text):
            numbers.append(Decimal(value.text))
        # A string equals a number in a JSON pattern if it is written exactly like it (§5.2).
        if condition.operator in ("=", "!=") and (isinstance(value, Text) or not line):
            equal = (condition.operator == "=") == claim.holds
            (wanted if equal else unwanted).append(value.text)
    found = witness(wanted, unwanted)
    if found is not None:
        yield found
    for number in _around(numbers):
        yield str(number) if line else number


def _around(numbers: Iterable[Decimal]) -> list[Decimal]:
    """Return the numbers, one between each two of them, and one beyond each."""
    exact = sorted(set(numbers))
    if any(abs(number.adjusted()) > MOST_DIGITS for number in exact):
        raise TooMany
    with localcontext(prec=2 * MOST_DIGITS + 10):
        between = [(low + high) / 2 for low, high in pairwise(exact)]
        beyond = [step for number in exact for step in (number - 1, number + 1)]
    return [*exact, *between, *beyond, Decimal("0.5")]


def _message(path: Path, value: Any, *, line: bool) -> str:
    """Write a message that has a value at a path, and nothing else."""
    if line:
        return str(value)
    if value is _MISSING:
        return "{}"
    written = str(value) if isinstance(value, Decimal) else json.dumps(value)
    for step in reversed(path):
        if isinstance(step, int):
            written = f"[{'0,' * step}{written}]"
        else:
            written = f"{{{json.dumps(step)}:{written}}}"
    return written


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Callable[[str], bool]:
    return compile_pattern(text)


def _holds(text: str, message: str) -> bool:
    return _compiled(f"{{{text}}}" if text.startswith("$") else f"[{text}]")(message)
