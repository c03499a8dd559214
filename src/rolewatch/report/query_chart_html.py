"""A chart as one HTML page: the picture, and its numbers as a table; it loads nothing and runs nothing."""

import base64
import hashlib
from typing import Final

from rolewatch.report.html_markup import Markup, el
from rolewatch.report.query_chart import Chart, Panel, moment, number

_STYLE: Final = Markup(
    "body{margin:1rem auto;max-width:64rem;padding:0 1rem;background:#fff;color:#222;font:15px/1.5 sans-serif}"
    "svg{max-width:100%;height:auto;overflow:visible}summary{cursor:pointer}div{overflow-x:auto}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}caption{text-align:left;font-weight:bold}"
    "th,td{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}"
    "th[scope=row]{text-align:left;font-weight:normal}"
)


def page(chart: Chart, drawn: str) -> str:
    """Make the page of a chart that is drawn as SVG already."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{chart.title} \N{EM DASH} rolewatch"),
        el("style", _STYLE),
    )
    tables = [
        _over_time(chart, panel) if chart.times else _side_by_side(chart, panel) for panel in chart.panels
    ]
    numbers = el("details", el("summary", "The numbers"), *(el("div", table, tabindex=0) for table in tables))
    body = el("body", Markup(drawn), numbers)
    whole = f"<!doctype html>\n{el('html', head, body, lang='en')}\n"
    return whole.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _over_time(chart: Chart, panel: Panel) -> Markup:
    """Return a row for each time at which there is something."""
    rows = []
    for place, time in enumerate(chart.times[:-1]):
        values = [series.values[place] for series in panel.series]
        if any(values):
            rows.append(el("tr", el("th", moment(time), scope="row"), *map(_figure, values)))
    names = ("From (UTC)", *(series.label for series in panel.series))
    return _table(chart, panel, names, rows)


def _side_by_side(chart: Chart, panel: Panel) -> Markup:
    (series,) = panel.series
    rows = [
        el("tr", el("th", label, scope="row"), _figure(value))
        for label, value in zip(chart.labels, series.values, strict=True)
    ]
    return _table(chart, panel, ("", panel.measure.name), rows)


def _table(chart: Chart, panel: Panel, names: tuple[str, ...], rows: list[Markup]) -> Markup:
    caption = panel.measure.name + (f" per {chart.per}" if chart.per else "")
    head = el("thead", el("tr", *(el("th", name, scope="col") for name in names)))
    return el("table", el("caption", caption), head, el("tbody", *rows))


def _figure(value: float | None) -> Markup:
    return el("td", "\N{EN DASH}" if value is None else number(value))
