"""What there is to show of a log alarm: its contributors, and the results of its query as far as they are kept.

Results are kept of the latest runs, and of those that led to a change; of others nothing is known any more.
"""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rolewatch.report.replay_rule import COMPARISONS
from rolewatch.store.alarms import TransitionRow
from rolewatch.store.log_alarms import LogAlarmRow
from rolewatch.templates.definitions import LogAlarm
from rolewatch.watch.alarm_telling import contributor_id, spelled
from rolewatch.watch.log_alarm_memory import Memory, decode

MOST: Final = 200  # contributors that are listed


def contributors_of(row: LogAlarmRow | None, alarm: LogAlarm) -> list[dict[str, Any]]:
    """List the contributors of an alarm's latest results: those in ALARM first, then those nearest to it; an alarm without any has none."""
    memory = _memory(row)
    if memory is None:
        return []
    ringing, told = set(memory.ringing), set(memory.told)
    latest = {who: (runs[-1], values[-1]) for who, runs, values in memory.results if runs}
    names = [who for who in dict.fromkeys((*memory.ringing, *latest)) if who]
    sign = 1 if alarm.comparison_operator.startswith("Less") else -1
    names.sort(key=lambda who: (who not in ringing, sign * latest[who][1] if who in latest else 0.0, who))
    return [
        {
            "id": contributor_id(who),
            "attributes": dict(who),
            "state": "ALARM" if who in ringing else "OK",
            "told": who in told,
            "run": spelled(latest[who][0]) if who in latest else None,
            "value": latest[who][1] if who in latest and math.isfinite(latest[who][1]) else None,
        }
        for who in names[:MOST]
    ]


def log_drawn(
    row: LogAlarmRow | None, changes: Sequence[TransitionRow], alarm: LogAlarm, span: tuple[int, int]
) -> dict[str, Any]:
    """Make a graph of the results that are kept; of several contributors that which is nearest to breaching."""
    below = alarm.comparison_operator.startswith("Less")
    found: dict[int, float] = {}
    memory = _memory(row)
    pairs = [pair for each in memory.results for pair in zip(*each[1:], strict=True)] if memory else []
    for run, value in (*pairs, *(pair for change in changes for pair in _told(change))):
        if span[0] < run <= span[1] and math.isfinite(value):
            known = found.get(run, value)
            found[run] = min(known, value) if below else max(known, value)
    every = alarm.query.every
    return {
        "seconds": every,
        "operator": COMPARISONS.get(alarm.comparison_operator, alarm.comparison_operator),
        "threshold": alarm.threshold if math.isfinite(alarm.threshold) else None,
        "values": [
            {"since": spelled(run), "until": spelled(run + every), "low": found[run], "high": found[run]}
            for run in sorted(found)
        ],
        "band": None,
    }


def _told(change: TransitionRow) -> Iterator[tuple[int, float]]:
    """Yield the results that a change was decided by; none of data that was cut short."""
    try:
        data = json.loads(change.reason_data or "{}")
        parts = [data, *data.get("contributors", ())]
        for each in (result for part in parts for result in part.get("results", ())):
            moment = datetime.strptime(each["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
            yield int(moment.timestamp()), float(each["value"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return


def _memory(row: LogAlarmRow | None) -> Memory | None:
    return decode(row.memory) if row else None
