"""What template tests came to: outcomes in; a line for each test, or JSON, out."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TextIO

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report.drawing import draw
from rolewatch.report.json_text import dumps
from rolewatch.report.output import Options, emit
from rolewatch.report.page import Page
from rolewatch.report.replay_words import iso
from rolewatch.report.words import count
from rolewatch.scan.trial import Failure
from rolewatch.templates.trials import Trial

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_LABEL: Final = 8


class Outcome(NamedTuple):
    """A test of a file, and the expectations that do not hold."""

    file: str
    trial: Trial
    failures: Sequence[Failure]


def write_json(outcomes: Sequence[Outcome], out: TextIO, options: Options) -> None:
    """Write all outcomes, indented by one space."""
    del options
    failed = sum(bool(each.failures) for each in outcomes)
    content: dict[str, Any] = {
        "tests": [
            {
                "file": each.file,
                "name": each.trial.name,
                "place": str(each.trial.place),
                "passed": not each.failures,
                "failures": [_failure(failure) for failure in each.failures],
            }
            for each in outcomes
        ],
        "passed": len(outcomes) - failed,
        "failed": failed,
    }
    emit(out, dumps(content, indent=1) + "\n")


def write_table(outcomes: Sequence[Outcome], out: TextIO, options: Options) -> None:
    """Write a line for each test, what failed in it below, and how many there are at the end."""
    draw(out, options, partial(_fill, outcomes=outcomes))


def _failure(failure: Failure) -> dict[str, str]:
    expected = failure.expected
    return {
        "alarm": expected.alarm,
        "at": at(failure),
        "expected": expected.state,
        "actual": failure.actual,
        "reason": failure.reason,
        "place": str(expected.place),
    }


def at(failure: Failure) -> str:
    """Return when an expectation has to hold: "1h30m" after the start, or a time."""
    offset = failure.expected.offset
    if offset is None:
        return iso(failure.time)
    parts = []
    for size, unit in _UNITS:
        number, offset = divmod(offset, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def _fill(page: Page, *, outcomes: Sequence[Outcome]) -> None:
    widths = (_LABEL, page.width - _LABEL - 2)
    for each in outcomes:
        mark = Text("FAILED", "bold red") if each.failures else Text("ok", "green")
        page.row(((mark,), (Text(terminal(each.trial.name)),)), widths, indent=0)
        for failure in each.failures:
            expected = failure.expected
            lines = (
                Text(terminal(f"{expected.alarm} at {at(failure)}: expected {expected.state}, was {failure.actual}"), "bold"),
                Text(terminal(failure.reason)),
                Text(terminal(str(expected.place)), "dim"),
            )  # fmt: skip
            page.row(((), lines), widths, indent=0)
    failed = sum(bool(each.failures) for each in outcomes)
    summary = f"{count(len(outcomes), 'test')}: {len(outcomes) - failed:,} ok, {failed:,} failed"
    page.line(Text(summary, "bold red" if failed else "bold green"))
