"""The findings as JSON lines, in reading order."""

from typing import Any, TextIO

from rolewatch.report.json_text import dumps
from rolewatch.report.order import ranked
from rolewatch.report.output import emit


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write a finding a line, each as under `findings` in the JSON format."""
    emit(out, "".join(dumps(finding) + "\n" for finding in ranked(report["findings"])))
