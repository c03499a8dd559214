"""How text is put on a terminal or into a file: the width, whether there are colours, and the one write at the end."""

from collections.abc import Callable
from io import StringIO
from typing import Final, TextIO

from rich.console import Console

from rolewatch.report.output import Options, emit
from rolewatch.report.page import Page

#: Columns of a stream that is no terminal and says nothing: wide enough for sentences, narrow enough for a mail.
PLAIN_WIDTH: Final = 120

#: No line is folded to less, however small the terminal is: it would not be read, and a wide character has to fit.
NARROWEST: Final = 40


def draw(out: TextIO, options: Options, fill: Callable[[Page], None]) -> None:
    """Let `fill` set text on a page and write that; with colours only to a terminal (or where asked), and never cut off."""
    is_terminal = out.isatty()
    environ = options.environ
    color = options.color
    if color is None:
        color = is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    width = options.width or _columns(environ.get("COLUMNS", ""))
    text = StringIO()
    console = Console(
        file=text,
        width=width or (None if is_terminal else PLAIN_WIDTH),
        force_terminal=color,
        force_interactive=False,
        color_system="auto" if color else None,
        no_color=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        # What rich would make of the rest, such as FORCE_COLOR, is settled above.
        _environ={name: environ[name] for name in ("TERM", "COLORTERM") if name in environ},
    )
    page = Page(max(console.width, NARROWEST))
    fill(page)
    # Folded already: printed line by line, rich would fold it once more, and cut what it thinks is too long.
    console.print(page.text, no_wrap=True, overflow="ignore", crop=False, end="")
    emit(out, text.getvalue())


def _columns(text: str) -> int | None:
    """Return COLUMNS if it is a usable width."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) else None
