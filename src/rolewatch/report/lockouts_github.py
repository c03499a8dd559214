"""The report of `check` as annotations of GitHub Actions: one line for each statement that shuts service-linked roles out.

Source: GitHub docs, "Workflow commands for GitHub Actions", setting an error, warning and notice message.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, TextIO

from rolewatch.base.sanitise import terminal
from rolewatch.report.lockouts_grouped import grouped, sentence
from rolewatch.report.output import emit

_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}
_UNSAFE: Final = re.compile(r"[%\r\n:,]")


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write the annotations."""
    emit(out, "".join(f"{line}\n" for line in _lines(report)))


def _lines(report: dict[str, Any]) -> Iterator[str]:
    for group in grouped(report["lockouts"], every=True):
        yield _annotation("error", group.statement, "Service-linked roles shut out", sentence(group))
    for group in grouped(report["depends"], every=True):
        yield _annotation("notice", group.statement, "Service-linked roles may be shut out", sentence(group))
    for note in report["notes"]:
        yield _annotation("warning", note["statement"], note["rule"], note["message"])
    for each in report["unread"]:
        yield f"::warning title=Not checked::{_escaped(each['where'] + ': ' + each['reason'], _DATA)}"


def _annotation(level: str, statement: dict[str, Any], title: str, text: str) -> str:
    values = {
        "file": statement["file"],
        "line": statement["line"],
        "col": statement["column"],
        "title": title,
    }
    properties = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in values.items())
    return f"::{level} {properties}::{_escaped(text, _DATA)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    """Escape what would end a message or a property; what is invisible is shown as escapes of its own."""
    return _UNSAFE.sub(lambda found: table.get(found[0], found[0]), terminal(text))
