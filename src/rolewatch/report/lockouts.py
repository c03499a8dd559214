"""What `rolewatch check` found in; the report that all its formats are written from, out: the contract's JSON."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TextIO

from rolewatch.catalog.role_policies import policies_date
from rolewatch.explain.checked_read import Unread
from rolewatch.explain.lockout_found import Found, Lockout
from rolewatch.explain.lockout_mistakes import mistakes
from rolewatch.policies.policy import Policy, Statement
from rolewatch.report.json_text import dumps
from rolewatch.report.output import emit

MOST_ACTIONS: Final = 50  # of a role that are listed; `action_count` tells how many there are
MOST_RESOURCES: Final = 5


class Checked(NamedTuple):
    """All that a run of `check` came to; `unknown_roles` are of the account's list and not of the catalogue."""

    found: Sequence[Found]
    unread: Sequence[Unread] = ()
    unknown_roles: Sequence[str] = ()
    passed_over: Sequence[Unread] = ()


def report_of(checked: Checked) -> dict[str, Any]:
    """Make the report: lockouts and what depends, of security services first, in the order of the policies."""
    return {
        "lockouts": [_lockout(each, found) for found in checked.found for each in found.lockouts],
        "depends": [_lockout(each, found) for found in checked.found for each in found.depends],
        "notes": [note for found in checked.found for note in _notes(found)],
        "checked": [_subject(found) for found in checked.found],
        "unread": [{"where": each.where, "reason": each.reason} for each in checked.unread],
        "passed_over": [{"where": each.where, "reason": each.reason} for each in checked.passed_over],
        "unknown_roles": list(checked.unknown_roles),
        "role_policies_date": policies_date(),
    }


def write_json(report: dict[str, Any], out: TextIO) -> None:
    """Write the report as JSON."""
    emit(out, dumps(report, indent=1) + "\n")


def _lockout(lockout: Lockout, found: Found) -> dict[str, Any]:
    subject = found.subject
    statements = [_statement(subject.policy, each) for each in lockout.statements]
    made: dict[str, Any] = {
        "service": lockout.service,
        "service_name": lockout.service_name,
        "role_name": lockout.role_name,
        "role_arn": lockout.role_arn,
        "severity": lockout.severity,
        "actions": list(lockout.actions[:MOST_ACTIONS]),
        "action_count": len(lockout.actions),
        "resource": subject.resource,
        "resource_examples": list(lockout.resources[:MOST_RESOURCES]),
        "address": subject.address or None,
        "kind": "explicit" if lockout.statements else "implicit",
        "statement": statements[0] if statements else _statement(subject.policy, None),
        "statements": statements,
        "consequence": lockout.consequence.text,
        "consequence_source": lockout.consequence.source,
    }
    if lockout.missing:
        made |= {"missing_context": list(lockout.missing), "reason": lockout.reason or None}
    return made


def _statement(policy: Policy, statement: Statement | None) -> dict[str, Any]:
    """Say where a statement is; without one, where the policy is in which one is missing."""
    place = statement.place if statement else policy.place
    return {
        "policy": policy.name,
        "sid": statement.sid if statement else None,
        "number": statement.number if statement else None,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": place.path or None,
    }


def _notes(found: Found) -> Iterable[dict[str, Any]]:
    """Yield the mistakes in the statements that shut somebody out, or may."""
    statements = [each for lockout in (*found.lockouts, *found.depends) for each in lockout.statements]
    for mistake in mistakes(statements):
        yield {
            "rule": mistake.rule,
            "message": mistake.message,
            "address": found.subject.address or None,
            "statement": _statement(found.subject.policy, mistake.statement),
        }


def _subject(found: Found) -> dict[str, Any]:
    subject, owner = found.subject, found.owner
    return {
        "policy": subject.policy.name,
        "file": subject.policy.place.file,
        "address": subject.address or None,
        "kind": subject.kind.kind,
        "name": subject.kind.name,
        "resource": subject.resource,
        "resource_from": subject.resource_from,
        "account": owner.account,
        "account_from": owner.account_from,
        "organization": owner.organization,
        "organization_from": owner.organization_from or None,
        "lockouts": len(found.lockouts),
        "depends": len(found.depends),
    }
