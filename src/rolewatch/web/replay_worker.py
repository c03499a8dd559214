"""An alarm replayed over the records of a lake: in the process that otherwise runs a query."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.history import State
from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import encodable
from rolewatch.engines.duckdb import Limits
from rolewatch.engines.lake_records import deliveries_in
from rolewatch.lake.lake import Lake
from rolewatch.lake.place import place_of
from rolewatch.report import replay_words
from rolewatch.report.replay_cause import Cause
from rolewatch.report.replay_story import Story, stories
from rolewatch.scan.replay import replay
from rolewatch.scan.replayed import Named, Replayed
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Delivery, Window
from rolewatch.templates.definitions import Alarm, CompositeAlarm, Template
from rolewatch.watch.alarm_kept import filters_of, read
from rolewatch.watch.alarm_telling import spelled
from rolewatch.web import query_frames as frames
from rolewatch.web.alarm_times import (
    Settings,
    Stretch,
    changed,
    seconds_in,
    spelled_stays,
    stays,
    thinned_stays,
)

DELAY: Final = 300  # seconds after which an event is taken to reach the alarm, as `rolewatch replay` does
CHANGES: Final = 200  # that are told, the latest
NAMED: Final = 100  # findings that are named of each kind
WIDE: Final = 720  # parts of the time of which the gravest state is shown


def replayed(
    asked: frames.Asked, wanted: frames.Replaying, limits: Limits, progress: Callable[[int, int], None]
) -> bytes:
    """Replay an alarm, and tell what it would have done, in JSON."""
    since, until = (datetime.fromisoformat(each) if each else None for each in (asked.since, asked.until))
    template = template_of(wanted)
    lake = Lake(place_of(asked.lake), lambda _name, _reason: None)

    def listed(_: Sequence[str], window: Window, problems: list[tuple[str, str]]) -> Iterable[Delivery]:
        def unreadable(name: str, reason: str) -> None:
            problems.append((name, reason))

        return deliveries_in(lake, window, unreadable=unreadable, limits=limits, progress=progress)

    found = replay(
        [asked.lake], template, ScanRequest(window=Window(since, until)), delay=DELAY, now=datetime.fromisoformat(asked.now),
        listed=listed,
    )  # fmt: skip
    story = next((each for each in stories(found) if each.history.alarm.name == wanted.name), None)
    if story is None:
        raise AlarmError(next((each.message for each in found.notices), f"{wanted.name} cannot be replayed"))
    return msgspec.json.encode(_plain(told(found, story)))


def template_of(wanted: frames.Replaying) -> Template:
    """Put together what is replayed; AlarmError for settings that the alarm cannot have, UsageError for what cannot be replayed."""
    kept = [read(kind, text) for kind, text in wanted.alarms]
    known = [each for each in kept if each is not None]
    if len(known) != len(kept):
        raise UsageError(
            "a definition is not kept in a form that this version knows",
            remedy="start the watcher again with this version",
        )
    settings = Settings(*wanted.settings)  # type: ignore[arg-type] # was read as such
    alarms = [each.alarm for each in known]
    own = alarms[0]
    if settings.given:
        if not isinstance(own, Alarm):
            raise AlarmError(f"{wanted.name} is no alarm of a metric: it has no settings to try")
        alarms[0] = changed(own, settings)
    detectors = dict.fromkeys(detector for each in known for detector in each.detectors)
    return Template(
        filters=filters_of(known),
        alarms=tuple(each for each in alarms if isinstance(each, Alarm)),
        composites=tuple(each for each in alarms if isinstance(each, CompositeAlarm)),
        anomaly_detectors=tuple(detectors),
        arn_prefix=wanted.arn.removesuffix(wanted.name),
    )


def told(found: Replayed, story: Story) -> dict[str, Any]:
    """Say what a replayed alarm did, and of which findings it would have told somebody.

    `deed` and `upshot` are sentences; `states` are stretches of time; of `changes` the latest are told, of findings some by name.
    """
    history = story.history
    over = Stretch(found.start, found.end, found.end)
    changes = [(each.time, str(each.before), str(each.after)) for each in history.transitions]
    states = [] if found.nothing else stays(changes, str(history.initial), found.start, over)
    groups = sorted({each.log_group for each in found.template.filters})
    notes = frames.notes_on(found.unreadable)
    if len(groups) > 1:
        notes.append(f"Its filters are of {len(groups)} log groups; all of them saw the records of the lake.")
    notes += [f"{each.message}." for each in found.notices]
    return {
        "start": None if found.nothing else spelled(found.start),
        "end": None if found.nothing else spelled(found.end),
        "nothing": replay_words.why_nothing(found) if found.nothing else None,
        "delay": DELAY,
        "records": found.totals.get("records", 0),
        "deed": replay_words.deed(story),
        "upshot": replay_words.upshot(story),
        "entered": story.entries,
        "seconds": seconds_in(State.ALARM, states),
        "states": spelled_stays(thinned_stays(states, WIDE)),
        "changes": [
            {
                "time": spelled(change.time), "before": str(change.before), "after": str(change.after), "reason": change.reason,
                "actions": list(change.actions), "behind": _behind(cause, found) if cause else None,
            }
            for change, cause in list(zip(history.transitions, story.causes, strict=True))[: -CHANGES - 1 : -1]
        ],
        "changes_total": len(history.transitions),
        "findings": {name: _some(ids, found) for name, ids in _kinds(story).items()},
        "notes": notes,
    }  # fmt: skip


def _kinds(story: Story) -> dict[str, Sequence[str]]:
    """Share out findings: somebody was told of it; it raised the alarm, which told nobody; it began meanwhile; it never raised it."""
    told_of = set(story.told)
    return {
        "told": story.told,
        "raised": [name for name in story.raised if name not in told_of],
        "meanwhile": story.meanwhile,
        "unraised": story.unraised,
    }


def _behind(cause: Cause, found: Replayed) -> dict[str, Any]:
    return {"said": replay_words.behind(cause), "matched": cause.matched, **_some(cause.findings, found)}


def _some(ids: Sequence[str], found: Replayed) -> dict[str, Any]:
    named = ((name, found.findings.get(name)) for name in ids[:NAMED])
    return {"total": len(ids), "findings": [{"id": name, **_known(each)} for name, each in named]}


def _known(each: Named | None) -> dict[str, str]:
    if each is None:
        return {"service": "", "account": "", "resource": ""}
    return {"service": each.service, "account": each.account, "resource": each.resource}


def _plain(value: Any) -> Any:
    """Give the same with texts that JSON can hold: names and reasons are from records."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
