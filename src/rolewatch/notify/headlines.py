"""The first line of a message: who cannot do what on which resource, where and since when; or can again, and what proves it.

Every name in it may come from an attacker: what steers a terminal is made visible, and what is long is cut.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from rolewatch.base.sanitise import terminal
from rolewatch.notify.notification import Kind, Notification
from rolewatch.report import words as said

Finding = dict[str, Any]

#: The reason of a notification that only tries a target out, and how each of its lines begins.
TEST: Final = "test"
_MARK: Final = "TEST, nothing is wrong: "
#: Characters of a name at most.
_NAME, _RESOURCE, _ID = 80, 400, 64
#: Actions that are named; of more, the number is.
_ACTIONS: Final = 3


def title(notification: Notification, limit: int | None = None) -> str:
    """Say in one line what a notification tells, in `limit` characters at most."""
    line = _LINES[notification.kind](notification)
    if notification.reason == TEST:
        line = _MARK + line
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1]}…"


def services(findings: Iterable[Finding]) -> str:
    """Name the services of findings; of more than two, say how many."""
    names = list(dict.fromkeys(_service(finding) for finding in findings))
    return " and ".join(names) if len(names) <= 2 else f"{len(names):,} services"


def accounts(findings: Iterable[Finding]) -> str:
    """Name the account of the roles; of several, say how many."""
    names = list(dict.fromkeys(finding["account"] or "" for finding in findings))
    if len(names) > 1:
        return said.count(len(names), "account")
    return terminal(names[0], _ID) if names and names[0] else "an unknown account"


def resources(findings: list[Finding], left_out: int = 0) -> str:
    """Name the resource of findings; of several, say how many of what kind."""
    names = {finding["resource"] for finding in findings}
    if len(names) == 1 and not left_out:
        return resource(findings[0])
    return said.nouns(findings) + (f" and {left_out:,} more" if left_out else "")


def resource(finding: Finding) -> str:
    """Name a finding's resource."""
    return terminal(finding["resource"], _RESOURCE)


def actions(names: Iterable[str]) -> str:
    """Name actions, those that come most often first; of many, say how many more there are."""
    counted = Counter(terminal(name, _NAME) for name in names)
    ranked = sorted(counted, key=lambda name: (-counted[name], name))
    more = len(ranked) - _ACTIONS
    return ", ".join(ranked[:_ACTIONS]) + (f" and {more} more" if more > 0 else "")


def instant(time: str | None) -> str:
    """Write an ISO time as a person reads it."""
    shown = terminal(said.moment(time), _ID)
    return f"{shown} UTC" if shown[:1].isdigit() else shown


def open_actions(finding: Finding) -> list[str]:
    """Give the IAM actions that are still refused; all that were, if none is."""
    return [name for name, is_open in said.actions(finding).items() if is_open] or list(said.actions(finding))


def event_id(name: str | None) -> str:
    """Write an event's id."""
    return terminal(name or "unknown", _ID)


def _service(finding: Finding) -> str:
    return terminal(finding["service_name"] or finding["service"] or finding["role_name"] or "A service", _NAME)  # fmt: skip


def _refused(notification: Notification, again: str, times: Iterable[str | None]) -> str:
    found = list(notification.findings)
    if not found:
        return f"{said.count(notification.left_out, 'finding')} that this message does not list"
    names = actions(name for finding in found for name in open_actions(finding))
    since = min((time for time in times if time), default=None)
    where = f"{resources(found, notification.left_out)} in {accounts(found)}"
    return f"{services(found)} {again}cannot {names} on {where} since {instant(since)}"


def _blocked(notification: Notification) -> str:
    return _refused(notification, "", (finding["first_denied"] for finding in notification.findings))


def _reopened(notification: Notification) -> str:
    # What was denied before the recovery is no part of this: only the denial that reopened it is known to be.
    return _refused(notification, "again ", (finding["last_denied"] for finding in notification.findings))


def _recovered(notification: Notification) -> str:
    found = list(notification.findings)
    proofs = [proof for finding in found for proof in finding["proof"]]
    latest = max(proofs, key=lambda proof: str(proof["event_time"]))
    names = actions(proof["iam_action"] for proof in proofs)
    events = {proof["event_id"] for proof in proofs}
    more = f" and {len(events) - 1:,} more" if len(events) > 1 else ""
    return (
        f"{services(found)} can {names} on {resources(found, notification.left_out)} in {accounts(found)} again since "
        f"{instant(latest['event_time'])}, proven by event {event_id(latest['event_id'])}{more}"
    )


def _alarm(notification: Notification) -> str:
    alarm = notification.alarm or {}
    state = terminal(str(alarm.get("NewStateValue") or "ALARM"), _ID)
    name = terminal(str(alarm.get("AlarmName") or "unnamed"), _RESOURCE)
    where = terminal(str(alarm.get("Region") or ""), _NAME)
    return f'{state}: "{name}"' + (f" in {where}" if where else "")


def _summary(notification: Notification) -> str:
    found = list(notification.findings)
    statuses = Counter(terminal(finding["status"], _ID) for finding in found)
    parts = [f"{number:,} {status}" for status, number in statuses.most_common()]
    if notification.left_out:
        parts.append(f"{notification.left_out:,} not listed")
    total = said.count(len(found) + notification.left_out, "finding")
    who = f" of {services(found)} in {accounts(found)}" if found else ""
    return f"Summary: {total}{who} ({', '.join(parts) or 'none'})"


_LINES: Final[dict[Kind, Callable[[Notification], str]]] = {
    "blocked": _blocked,
    "recovered": _recovered,
    "reopened": _reopened,
    "alarm": _alarm,
    "summary": _summary,
}
