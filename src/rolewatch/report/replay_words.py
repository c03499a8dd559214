"""The sentences that a replay's table and page share: what an alarm did, and what that was worth to its owner.

Nothing here makes text safe to show: names are as they stand in the template, and whoever shows them does that.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from rolewatch.alarms.history import AnyAlarm, History, State, Transition
from rolewatch.report.replay_cause import Cause
from rolewatch.report.replay_story import Story
from rolewatch.report.words import count
from rolewatch.scan.replayed import Match, Named, Replayed
from rolewatch.templates.definitions import AlarmMuteRule, Metric, MetricFilter, Place

#: States as they are labelled, the gravest first.
STATES: Final = {State.ALARM: "ALARM", State.INSUFFICIENT_DATA: "INSUFFICIENT_DATA", State.OK: "OK"}
_TICKS: Final = ((43_200, "%H:%M"), (4 * 86_400, "%b %d, %H:%M"), (400 * 86_400, "%b %d"))
_UNITS: Final = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"))


def iso(time: int) -> str:
    """Return epoch seconds as CloudTrail writes a time."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(time: int) -> str:
    """Return epoch seconds as "2026-03-01 10:05"; seconds only where there are any."""
    shown = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return shown.removesuffix(":00")


def span(seconds: int) -> str:
    """Return a length of time in its two largest units: "29 days", "1 h 5 min", "45 s"."""
    parts = []
    for size, unit in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(count(number, unit) if unit == "day" else f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"


def minutes(seconds: int) -> float | int:
    """Return seconds in minutes, as a whole number where they are."""
    return seconds / 60 if seconds % 60 else seconds // 60


def number(value: float) -> str:
    """Return a value without what it does not need: 1, 0.25, 12,000."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def metric(identity: Metric) -> str:
    """Return a metric as "Namespace Name {Dimension=value}"."""
    dimensions = ", ".join(f"{name}={value}" for name, value in identity.dimensions)
    return f"{identity.namespace} {identity.name}" + (f" {{{dimensions}}}" if dimensions else "")


def deed(story: Story) -> str:
    """Return what an alarm did, as the rest of a sentence that begins with its name; nothing in it comes from a record."""
    history, spells = story.history, story.spells
    if not spells:
        return "never went to ALARM"
    if len(spells) == 1:
        (spell,) = spells
        length = span(spell.end - spell.start)
        end = ", to the end" if spell.lasting else ""
        if spell.change is None:
            return f"was in ALARM from the start, for {length}{end}"
        occasion = _occasion(story.causes[spell.change]) or f"at {moment(spell.start)}"
        stay = f"and stayed there for {length}{end}" if spell.end > spell.start else "at the very end"
        return f"went to ALARM once, {occasion}, {stay}"
    groundless = sum(cause is not None and bool(_occasion(cause)) for cause in story.causes)
    often = (
        "each time" if groundless == story.entries else "once" if groundless == 1 else f"{groundless:,} times"
    )
    idle = f", {often} without a matching record" if groundless else ""
    lasting = ", and at the end" if history.final is State.ALARM else ""
    return f"went to ALARM {count(story.entries, 'time')}{idle}, and was there for {span(story.seconds)} in all{lasting}"


def upshot(story: Story) -> list[str]:
    """Return what that was worth, in sentences: who was told, of how many findings, and of how many nobody was told."""
    raised, meanwhile, unraised = len(story.raised), len(story.meanwhile), len(story.unraised)
    told = []
    if raised:
        stood = f"{count(raised, 'finding')} stood behind {'its change' if story.entries == 1 else 'its changes'} into ALARM"
        if any(spell.before for spell in story.spells):
            stood += ", or began before actions that were held back ran"
        heard = len(story.told)
        whom = (
            ""
            if heard == raised
            else f", and somebody was told of {heard:,}"
            if heard
            else ", and nobody was told"
        )
        told.append(f"{stood}{whom}.")
    if meanwhile:
        told.append(f"{count(meanwhile, 'finding')} began while it was in ALARM: nobody was told.")
    if unraised:
        told.append(f"{count(unraised, 'finding')} never raised it: nobody was told.")
    return told


def cost(story: Story) -> str:
    """Return what an alarm cost its owner: minutes in ALARM, and notifications."""
    spent = minutes(story.seconds)
    time = (
        f"{spent:,.6g} minute{'' if spent == 1 else 's'} in ALARM"
        if spent % 1
        else f"{count(int(spent), 'minute')} in ALARM"
    )
    longer = f" ({span(story.seconds)})" if story.seconds >= 3600 else ""
    return f"{time}{longer}, {_notified(story)}"


def answer(replayed: Replayed, told: tuple[Story, ...]) -> str:
    """Return the whole replay in one sentence, without any name."""
    if replayed.nothing:
        return f"Nothing was replayed: {why_nothing(replayed)}"
    if not told:
        return "The template defines no alarm"
    if len(told) == 1:
        return f"The alarm {deed(told[0])}{_unheard(told)}"
    rang = sum(bool(story.spells) for story in told)
    return f"{rang:,} of {len(told):,} alarms went to ALARM{_unheard(told)}"


def why_nothing(replayed: Replayed) -> str:
    """Return why nothing was replayed."""
    if replayed.totals.get("records"):
        return "no record in this input has a usable eventTime and is of the time, accounts and Regions that were asked for"
    return "there is no CloudTrail record in this input"


def unheard(told: tuple[Story, ...]) -> tuple[int, int]:
    """Return how many findings the filters of all alarms counted, and of how many no alarm told anybody."""
    every = {finding for story in told for finding in (*story.raised, *story.meanwhile, *story.unraised)}
    heard = {finding for story in told for finding in story.told}
    return len(every), len(every - heard)


def behind(cause: Cause) -> str:
    """Return what stood behind a change into ALARM: "2 matching records, 1 finding"."""
    parts = [count(cause.matched, "matching record")]
    if cause.defaults:
        parts.append(
            f"{count(cause.defaults, 'record')} that {'does' if cause.defaults == 1 else 'do'} not match (the default value)"
        )
    if cause.findings:
        parts.append(count(len(cause.findings), "finding"))
    return ", ".join(parts)


def example(match: Match, findings: Mapping[str, Named]) -> str:
    """Return a record in one line: when, what, by whom, and the finding that it belongs to."""
    source = (match.event_source or "").removesuffix(".amazonaws.com")
    call = f"{source}:{match.event_name}" if match.event_name else source or "a record"
    code = f" {match.error_code}" if match.error_code else ""
    named = findings.get(match.finding or "")
    who = named.role_name or named.service if named else match.principal
    what = f" on {named.resource}" if named else ""
    return f"{match.time} {call}{code}{f' by {who}' if who else ''}{what}"


def _occasion(cause: Cause | None) -> str:
    """Return the words for a change that no matching record caused, but the default value of one that does not match."""
    return "at the first event of any kind" if cause and not cause.matched and cause.defaults else ""


def _notified(story: Story) -> str:
    if story.tells or story.notifications:
        return count(story.notifications, "notification")
    entries = count(story.entries, "change") if story.entries else "no change"
    return (
        f"{entries} into ALARM; {why_silent(story)}, so nobody {'is' if story.entries else 'would be'} told"
    )


def _unheard(told: tuple[Story, ...]) -> str:
    every, unknown = unheard(told)
    if not every:
        return ""
    if len(told) == 1 and (began := len(told[0].meanwhile)) == unknown and began:
        return f"; {count(began, 'finding')} began meanwhile and notified nobody"
    whole = f"all {every:,} findings" if every > 1 else "the only finding"
    if unknown in (0, every):
        return f"; {'nobody' if unknown else 'somebody'} was told of {whole}"
    return f"; of {count(every, 'finding')}, {unknown:,} notified nobody"


def why_silent(story: Story) -> str:
    """Return why an alarm tells nobody when it goes to ALARM."""
    return "it has no actions" if story.history.alarm.actions.enabled else "its actions are disabled"


def notified(change: Transition) -> str:
    """Return what became of a change's actions where that is not plain: held back, or acted on later; else nothing."""
    if change.suppressed_by is None:
        return ""
    if change.acted_at is not None:
        return f"not before {moment(change.acted_at)}: held back by {change.suppressed_by}"
    return "" if change.actions else f"nobody: suppressed by {change.suppressed_by}"


def mutes(rules: Iterable[AlarmMuteRule], alarm: AnyAlarm) -> list[str]:
    """Return the rules that mute an alarm: "nights: cron(0 22 * * *) for 8 h, Europe/London"."""
    return [
        f"{each.name}: {each.expression} for {span(each.duration)}, {each.timezone}"
        for each in rules
        if alarm.name in each.targets
    ]


def publishes(metric_filter: MetricFilter) -> str:
    """Return what a filter publishes: "value 1, default 1"."""
    made = metric_filter.transformation
    default = "" if made.default is None else f", default {number(made.default)}"
    dimensions = "".join(f", {name}={value}" for name, value in made.dimensions)
    return f"value {made.value}{default}{dimensions}"


def place(where: Place) -> str:
    """Return where something is written; what is no text has no line."""
    return str(where) if where.line else where.file


def states_seen(history: History) -> list[State]:
    """Return the states that an alarm was in, the gravest first."""
    seen = {history.initial, *(change.after for change in history.transitions)}
    return [state for state in STATES if state in seen]


def tick(time: int, length: int) -> str:
    """Return what stands below an axis of so many seconds: "10:05", "Mar 1 10:00", "Mar 1" or "Mar 2026"."""
    shape = next((shape for most, shape in _TICKS if length <= most), "%b %Y")
    return datetime.fromtimestamp(time, UTC).strftime(shape).replace(" 0", " ")
