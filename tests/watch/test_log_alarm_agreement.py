"""Queries of log alarms, run by run as time passes: each run gives what a replay says it would have given."""

import random
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from alarm_stories import START, AlarmStory, template_of
from log_alarm_stories import DENIED, log_alarm
from stories import call

from rolewatch.alarms.history import State
from rolewatch.alarms.log_results import ALL
from rolewatch.insights.log_runs import ask
from rolewatch.scan.replayed import Asking
from rolewatch.scan.request import ScanRequest
from rolewatch.watch.alarm_counts import Counters
from rolewatch.watch.alarm_definitions import definitions_of
from rolewatch.watch.alarms import Alarms
from rolewatch.watch.intake import read
from rolewatch.watch.log_alarms import LogAlarms

SPAN = 1500  # seconds in which all records lie
QUERIES = [
    "",
    "fields @timestamp, @message",
    DENIED,
    "filter errorCode like /Denied|Unauth/ | fields additionalEventData.bytesTransferredOut * 2 as twice",
    "filter ispresent(errorCode) | parse eventName 'Get*' as what",
    f"{DENIED} | sort @timestamp desc | limit 3",
    f"{DENIED} | limit 2",
    f"sort @timestamp asc | limit 2 | {DENIED}",
    f"{DENIED} | stats count(*) as n by eventName",
    "stats count(*) as n by eventName, errorCode | filter n > 1",
    f"{DENIED} | stats count(*) as n",
    "stats count(*) as n | filter n < 3",
    "filter toMillis(@timestamp) > queryEndTime() - 300000",
    f"{DENIED} | fields queryStartTime() as n",
]
AGGREGATIONS = [
    ("count(*)", None),
    ("avg(additionalEventData.bytesTransferredOut)", "bytes"),
    ("max(n)", "n"),
    ("count(*) by eventName", "eventName"),
    ("count(*) by eventName, errorCode | sort count(*) desc", "errorCode"),
    ("count(additionalEventData.bytesTransferredOut) by requestParameters.bucketName", "bytes"),
]


def alarms(half):
    """Write an alarm for each query with half of the aggregations that can follow it: behind `stats` there are only its outputs."""
    for number, query in enumerate(QUERIES):
        outputs = {"n"} | ({"eventName"} if "by eventName" in query else set())
        for place, (aggregation, needs) in enumerate(AGGREGATIONS):
            if (number + place) % 2 != half:
                continue
            if ("stats" in query and needs is not None and needs not in outputs) or (
                needs == "n" and " as n" not in query
            ):
                continue
            every = 2 + (number + place) % 3
            yield log_alarm(f"q{number}x{place}", query, aggregation, every=every, offset=180 + 120 * place)


def some_calls(rng):
    """Make calls, some at the same second, some of them several times: (second, records)."""
    found = {}
    for _ in range(45):
        second = rng.randrange(SPAN)
        more = {}
        if rng.random() < 0.6:
            more["errorCode"] = rng.choice(["AccessDenied", "UnauthorizedOperation", "Throttling"])
        if rng.random() < 0.5:
            more["additionalEventData"] = {"bytesTransferredOut": rng.choice([0, 1, 2.5, "7", "x"])}
        name = rng.choice(["GetObject", "PutObject", "GetAcl"])
        record = call(second / 60, f"b{rng.randint(0, 2)}", name=name, **more)
        found.setdefault(second, []).extend([record] * rng.choice([1, 1, 1, 2]))
    return sorted(found.items())


def values(results, runs):
    """Give the values of runs by contributor, without those that are missing."""
    found = {}
    for who, each in results.contributors.items():
        table = dict(zip(each.runs.tolist(), each.values.tolist(), strict=True))
        otherwise = np.nan if results.otherwise is None else results.otherwise
        own = {run: table.get(run, np.nan if results.grouped else otherwise) for run in runs}
        found[who] = {run: value for run, value in own.items() if not np.isnan(value)}
    if not results.grouped and ALL not in found and results.otherwise is not None:
        found[ALL] = dict.fromkeys(runs, results.otherwise)
    return {who: own for who, own in found.items() if own}


def one_step(logs, whole, records, connection, *, states, span, now):
    """Keep what was read, and evaluate a stretch of time, as a watcher's transactions do."""
    start, until = span

    def seen(arrived):
        found = whole._seen(arrived, now)
        return found if found > start else 0

    logs.keep(connection, records, start, seen)
    step = logs.evaluate(connection, states, start, until)
    logs.finish(connection, step, until)
    return step


@pytest.mark.parametrize(("seed", "delay"), [(0, 0), (1, 300)])
def test_each_run(tmp_path, seed, delay):
    """However deliveries and evaluations lie in time, and however much is evaluated at once."""
    rng = random.Random(seed)
    text = f"Resources:{''.join(alarms(seed))}"
    template = template_of(text)
    story = AlarmStory(str(tmp_path / "state"), tmp_path, text)
    definitions = definitions_of(template)
    assert [notice.message for notice in definitions.notices] == []
    deliveries = [
        (START + second + delay, story.delivery(*records, at=START + second + delay))
        for second, records in some_calls(rng)
    ]
    asking = Asking([str(tmp_path)], ScanRequest(), delay, datetime(2100, 1, 1, tzinfo=UTC))
    expected = ask(template.log_alarms, asking).logs
    logs = LogAlarms(definitions.log_alarms, {})
    whole = Alarms(definitions, None, story.told_of)
    states = {alarm.name: State.INSUFFICIENT_DATA for alarm in template.log_alarms}
    start, end, found = START, START + SPAN + 900, {}
    while start < end:
        until = min(start + 60 * rng.choice([1, 3, 10]), end)
        behind = rng.choice([0, 0, 700])  # of what arrives meanwhile some is read with the next stretch
        arrived = [each for moment, each in deliveries if moment < until + behind]
        deliveries = deliveries[len(arrived) :]
        rng.shuffle(arrived)
        now = datetime.fromtimestamp(until + behind, UTC)
        counters = Counters(whole.filters(now), ScanRequest(), arrived, [])
        read(arrived, ScanRequest(), counters.beside)

        step = story.state.write(
            partial(
                one_step, logs, whole, counters.counts.records, states=states, span=(start, until), now=now
            )
        )
        for alarm in template.log_alarms:
            every = alarm.query.every
            runs = range((start // every + 1) * every, until + 1, every)
            if runs:
                kept = found.setdefault(alarm.name, {})
                for who, own in values(step.results[alarm.name], runs).items():
                    kept.setdefault(who, {}).update(own)
        start = until
    for alarm in template.log_alarms:
        every = alarm.query.every
        runs = range((START // every + 1) * every, end + 1, every)
        assert found.get(alarm.name, {}) == values(expected[alarm.name].results, runs), alarm.query
    story.close()
