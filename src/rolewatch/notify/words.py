"""A notification as people read it: the line that matters, then what it means, why, what to do, and how to be spared it.

`told` gives it as data, which `text` writes plainly and `html.py` as a page for e-mail.
"""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from rolewatch.base.sanitise import terminal
from rolewatch.notify import headlines as line
from rolewatch.notify.admissible import Finding, admissible, proven_fix, supported_blame
from rolewatch.notify.consequences import documented
from rolewatch.notify.headlines import title
from rolewatch.notify.notification import Notification
from rolewatch.report import words as said

__all__ = ["Part", "Told", "text", "title", "told"]

#: Characters of one line at most; of a line of a policy, too.
_LINE: Final = 500
_LOG_LINES: Final = 10  # of a log alarm
#: Statuses of findings in a summary that need nobody any more.
_OVER: Final = frozenset(("recovered", "gone"))
_MUTED_FOR: Final = timedelta(days=7)


class Part(NamedTuple):
    """A paragraph: its label ("" for none), lines of text (or of code), and the rows of a table below them."""

    label: str
    lines: tuple[str, ...]
    code: bool = False
    rows: tuple[tuple[str, ...], ...] = ()


class Told(NamedTuple):
    """A whole message; everything in it is safe to show as text."""

    title: str
    parts: tuple[Part, ...]


class Room(NamedTuple):
    """How much a message may hold: findings that are listed, candidate causes, lines of a change."""

    rows: int
    candidates: int
    change: int


#: From all that is told to the least; a message that has to be short gets the first that fits.
_ROOMS: Final = (Room(20, 5, 80), Room(20, 3, 20), Room(10, 2, 10), Room(5, 1, 0), Room(2, 0, 0), Room(0, 0, 0))  # fmt: skip


def text(notification: Notification, *, limit: int | None = None, headline: bool = True) -> str:
    """Write a message as plain text of at most `limit` characters; without its first line if somebody else shows it."""
    for room in _ROOMS:
        written = _plain(told(notification, room), headline=headline)
        if limit is None or len(written) <= limit:
            return written
    return f"{written[: max(limit or 0, 1) - 1]}…"


def told(notification: Notification, room: Room = _ROOMS[0]) -> Told:
    """Put a message together."""
    notification = admissible(notification)
    found = list(notification.findings)
    if notification.kind == "alarm":
        parts = _alarm(notification.alarm or {})
    elif notification.kind == "recovered":
        parts = [*_proofs(found, room), _events(found)] if len(found) == 1 else _listed(notification, room)
    else:
        still = [finding for finding in found if finding["status"] not in _OVER]
        parts = [*_effect(still), *_why(still, room), *_blame(still, room), *_change(still, room)]
        if len(found) == 1 and not notification.left_out:
            parts += [_who(found[0]), _events(found)]
        else:
            parts += [*([_events(found)] if found else []), *_listed(notification, room)]
        parts += _mute(notification)
    return Told(title(notification), tuple(part for part in parts if part.lines or part.rows))


def _plain(message: Told, *, headline: bool) -> str:
    blocks = [message.title] if headline else []
    for part in message.parts:
        lines = [f"    {each}" for each in part.lines] if part.code else list(part.lines)
        lines += ["  ".join(row) for row in part.rows]
        if part.label and len(lines) == 1 and not part.code:
            blocks.append(f"{part.label}: {lines[0]}")
        else:
            blocks.append("\n".join([*([f"{part.label}:"] if part.label else []), *lines]))
    return "\n\n".join(blocks)


def _effect(found: list[Finding]) -> list[Part]:
    """Say what follows: by the finding, else by AWS's documentation, else only that somebody was refused something."""
    effects: Counter[str] = Counter()
    for finding in found:
        row = documented(finding)
        if finding["consequence"]:
            effects[terminal(finding["consequence"], _LINE)] += 1
        elif row is not None:
            effects[f"{row.text} (Source: {row.source}.)"] += 1
        else:
            who = terminal(
                finding["role_arn"] or finding["service"] or finding["service_name"] or "a caller", _LINE
            )
            names = line.actions(line.open_actions(finding))
            effects[f"{who} was refused {names} on {line.resource(finding)}."] += 1
    return [Part("What follows", _counted(effects, len(found)))]


def _why(found: list[Finding], room: Room) -> list[Part]:
    """Say what refuses, and how sure that is; where it is a guess, what it can be."""
    causes = Counter(
        f"{_start(said.reason(finding))} Verdict: {terminal(finding['verdict'], 40)} ({said.evidence(finding)})."
        for finding in found
    )
    parts = [Part("Cause", _counted(causes, len(found)))]
    if len(found) == 1 and found[0]["candidates"] and room.candidates:
        lines = tuple(
            f"{number}. {terminal(item['cause'], 200)} ({terminal(item['evidence'], 40)}): {terminal(item['why'], _LINE)}"
            for number, item in enumerate(found[0]["candidates"][: room.candidates], 1)
        )
        parts.append(Part("What it can be, likeliest first", lines))
    return parts


def _blame(found: list[Finding], room: Room) -> list[Part]:
    """Say who changed the policy last before it began; of several findings, the changes that most of them began after."""
    several = len(found) > 1
    known = [(finding, blame) for finding in found if (blame := supported_blame(finding))]
    if not known or not room.rows:
        return []
    changes = Counter(_changed(blame, line.resource(finding) if several else "") for finding, blame in known)
    label = "Last change of the policy before it began" + (", where it is known" if several else "")
    return [Part(label, _counted(changes, len(known)))]


def _changed(blame: Finding, resource: str) -> str:
    who, name = terminal(str(blame["principal"]), 200), terminal(str(blame["event_name"]), 80)
    on, at = f" on {resource}" if resource else "", line.instant(blame["time"])
    sentence = f"{name}{on} by {who} at {at}, event {line.event_id(blame['event_id'])}"
    added = [str(each.get("Sid") or each.get("Effect") or "a statement") for each in blame["added"]]
    return f"{sentence}; it added {line.actions(added)}" if added and blame["compared_with_earlier_policy"] else sentence  # fmt: skip


def _start(sentence: str) -> str:
    cut = sentence if len(sentence) <= _LINE else f"{sentence[: _LINE - 1]}…"
    return cut[:1].upper() + cut[1:]


def _counted(texts: Counter[str], total: int) -> tuple[str, ...]:
    """List the most frequent texts, with how often each holds where there are several."""
    if len(texts) == 1 and total >= 1:
        return tuple(texts)
    shown = [f"{each} ({number:,} of {total:,})" for each, number in texts.most_common(3)]
    rest = total - sum(number for _, number in texts.most_common(3))
    return (*shown, *([f"and {rest:,} others"] if rest else []))


def _change(found: list[Finding], room: Room) -> list[Part]:
    """Show the change of the first finding that has a proven one, with its proof."""
    proven = [(finding, fix) for finding in found if (fix := proven_fix(finding))]
    if not proven:
        return []
    finding, fix = proven[0]
    on = f" on {line.resource(finding)}" if len(found) > 1 else ""
    lines = _lines(fix.get("diff")) or _lines(fix.get("json_patch"))
    commands = _lines(fix.get("commands"))
    parts = [Part(f"The change{on}", (f"in {_compact(fix.get('target'))}",))]
    for label, each in (("Diff", lines), ("Commands", commands)):
        cut = each[: room.change]
        if len(each) > len(cut):
            cut = (*cut, f"… and {len(each) - len(cut):,} more lines: rolewatch findings show {_id(finding)}")
        parts.append(Part(label, cut, code=True))
    parts.append(Part("Proof of the change", (_compact(fix["proof"]),)))
    if len(proven) > 1:
        parts.append(Part("", (f"{len(proven) - 1:,} more have a proven change of their own: rolewatch findings show ID",)))  # fmt: skip
    return parts


def _lines(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value] if value else []
    written = (item if isinstance(item, str) else json.dumps(item) for item in items)
    return tuple(terminal(each, _LINE) for item in written for each in item.splitlines())


def _compact(value: Any) -> str:
    """Write a value of any shape in one line."""
    if isinstance(value, Mapping):
        return terminal("; ".join(f"{key}: {_compact(item)}" for key, item in value.items()), _LINE)
    return terminal(value if isinstance(value, str) else json.dumps(value), _LINE)


def _who(finding: Finding) -> Part:
    """Say who was refused where."""
    own, other = finding["account"], finding["resource_account"]
    who = said.principal(finding)[:_LINE]
    lines = [f"{who}: {terminal(finding['role_arn'], _LINE)}" if finding["role_arn"] else who]
    if other and other != own:
        lines.append(f"the resource is of account {terminal(other, 64)}")
    if finding["regions"]:
        lines.append(terminal(f"regions: {', '.join(map(str, finding['regions'][:20]))}", _LINE))
    return Part("Who", tuple(lines))


def _events(found: list[Finding]) -> Part:
    """Count the denials, and name one event that shows them."""
    number = sum(finding["denials"] for finding in found)
    first = min((finding["first_denied"] for finding in found if finding["first_denied"]), default=None)
    last = max((finding["last_denied"] for finding in found if finding["last_denied"]), default=None)
    ids: list[str] = next((finding["event_ids"] for finding in found if finding["event_ids"]), [])
    lines = [f"{said.count(number, 'denial')} from {line.instant(first)} to {line.instant(last)}"]
    if ids:
        lines.append(f"one event: {line.event_id(ids[-1])}")
    if found and all(finding["status"] == "silent" for finding in found):
        lines.append("No attempt since: that is not proof of recovery.")
    return Part("Denials", tuple(lines))


def _proofs(found: list[Finding], room: Room) -> list[Part]:
    """List what proves a recovery, action by action."""
    proofs = [proof for finding in found for proof in finding["proof"]]
    lines = [
        f"{terminal(str(proof['iam_action']), 80)} was allowed at {line.instant(proof['event_time'])}: event {line.event_id(proof['event_id'])}"
        for proof in proofs[: max(room.rows, 1)]
    ]
    rest = len(proofs) - len(lines)
    return [Part("Proof", (*lines, *([f"and {rest:,} more"] if rest else [])))]


def _listed(notification: Notification, room: Room) -> list[Part]:
    """List findings, worst first as they come, and say how many are not listed."""
    found = notification.findings
    several = len({finding["account"] for finding in found}) > 1
    many_services = len({finding["service"] for finding in found}) > 1
    rows = []
    for finding in found[: room.rows]:
        row = [_id(finding), terminal(finding["severity"], 20)]
        if notification.kind == "summary":
            row.append(terminal(finding["status"], 20))
        if many_services:
            row.append(line.services([finding]))
        row.append(line.resource(finding))
        if several:
            row.append(f"in {line.accounts([finding])}")
        row.append(_mark(notification, finding))
        rows.append(tuple(row))
    rest = len(found) - len(rows) + notification.left_out
    more = (f"and {rest:,} more: rolewatch findings list",) if rest else ()
    listed = [Part("Findings", (), rows=tuple(rows))] if rows else []
    return [*listed, Part("", more)]


def _mark(notification: Notification, finding: Finding) -> str:
    """Say of a finding in a list since when it is refused, or what proves that it is not."""
    if notification.kind == "recovered":
        proof = max(finding["proof"], key=lambda proof: str(proof["event_time"]))
        return f"proven by event {line.event_id(proof['event_id'])}"
    return f"since {line.instant(finding['first_denied'])}"


def _mute(notification: Notification) -> list[Part]:
    """Give the command that mutes the finding for a week, to be completed with the reason."""
    found = notification.findings
    if not found:
        return []
    name = _id(found[0]) if len(found) == 1 and not notification.left_out else "ID"
    command = f"rolewatch findings mute {name} --until {_week_later(notification.time)} --reason 'why'"
    return [Part("To mute it" if name != "ID" else "To mute one of them", (command,), code=True)]


def _week_later(time: str) -> str:
    try:
        return (datetime.fromisoformat(time) + _MUTED_FOR).date().isoformat()
    except (ValueError, OverflowError):
        return "DATE"


def _id(finding: Finding) -> str:
    return shlex.quote(terminal(finding["id"], 64))


def _alarm(alarm: Mapping[str, Any]) -> list[Part]:
    """Tell an alarm's change of state as CloudWatch's e-mail does."""
    trigger = alarm.get("Trigger")
    metric: Mapping[str, Any] = trigger if isinstance(trigger, Mapping) else {}
    facts: Iterable[tuple[str, Any]] = (
        ("Change", f"{alarm.get('OldStateValue') or 'unknown'} -> {alarm.get('NewStateValue') or 'unknown'} at {alarm.get('StateChangeTime') or 'an unknown time'}"),
        ("Reason", alarm.get("NewStateReason")),
        ("Description", alarm.get("AlarmDescription")),
        ("Contributor", _pairs(alarm.get("AlarmContributorAttributes"))),
        ("Metric", "/".join(str(metric[key]) for key in ("Namespace", "MetricName") if metric.get(key))),
        ("Query", metric.get("QueryString")),
        ("Threshold", _threshold(metric)),
        ("Rule", alarm.get("AlarmRule")),
        ("Account", alarm.get("AWSAccountId")),
        ("Alarm", alarm.get("AlarmArn")),
    )  # fmt: skip
    parts = [Part(label, (terminal(str(value), 1100),)) for label, value in facts if value]
    lines = alarm.get("LogLines")
    if isinstance(lines, list) and lines:
        shown = tuple(terminal(str(line), _LINE) for line in lines[:_LOG_LINES])
        parts.append(Part("Log lines, the newest first", shown, code=True))
    return parts


def _pairs(attributes: Any) -> str:
    """Name a contributor of a log alarm by its attributes."""
    found = attributes.items() if isinstance(attributes, Mapping) else ()
    return ", ".join(f"{name}={value}" for name, value in found)


def _threshold(metric: Mapping[str, Any]) -> str:
    if metric.get("Threshold") is None:
        return ""
    asked = " ".join(str(metric[key]) for key in ("Statistic", "ComparisonOperator", "Threshold") if metric.get(key) is not None)  # fmt: skip
    periods = f" for {metric['EvaluationPeriods']} periods of {metric.get('Period')} s" if metric.get("EvaluationPeriods") else ""  # fmt: skip
    return asked + periods
