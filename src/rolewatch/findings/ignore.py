"""What somebody has decided to live with (`--ignore`): rules with a reason and an end date.

A rule that never ends is a blind spot of its own, so each one has an end; from the day after on it hides nothing any
more, and says so.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.findings.match import FIELDS, fits

Finding = dict[str, Any]
_EXAMPLE = 'write [[rule]] with resource = "arn:aws:s3:::b", reason = "why" and until = 2026-12-31'


class Rule(NamedTuple):
    """One rule: patterns by key of a finding, all of which have to match; `until` is the last day on which it holds."""

    patterns: dict[str, str]
    reason: str
    until: date
    place: str  # file and number, for messages

    def fits(self, finding: Finding) -> bool:
        """Whether the rule is about this finding."""
        return fits(self.patterns, finding)


class Ignored(NamedTuple):
    """The findings that are left, and what has to be said about the rules."""

    findings: list[Finding]
    notes: list[str]


def read_rules(content: bytes, name: str) -> list[Rule]:
    """Read an ignore file (TOML, a list of `[[rule]]`); UsageError names the rule and what is wrong with it."""
    import tomllib  # noqa: PLC0415 - most calls have no file of rules

    try:
        tables = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: {error}", remedy=_EXAMPLE) from None
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply", remedy=_EXAMPLE) from None
    rules = tables.pop("rule", [])
    if tables or not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UsageError(f"{name}: only [[rule]] tables are known here", remedy=_EXAMPLE)
    return [_rule(rule, f"{name}: rule {number}") for number, rule in enumerate(rules, 1)]


def apply_rules(findings: Iterable[Finding], rules: Sequence[Rule], today: date) -> Ignored:
    """Leave out what a rule is about that still holds; expired rules are told, with what they would have hidden."""
    current = [rule for rule in rules if rule.until >= today]
    expired = [rule for rule in rules if rule.until < today]
    left: list[Finding] = []
    hidden = 0
    again = [0] * len(expired)
    for finding in findings:
        if any(rule.fits(finding) for rule in current):
            hidden += 1
            continue
        left.append(finding)
        for index, rule in enumerate(expired):
            again[index] += rule.fits(finding)
    notes = [f"{counted(hidden)} ignored by rule"] if hidden else []
    for rule, number in zip(expired, again, strict=True):
        notes.append(
            f"{rule.place} expired on {rule.until.isoformat()} and hides nothing ({counted(number)} would fit): {rule.reason}"
        )
    return Ignored(left, notes)


def _rule(rule: dict[str, Any], place: str) -> Rule:
    reason, until = rule.pop("reason", None), rule.pop("until", None)
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{place} has no reason", remedy=_EXAMPLE)
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            until = None
    if isinstance(until, datetime):
        until = until.date()
    if not isinstance(until, date):
        raise UsageError(
            f"{place} has no end date", remedy="write until = 2026-12-31, the last day on which it holds"
        )
    for key, pattern in rule.items():
        if key not in FIELDS:
            raise UsageError(f"{place}: nothing is called {key!r}", remedy=f"name one of {', '.join(FIELDS)}")
        if not isinstance(pattern, str):
            raise UsageError(f"{place}: {key} has to be a text in quotes")
    if not rule:
        raise UsageError(f"{place} would hide everything", remedy=f"name at least one of {', '.join(FIELDS)}")
    return Rule(rule, reason.strip(), until, place)


def counted(number: int) -> str:
    """Spell a number of findings."""
    return f"{number:,} finding" + ("" if number == 1 else "s")
