"""What `rolewatch aws doctor` found, for people: step by step, what is wrong with the command that mends it, and what is right in short."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final, TextIO

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page
from rolewatch.report.words import count

Entry = Mapping[str, Any]
_STYLES: Final = {"problem": "bold red", "warning": "yellow", "unknown": "magenta", "ok": "green"}
_LEFT: Final = 7  # columns of a status
_LONGEST: Final = 4000  # characters of a message
_FIX: Final = 20_000  # of a command: a policy stands in it as a whole
_RINGS: Final = {True: ("rings", "green"), False: ("silent", "bold red"), None: ("unknown", "magenta")}


def write(report: Mapping[str, Any], out: TextIO, options: Options) -> None:
    """Write a report of `rolewatch aws doctor` as a table."""
    draw(out, options, lambda page: _page(page, report))


def _page(page: Page, report: Mapping[str, Any]) -> None:
    accounts: Sequence[str] = report["accounts"]
    for account in accounts:
        checks = _of(account, report["checks"])
        if len(accounts) > 1:
            page.line(Text(f"Account {account}", "bold underline"))
        for step, entries in groupby(checks, key=lambda each: each["step"]):
            _step(page, step, list(entries))
        trials: Sequence[Entry] | None = report.get("simulation")
        if trials is not None and _of(account, trials):
            _simulation(page, _of(account, trials))
        page.line(Text(_summary(f"account {account}", checks, report["regions"])))
        if len(accounts) > 1:
            page.line()
    if len(accounts) > 1:
        page.line(Text(_summary(count(len(accounts), "account"), report["checks"], report["regions"])))


def _of(account: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    return [each for each in entries if each["account"] == account]


def _step(page: Page, step: str, entries: Sequence[Entry]) -> None:
    page.line(Text(step[:1].upper() + step[1:], "bold"))
    good = list(dict.fromkeys(entry["id"] for entry in entries if entry["status"] == "ok"))
    bad = [entry for entry in entries if entry["status"] != "ok"]
    if good:
        _row(page, "ok", [Text(", ".join(good), "dim")])
    for entry in bad:
        told = Text.assemble((entry["id"], "bold"), "  ", terminal(entry["message"], _LONGEST))
        _row(page, entry["status"], [told])
        if entry["fix"]:
            # On lines of its own and never folded, so that it can be copied as it is.
            page.text.append(" " * (_LEFT + GAP)).append(f"$ {terminal(entry['fix'], _FIX)}", "cyan").append(
                "\n"
            )
    page.line()


def _row(page: Page, status: str, lines: Sequence[Text]) -> None:
    mark = [Text(status, _STYLES[status])]
    page.row([mark, lines], [_LEFT, page.width - _LEFT - GAP], indent=0)


def _simulation(page: Page, trials: Sequence[Entry]) -> None:
    page.line(Text("Simulation", "bold"))
    for trial in trials:
        word, style = _RINGS[trial["would_ring"]]
        lines = [Text(terminal(trial["title"])), Text(terminal(trial["message"], _LONGEST), "dim")]
        page.row([[Text(word, style)], lines], [_LEFT, page.width - _LEFT - GAP], indent=0)
    if any(trial["tested_by"] == "rolewatch" for trial in trials):
        page.line(Text("Patterns were tried by rolewatch: TestMetricFilter gave no answer.", "dim"))
    page.line()


def _summary(whose: str, checks: Sequence[Entry], regions: Sequence[str]) -> str:
    found = Counter(entry["status"] for entry in checks)
    where = f"{whose}, {', '.join(map(terminal, regions))}"
    said = [count(found[status], status) for status in ("problem", "warning") if found[status]]
    if found["unknown"]:
        said.append(f"{found['unknown']} unknown")
    return f"{where}: {', '.join(said) or 'nothing found that would go unseen'}."
