r"""A parsed pattern in; what the text of every message that it matches holds, out.

A clause is a set of literals of which the text holds at least one; a pattern has any number of them. In a JSON message an
escape may hide a literal (`\u0041`, `\/`): whoever searches for one has to look closer where there is an escape of
letters or slashes. White space between the parts of an object hides nothing, since no literal reaches from a key to its value.
"""

import re
from collections.abc import Iterable

from rolewatch.patterns.syntax import (
    ANY,
    And,
    Comparison,
    Condition,
    Is,
    Json,
    Line,
    NotExists,
    Number,
    Or,
    Parsed,
    Regex,
    Selector,
    Terms,
    Value,
)

Clause = frozenset[bytes]
Clauses = tuple[Clause, ...]

SHORTEST = 2  # bytes of a literal
MOST = 36  # literals of a clause; more of them tell less than their search costs
# Keys that all records of CloudTrail have: that one is there tells nothing. Source: spec/cloudtrail.md §1.
_EVERYWHERE = frozenset((
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
    "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType", "managementEvent",
    "recipientAccountId", "eventCategory", "type", "arn", "accountId", "principalId",
))  # fmt: skip
_CANNOT_STAND = re.compile(r'[\x00-\x1f\\"]')  # in a JSON text it is written otherwise
_MAY_BE_NUMBER = re.compile(r"[-+.0-9eEInfity]*")  # of what a number is rendered with, `Infinity` included
_PLAIN_REGEX = re.compile(r"\^?([A-Za-z0-9 :_#=@/;,-]+)\$?")


def necessary(parsed: Parsed) -> Clauses:
    """Give the clauses of a pattern; none where it may match anything."""
    if isinstance(parsed, Json):
        return _clauses(parsed.condition)
    if isinstance(parsed, Terms):
        if parsed.plain or parsed.excluded:
            return _all_of(_clause([term.encode()]) for term in parsed.plain)
        return _all_of([_clause([term.encode() for term in parsed.optional])])
    if isinstance(parsed, Regex):
        return _all_of([_clause(_of_regex(parsed.source))])
    if isinstance(parsed, Line):
        fields = (field.condition for field in parsed.fields if field.condition)
        return _all_of(clause for condition in fields for clause in _of_field(condition))
    return ()


def best(clauses: Iterable[Clause]) -> Clause:
    """Choose of one clause or more the one that probably holds for the fewest messages: that of the longest literals."""
    return max(clauses, key=lambda clause: (min(map(len, clause)), -len(clause)))


def _clause(literals: Iterable[bytes]) -> Clause | None:
    """Make a clause; None if one of the literals is too short to tell anything, or if there are none, or too many."""
    clause = frozenset(literals)
    return clause if 0 < len(clause) <= MOST and min(map(len, clause)) >= SHORTEST else None


def _all_of(clauses: Iterable[Clause | None]) -> Clauses:
    return tuple(dict.fromkeys(clause for clause in clauses if clause))


def _clauses(condition: Condition) -> Clauses:
    if isinstance(condition, And):
        return _all_of(clause for part in condition.parts for clause in _clauses(part))
    if isinstance(condition, Or):
        return _one_of([_clauses(part) for part in condition.parts])
    if isinstance(condition, NotExists) or isinstance(condition.subject, str):
        return ()
    if isinstance(condition, Is):
        return _all_of([_key(condition.subject)])
    if condition.operator == "!=" and ANY in condition.subject.steps:
        return ()  # it holds where nothing is selected, too
    value = _of_value(condition.value) if condition.operator == "=" else None
    return _all_of([value or _key(condition.subject)])


def _one_of(parts: list[Clauses]) -> Clauses:
    """Give the clause that holds if one of several conditions does: the best of each."""
    if not all(parts):
        return ()
    return _all_of([_clause(literal for clauses in parts for literal in best(clauses))])


def _key(selector: Selector) -> Clause | None:
    """Give the last name of a path that not every record has."""
    names = [step for step in selector.steps if isinstance(step, str) and step not in _EVERYWHERE]
    if not names or _CANNOT_STAND.search(names[-1]):
        return None
    return _clause([f'"{names[-1]}"'.encode()])


def _of_value(value: Value) -> Clause | None:
    """Give the clause for a JSON value that equals another: the longest text that has to stand in it."""
    if isinstance(value, Number):
        return None  # a number can be written in many ways
    if isinstance(value, Regex):
        return _clause(_of_regex(value.source))
    pieces = value.text.split("*")
    if all(map(_MAY_BE_NUMBER.fullmatch, pieces)):
        return None
    if _CANNOT_STAND.search(value.text):
        pieces = [part for piece in pieces for part in _CANNOT_STAND.split(piece)]
    else:
        pieces[0] = f'"{pieces[0]}'
        pieces[-1] = f'{pieces[-1]}"'
    return _clause([max(pieces, key=len).encode()])


def _of_field(condition: Condition) -> Clauses:
    """Give the clauses for a field of a line, which stands in the message as it is."""
    if isinstance(condition, And):
        return _all_of(clause for part in condition.parts for clause in _of_field(part))
    if isinstance(condition, Or):
        return _one_of([_of_field(part) for part in condition.parts])
    if (
        not isinstance(condition, Comparison)
        or condition.operator != "="
        or isinstance(condition.value, Number)
    ):
        return ()
    if isinstance(condition.value, Regex):
        return _all_of([_clause(_of_regex(condition.value.source))])
    return _all_of(_clause([piece.encode()]) for piece in condition.value.text.split("*"))


def _of_regex(source: str) -> list[bytes]:
    """Give the text that an expression without operators looks for; nothing where that may be a number's rendering."""
    plain = _PLAIN_REGEX.fullmatch(source)
    if not plain or _MAY_BE_NUMBER.fullmatch(plain[1]):
        return []
    return [plain[1].encode()]
