"""The rows of `stats` as a chart: what is drawn over time or side by side, how much of it, and what is left out.

It is the same for the terminal (`query_chart_text.py`) and for pictures (`query_chart_picture.py`).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import Any, Final, NamedTuple

from rolewatch.base.sanitise import terminal
from rolewatch.engines.answers import Answer
from rolewatch.report.query_chart_shape import Measure, Shape
from rolewatch.report.query_rows import spelled

LONGEST_LABEL: Final = 48
NONE: Final = "(none)"  # what a group without a value is called
BETWEEN: Final = " \N{MIDDLE DOT} "
_GREATEST: Final = 1e300  # a greater value is drawn as this one: differences stay finite
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Series(NamedTuple):
    """Values with a label, one for each column of the chart; None where there is none."""

    label: str
    values: tuple[float | None, ...]

    @property
    def total(self) -> float:
        """How much of it there is, whatever its sign."""
        return sum(abs(value) for value in self.values if value is not None)

    @property
    def peak(self) -> float | None:
        """Its highest value."""
        return max((value for value in self.values if value is not None), default=None)


class Panel(NamedTuple):
    """The series of a measure, those with most of it first; `left_out` tells of those that are not among them."""

    measure: Measure
    series: tuple[Series, ...]
    left_out: str


class Chart(NamedTuple):
    """What is drawn: over `times` (beginnings of columns, and the end of the last) or, without these, for `labels`."""

    title: str
    times: tuple[int, ...]
    labels: tuple[str, ...]
    panels: tuple[Panel, ...]
    per: str  # how long a column of time is
    notes: tuple[str, ...]


class Room(NamedTuple):
    """How much there is room for."""

    columns: int  # of time
    series: int
    bars: int
    label: int = LONGEST_LABEL  # characters


def chart_of(answer: Answer, shape: Shape, room: Room) -> Chart:
    """Make the chart of an answer; what there is no room for is told in it."""
    made = _over_time if shape.time is not None else _side_by_side
    return made(answer, shape, room)


def _over_time(answer: Answer, shape: Shape, room: Room) -> Chart:
    place, rows = shape.time or 0, [row for row in answer.rows if row[shape.time or 0] is not None]
    indexes = [shape.bin.number(row[place]) for row in rows]
    first, last = (min(indexes), max(indexes)) if indexes else (0, -1)
    step = max(1, -(-(last - first + 1) // room.columns))  # bins that make a column
    columns = -(-(last - first + 1) // step)
    found: dict[Measure, dict[str, dict[int, float]]] = {measure: {} for measure in shape.measures}
    named = _Labels(room.label)
    for row, index in zip(rows, indexes, strict=True):
        label, column = named.of(_values(answer, row, shape.groups)), (index - first) // step
        for measure in shape.measures:
            values, value = found[measure].setdefault(label, {}), _number(row[measure.place])
            if value is not None:
                values[column] = _together(values.get(column), value, additive=measure.additive)
    panels = [_panel(measure, each, columns, room) for measure, each in found.items()]
    notes = []
    if step > 1:
        additive = {measure.additive for measure in shape.measures}
        added = (
            "added up"
            if additive == {True}
            else "the highest of them"
            if additive == {False}
            else "counts and sums added up, of others the highest"
        )
        notes.append(f"{step} bins of {shape.bin.words()} are drawn as one, {added}")
    if len(rows) < len(answer.rows):
        notes.append(f"{_rows(len(answer.rows) - len(rows))} without a time not drawn")
    times = tuple(shape.bin.beginning(first + column * step) for column in range(columns + 1)) if rows else ()
    per = shape.bin.words(step)
    return Chart(_title(shape, per), times, (), tuple(panels), per, tuple(notes))


def _side_by_side(answer: Answer, shape: Shape, room: Room) -> Chart:
    rows, named = answer.rows[: room.bars], _Labels(room.label)
    labels = tuple(
        named.of(_values(answer, row, shape.groups), number) or "all" for number, row in enumerate(rows)
    )
    panels = tuple(
        Panel(measure, (Series(measure.name, tuple(_number(row[measure.place]) for row in rows)),), "")
        for measure in shape.measures
    )
    rest = len(answer.rows) - len(rows)
    notes = (f"{rest:,} more row{'s' if rest > 1 else ''} not drawn",) if rest else ()
    return Chart(_title(shape, ""), (), labels, panels, "", notes)


def _panel(measure: Measure, found: dict[str, dict[int, float]], columns: int, room: Room) -> Panel:
    """Take the series with most of a measure, and tell of the others."""
    ranked = sorted(found, key=lambda label: (-sum(map(abs, found[label].values())), label))
    series = tuple(
        Series(label or measure.name, tuple(found[label].get(each, measure.empty) for each in range(columns)))
        for label in ranked[: room.series]
    )
    rest = [value for label in ranked[room.series :] for value in found[label].values()]
    told = f"{len(ranked) - len(series):,} more series not drawn" if len(ranked) > len(series) else ""
    if rest:
        told += f", of which the highest reaches {number(max(rest))}"
    return Panel(measure, series, told)


def _title(shape: Shape, per: str) -> str:
    by = [shape.names[place] for place in shape.groups]
    what = ", ".join(measure.name for measure in shape.measures)
    return f"{what}{f' per {per}' if per else ''}{f' by {BETWEEN.join(by)}' if by else ''}"


class _Labels:
    """Names rows by their groups: long ones cut in the middle, and yet no two the same."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._labels: dict[tuple[str, ...], str] = {}
        self._used: set[str] = set()

    def of(self, values: Iterable[str], number: int = 0) -> str:
        """Give the label of a row's groups; "" if there are none."""
        groups = tuple(values)
        key = (*groups, str(number))
        if groups and key not in self._labels:
            text = BETWEEN.join(groups)
            ends = chain([""], (f" ({each})" for each in count(2)))
            label = next(
                label for end in ends if (label := shortened(text, self._longest, end)) not in self._used
            )
            self._used.add(label)
            self._labels[key] = label
        return self._labels.get(key, "")


def _values(answer: Answer, row: Sequence[Any], groups: Iterable[int]) -> Iterable[str]:
    for place in groups:
        text = spelled(row[place], answer.plan.shown[place].expression.type)
        yield NONE if text is None else terminal(text) or '""'


def shortened(text: str, longest: int, end: str = "") -> str:
    """Cut a label in the middle if it is long: the end of an ARN tells more than what stands before it."""
    room = longest - len(end)
    if len(text) <= room:
        return text + end
    behind = room * 2 // 3
    return f"{text[: room - behind - 1]}…{text[-behind:]}{end}"


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    return None if value is None else _drawable(float(value))


def _drawable(value: float) -> float:
    return min(max(value, -_GREATEST), _GREATEST)


def _together(one: float | None, other: float, *, additive: bool) -> float:
    if one is None:
        return other
    return _drawable(one + other) if additive else max(one, other)


def number(value: float) -> str:
    """Write a number without what it does not need: 1, 0.25, 12,000."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def moment(milliseconds: int) -> str:
    """Write a time to the minute."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(" ", "minutes").partition("+")[0]
    except OverflowError:  # the end of a bin beyond the calendar
        return "9999-12-31 23:59"


def _rows(number_: int) -> str:
    return f"{number_:,} row{'s' if number_ != 1 else ''}"
