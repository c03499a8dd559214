"""An alarm's graph: what it saw against its threshold, the state as a band below, and where findings began."""

import math
import sys
from itertools import pairwise
from typing import Final

import numpy as np

from rolewatch.alarms.graph import Graph
from rolewatch.alarms.history import History, State
from rolewatch.metrics.series import Floats
from rolewatch.report import replay_words as said
from rolewatch.report.html_markup import Markup, el, join
from rolewatch.report.replay_columns import Axis, axis, bands, round_axis, thinned
from rolewatch.report.replay_graph import threshold_of
from rolewatch.report.replay_story import Story
from rolewatch.report.words import count

#: Columns of a chart at most: a page of a thousand pixels shows no more, and a year stays small.
MOST_COLUMNS: Final = 720
#: Bands that have a text when they are pointed at, and a label if they are this part of the width.
MOST_TITLES: Final = 120
LABELLED: Final = 0.16
#: Rows of the chart's numbers as a table.
MOST_ROWS: Final = 48

#: Heights in pixels, from the top: the scale's number, the graph, the band's labels, the band, the findings, the days.
_TOP, _UP, _LABELS, _BAND, _MARKS, _DAYS = 18, 120, 22, 20, 20, 20
_FLOOR: Final = _TOP + _UP
_BAND_TOP: Final = _FLOOR + _LABELS
_MARKS_TOP: Final = _BAND_TOP + _BAND
_HEIGHT: Final = _MARKS_TOP + _MARKS + _DAYS
#: Top and bottom of a state's band in parts of its height: shape as well as colour.
_SHAPES: Final = {State.ALARM: (0.0, 1.0), State.OK: (0.7, 1.0), State.INSUFFICIENT_DATA: (0.35, 0.65)}
_CLASSES: Final = {State.ALARM: "alarm", State.OK: "ok", State.INSUFFICIENT_DATA: "unknown"}


def state_class(state: State) -> str:
    """Return the class under which a state is drawn."""
    return f"s-{_CLASSES[state]}"


def chart(story: Story, drawn: Graph | None) -> Markup:
    """Return the picture with its legend, and its numbers as a table."""
    history = story.history
    span = max(history.end - history.start, 1)
    on = axis(history, min(MOST_COLUMNS, max(span // 60, 1)))
    scale = _Scale(drawn, on) if drawn is not None else None
    parts: list[Markup | None] = [
        scale.picture() if scale else None,
        _band(history, on),
        _marks(story, on),
        _ticks(on),
    ]
    top = 0 if scale else _FLOOR - 4  # a composite alarm has states only
    picture = el(
        "svg",
        el("svg", *parts, x="0", y=-top, width="100%", height=_HEIGHT, overflow="visible"),
        class_="chart replay",
        width="100%",
        height=_HEIGHT - top,
        role="img",
        aria_label=f"{_summary(story, scale)}. The table below has the numbers.",
    )
    return el("div", picture, _legend(story, scale), _numbers(story, drawn), class_="graph")


class _Scale:
    """The values of a graph on their axis."""

    def __init__(self, drawn: Graph, on: Axis) -> None:
        self.on = on
        self.threshold = threshold_of(drawn)
        self.values = thinned(drawn.times, drawn.values, drawn.seconds, on)
        self.normal: tuple[Floats, Floats] | None = None
        ends = [*(self.values.bounds or ()), *(() if self.threshold is None else (self.threshold,))]
        if isinstance(drawn.lower, np.ndarray) and isinstance(drawn.upper, np.ndarray):
            least, most = (
                thinned(drawn.times, each, drawn.seconds, on) for each in (drawn.lower, drawn.upper)
            )
            self.normal = least.low, most.high
            ends += [*(least.bounds or ()), *(most.bounds or ())]
        self.floor: float = min([0.0, *ends])
        self.top: float = _round_up(max([0.0, *ends]) - self.floor) + self.floor

    def picture(self) -> Markup:
        """Return grid, values and threshold."""
        low, high = self.values
        inner = [
            el("path", class_="area", d=self._boxes(np.zeros_like(high), high)),
            el("path", class_="range", d=self._boxes(low, high)),
        ]
        if self.normal:
            inner.insert(0, el("path", class_="normal", d=self._boxes(*self.normal)))
        return el(
            "g",
            self._grid(),
            el(
                "svg",
                *inner,
                x="0",
                y=_TOP,
                width="100%",
                height=_UP,
                viewBox=f"0 0 {self.on.columns} {_UP}",
                preserveAspectRatio="none",
                overflow="visible",
            ),
            self._threshold(),
            aria_hidden="true",
        )

    def _y(self, value: float) -> float:
        """Return how far below the graph's top a value lies."""
        return round(_UP * (1.0 - (value - self.floor) / (self.top - self.floor)), 1)

    def _boxes(self, low: Floats, high: Floats) -> str:
        """Return a path of boxes from the low to the high of each column; equal neighbours are one."""
        edges = _edges(low, high)
        boxes = []
        for first, last in pairwise(edges):
            if np.isnan(high[first]):
                continue
            bottom, top = self._y(float(low[first])), self._y(float(high[first]))
            boxes.append(f"M{first} {bottom:g}V{top:g}h{last - first}V{bottom:g}z")
        return "".join(boxes)

    def _grid(self) -> Markup:
        lines = []
        half = (self.top + self.floor) / 2
        for value in (self.top, half) if half.is_integer() or self.top < 1 else (self.top,):
            y = _TOP + self._y(value)
            lines.append(el("line", class_="grid", x1="0", x2="100%", y1=f"{y:g}", y2=f"{y:g}"))
            lines.append(el("text", said.number(value), class_="scale", x="0", y=f"{y - 4:g}"))
        base = _TOP + self._y(min(max(0.0, self.floor), self.top))
        lines.append(el("line", class_="axis", x1="0", x2="100%", y1=f"{base:g}", y2=f"{base:g}"))
        return join(lines)

    def _threshold(self) -> Markup | None:
        """Return the line that is not to be crossed, with its value; of a band that changes, nothing."""
        value = self.threshold
        if value is None:
            return None
        y = _TOP + self._y(value)
        return join([
            el("line", class_="threshold", x1="0", x2="100%", y1=f"{y:g}", y2=f"{y:g}"),
            el("text", f"threshold {said.number(value)}", class_="limit", x="100%", y=f"{y - 4:g}", text_anchor="end"),
        ])  # fmt: skip


def _band(history: History, on: Axis) -> Markup:
    """Return the states, each of another height, with labels above those that are wide enough."""
    found = bands(history, on)
    boxes, labels = [], []
    titled = len(found) <= MOST_TITLES
    for state, first, last in found:
        top, bottom = (part * _BAND for part in _SHAPES[state])
        box = f"M{first} {top:g}h{last - first}V{bottom:g}H{first}z"
        title = f"{state.value}: {said.moment(on.time(first))} to {said.moment(on.time(last))}"
        boxes.append(el("path", el("title", title) if titled else None, class_=state_class(state), d=box))
        if last - first >= LABELLED * on.columns:
            middle = 50 * (first + last) / on.columns
            labels.append(
                el(
                    "text",
                    state.value,
                    class_="label",
                    x=f"{middle:.2f}%",
                    y=_BAND_TOP - 5,
                    text_anchor="middle",
                )
            )
    return el(
        "g",
        *labels,
        el(
            "svg", *boxes, x="0", y=_BAND_TOP, width="100%", height=_BAND, viewBox=f"0 0 {on.columns} {_BAND}",
            preserveAspectRatio="none", overflow="visible",
        ),
    )  # fmt: skip


def _marks(story: Story, on: Axis) -> Markup:
    """Return a mark where each finding began: full if somebody was told, hollow if not; one a column."""
    heard = set(story.told)
    columns: dict[tuple[int, bool], int] = {}
    for finding, minute in story.firsts.items():
        column = min(max(int(on.at(np.array([minute]))[0]), 0), on.columns - 1)
        place = column * 200 // on.columns, finding in heard  # no two marks are closer than they are wide
        columns[place] = columns.get(place, 0) + 1
    marks = [
        el(
            "circle",
            el("title", f"{count(number, 'finding')} began; {'somebody' if told else 'nobody'} was told"),
            class_="told" if told else "untold",
            cx=f"{(place + 0.5) / 2:.2f}%",
            cy=_MARKS_TOP + _MARKS // 2,
            r="4",
        )
        for (place, told), number in columns.items()
    ]
    return el("g", *marks)


def _ticks(on: Axis) -> Markup:
    """Return times below the chart, six at most; every other one gives way on a small screen."""
    length = on.end - on.start
    ticks = []
    for index in range(6):
        side = "start" if index == 0 else "end" if index == 5 else "middle"
        ticks.append(
            el(
                "text",
                said.tick(on.start + index * length // 5, length),
                class_="tick minor" if index in (1, 2, 3, 4) else "tick",
                x=f"{20 * index}%",
                y=_HEIGHT - 5,
                text_anchor=side,
            )
        )
    return join(ticks)


def _legend(story: Story, scale: _Scale | None) -> Markup:
    items = []
    if scale is not None:
        items.append(el("li", el("i", class_="k-range"), "what the alarm saw"))
        if scale.threshold is not None:
            items.append(el("li", el("i", class_="k-threshold"), "threshold"))
        elif scale.normal:
            items.append(el("li", el("i", class_="k-normal"), "the band of normal values"))
    items += [
        el("li", el("i", class_=f"k-{_CLASSES[state]}"), state.value)
        for state in said.states_seen(story.history)
    ]
    if story.told:
        items.append(el("li", el("i", class_="k-told"), "a finding began, and somebody was told"))
    if story.untold:
        items.append(el("li", el("i", class_="k-untold"), "a finding began, and nobody was told"))
    return el("ul", *items, class_="legend")


def _summary(story: Story, scale: _Scale | None) -> str:
    """Return the picture in words."""
    values = ""
    if scale is not None and scale.values.bounds:
        low, high = scale.values.bounds
        values = f"Values from {said.number(low)} to {said.number(high)}"
        values += f", threshold {said.number(scale.threshold)}. " if scale.threshold is not None else ". "
    return f"{values}The alarm {said.deed(story)}"


def _numbers(story: Story, drawn: Graph | None) -> Markup:
    """Return the chart's numbers, for who cannot see it or wants them exactly."""
    history = story.history
    on = round_axis(history, MOST_ROWS)
    values = thinned(drawn.times, drawn.values, drawn.seconds, on) if drawn is not None else None
    states = {column: state for state, first, last in bands(history, on) for column in range(first, last)}
    rows = []
    for column in range(on.columns):
        cells = [el("th", said.moment(on.time(column)), scope="row")]
        if values is not None:
            cells += [el("td", _figure(float(each[column]))) for each in (values.low, values.high)]
        rows.append(el("tr", *cells, el("td", states[column].value)))
    names = ["From (UTC)", *(("Least", "Most") if values is not None else ()), "Gravest state"]
    head = el("tr", *(el("th", name, scope="col") for name in names))
    table = el("table", el("thead", head), el("tbody", *rows), class_="data")
    return el("details", el("summary", "The numbers"), el("div", table, class_="scroll", tabindex=0), class_="numbers")  # fmt: skip


def _figure(value: float) -> str:
    return "\N{EN DASH}" if np.isnan(value) else said.number(value)


def _edges(*rows: Floats) -> list[int]:
    """Return where runs of columns begin that are the same in all rows, and the end."""
    changes = np.zeros(len(rows[0]) - 1, np.bool_)
    for row in rows:
        left, right = row[:-1], row[1:]
        changes |= (left != right) & ~(np.isnan(left) & np.isnan(right))
    return [0, *(np.flatnonzero(changes) + 1).tolist(), len(rows[0])]


def _round_up(most: float) -> float:
    """Return 1, 2, 4, 5, 6 or 8 times a power of ten that is at least `most`; 1 for 0."""
    if not most or not math.isfinite(most):
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    rounds = (factor * power for factor in (1, 2, 4, 5, 6, 8, 10) if factor * power >= most * (1 - 1e-9))
    return min(next(rounds, most), sys.float_info.max)
