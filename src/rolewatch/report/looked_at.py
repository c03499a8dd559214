"""What a scan looked at and what it could not have seen, as lines of text: totals that add up, and the gaps."""

from typing import Any

from rolewatch.base.sanitise import terminal
from rolewatch.report import words

#: Deliveries named one by one; a damaged archive can hold thousands, and the JSON format lists them all.
NAMED = 20


def looked_at(report: dict[str, Any]) -> list[str]:
    """Return the totals, and the time, accounts, regions and event categories they cover."""
    totals, coverage = report["totals"], report["coverage"]
    records = f"{words.count(totals['records'], 'record')} = {words.count(totals['denials'], 'denial')}"
    repeats = f"{words.count(totals['duplicates'], 'repeat')} + {totals['others']:,} others"
    unread = (
        f"{totals['skipped']:,} skipped, {totals['damaged']:,} damaged, {totals['unreadable']:,} unreadable"
    )
    deliveries = f"{words.count(totals['deliveries'], 'delivery')} ({unread})"
    cost = f"{words.size(totals['bytes_compressed'])} in {totals['seconds']:.1f} s"
    lines = [f"{records} + {repeats}", f"{deliveries}, {cost}"]
    if coverage["first_record"]:
        lines.append(
            f"from {words.moment(coverage['first_record'])} to {words.moment(coverage['last_record'])} UTC"
        )
    lines += [
        _some(coverage["accounts"], "account"),
        _some(coverage["regions"], "region"),
        _some(coverage["event_categories"], "event category"),
    ]
    if reasons := _by_reason(report["skipped"]):
        lines.append(f"skipped: {reasons}")
    return lines


def unread(report: dict[str, Any]) -> list[str]:
    """Return the deliveries that could not be read, or not to their end, with the reason."""
    entries = report["unreadable"]
    lines = [f"{terminal(entry['delivery'])}: {terminal(entry['reason'])}" for entry in entries[:NAMED]]
    if len(entries) > NAMED:
        lines.append(f"and {len(entries) - NAMED:,} more: see `unreadable` in the JSON format")
    return lines


def not_visible(report: dict[str, Any]) -> list[str]:
    """Return what this input could not have shown."""
    return [terminal(line) for line in report["coverage"]["not_visible"]]


def notes(report: dict[str, Any]) -> list[str]:
    """Return what else is to be said about this scan, such as a rule of the ignore file that has expired."""
    return [terminal(note) for note in report["notes"]]


def _some(names: list[str], noun: str) -> str:
    """Return how many there are, and which, unless that would fill the screen."""
    number = words.count(len(names), noun)
    return f"{number}: {words.listed(names)}" if 0 < len(names) <= NAMED else number


def _by_reason(entries: list[dict[str, str]]) -> str:
    """Return how many were skipped for which reason, the most frequent first."""
    reasons: dict[str, int] = {}
    for entry in entries:
        reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + 1
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{terminal(reason)} ({number:,})" for reason, number in ordered)
