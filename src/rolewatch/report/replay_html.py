"""A replay as one HTML file that needs nothing else: what each alarm did and cost, its graph, and the records behind it."""

from typing import Final, TextIO

from rolewatch import __version__
from rolewatch.report import replay_words as said
from rolewatch.report.html_coverage import unreadable
from rolewatch.report.html_markup import Markup, el, join
from rolewatch.report.html_shell import document
from rolewatch.report.output import emit
from rolewatch.report.replay_cause import metrics_of
from rolewatch.report.replay_html_alarm import alarm_panel, anchor, instant_of, state_chip
from rolewatch.report.replay_json import notices
from rolewatch.report.replay_story import Story, stories
from rolewatch.report.words import count, size
from rolewatch.scan.replayed import UNIT, Replayed

#: What is listed one by one; the JSON format has all of it.
NAMED: Final = 100
STYLES: Final = ("report.css", "replay.css")


def write(replayed: Replayed, out: TextIO) -> None:
    """Write the whole page at once."""
    told = () if replayed.nothing else stories(replayed)
    page = document(
        said.answer(replayed, told),
        el("a", "Skip to the alarms", href="#alarms", class_="skip"),
        _banner(),
        el(
            "main",
            _headline(replayed, told),
            _overview(told) if len(told) > 1 else None,
            el("div", *(alarm_panel(replayed, story, number) for number, story in enumerate(told)), id="alarms"),
            _others(replayed),
            _input(replayed),
        ),
        el("footer", el("p", f"Made by rolewatch {__version__}. All times are UTC. Names are as recorded or as in the template; characters that would hide or reorder text are written out.")),
        styles=STYLES,
    )  # fmt: skip
    emit(out, page)


def _banner() -> Markup:
    """Return the line above everything: what this is, and the switch between light and dark."""
    return el(
        "header",
        el("span", "rolewatch", class_="brand"),
        el("span", "what these alarms would have done", class_="claim"),
        el("button", "Dark", type="button", id="theme", hidden=True),
    )


def _headline(replayed: Replayed, told: tuple[Story, ...]) -> Markup:
    """Return the answer in one sentence, and what it rests on."""
    totals = replayed.totals
    parts: list[str] = [
        *([] if replayed.nothing else [join([instant_of(replayed.start), " to ", instant_of(replayed.end), " UTC"])]),
        f"{count(int(totals.get('records', 0)), 'record')} in {count(int(totals.get('deliveries', 0)), 'delivery')}",
        f"seen by the alarms {said.span(replayed.delay)} late" if replayed.delay else "seen by the alarms at once",
    ]  # fmt: skip
    if replayed.unreadable:
        number = count(len(replayed.unreadable), "delivery")
        parts.append(el("a", f"{number} not read, or only in part", href="#unread", class_="caution"))
    if problems := [each for each in notices(replayed) if each.level == "error"]:
        number = count(len(problems), "resource")
        parts.append(el("a", f"{number} of the template left out", href="#notices", class_="caution"))
    return el(
        "section",
        el("h1", said.answer(replayed, told), id="answer"),
        el("p", join(parts, " \N{MIDDLE DOT} "), class_="as-of"),
        class_="headline",
        aria_labelledby="answer",
    )


def _overview(told: tuple[Story, ...]) -> Markup:
    """Return a row for each alarm: what it did, what it cost, whom it told of what."""
    names = ("Alarm", "At the end", "Times in ALARM", "Minutes in ALARM", "Notifications", "Findings told", "Findings nobody was told of")  # fmt: skip
    rows = []
    for number, story in enumerate(told):
        rows.append(
            el(
                "tr",
                el("th", el("a", story.history.alarm.name, href=f"#{anchor(number)}"), scope="row"),
                el("td", state_chip(story.history.final)),
                el("td", f"{len(story.spells):,}", class_="figure"),
                el("td", f"{said.minutes(story.seconds):,.6g}" if story.seconds % 60 else f"{story.seconds // 60:,}", class_="figure"),
                el("td", f"{story.notifications:,}", class_="figure"),
                el("td", f"{len(story.told):,}", class_="figure"),
                el("td", el("b", f"{story.untold:,}", class_="caution") if story.untold else "0", class_="figure"),
            )
        )  # fmt: skip
    head = el(
        "tr",
        *(
            el("th", name, scope="col", class_="figure" if index > 1 else None)
            for index, name in enumerate(names)
        ),
    )
    table = el("table", el("thead", head), el("tbody", *rows), class_="data wide")
    return el(
        "section",
        el("h2", "The alarms", id="overview"),
        el("div", table, class_="scroll", tabindex=0, role="region", aria_labelledby="overview"),
        class_="panel",
        aria_labelledby="overview",
    )


def _others(replayed: Replayed) -> Markup | None:
    """Return the metrics that no alarm looks at; None if there are none."""
    watched = {metric for alarm in replayed.template.alarms for metric in metrics_of(alarm)}
    rows = []
    for metric, units in sorted(replayed.metrics.items()):
        for unit, series in sorted(units.items()) if metric not in watched else ():
            named = said.metric(metric) + (f" ({unit})" if unit != UNIT else "")
            figures = (len(series.times), float(series.sample_counts.sum()), float(series.sums.sum()))
            cells = (el("td", said.number(each), class_="figure") for each in figures)
            rows.append(el("tr", el("th", el("code", named), scope="row"), *cells))
    if not rows:
        return None
    more = len(rows) - NAMED
    names = ("Metric", "Minutes", "Values", "Sum")
    head = el(
        "tr",
        *(
            el("th", name, scope="col", class_="figure" if index else None)
            for index, name in enumerate(names)
        ),
    )
    table = el("table", el("thead", head), el("tbody", *rows[:NAMED]), class_="data wide")
    return el(
        "section",
        el("h2", "Metrics without an alarm", id="metrics"),
        el("div", table, class_="scroll", tabindex=0, role="region", aria_labelledby="metrics"),
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
        class_="panel",
        aria_labelledby="metrics",
    )


def _input(replayed: Replayed) -> Markup:
    """Return what was read and what was not, and what is to be said of the template."""
    totals = replayed.totals
    facts = [
        ("Sources", join(replayed.sources, ", ")),
        ("Records", join([f"{int(totals.get('records', 0)):,}"])),
        ("Deliveries", join([f"{int(totals.get('deliveries', 0)):,}, of which {len(replayed.skipped):,} skipped"])),
    ]  # fmt: skip
    if totals.get("bytes_compressed"):
        facts.append(
            ("Read", join([f"{size(int(totals['bytes_compressed']))} in {totals.get('seconds', 0):.1f} s"]))
        )
    pairs = [el("div", el("dt", label), el("dd", value)) for label, value in facts]
    return el(
        "section",
        el("h2", "What this rests on", id="input"),
        _notices(replayed),
        el("dl", *pairs, class_="facts"),
        unreadable(replayed.unreadable),
        class_="panel coverage",
        aria_labelledby="input",
    )


def _notices(replayed: Replayed) -> Markup | None:
    items = [
        el(
            "li",
            el("span", each.level, class_=f"status level {'level-error' if each.level == 'error' else ''}".strip()),
            " ",
            each.message,
            " ",
            el("code", said.place(each.place)),
        )
        for each in notices(replayed)
    ]  # fmt: skip
    if not items:
        return None
    return el("div", el("h3", "Notices on the template", id="notices"), el("ul", *items, class_="notices"))
