"""A chart as a picture: a Vega-Lite specification, and SVG and PNG drawn from it, without a network and a browser."""

import re
import sys
from mmap import PAGESIZE, PROT_EXEC, PROT_READ, PROT_WRITE, mmap
from typing import Any, Final
from xml.sax.saxutils import escape

from rolewatch.base.errors import CannotDo
from rolewatch.engines.answers import Answer
from rolewatch.report.query_chart import Chart, Panel, Room, chart_of, moment, number
from rolewatch.report.query_chart_shape import Shape

EXTRA: Final = "pip install 'rolewatch[web]', in a checkout pip install '.[web]'"
ROOM: Final = Room(columns=720, series=10, bars=40)
WIDTH: Final = 820
_HEIGHT: Final = 280
_BAR: Final = 22
_SCALE: Final = 2  # pixels of a PNG for each of the picture's
#: Ten colours that stay apart for those who see fewer of them.
COLOURS: Final = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7f7f7f", "#8c6d1f", "#5b2a86", "#b8b000",
)  # fmt: skip
_CONFIG: Final = {
    "background": "white",
    "font": "Liberation Sans, Arial, sans-serif",
    "padding": 28,
    "title": {"anchor": "start", "fontSize": 16, "subtitleFontSize": 12, "subtitleColor": "#555", "offset": 12},
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleColor": "#333", "gridColor": "#e5e5e5"},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "labelLimit": 340, "orient": "bottom", "columns": 2, "columnPadding": 44, "symbolType": "square"},
    "view": {"stroke": None},
}  # fmt: skip
_TICKS: Final = {"tickCount": 8, "labelFlush": False, "labelOverlap": "greedy", "labelSeparation": 4}
#: How times are written below charts of some length, in days.
_FORMATS: Final = ((0.01, "%H:%M:%S"), (1, "%H:%M"), (8, "%m-%d %H:%M"), (400, "%Y-%m-%d"))
_DAY: Final = 86_400_000
_LABELLED: Final = re.compile(r'(<(?:path|rect)\b[^>]*?\baria-label="([^"]*)"[^>]*?)(?:/>|></(?:path|rect)>)')


def available() -> None:
    """Raise CannotDo where pictures cannot be drawn: before any work is done."""
    try:
        import vl_convert  # noqa: F401, PLC0415 - 30 MB that only pictures need
    except ImportError:
        raise CannotDo("a picture needs vl-convert-python, which is not installed", remedy=EXTRA) from None
    if sys.platform != "linux":
        return
    try:  # its engine ends the whole process where it may not make code
        mmap(-1, PAGESIZE, prot=PROT_READ | PROT_WRITE | PROT_EXEC).close()
    except OSError:
        raise CannotDo(
            "a picture cannot be drawn where memory may not be both written and executed",
            remedy="leave MemoryDenyWriteExecute= out of the unit",
        ) from None


def picture_of(answer: Answer, shape: Shape) -> Chart:
    """Make the chart of an answer, as large as a picture can be."""
    return chart_of(answer, shape, ROOM)


def svg(chart: Chart) -> str:
    """Draw a chart as SVG; each bar and point says what it is when it is pointed at."""
    import vl_convert  # noqa: PLC0415 - as above

    drawn: str = vl_convert.vegalite_to_svg(specification(chart), allowed_base_urls=[])
    return _LABELLED.sub(_titled, drawn)


def png(chart: Chart) -> bytes:
    """Draw a chart as PNG."""
    import vl_convert  # noqa: PLC0415 - as above

    drawn: bytes = vl_convert.vegalite_to_png(specification(chart), scale=_SCALE, allowed_base_urls=[])
    return drawn


def specification(chart: Chart) -> dict[str, Any]:
    """Describe a chart in Vega-Lite; names of ours only are in places where Vega looks for expressions."""
    over_time = bool(chart.times)
    empty = not (chart.times or chart.labels)
    subtitle = [*(["no rows"] if empty else []), *([_range(chart)] if over_time else []), *chart.notes]
    subtitle += [panel.left_out for panel in chart.panels if panel.left_out]
    panels = (
        []
        if empty
        else [_over_time(chart, panel) if over_time else _bars(chart, panel) for panel in chart.panels]
    )
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": chart.title, "subtitle": subtitle, "limit": WIDTH},
        "config": _CONFIG,
        "spacing": 24,
        "resolve": {"scale": {"color": "independent"}},
        "vconcat": panels or [{"data": {"values": []}, "mark": "point", "width": WIDTH, "height": 1}],
    }


def _range(chart: Chart) -> str:
    return f"{moment(chart.times[0])} to {moment(chart.times[-1])} UTC"


def _over_time(chart: Chart, panel: Panel) -> dict[str, Any]:
    """Stack the bars of what adds up, and draw lines of all else."""
    labels = [series.label for series in panel.series]
    values = [value for series in panel.series for value in series.values if value is not None]
    stacked = panel.measure.additive and min(values, default=0) >= 0
    rows = _stacked(chart, panel) if stacked else _points(chart, panel)
    domain = [chart.times[0], chart.times[-1]]
    encoding: dict[str, Any] = {
        "x": {"field": "t", "type": "temporal", "scale": {"type": "utc", "domain": domain, "nice": False}, "axis": _TICKS | {"title": "time (UTC)", "grid": False, "format": _format(chart)}},
        "y": {"field": "v", "type": "quantitative", "axis": {"title": _axis(chart, panel), "titleLimit": _HEIGHT}},
        "color": {"value": COLOURS[0]},
    }  # fmt: skip
    if len(labels) > 1:
        scale = {"domain": labels, "range": list(COLOURS[: len(labels)])}
        encoding["color"] = {"field": "s", "type": "nominal", "title": None, "scale": scale}
    told = {"description": {"field": "d", "type": "nominal"}}
    if stacked:
        ends = {"x2": {"field": "u"}, "y2": {"field": "b"}}
        layers = [{"mark": "rect", "encoding": encoding | ends | told}]
    else:
        line = {
            "type": "line",
            "strokeWidth": 1.5,
            "strokeJoin": "round",
            "invalid": "break-paths-show-path-domains",
        }
        point = {"type": "point", "filled": True, "size": 18, "opacity": 1}
        layers = [
            {"data": {"values": _with_gaps(rows, chart)}, "mark": line, "encoding": encoding},
            {"mark": point, "encoding": encoding | told},
        ]
    return {"data": {"values": rows}, "width": WIDTH, "height": _HEIGHT, "layer": layers}


def _format(chart: Chart) -> str:
    days = (chart.times[-1] - chart.times[0]) / _DAY
    return next((form for longest, form in _FORMATS if days <= longest), "%Y-%m")


def _points(chart: Chart, panel: Panel) -> list[dict[str, Any]]:
    return [
        {"t": start, "u": end, "v": value, "s": series.label, "d": f"{series.label}: {number(value)} ({moment(start)} UTC)"}
        for series in panel.series
        for start, end, value in zip(chart.times, chart.times[1:], series.values, strict=False)
        if value is not None
    ]  # fmt: skip


def _stacked(chart: Chart, panel: Panel) -> list[dict[str, Any]]:
    """Put the values of a time on each other, those of the greatest series at the bottom."""
    heights: dict[int, float] = {}
    rows = [row for row in _points(chart, panel) if row["v"]]
    for row in rows:
        row["b"] = heights.get(row["t"], 0.0)
        row["v"] = heights[row["t"]] = row["b"] + row["v"]
    return rows


def _with_gaps(rows: list[dict[str, Any]], chart: Chart) -> list[dict[str, Any]]:
    """Add rows without a value where a line has to end."""
    there = {(row["s"], row["t"]) for row in rows}
    missing = [
        {"t": time, "v": None, "s": label}
        for label in dict.fromkeys(row["s"] for row in rows)
        for time in chart.times[:-1]
        if (label, time) not in there
    ]
    return [*rows, *missing]


def _bars(chart: Chart, panel: Panel) -> dict[str, Any]:
    """Draw a bar for each label, with its value behind it."""
    (series,) = panel.series
    shown = ["none" if value is None else number(value) for value in series.values]
    rows = [
        {"l": label, "v": value or 0.0, "n": figure, "d": f"{label}: {figure}"}
        for label, value, figure in zip(chart.labels, series.values, shown, strict=True)
    ]
    encoding = {
        "y": {"field": "l", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 360, "ticks": False, "domain": False}},
        "x": {"field": "v", "type": "quantitative", "axis": _TICKS | {"title": _axis(chart, panel), "titleLimit": WIDTH}},
        "description": {"field": "d", "type": "nominal"},
    }  # fmt: skip
    text = {"type": "text", "align": "left", "dx": 4, "fontSize": 11}
    return {
        "data": {"values": rows},
        "width": WIDTH - 260,
        "height": {"step": _BAR},
        "layer": [
            {"mark": {"type": "bar", "color": COLOURS[0]}, "encoding": encoding},
            {"mark": text, "encoding": {"y": encoding["y"], "x": encoding["x"], "text": {"field": "n", "type": "nominal"}}},
        ],
    }  # fmt: skip


def _axis(chart: Chart, panel: Panel) -> str:
    """Name a measure's axis with its unit."""
    measure = panel.measure
    unit = measure.unit if measure.unit != measure.name else ""
    if chart.per:
        unit = (
            f"{unit} per {chart.per}".strip() if measure.unit or measure.additive else f"bins of {chart.per}"
        )
    return f"{measure.name} ({unit})" if unit else measure.name


def _titled(found: re.Match[str]) -> str:
    """Let a shape say what it is: browsers show its title."""
    start, label = found.groups()
    name = start[1:5]
    return f"{start}><title>{escape(_unescaped(label))}</title></{name}>"


def _unescaped(text: str) -> str:
    for code, sign in (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(code, sign)
    return text
