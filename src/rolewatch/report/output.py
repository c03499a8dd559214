"""How a report is put out: the settings every format takes, and the one write at the end."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller may settle about the drawing; None means: by the stream and the environment.

    ``width`` is in columns; ``environ`` is read for COLUMNS, NO_COLOR and TERM.
    """

    width: int | None = None
    color: bool | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def emit(out: TextIO, text: str) -> None:
    r"""Write text at once; characters the stream's encoding lacks are written as ``\u2014``."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "backslashreplace").decode(encoding))
