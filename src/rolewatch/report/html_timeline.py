"""Denials and proofs of access over time: one chart for the page, one small one for each finding."""

from typing import Any, Final, NamedTuple

from rolewatch.report import words
from rolewatch.report.html_days import MOST_BARS, Scale, bars
from rolewatch.report.html_markup import Markup, el, join
from rolewatch.report.html_scope import names, place
from rolewatch.report.order import Finding, ranked

#: Services that have a line of their own.
MOST_LANES: Final = 12

#: Heights in pixels of the page's chart: above the axis denials, below it proofs of access.
_TOP, _UP, _DOWN, _LABELS = 18, 120, 34, 20
_AXIS: Final = _TOP + _UP


class _Figures(NamedTuple):
    """What the page's chart shows, by bar."""

    denials: list[int]
    allowed: list[int]

    @property
    def top(self) -> int:
        """Return the end of the axis of denials: 1, 2, 4 or 5 times a power of ten that is at least the most."""
        most = max(*self.denials, 1)
        power: int = 10 ** (len(str(most)) - 1)
        return next(factor * power for factor in (1, 2, 4, 5, 10) if factor * power >= most)


def timeline(report: dict[str, Any], axis: Scale | None) -> Markup | None:
    """Return the page's chart with its numbers as a table; None if there is nothing to draw."""
    if axis is None:
        return None
    figures = _Figures([0] * axis.bars, [0] * axis.bars)
    for bar, denied, passed in bars(report["findings"], axis):
        figures.denials[bar], figures.allowed[bar] = denied, passed
    unit = "day" if axis.step == 1 else f"{axis.step} days"
    hint = f"Per {unit} (UTC), {axis.label(0)[:10]} to {axis.label(axis.bars - 1)[-10:]}. All findings, recovered ones too."
    return el(
        "section",
        el("h2", "Timeline", id="timeline-title"),
        el("p", hint, class_="hint"),
        _chart(axis, figures),
        el(
            "ul",
            el("li", el("i", class_="k-denied"), "denials"),
            el("li", el("i", class_="k-allowed"), "proofs of access (the latest of each action)"),
            class_="legend",
        ),
        _lanes(report["findings"], axis),
        _table(axis, figures),
        class_="panel timeline",
        aria_labelledby="timeline-title",
    )


def spark(findings: list[Finding], axis: Scale | None) -> Markup | None:
    """Return findings' days as a small chart on the page's scale; the numbers stand elsewhere on the page."""
    if axis is None:
        return None
    found = bars(findings, axis)
    most = max((denied for _, denied, _ in found), default=0)
    up = "".join(f"M{bar}.5 17v-{3 + 13 * denied / most:.1f}" for bar, denied, _ in found if denied)
    down = "".join(f"M{bar}.5 18.5v4.5" for bar, _, passed in found if passed)
    return el(
        "svg",
        el("path", class_="axis", d=f"M0 17.5h{axis.bars}"),
        el("path", class_="denied", d=up) if up else None,
        el("path", class_="allowed", d=down) if down else None,
        class_=f"spark {_width(axis)}",
        viewBox=f"0 0 {axis.bars} 24",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _lanes(found: list[Finding], axis: Scale) -> Markup | None:
    """Return a line for each service: since when, and on which days; None if there is only one."""
    lanes: dict[str, list[Finding]] = {}
    for finding in ranked(found):
        lanes.setdefault(place(finding).service, []).append(finding)
    if len(lanes) < 2:
        return None
    called = names(found)
    items = [
        el(
            "li",
            el("span", called[key], class_="service"),
            spark(lane, axis),
            el("span", _since(lane), class_="since"),
        )
        for key, lane in list(lanes.items())[:MOST_LANES]
    ]
    more = len(lanes) - MOST_LANES
    if more > 0:
        items.append(el("li", f"and {words.count(more, 'other service')} below", class_="hint"))
    return el("ul", *items, class_="lanes", aria_label="By service")


def _since(findings: list[Finding]) -> str:
    """Return the day of the first denial."""
    first = min((finding["first_denied"] for finding in findings if finding["first_denied"]), default=None)
    return f"first {words.day(first)}" if first else "no times"


def _width(axis: Scale) -> str:
    """Return the class that says how thick the bars are: fewer, thicker."""
    return next(
        name
        for name, most in (("few", 14), ("some", 31), ("many", 62), ("most", MOST_BARS))
        if axis.bars <= most
    )


def _chart(axis: Scale, figures: _Figures) -> Markup:
    """Return the chart. Positions across are percentages and heights pixels: text keeps its size on any screen."""
    denials = figures.denials
    summary = (
        f"{words.count(sum(denials), 'denial')} and {words.count(sum(figures.allowed), 'proof')} of access"
    )
    peak = denials.index(max(denials))
    return el(
        "svg",
        _grid(figures.top),
        *(_bar(axis, bar, figures) for bar in range(axis.bars)),
        _ticks(axis),
        class_=f"chart {_width(axis)}",
        width="100%",
        height=_AXIS + _DOWN + _LABELS,
        role="img",
        aria_label=f"{summary}; most denials on {axis.label(peak)}: {denials[peak]:,}",
    )


def _grid(top: int) -> Markup:
    """Return the lines at the half and the whole height, with their numbers, and the axis."""
    lines = []
    for value in dict.fromkeys((top, top // 2 if top % 2 == 0 else top)):
        y = _AXIS - round(_UP * value / top)
        lines.append(el("line", class_="grid", x1="0", x2="100%", y1=y, y2=y))
        lines.append(el("text", f"{value:,}", class_="scale", x="0", y=y - 4))
    lines.append(el("line", class_="axis", x1="0", x2="100%", y1=_AXIS, y2=_AXIS))
    return el("g", *lines, aria_hidden="true")


def _bar(axis: Scale, bar: int, figures: _Figures) -> Markup:
    """Return a bar with the text that shows when it is pointed at; whoever is there has a pixel or two of height."""
    denied, passed = figures.denials[bar], figures.allowed[bar]
    across = f"{100 * (bar + 0.5) / axis.bars:.3f}%"
    said = f"{axis.label(bar)}: {words.count(denied, 'denial')}"
    if passed:
        said += f", {words.count(passed, 'proof')} of access"
    left, width = f"{100 * bar / axis.bars:.3f}%", f"{100 / axis.bars:.3f}%"
    marks = [el("title", said), el("rect", class_="hit", x=left, width=width, y=_TOP, height=_UP + _DOWN)]
    if denied:
        high = max(2, round(_UP * denied / figures.top))
        marks.append(el("line", class_="denied", x1=across, x2=across, y1=_AXIS, y2=_AXIS - high))
    if passed:
        low = max(6, round((_DOWN - 8) * passed / max(figures.allowed)))
        marks.append(el("line", class_="allowed", x1=across, x2=across, y1=_AXIS + 2, y2=_AXIS + 2 + low))
    return el("g", *marks)


def _ticks(axis: Scale) -> Markup:
    """Return the days below the axis, six at most; every other one gives way on a small screen."""
    every = -(-axis.bars // 6)
    ticks = []
    for index, bar in enumerate(range(0, axis.bars, every)):
        across = 100 * (bar + 0.5) / axis.bars
        side = "start" if across < 6 else "end" if across > 94 else "middle"
        x = {"start": "0", "end": "100%"}.get(side, f"{across:.3f}%")
        ticks.append(
            el(
                "text",
                axis.tick(bar),
                class_="tick minor" if index % 2 else "tick",
                x=x,
                y=_AXIS + _DOWN + _LABELS - 5,
                text_anchor=side,
            )
        )
    return join(ticks)


def _table(axis: Scale, figures: _Figures) -> Markup:
    """Return the chart's numbers, for who cannot see it or wants them exactly; days without any are left out."""
    denials, allowed = figures
    rows = [
        el(
            "tr",
            el("th", axis.label(bar), scope="row"),
            el("td", f"{denials[bar]:,}"),
            el("td", f"{allowed[bar]:,}"),
        )
        for bar in range(axis.bars)
        if denials[bar] or allowed[bar]
    ]
    head = el("tr", *(el("th", name, scope="col") for name in ("Day (UTC)", "Denials", "Proofs of access")))
    return el(
        "details",
        el("summary", "The numbers"),
        el(
            "div",
            el("table", el("thead", head), el("tbody", *rows), class_="data"),
            class_="scroll",
            tabindex=0,
        ),
        class_="numbers",
    )
