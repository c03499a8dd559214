"""The ways a chart is written, by the ending of the file's name: as text, or as a picture."""

from collections.abc import Callable
from typing import Final, TextIO

from rolewatch.engines.answers import Answer
from rolewatch.report.output import Options, emit
from rolewatch.report.query_chart_shape import Shape

TEXT: Final = ""

Write = Callable[[Answer, Shape, TextIO, Options], None]


def check(ending: str) -> None:
    """Raise CannotDo where a chart cannot be drawn on this machine."""
    if ending != TEXT:
        from rolewatch.report.query_chart_picture import available  # noqa: PLC0415 - not needed for text

        available()


def write_text(answer: Answer, shape: Shape, out: TextIO, options: Options) -> None:
    """Draw with characters."""
    from rolewatch.report.query_chart_text import write  # noqa: PLC0415 - not needed for pictures

    write(answer, shape, out, options)


def write_svg(answer: Answer, shape: Shape, out: TextIO, options: Options) -> None:
    """Draw an SVG."""
    from rolewatch.report.query_chart_picture import picture_of, svg  # noqa: PLC0415 - as in check

    del options
    emit(out, svg(picture_of(answer, shape)))


def write_png(answer: Answer, shape: Shape, out: TextIO, options: Options) -> None:
    """Draw a PNG into the bytes behind a stream."""
    from rolewatch.report.query_chart_picture import picture_of, png  # noqa: PLC0415 - as in check

    del options
    out.flush()
    out.buffer.write(png(picture_of(answer, shape)))


def write_html(answer: Answer, shape: Shape, out: TextIO, options: Options) -> None:
    """Draw a page."""
    from rolewatch.report.query_chart_html import page  # noqa: PLC0415 - as in check
    from rolewatch.report.query_chart_picture import picture_of, svg  # noqa: PLC0415 - as in check

    del options
    chart = picture_of(answer, shape)
    emit(out, page(chart, svg(chart)))


FORMATS: Final[dict[str, Write]] = {
    TEXT: write_text,
    ".svg": write_svg,
    ".png": write_png,
    ".html": write_html,
}
