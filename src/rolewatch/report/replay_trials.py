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
from rolewatch.scan.trial import Failure, Verdict
from rolewatch.templates.definitions import Place
from rolewatch.templates.errors import TemplateError

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_LABEL: Final = 8


class _Totals(NamedTuple):
    """How many tests there are of each kind."""

    passed: int
    failed: int
    not_run: int


class Outcome(NamedTuple):
    """A test of a file, and what it came to."""

    file: str
    name: str
    place: Place
    verdict: Verdict

    @property
    def failures(self) -> Sequence[Failure]:
        """The expectations that do not hold."""
        return self.verdict.failures

    @property
    def errors(self) -> Sequence[TemplateError]:
        """What is wrong with the test, which was not run then."""
        return self.verdict.errors

    @property
    def passed(self) -> bool:
        """Whether it was run, and all expectations hold."""
        return not self.failures and not self.errors


def write_json(outcomes: Sequence[Outcome], out: TextIO, options: Options) -> None:
    """Write all outcomes, indented by one space."""
    del options
    content: dict[str, Any] = {
        "tests": [
            {
                "file": each.file,
                "name": each.name,
                "place": str(each.place),
                "passed": each.passed,
                "failures": [_failure(failure) for failure in each.failures],
                "errors": [_error(error) for error in each.errors],
            }
            for each in outcomes
        ],
        **_totals(outcomes)._asdict(),
    }
    emit(out, dumps(content, indent=1) + "\n")


def write_table(outcomes: Sequence[Outcome], out: TextIO, options: Options) -> None:
    """Write a line for each test, what failed in it below, and how many there are at the end."""
    draw(out, options, partial(_fill, outcomes=outcomes))


def _totals(outcomes: Sequence[Outcome]) -> _Totals:
    return _Totals(
        sum(each.passed for each in outcomes),
        sum(bool(each.failures) for each in outcomes),
        sum(bool(each.errors) for each in outcomes),
    )


def _error(error: TemplateError) -> dict[str, str]:
    return {"message": error.notice().message, "place": str(error.place)}


def _failure(failure: Failure) -> dict[str, str | None]:
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
        page.row(((_mark(each),), (Text(terminal(each.name)),)), widths, indent=0)
        for failure in each.failures:
            said = f"{failure.expected.alarm} at {at(failure)}: expected {failure.expected.state}, {_found(failure)}"
            page.row(((), _told(said, failure.reason, failure.expected.place)), widths, indent=0)
        for error in each.errors:
            page.row(((), _told(error.notice().message, "", error.place)), widths, indent=0)
    passed, failed, not_run = _totals(outcomes)
    summary = f"{count(len(outcomes), 'test')}: {passed:,} ok, {failed:,} failed"
    if not_run:
        summary += f", {not_run:,} not run"
    page.line(Text(summary, "bold red" if failed or not_run else "bold green"))


def _mark(outcome: Outcome) -> Text:
    if outcome.errors:
        return Text("ERROR", "bold red")
    return Text("FAILED", "bold red") if outcome.failures else Text("ok", "green")


def _found(failure: Failure) -> str:
    return "but it cannot be evaluated" if failure.actual is None else f"was {failure.actual}"


def _told(what: str, why: str, place: Place) -> tuple[Text, ...]:
    """Write what is wrong, why if there is anything to say, and where."""
    lines = (Text(terminal(what), "bold"), Text(terminal(why)), Text(terminal(str(place)), "dim"))
    return tuple(line for line in lines if line.plain)
