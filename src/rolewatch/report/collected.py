"""What was collected from AWS, for people: how much of what kind, and each thing that is missing with its reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page
from rolewatch.report.words import count

Entry = Mapping[str, Any]
_LABEL: Final = "dim"
_STYLES: Final = {"denied": "bold red", "failed": "red", "gone": ""}
_LEFT: Final = 6  # columns of a status
_SHOWN: Final = 5  # things that are named of those that are missing for one reason
_LONGEST: Final = 2000  # characters of a reason


def write(report: Mapping[str, Any], out: TextIO, options: Options) -> None:
    """Write a report of `rolewatch aws policies` as a table."""
    draw(out, options, lambda page: _page(page, report))


def _page(page: Page, report: Mapping[str, Any]) -> None:
    by_kind: dict[str, Counter[str]] = {}
    for entry in report["collected"]:
        by_kind.setdefault(entry["policy"], Counter())[entry["status"]] += 1
    width = max((len(f"{found.total():,}") for found in by_kind.values()), default=0)
    for policy, found in sorted(by_kind.items()):
        page.line(Text.assemble(f"{found.total():>{width},}  {terminal(policy)}", (_of_these(found), _LABEL)))
    missing: Sequence[Entry] = report["not_collected"]
    if missing:
        page.line()
        page.line(Text("Not collected", "bold"))
    for entries in _alike(missing):
        _missing(page, entries)
    if by_kind or missing:
        page.line()
    page.line(Text(_summary(report)))


def _alike(missing: Sequence[Entry]) -> list[list[Entry]]:
    """Put together what is missing for one and the same reason."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in missing:
        found.setdefault((entry["status"], entry["reason"]), []).append(entry)
    return list(found.values())


def _missing(page: Page, entries: Sequence[Entry]) -> None:
    status = entries[0]["status"]
    names = [f"{terminal(each['policy'])} of {terminal(each['resource'])}{_where(each)}" for each in entries]
    lines = [Text(name) for name in names[:_SHOWN]]
    if len(names) > _SHOWN:
        lines.append(Text(f"and {len(names) - _SHOWN:,} more"))
    lines.append(Text(terminal(entries[0]["reason"], _LONGEST), _LABEL))
    cells = [[Text(status, _STYLES.get(status, ""))], lines]
    page.row(cells, [_LEFT, page.width - _LEFT - GAP], indent=0)


def _where(entry: Entry) -> str:
    """Say in which region, where the ARN does not."""
    region = entry["region"]
    return f" in {terminal(region)}" if region and f":{region}:" not in entry["resource"] else ""


def _of_these(found: Counter[str]) -> str:
    said = [
        f"{found[status]:,} {words}"
        for status, words in (("absent", "without one"), ("kept", "kept from before"))
        if found[status]
    ]
    return f": {', '.join(said)}" if said else ""


def _summary(report: Mapping[str, Any]) -> str:
    totals = report["totals"]
    there = totals["collected"] + totals["absent"] + totals["kept"]
    words = f"{count(there, 'file')} in {terminal(report['folder'])}"
    if not there and not report["not_collected"]:
        words = "nothing to collect: no finding and no list names a resource that carries a policy"
    said = [f"{totals[status]:,} {status}" for status in ("denied", "failed", "gone") if totals[status]]
    if report["not_asked"]:
        said.append(f"{report['not_asked']:,} not asked for")
    return f"{words}{'; ' if said else ''}{', '.join(said)}."
