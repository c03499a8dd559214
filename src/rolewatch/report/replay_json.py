"""A replay as JSON: the contract's keys (DESIGN "Commands: the contract"), and beside them what each alarm cost its owner."""

from math import isnan
from typing import Any, Final, TextIO

from rolewatch import __version__
from rolewatch.alarms.history import Transition
from rolewatch.metrics.series import Series
from rolewatch.report.json_text import dumps
from rolewatch.report.output import emit
from rolewatch.report.replay_cause import Cause
from rolewatch.report.replay_story import Story, stories
from rolewatch.report.replay_words import iso, minutes, place
from rolewatch.scan.replayed import UNIT, Logged, Replayed
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm, Metric, Notice

_TYPES: Final = {Alarm: "metric", CompositeAlarm: "composite", LogAlarm: "log"}


def write(replayed: Replayed, out: TextIO) -> None:
    """Write the whole replay, indented by one space."""
    emit(out, dumps(content(replayed), indent=1) + "\n")


def content(replayed: Replayed) -> dict[str, Any]:
    """Return the replay as plain values; times as CloudTrail writes them."""
    return {
        "metrics": [
            _metric(metric, unit, series)
            for metric, units in sorted(replayed.metrics.items())
            for unit, series in sorted(units.items())
        ],
        "alarms": [
            _alarm(story) | _results(story, replayed.logs.get(story.history.alarm.name))
            for story in stories(replayed)
        ],
        "notices": [notice(each) for each in notices(replayed)],
        "findings": {name: each._asdict() for name, each in sorted(replayed.findings.items())},
        "start": None if replayed.nothing else iso(replayed.start),
        "end": None if replayed.nothing else iso(replayed.end),
        "delay": replayed.delay,
        "totals": dict(replayed.totals),
        "skipped": [{"delivery": name, "reason": reason} for name, reason in replayed.skipped],
        "unreadable": [{"delivery": name, "reason": reason} for name, reason in replayed.unreadable],
        "sources": list(replayed.sources),
        "version": __version__,
    }


def notices(replayed: Replayed) -> list[Notice]:
    """Return what is to be told about the template and its alarms, each once."""
    return list(dict.fromkeys((*replayed.template.notices, *replayed.notices)))


def notice(each: Notice) -> dict[str, str]:
    """Return a notice with its place as `file:line:column`, or as the file alone."""
    return {"level": each.level, "message": each.message, "place": place(each.place)}


def _metric(metric: Metric, unit: str, series: Series) -> dict[str, Any]:
    columns = (series.times, series.sums, series.sample_counts, series.minima, series.maxima)
    named: dict[str, Any] = {
        "namespace": metric.namespace,
        "name": metric.name,
        "dimensions": dict(metric.dimensions),
    }
    if unit != UNIT:
        named["unit"] = unit
    return named | {
        "datapoints": [
            {"timestamp": iso(time), "sum": total, "sample_count": number, "minimum": least, "maximum": most}
            for time, total, number, least, most in zip(*(each.tolist() for each in columns), strict=True)
        ]
    }


def _alarm(story: Story) -> dict[str, Any]:
    history = story.history
    return {
        "name": history.alarm.name,
        "state": history.final,
        "transitions": [
            _transition(change, cause)
            for change, cause in zip(history.transitions, story.causes, strict=True)
        ],
        "type": _TYPES[type(history.alarm)],
        "initial_state": history.initial,
        "minutes_in_alarm": minutes(story.seconds),
        "notifications": story.notifications,
        "tells_somebody": story.tells,
        "filters": [each.logical_id for each in story.filters],
        "findings": {
            "raised": list(story.raised),
            "told": list(story.told),
            "meanwhile": list(story.meanwhile),
            "unraised": list(story.unraised),
        },
    }


def _transition(change: Transition, cause: Cause | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "timestamp": iso(change.time),
        "from": change.before,
        "to": change.after,
        "reason": change.reason,
        "reason_data": change.reason_data,
        "actions": list(change.actions),
        "behind": _cause(cause) if cause else None,
    }
    if change.suppressed_by is not None:
        acted_at = None if change.acted_at is None else iso(change.acted_at)
        told |= {"suppressed_by": change.suppressed_by, "acted_at": acted_at}
    if change.lines:
        told["log_lines"] = list(change.lines)
    return told


def _results(story: Story, logged: Logged | None) -> dict[str, Any]:
    """Return the changes of a log alarm's contributors, and what its query gave; a run that is not there gave what `otherwise` says."""
    if logged is None:
        return {}
    results = logged.results
    contributors = [
        {
            "attributes": dict(attributes),
            "values": [
                {"timestamp": iso(run), "value": None if isnan(value) else value}
                for run, value in zip(each.runs.tolist(), each.values.tolist(), strict=True)
            ],
        }
        for attributes, each in results.contributors.items()
    ]
    changes = [
        {"attributes": dict(each.attributes), **_transition(each.change, cause)}
        for each, cause in story.calls
    ]
    return {
        "contributor_changes": changes,
        "results": {"contributors": contributors, "otherwise": results.otherwise},
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "from": iso(cause.first),
        "to": iso(cause.last),
        "matched": cause.matched,
        "defaults": cause.defaults,
        "findings": list(cause.findings),
        "examples": [match._asdict() for match in cause.examples],
    }
