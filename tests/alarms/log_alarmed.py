"""Log alarms and results for tests, and the slow evaluator: one run after the other, with dictionaries."""

from literal import COMPARE, decide

from rolewatch.alarms.history import State
from rolewatch.alarms.log_results import ALL, LogResults, results_of
from rolewatch.templates.definitions import Actions, LogAlarm, LogQuery, Place, Spelling

PLACE = Place("alarms.yaml", 3, 5, "Resources.L")
EVERY = 300


def log_alarm(n=1, m=1, treat="missing", threshold=1.0, compare="GreaterThanOrEqualToThreshold", **more):
    """Make a log alarm that counts errors by user, every five minutes over the last ten."""
    written = Spelling(PLACE, 0, ())
    query = LogQuery("filter errorCode = 'x'", "count(*)", ("trail",), EVERY, 600, 0, written, written)
    fields = {
        "logical_id": "L", "name": "l", "description": None, "query": query, "evaluated": n, "needed": m, "threshold": threshold,
        "comparison_operator": compare, "treat_missing_data": treat, "lines": 0, "warm_up": None,
        "actions": Actions(alarm=("page",), ok=("calm",), insufficient_data=("hm",)), "place": PLACE,
    }  # fmt: skip
    return LogAlarm(**{**fields, **more})


def single(values, otherwise=None):
    """Make the results of a query without contributors: a text such as `1 _ 3`, one word a run from EVERY on."""
    return LogResults(grouped=False, contributors={ALL: _series(values)}, otherwise=otherwise)


def grouped(**series):
    """Make the results of contributors by what they are called."""
    return LogResults(
        grouped=True, contributors={(("user", name),): _series(values) for name, values in series.items()}
    )


def _series(values):
    words = values.split()
    return results_of({EVERY * number: float(word) for number, word in enumerate(words, 1) if word != "_"})


def transitions(alarm, results, runs, initial=None):
    """Give time, state before and state after of every change in the first so many runs; without a state it is a new alarm."""
    state, own, changes, seen = initial or State.INSUFFICIENT_DATA, {}, [], False
    tables = {who: dict(zip(each.runs.tolist(), each.values.tolist(), strict=True)) for who, each in results.contributors.items()}  # fmt: skip
    for run in range(1, runs + 1):
        latest = range(max(run - alarm.evaluated + 1, 1), run + 1)
        decide_ = _young if initial is None and run < alarm.evaluated else _grown
        if not results.grouped:
            table = tables.get(ALL, {})
            points = [_point(alarm, table.get(time * EVERY, results.otherwise)) for time in latest]
            after = decide_(alarm, points, state)
        else:
            for who, table in tables.items():
                points = [_point(alarm, table.get(time * EVERY)) for time in latest]
                if all(point is None for point in points):
                    own.pop(who, None)  # it has disappeared
                else:
                    own[who] = decide_(alarm, points, own.get(who, State.OK))
            seen = seen or bool(own)
            if State.ALARM in own.values():
                after = State.ALARM
            elif seen and decide_ is _grown:
                after = State.OK
            else:
                after = decide_(alarm, [None] * len(latest), state) if decide_ is _grown else state
        if after is not state:
            changes.append((run * EVERY, state, after))
            state = after
    return changes


def _point(alarm, value):
    return None if value is None else COMPARE[alarm.comparison_operator](value, alarm.threshold)


def _young(alarm, points, state):
    """Decide for an alarm whose query has not run as often as it looks back: only what is enough already is told."""
    hits = sum(
        point is True or (point is None and alarm.treat_missing_data == "breaching") for point in points
    )
    return State.ALARM if hits >= alarm.needed else state


def _grown(alarm, points, state):
    class Plain:
        evaluation_periods = alarm.evaluated
        datapoints_to_alarm = alarm.needed
        treat_missing_data = alarm.treat_missing_data

    return decide(Plain, [None] * (alarm.evaluated - len(points)) + points, state)
