"""`scan --dry-run`: what would be read, by listing alone."""

from collections.abc import Sequence
from typing import Any

from rolewatch.base.errors import UsageError
from rolewatch.cli.commands import UNREAD
from rolewatch.cli.output import Output, complain
from rolewatch.sources import Survey, Window, survey


def dry_run(sources: Sequence[str], window: Window, *, form: str, output: str | None) -> int:
    """List the sources, print objects, bytes and days as a table or as JSON; returns the exit status."""
    if form not in ("table", "json"):
        raise UsageError(f"--dry-run prints a table or json, not {form}")
    problems: list[tuple[str, str]] = []
    found = survey(sources, window, problems)
    for name, reason in problems:
        complain(f"cannot list {name}: {reason}")
    text = _json(found, problems) if form == "json" else _text(found)
    with Output(output) as out:
        out.write(lambda stream: stream.write(text))
    return UNREAD if problems else 0


def _json(found: Survey, problems: list[tuple[str, str]]) -> str:
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - only for this form

    content: dict[str, Any] = {
        "objects": found.objects,
        "bytes": found.bytes,
        "days": dict(sorted(found.days.items())),
        "accounts": sorted(found.accounts),
        "regions": sorted(found.regions),
        "without_day": found.unnamed,
        "unreadable": [{"delivery": name, "reason": reason} for name, reason in problems],
    }
    return dumps(content, indent=1) + "\n"


def _text(found: Survey) -> str:
    from rolewatch.report.words import count, listed, size  # noqa: PLC0415 - only for this form

    lines = [f"{count(found.objects, 'object')}, {size(found.bytes)} compressed"]
    if found.days:
        days = sorted(found.days)
        lines += [
            f"{count(len(days), 'day')} of delivery, {days[0]} to {days[-1]}",
            f"{count(len(found.accounts), 'account')}: {listed(sorted(found.accounts))}",
            f"{count(len(found.regions), 'region')}: {listed(sorted(found.regions))}",
            *(f"  {day}  {number:,}" for day, number in sorted(found.days.items())),
        ]
    if found.unnamed:
        lines.append(f"{found.unnamed:,} whose name tells no day")
    return "\n".join(lines) + "\n"
