"""The formats a replay can be written in, by the name that ``--format`` takes."""

from collections.abc import Callable
from importlib import import_module
from typing import Final, TextIO

from rolewatch.report.output import Options
from rolewatch.scan.replayed import Replayed

#: Takes the replay, the stream and the options; writes the stream once.
Writer = Callable[[Replayed, TextIO, Options], None]


def _writer(module: str, *, takes_options: bool = False) -> Writer:
    """Return a writer whose module is imported when it is first used, to keep the start-up short."""

    def write(replayed: Replayed, out: TextIO, options: Options) -> None:
        write_format = import_module(f"rolewatch.report.{module}").write
        write_format(replayed, out, options) if takes_options else write_format(replayed, out)

    return write


FORMATS: Final[dict[str, Writer]] = {
    "table": _writer("replay_table", takes_options=True),
    "json": _writer("replay_json"),
    "html": _writer("replay_html"),
}
