"""A chart as text for a terminal: columns over time, a line or several high for each series, or bars side by side."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TextIO

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from rolewatch.engines.answers import Answer
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page
from rolewatch.report.query_chart import (
    BETWEEN,
    LONGEST_LABEL,
    Chart,
    Panel,
    Room,
    Series,
    chart_of,
    moment,
    number,
)
from rolewatch.report.query_chart_shape import Shape

MOST_SERIES: Final = 20
MOST_BARS: Final = 60
_LEAST: Final = 10  # columns that a chart has at least
_WIDEST: Final = 6  # characters for a column of time, where there are few
_HEIGHTS: Final = {1: 8, 2: 4, 3: 4}  # lines for each series, by their number; else one
_FRAME: Final = 3  # characters between a label and the first column, and one behind the last
_DIM: Final = "dim"


class _Signs(NamedTuple):
    """What charts are drawn with: columns of rising height, bars of rising length, an axis, and what tells that a name is cut."""

    levels: str
    lengths: str
    upright: str
    corner: str
    line: str
    cut: str


_UNICODE: Final = _Signs("▁▂▃▄▅▆▇█", "▏▎▍▌▋▊▉█", "│", "└", "─", "…")
_ASCII: Final = _Signs("_.,:;+*#", "#", "|", "+", "-", "~")


def write(answer: Answer, shape: Shape, out: TextIO, options: Options) -> None:
    """Draw the rows of an answer; with colours only to a terminal (or where asked)."""
    signs = _signs(out)
    draw(out, options, lambda page: _fill(page, answer, shape, signs))


def _signs(out: TextIO) -> _Signs:
    """Give the signs that a stream can show."""
    try:
        "".join(_UNICODE).encode(getattr(out, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return _ASCII
    return _UNICODE


def _fill(page: Page, answer: Answer, shape: Shape, signs: _Signs) -> None:
    label = min(LONGEST_LABEL, page.width // 2 if shape.time is None else page.width // 3)
    room = Room(page.width, MOST_SERIES, MOST_BARS, label)
    chart = chart_of(answer, shape, room)
    if chart.times:  # how wide a column can be is known when there are names and numbers beside it
        beside = max(_Times(page, chart, panel, signs).beside for panel in chart.panels)
        chart = chart_of(answer, shape, room._replace(columns=max(page.width - beside, _LEAST)))
    if signs is _ASCII:
        chart = _plain(chart)
    if not (chart.times or chart.labels):
        page.line(Text("no rows"))
        return
    for place, panel in enumerate(chart.panels):
        if place:
            page.line()
        if chart.times:
            _Times(page, chart, panel, signs).draw()
        else:
            _bars(page, chart, panel, signs)
    for note in chart.notes:
        page.line(Text(note, _DIM))


def _plain(chart: Chart) -> Chart:
    """Write names without the signs of ours that a stream lacks; what it lacks of others is written as its number."""
    panels = tuple(
        panel._replace(series=tuple(each._replace(label=_spelled(each.label)) for each in panel.series))
        for panel in chart.panels
    )
    labels = tuple(map(_spelled, chart.labels))
    return chart._replace(title=_spelled(chart.title), labels=labels, panels=panels)


def _spelled(text: str) -> str:
    return text.replace(BETWEEN, " / ").replace(_UNICODE.cut, _ASCII.cut)


def _heading(page: Page, chart: Chart, panel: Panel) -> None:
    """Say what is drawn, the whole of it or its panel's part."""
    whole = chart.title
    if len(chart.panels) > 1:
        names = ", ".join(each.measure.name for each in chart.panels)
        whole = panel.measure.name + whole.removeprefix(names)
    page.line(Text(whole, "bold"))


class _Times:
    """The series of a panel over time."""

    def __init__(self, page: Page, chart: Chart, panel: Panel, signs: _Signs) -> None:
        self._page = page
        self._chart = chart
        self._panel = panel
        self._signs = signs
        values = [value for series in panel.series for value in series.values if value is not None]
        self._floor, self._top = min([0.0, *values]), max([0.0, *values])
        self._height = _HEIGHTS.get(len(panel.series), 1)
        scale = [number(self._top), number(self._floor)] if self._height > 1 else []
        self._label = max(map(cell_len, (*scale, *(self._named(each) for each in panel.series))))
        tail = GAP + max(len(self._tail(each)) for each in panel.series) if self._height == 1 else 0
        columns = len(chart.times) - 1
        #: Characters of a line that are no columns of time.
        self.beside = self._label + tail + _FRAME
        self._label = min(self._label, max(page.width - columns - tail - _FRAME, page.width // 4))
        self._wide = max(1, min(_WIDEST, (page.width - self._label - tail - _FRAME) // columns))

    def _named(self, series: Series) -> str:
        return series.label if self._height == 1 else ""

    def _tail(self, series: Series) -> str:
        """Say what the line means: its highest value, and how much there is of it where that can be added up."""
        peak = "none" if series.peak is None else number(series.peak)
        total = f", total {number(series.total)}" if self._panel.measure.additive else ""
        return f"peak {peak}{total}"

    def draw(self) -> None:
        """Add them to the page."""
        _heading(self._page, self._chart, self._panel)
        for place, series in enumerate(self._panel.series):
            if self._height > 1:
                if place:
                    self._page.line()
                head = "" if series.label == self._panel.measure.name else f"{series.label}  "
                self._page.line(Text.assemble(head, (self._tail(series), _DIM)))
            self._draw(series)
        self._axis()
        if self._panel.left_out:
            self._page.line(Text(self._panel.left_out, _DIM))

    def _draw(self, series: Series) -> None:
        lines = columns_of(series.values, self._floor, self._top, self._height, self._signs.levels)
        for place, line in enumerate(lines):
            drawn = "".join(sign * self._wide for sign in line)
            if self._height == 1:
                label, tail = (
                    _cut(series.label, self._label, self._signs.cut),
                    f"{' ' * GAP}{self._tail(series)}",
                )
            else:
                shown = {0: number(self._top), self._height - 1: number(self._floor)}.get(place, "")
                label, tail = shown.rjust(self._label), ""
            self._line(label, self._signs.upright, Text.assemble(drawn, (tail, _DIM)))

    def _line(self, label: str, sign: str, rest: Text) -> None:
        blanks = " " * (self._label - cell_len(label))
        text = Text.assemble(label, blanks, " ", (sign, _DIM), rest)
        text.rstrip()
        self._page.line(text)

    def _axis(self) -> None:
        width = (len(self._chart.times) - 1) * self._wide
        self._line("", self._signs.corner, Text(self._signs.line * width, _DIM))
        first, last = moment(self._chart.times[0]), f"{moment(self._chart.times[-1])} UTC"
        gap = " " * (width - cell_len(first) - cell_len(last))
        text = f"{first}{gap}{last}" if len(gap) > 1 else f"{first} to {last}"
        indent = self._label + 2
        fits = indent + cell_len(text) <= self._page.width
        self._page.line(Text(f"{' ' * indent if fits else ''}{text}", _DIM))


def columns_of(
    values: Sequence[float | None], floor: float, top: float, height: int, levels: str
) -> list[str]:
    """Draw values as columns of so many lines, from top to bottom; what is more than the floor is always seen."""
    steps = height * len(levels)
    filled = [0 if value is None else _steps(value - floor, top - floor, steps) for value in values]
    lines = []
    for line in reversed(range(height)):
        base = line * len(levels)
        signs = (min(max(each - base, 0), len(levels)) for each in filled)
        lines.append("".join(levels[sign - 1] if sign else " " for sign in signs))
    return lines


def _steps(value: float, reach: float, steps: int) -> int:
    """Give the number of steps for a value: all for the greatest, at least one for what is above 0."""
    return max(1, round(value / reach * steps)) if value > 0 and reach > 0 else 0


def _bars(page: Page, chart: Chart, panel: Panel, signs: _Signs) -> None:
    """Add a bar for each label, with its value."""
    _heading(page, chart, panel)
    (series,) = panel.series
    if not series.values:
        return
    shown = ["none" if value is None else number(value) for value in series.values]
    label = min(max(map(cell_len, chart.labels)), page.width // 2)
    figures = max(map(len, shown))
    room = max(page.width - label - figures - 2 - GAP, _LEAST // 2)
    reach = max((value for value in series.values if value is not None), default=0.0)
    steps = len(signs.lengths)
    for name, value, figure in zip(chart.labels, series.values, shown, strict=True):
        whole, part = divmod(_steps(value or 0.0, reach, room * steps), steps)
        bar = signs.lengths[-1] * whole + (signs.lengths[part - 1] if part else "")
        cut = _cut(name, label, signs.cut)
        blanks = " " * (label - cell_len(cut))
        page.line(Text.assemble(cut, blanks, " ", (signs.upright, _DIM), bar, " ", figure))


def _cut(text: str, width: int, sign: str) -> str:
    """Cut what is still too wide, as names in wide characters are."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}{sign}"
