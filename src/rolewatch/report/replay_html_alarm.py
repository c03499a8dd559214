"""One alarm on the page: what it did, its rule and its cost, the graph, its changes of state, and the findings."""

from typing import Final

from rolewatch.alarms.history import State, Transition
from rolewatch.alarms.log_reasons import shown
from rolewatch.report import replay_words as said
from rolewatch.report.html_markup import Markup, el, instant, join, resource, text
from rolewatch.report.replay_cause import Cause
from rolewatch.report.replay_chart import chart, state_class
from rolewatch.report.replay_graph import graph_of
from rolewatch.report.replay_rule import looked_at, rule
from rolewatch.report.replay_story import Story
from rolewatch.report.words import count
from rolewatch.scan.replayed import Match, Replayed
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm

#: What is listed one by one; the JSON format has all of it. The first changes are open, the others fold away, a part each.
OPEN_CHANGES: Final = 200
FOLDED_CHANGES: Final = 1000
MOST_CHANGES: Final = 10_000
MOST_FINDINGS: Final = 200


def anchor(number: int) -> str:
    """Return the name under which the page can be opened at an alarm."""
    return f"alarm-{number + 1}"


def instant_of(time: int) -> Markup:
    """Return epoch seconds as a `time` element a person can read."""
    return instant(said.iso(time))


def state_chip(state: State) -> Markup:
    """Return a state as a mark that differs in shape as well as in colour."""
    return el("span", state.value, class_=f"status {state_class(state)}")


def alarm_panel(replayed: Replayed, story: Story, number: int) -> Markup:
    """Return everything about one alarm."""
    alarm, name = story.history.alarm, anchor(number)
    upshot = [
        el("p", sentence, class_="caution" if "nobody was told" in sentence else None)
        for sentence in said.upshot(story)
    ]
    drawn = graph_of(replayed, story.history)
    return el(
        "section",
        el("h2", el("span", alarm.name), " ", state_chip(story.history.final), id=name),
        el("p", el("strong", f"It {said.deed(story)}."), class_="deed"),
        *upshot,
        _figures(story),
        chart(story, drawn),
        _rule(replayed, story),
        _changes(replayed, story),
        _contributors(replayed, story),
        _findings(replayed, story),
        class_="panel alarm",
        aria_labelledby=name,
    )


def _figures(story: Story) -> Markup:
    """Return what the alarm cost its owner."""
    spent = said.minutes(story.seconds)
    figures = [
        (f"{spent:,.6g}" if spent % 1 else f"{int(spent):,}", "minute in ALARM" if spent == 1 else "minutes in ALARM", said.span(story.seconds) if story.seconds >= 3600 else ""),
        (f"{story.notifications:,}", "notification" if story.notifications == 1 else "notifications", "" if story.tells else said.why_silent(story)),
        (f"{len(story.told):,}", "finding somebody was told of" if len(story.told) == 1 else "findings somebody was told of", ""),
        (f"{story.untold:,}", "finding nobody was told of" if story.untold == 1 else "findings nobody was told of", ""),
    ]  # fmt: skip
    return el(
        "ul",
        *(
            el("li", el("b", value), " ", el("span", label), el("small", f" ({more})") if more else None)
            for value, label, more in figures
        ),
        class_="figures",
    )


def _rule(replayed: Replayed, story: Story) -> Markup:
    """Return when the alarm goes off, what it looks at, whom it tells, and when it is muted."""
    alarm = story.history.alarm
    facts: list[tuple[str, Markup]] = [("Rule", el("code", rule(alarm)))]
    if not isinstance(alarm, CompositeAlarm):
        label = "Metric" if isinstance(alarm, Alarm) else "Query"
        facts.append((label, join([el("div", el("code", line)) for line in looked_at(alarm)])))
    filters = [
        el("div", el("code", each.pattern.text or "(everything)"), el("span", f" {said.publishes(each)}", class_="hint"))
        for each in story.filters
    ]  # fmt: skip
    if filters or not isinstance(alarm, LogAlarm):
        facts.append(("Filters", join(filters) if filters else el("span", "no metric filter of the template publishes what it looks at", class_="caution")))  # fmt: skip
    facts.append(("Tells", join([el("div", el("code", arn)) for arn in alarm.actions.alarm]) if story.tells else join([f"nobody: {said.why_silent(story)}"])))  # fmt: skip
    if muted := said.mutes(replayed.template.mute_rules, alarm):
        facts.append(("Muted", join([el("div", el("code", line)) for line in muted])))
    if alarm.description:
        facts.insert(0, ("Description", join([alarm.description])))
    return el("dl", *(el("div", el("dt", label), el("dd", value)) for label, value in facts), class_="facts")


def _changes(replayed: Replayed, story: Story) -> Markup:
    """Return the changes of state in order, each with its reason and what stood behind it."""
    pairs = list(zip(story.history.transitions, story.causes, strict=True))
    more = len(pairs) - MOST_CHANGES
    items = [_change(replayed, change, cause) for change, cause in pairs[:MOST_CHANGES]]
    folded = [
        el(
            "details",
            el("summary", _stretch(story, first, min(first + FOLDED_CHANGES, len(items)))),
            el("ol", *items[first : first + FOLDED_CHANGES], class_="changes"),
            class_="records",
        )
        for first in range(OPEN_CHANGES, len(items), FOLDED_CHANGES)
    ]
    if not items:
        items = [el("li", f"None: it was {story.history.initial.value} all the time.", class_="hint")]
    return el(
        "div",
        el("h3", f"Changes of state ({len(pairs):,})"),
        el("ol", *items[:OPEN_CHANGES], class_="changes"),
        *folded,
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
    )


def _contributors(replayed: Replayed, story: Story) -> Markup | None:
    """Return the changes of a log alarm's contributors, folded away."""
    if not story.calls:
        return None
    items = []
    for each, cause in story.calls[:FOLDED_CHANGES]:
        made = _change(replayed, each.change, cause)
        items.append(el("li", el("p", el("code", shown(each.attributes))), el("ol", made, class_="changes")))
    more = len(story.calls) - len(items)
    return el(
        "details",
        el("summary", f"Changes of its contributors ({len(story.calls):,})"),
        el("ol", *items, class_="changes"),
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
        class_="records",
    )


def _stretch(story: Story, first: int, stop: int) -> Markup:
    """Return which changes a part has: their numbers and times."""
    begin, end = (instant_of(story.history.transitions[index].time) for index in (first, stop - 1))
    return join([f"Changes {first + 1:,} to {stop:,}: ", begin, " to ", end])


def _change(replayed: Replayed, change: Transition, cause: Cause | None) -> Markup:
    arns = [el("code", arn) for arn in change.actions]
    told = [part for part in (join(arns, ", "), said.notified(change)) if part]
    return el(
        "li",
        el(
            "p",
            instant_of(change.time),
            " ",
            state_chip(change.before),
            el("span", " \N{RIGHTWARDS ARROW} ", class_="sign"),
            el("span", "to ", class_="unseen"),
            state_chip(change.after),
            class_="change",
        ),
        el("p", change.reason, class_="why-changed"),
        el("p", join(["Notified: ", join(told, ", ")]), class_="hint") if told else None,
        _lines(change),
        _cause(replayed, cause) if cause else None,
    )


def _lines(change: Transition) -> Markup | None:
    """Return the log lines that go with a notification."""
    if not change.lines:
        return None
    lines = Markup("\n".join(map(text, change.lines)))
    return el(
        "details",
        el("summary", f"{count(len(change.lines), 'log line')} with it"),
        el("pre", lines, tabindex=0, role="region", aria_label="Log lines"),
        class_="records",
    )


def _cause(replayed: Replayed, cause: Cause) -> Markup:
    """Return the records behind a change; what can be looked up opens below."""
    window = join([" in the window from ", instant_of(cause.first), " to ", instant_of(cause.last)])
    if not cause.examples:
        return el("p", "Behind it: ", said.behind(cause), window, ".", class_="hint")
    rows = [_record(replayed, match) for match in cause.examples]
    names = ("Time (UTC)", "Call", "Error", "Principal", "Finding")
    head = el("tr", *(el("th", name, scope="col") for name in names))
    left = cause.matched - len(cause.examples)
    ids = [match.event_id for match in cause.examples if match.event_id]
    events = el(
        "div",
        el("h5", "Event IDs"),
        el("pre", Markup("\n".join(map(text, ids))), tabindex=0, role="region", aria_label="Event IDs"),
        class_="events",
    )
    return el(
        "details",
        el("summary", "Behind it: ", said.behind(cause)),
        el("p", "Records", window, ":", class_="hint"),
        el("div", el("table", el("thead", head), el("tbody", *rows), class_="data"), class_="scroll", tabindex=0),
        el("p", f"and {count(left, 'more record')}", class_="hint") if left > 0 else None,
        events if ids else None,
        class_="records",
    )  # fmt: skip


def _record(replayed: Replayed, match: Match) -> Markup:
    named = replayed.findings.get(match.finding or "")
    source = (match.event_source or "").removesuffix(".amazonaws.com")
    who = (named.role_name or named.service) if named else match.principal
    return el(
        "tr",
        el("th", instant(match.time), scope="row"),
        el("td", el("code", f"{source}:{match.event_name or ''}")),
        el("td", el("code", match.error_code) if match.error_code else "\N{EN DASH}"),
        el("td", el("code", who) if who else "\N{EN DASH}"),
        el("td", resource(named.resource) if named else "\N{EN DASH}"),
    )


def _findings(replayed: Replayed, story: Story) -> Markup | None:
    """Return the findings of the alarm's filters by their first record, and what the alarm made of each."""
    if not story.firsts:
        return None
    verdicts = dict.fromkeys(story.raised, "stood behind a change into ALARM, and nobody was told")
    verdicts |= dict.fromkeys(story.told, "told")
    verdicts |= dict.fromkeys(story.meanwhile, "began while it was in ALARM: nobody was told")
    verdicts |= dict.fromkeys(story.unraised, "never raised it: nobody was told")
    rows = [
        _finding(replayed, finding, minute, verdicts[finding])
        for finding, minute in list(story.firsts.items())[:MOST_FINDINGS]
    ]
    more = len(story.firsts) - len(rows)
    head = el(
        "tr",
        *(el("th", name, scope="col") for name in ("First record (UTC)", "Role", "Resource", "This alarm")),
    )
    table = el("table", el("thead", head), el("tbody", *rows), class_="data")
    return el(
        "details",
        el("summary", f"The findings behind its filters ({len(story.firsts):,})"),
        el("div", table, class_="scroll", tabindex=0),
        el("p", f"and {more:,} more: see the JSON format", class_="hint") if more > 0 else None,
        class_="records",
    )


def _finding(replayed: Replayed, finding: str, minute: int, verdict: str) -> Markup:
    named = replayed.findings.get(finding)
    return el(
        "tr",
        el("th", instant_of(minute), scope="row"),
        el("td", (named.role_name or named.service) if named else "\N{EN DASH}"),
        el("td", resource(named.resource) if named else el("code", finding)),
        el("td", verdict, class_=None if verdict == "told" else "caution"),
    )
