"""Patterns in; the literals by which the few records that one of them may match are found in raw bytes, out."""

from collections.abc import Sequence
from itertools import chain

from rolewatch.cloudtrail.carve import HIDING, Literals, bit
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.necessary import Clause, best, necessary

TELLING = 5  # bytes of a literal that few records hold: `"us-` is in most of them
MOST_BITS = 5  # clauses that are looked for in one pass
MOST_LITERALS = 36  # of all clauses together
EVERY = Literals((b'"eventTime"',), every=True)  # marks all records


def search(patterns: Sequence[Pattern]) -> Literals | None:
    """Say which records are marked for these patterns; None where any record may match, or too much would be looked for."""
    clauses = [_most(necessary(pattern.parsed)) for pattern in patterns]
    if not all(clauses):
        return None
    wanted = list(dict.fromkeys(chain.from_iterable(clauses)))
    if not _few(wanted):
        clauses = [[best(each)] for each in clauses]
        wanted = list(dict.fromkeys(chain.from_iterable(clauses)))
        if not _few(wanted):
            return None
    bits = {clause: bit(number) for number, clause in enumerate(wanted)}
    needed = {sum(bits[clause] for clause in each) for each in clauses}
    return Literals(tuple(tuple(sorted(clause)) for clause in wanted), (HIDING, *sorted(needed)))


def _most(clauses: Sequence[Clause]) -> list[Clause]:
    """Choose as many clauses of one pattern as can be looked for, the best first."""
    chosen: list[Clause] = []
    telling = {clause for clause in clauses if min(map(len, clause)) >= TELLING}
    for clause in sorted(telling, key=lambda each: (-min(map(len, each)), len(each), sorted(each))):
        if _few([*chosen, clause]):
            chosen.append(clause)
    return chosen


def _few(clauses: Sequence[Clause]) -> bool:
    return len(clauses) <= MOST_BITS and sum(map(len, clauses)) <= MOST_LITERALS
