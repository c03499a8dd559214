"""The report as JSON: the contract's dict as it is, its findings in reading order."""

from typing import Any, TextIO

from rolewatch.report.json_text import dumps
from rolewatch.report.order import ranked
from rolewatch.report.output import emit


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write the whole report, indented by one space."""
    emit(out, dumps(report | {"findings": ranked(report["findings"])}, indent=1) + "\n")
