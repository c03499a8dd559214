"""A replay as its owner reads it in a terminal: what each alarm did and what it cost, its graph, and its changes of state."""

from functools import partial
from typing import Final, TextIO

import numpy as np
from rich.text import Text

from rolewatch.alarms.graph import Graph
from rolewatch.alarms.history import State, Transition
from rolewatch.alarms.log_reasons import shown
from rolewatch.base.sanitise import terminal
from rolewatch.report import replay_words as said
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page
from rolewatch.report.replay_cause import Cause, metrics_of
from rolewatch.report.replay_columns import Axis, axis, bands, thinned
from rolewatch.report.replay_graph import graph_of, threshold_of
from rolewatch.report.replay_json import notices
from rolewatch.report.replay_rule import looked_at, rule
from rolewatch.report.replay_story import Story, stories
from rolewatch.report.words import count, listed
from rolewatch.scan.replayed import UNIT, Replayed
from rolewatch.templates.definitions import Alarm, CompositeAlarm

#: Changes of state, and records of each, that are told one by one; the JSON format has all of them.
MOST_CHANGES: Final = 20
MOST_RECORDS: Final = 3
MOST_METRICS: Final = 20
LONGEST_LINE: Final = 200  # characters of a log line
NAMED: Final = 20

#: How states are drawn: a sign apart for each, so that no colour is needed.
_STYLES: Final = {State.ALARM: "bold red", State.OK: "green", State.INSUFFICIENT_DATA: "yellow"}
_LEVELS: Final = {"unicode": "▁▂▃▄▅▆▇█", "ascii": "_.,:;+*#"}
_BANDS: Final = {
    "unicode": {State.ALARM: "█", State.OK: "─", State.INSUFFICIENT_DATA: "?"},
    "ascii": {State.ALARM: "#", State.OK: "-", State.INSUFFICIENT_DATA: "?"},
}
_LABEL: Final = "dim"
_INDENT, _LABELS = 2, 6
_NOTICE_STYLES: Final = {"error": "bold red", "warning": "yellow"}


def write(replayed: Replayed, out: TextIO, options: Options) -> None:
    """Write the replay as text; with colours only to a terminal (or where asked), content is never cut off."""
    draw(out, options, partial(_fill, replayed=replayed, kind=_kind(out)))


def _kind(out: TextIO) -> str:
    """Return which signs a stream can show."""
    signs = "".join((_LEVELS["unicode"], *_BANDS["unicode"].values()))
    try:
        signs.encode(getattr(out, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "ascii"
    return "unicode"


def _fill(page: Page, *, replayed: Replayed, kind: str) -> None:
    """Add what is printed, from top to bottom."""
    told = stories(replayed)
    page.line(Text(f"{said.answer(replayed, told)}.", "bold"))
    for story in () if replayed.nothing else told:
        page.line()
        _Block(page, replayed, story, kind).draw()
    for head, style, lines in (
        ("Metrics without an alarm", "bold", _metrics(replayed)),
        ("Looked at", "bold", _looked_at(replayed)),
        ("Not read, or only in part", "bold yellow", _unread(replayed)),
        ("Notices", "bold", _notices(replayed)),
    ):
        if lines:
            page.line()
            page.line(Text(head, style))
            for line in lines:
                page.line(line, indent=_INDENT)


class _Block:
    """One alarm on a page."""

    def __init__(self, page: Page, replayed: Replayed, story: Story, kind: str) -> None:
        self._page = page
        self._replayed = replayed
        self._story = story
        self._kind = kind
        self._room = page.width - _INDENT - _LABELS - GAP

    def draw(self) -> None:
        """Add the block."""
        story, alarm = self._story, self._story.history.alarm
        final = story.history.final
        self._page.line(
            Text.assemble((terminal(alarm.name), "bold"), "  ", (said.STATES[final], _STYLES[final]))
        )
        sentence = f"It {said.deed(story)}. {' '.join(said.upshot(story))}".strip()
        self._page.line(Text(sentence), indent=_INDENT)
        self._row("rule", Text(terminal(rule(alarm))))
        if not isinstance(alarm, CompositeAlarm):
            label = "metric" if isinstance(alarm, Alarm) else "query"
            for index, line in enumerate(looked_at(alarm)):
                self._row("" if index else label, Text(terminal(line)))
            if isinstance(alarm, Alarm) and not story.filters:
                self._row("", Text("no metric filter of the template publishes it", "yellow"))
        for line in said.mutes(self._replayed.template.mute_rules, alarm):
            self._row("muted", Text(terminal(line)))
        self._row("cost", Text(said.cost(story)))
        self._pictures()
        self._changes()
        self._contributors()

    def _row(self, label: str, text: Text) -> None:
        self._page.row([[Text(label, _LABEL)], [text]], [_LABELS, self._room], indent=_INDENT)

    def _pictures(self) -> None:
        """Add the sparkline of what the alarm saw, the states below it, and when that was."""
        history = self._story.history
        on = axis(history, max(20, self._room - 1))
        drawn = graph_of(self._replayed, history)
        if drawn is not None:
            line, scale = _spark(drawn, on, _LEVELS[self._kind])
            if line.strip():
                self._row("values", Text(line.rstrip()))
                self._row("", Text(scale, _LABEL))
        signs = _BANDS[self._kind]
        band = Text()
        for state, first, last in bands(history, on):
            band.append(signs[state] * (last - first), _STYLES[state])
        self._row("states", band)
        begin, end = said.moment(on.start), said.moment(history.end)
        self._row("", Text(f"{begin}{end.rjust(on.columns - len(begin))}", _LABEL))
        seen = said.states_seen(history)
        self._row("", Text("   ".join(f"{signs[state]} {said.STATES[state]}" for state in seen), _LABEL))

    def _changes(self) -> None:
        """Add the changes of state, each with its reason and what stood behind it."""
        changes = self._story.history.transitions
        pairs = list(zip(changes, self._story.causes, strict=True))
        for change, cause in pairs[:MOST_CHANGES]:
            self._change(change, cause)
        if len(pairs) > MOST_CHANGES:
            more = count(len(pairs) - MOST_CHANGES, "more change")
            self._page.line(Text(f"and {more}: see the JSON format", _LABEL), indent=_INDENT)

    def _contributors(self) -> None:
        """Add the changes of a log alarm's contributors, each in a line, and how many actions it invoked."""
        calls = self._story.calls
        if calls:
            self._page.line(Text(f"{count(len(calls), 'change')} of its contributors"), indent=_INDENT)
        for each, _ in calls[:MOST_CHANGES]:
            change = each.change
            told = said.notified(change) or f"{count(len(change.actions), 'notification')}"
            line = Text.assemble(
                said.moment(change.time), "  → ", (change.after.value, _STYLES[change.after]),
                f"  {terminal(shown(each.attributes))}: {terminal(told)}",
            )  # fmt: skip
            self._page.line(line, indent=2 * _INDENT)
        if len(calls) > MOST_CHANGES:
            more = count(len(calls) - MOST_CHANGES, "more change")
            self._page.line(Text(f"and {more}: see the JSON format", _LABEL), indent=2 * _INDENT)

    def _change(self, change: Transition, cause: Cause | None) -> None:
        head = Text.assemble(
            said.moment(change.time),
            "  ",
            change.before.value,
            " → ",
            (change.after.value, _STYLES[change.after]),
        )
        self._page.line(head, indent=_INDENT)
        self._page.line(Text(terminal(change.reason), _LABEL), indent=2 * _INDENT)
        if held := said.notified(change):
            self._page.line(Text(f"notified: {terminal(held)}"), indent=2 * _INDENT)
        self._lines(change)
        if cause is None:
            return
        self._page.line(Text(f"behind it: {said.behind(cause)}"), indent=2 * _INDENT)
        for match in cause.examples[:MOST_RECORDS]:
            line = said.example(match, self._replayed.findings)
            self._page.line(Text(terminal(line)), indent=3 * _INDENT)

    def _lines(self, change: Transition) -> None:
        """Add how the first log lines begin that go with a notification."""
        if not change.lines:
            return
        told = f"{count(len(change.lines), 'log line')} with it (whole in the JSON format)"
        self._page.line(Text(told), indent=2 * _INDENT)
        for line in change.lines[:MOST_RECORDS]:
            begin = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
            self._page.line(Text(terminal(begin), _LABEL), indent=3 * _INDENT)


def _spark(drawn: Graph, on: Axis, levels: str) -> tuple[str, str]:
    """Return what the alarm saw as a line of bars, and what its lowest and highest bar mean."""
    columns = thinned(drawn.times, drawn.values, drawn.seconds, on)
    if columns.bounds is None:
        return "", ""
    low, high = columns.bounds
    floor = min(low, 0.0)
    reach = (high - floor) or 1.0
    high_levels = len(levels) - 1
    bars = [
        " "
        if np.isnan(value)
        else levels[0]
        if value == floor
        else levels[max(1, round((value - floor) / reach * high_levels))]
        for value in columns.high.tolist()
    ]
    parts = [f"least {said.number(low)}, most {said.number(high)}"]
    threshold = threshold_of(drawn)
    if threshold is not None:
        parts.append(f"threshold {said.number(threshold)}")
    return "".join(bars), ", ".join(parts)


def _metrics(replayed: Replayed) -> list[Text]:
    """Return the metrics that no alarm looks at."""
    watched = {metric for alarm in replayed.template.alarms for metric in metrics_of(alarm)}
    lines = []
    for metric, units in sorted(replayed.metrics.items()):
        for unit, series in sorted(units.items()) if metric not in watched else ():
            named = said.metric(metric) + (f" ({unit})" if unit != UNIT else "")
            figures = f"{count(len(series.times), 'minute')}, sum {said.number(float(series.sums.sum()))}"
            lines.append(Text(f"{terminal(named)}: {figures}"))
    if len(lines) > MOST_METRICS:
        lines[MOST_METRICS:] = [Text(f"and {len(lines) - MOST_METRICS:,} more: see the JSON format")]
    return lines


def _looked_at(replayed: Replayed) -> list[Text]:
    totals = replayed.totals
    records = f"{count(int(totals.get('records', 0)), 'record')} in {count(int(totals.get('deliveries', 0)), 'delivery')}"
    delay = f"delivered {said.span(replayed.delay)} late" if replayed.delay else "delivered at once"
    lines = [f"{records} of {listed(replayed.sources)}, {delay}"]
    if not replayed.nothing:
        lines.append(f"from {said.moment(replayed.start)} to {said.moment(replayed.end)} UTC")
    if replayed.skipped:
        lines.append(f"{len(replayed.skipped):,} skipped")
    return [Text(line) for line in lines]


def _unread(replayed: Replayed) -> list[Text]:
    lines = [Text(f"{terminal(name)}: {terminal(reason)}") for name, reason in replayed.unreadable[:NAMED]]
    if len(replayed.unreadable) > NAMED:
        lines.append(
            Text(f"and {len(replayed.unreadable) - NAMED:,} more: see `unreadable` in the JSON format")
        )
    return lines


def _notices(replayed: Replayed) -> list[Text]:
    return [
        Text.assemble(
            (terminal(each.level), _NOTICE_STYLES.get(each.level, _LABEL)),
            f" {terminal(said.place(each.place))}: {terminal(each.message)}",
        )
        for each in notices(replayed)
    ]
