"""The formats a report can be written in, by the name that ``--format`` takes."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TextIO

from rolewatch.report.output import Options

__all__ = ["FORMATS", "Options", "Writer"]

#: Takes the report (DESIGN "Commands: the contract"), the stream and the options; writes the stream once.
Writer = Callable[[dict[str, Any], TextIO, Options], None]


def _writer(module: str, *, takes_options: bool = False) -> Writer:
    """Return a writer whose module is imported when it is first used, to keep the start-up short."""

    def write(report: dict[str, Any], out: TextIO, options: Options) -> None:
        write_format = import_module(f"rolewatch.report.{module}").write
        write_format(report, out, options) if takes_options else write_format(report, out)

    return write


FORMATS: Final[dict[str, Writer]] = {
    "table": _writer("table", takes_options=True),
    "json": _writer("json_"),
    "jsonl": _writer("jsonl"),
    "csv": _writer("csv_"),
    "html": _writer("html"),
    "ocsf": _writer("ocsf"),
    "asff": _writer("asff"),
}
