"""What a scan looks for instead of denials: the records that match a filter pattern, found by literals where it has any."""

from rolewatch.cloudtrail.carve import HIDING, Literals, bit
from rolewatch.denials.record import Unparsable
from rolewatch.denials.rule import LINKED
from rolewatch.patterns import Pattern
from rolewatch.patterns.records import Matcher
from rolewatch.patterns.search import EVERY, MOST_BITS, search
from rolewatch.patterns.selected import Message
from rolewatch.patterns.syntax import And, Comparison, Condition, Json, Or, Selector, Text

ISSUER = ("userIdentity", "sessionContext", "sessionIssuer", "arn")


class Chosen:
    """Tells which records match. `literals` mark those that may, and those that `others` mark."""

    def __init__(self, pattern: Pattern, others: Literals | None) -> None:
        self._matcher = Matcher([pattern])
        self.literals, self._needed = _joined(search([pattern]), others)
        # Whether every record is held against the pattern, so that each is known to be one whole object.
        self.every = not self._needed
        self.usual = bit(len(others.wanted)) - 1 if others else 0  # the bits of the others
        self.looks_at_text = self._matcher.looks_at_text

    def matches(self, raw: Message, bits: int) -> bool:
        """Whether a marked record matches the pattern."""
        if not bits & HIDING and bits & self._needed != self._needed:
            return False
        read = self._matcher.read(raw)
        if read is None:
            raise Unparsable
        return bool(self._matcher.matching(raw, read))


def of_linked_roles(pattern: Pattern) -> bool:
    """Whether a pattern asks for the path of service-linked roles, so that no other principal's record can match."""
    return isinstance(pattern.parsed, Json) and _asks(pattern.parsed.condition)


def _asks(condition: Condition) -> bool:
    if isinstance(condition, And):
        return any(map(_asks, condition.parts))
    if isinstance(condition, Or):
        return all(map(_asks, condition.parts))
    return (
        isinstance(condition, Comparison)
        and condition.operator == "="
        and isinstance(condition.subject, Selector)
        and condition.subject.steps == ISSUER
        and isinstance(condition.value, Text)
        and LINKED.decode() in condition.value.text
    )


def _joined(found: Literals | None, others: Literals | None) -> tuple[Literals, int]:
    """Join what a pattern is searched by with what is searched for anyway; gives also the bits of the pattern's own."""
    if others is None:
        return (found, found.needed[-1] & ~HIDING) if found else (EVERY, 0)
    if found is None:  # all records are marked, and none is boiled down
        return Literals((*others.wanted, EVERY.wanted[0])), 0
    wanted, needed = list(others.wanted), 0
    for clause in found.wanted:
        same = clause[0] if isinstance(clause, tuple) and len(clause) == 1 else clause
        if same not in wanted:
            if len(wanted) == MOST_BITS:
                continue  # the others tell enough: what is marked is held against the whole pattern
            wanted.append(same)
        needed |= bit(wanted.index(same))
    if not needed:
        return Literals((*others.wanted, EVERY.wanted[0])), 0
    plain = (
        others.plain if needed & ~others.plain else 0
    )  # what is boiled down cannot be held against a pattern
    return Literals(tuple(wanted), (*others.needed, needed) if others.needed else (), plain), needed
