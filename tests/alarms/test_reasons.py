"""State reasons and their data in the service's wording (spec/alarm.md §7), each text as it was seen with these numbers."""

import json
from calendar import timegm
from datetime import UTC, datetime

import pytest
from alarmed import METRIC, alarm, data, expression, metric, told

from rolewatch.alarms.history import State
from rolewatch.metrics.series import series_of
from rolewatch.templates.definitions import Metric


def at(text):
    """Give epoch seconds of a time as reasons write it."""
    return timegm(datetime.strptime(text, "%d/%m/%y %H:%M:%S").timetuple())  # noqa: DTZ007 - UTC, as all of them


def last(watched, values, before=State.OK, **more):
    """Evaluate once, when the period after the newest of these values (by the starts of their periods) has ended."""
    points = {at(start): {float(value): 1} for start, value in values.items()}
    end = max(points) + watched.stat.period
    (transition,) = told(watched, data(points), end, asked=[end], initial={"a": before}, **more)
    return transition


GT, GE, LT = "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"


def newest_first(start, values):
    """Give values a minute apart, the first at `start`, the others before it."""
    first = at(start)
    return {
        datetime.fromtimestamp(first - 60 * i, UTC).strftime("%d/%m/%y %H:%M:%S"): value
        for i, value in enumerate(values)
    }


REASONS = [
    (alarm(60, 1, None, threshold=21.0, compare=GT), {"19/08/26 09:36:00": 21.5}, State.OK,
     "Threshold Crossed: 1 datapoint [21.5 (19/08/26 09:36:00)] was greater than the threshold (21.0)."),
    (alarm(180, 3, None, threshold=0.0, compare=GT), {"19/08/26 05:50:00": 2, "19/08/26 05:47:00": 3, "19/08/26 05:44:00": 1}, State.OK,
     "Threshold Crossed: 3 datapoints [2.0 (19/08/26 05:50:00), 3.0 (19/08/26 05:47:00), 1.0 (19/08/26 05:44:00)] were greater than the threshold (0.0)."),
    (alarm(300, 1, 1, threshold=50.0, compare=GT), {"02/10/19 16:59:00": 99.50160229693434}, State.OK,
     "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (02/10/19 16:59:00)] was greater than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition)."),
    (alarm(300, 1, 1, threshold=50.0, compare=GT), {"01/10/19 13:46:00": 0.0666851903306472}, State.ALARM,
     "Threshold Crossed: 1 out of the last 1 datapoints [0.0666851903306472 (01/10/19 13:46:00)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition)."),
    (alarm(300, 3, 3, threshold=31.0, compare=GT), {"03/07/25 08:29:00": 32.6, "03/07/25 08:24:00": 33.8, "03/07/25 08:19:00": 41.0}, State.OK,
     "Threshold Crossed: 3 out of the last 3 datapoints [32.6 (03/07/25 08:29:00), 33.8 (03/07/25 08:24:00), 41.0 (03/07/25 08:19:00)] were greater than the threshold (31.0) (minimum 3 datapoints for OK -> ALARM transition)."),
    (alarm(60, 5, 3, threshold=0.0, compare=GT), newest_first("21/12/21 06:45:00", [0, 0, 1, 0, 1]), State.ALARM,
     "Threshold Crossed: 3 out of the last 5 datapoints [0.0 (21/12/21 06:45:00), 0.0 (21/12/21 06:44:00), 0.0 (21/12/21 06:42:00)] were not greater than the threshold (0.0) (minimum 3 datapoints for ALARM -> OK transition)."),
    (alarm(60, 5, None, threshold=10.0, compare=GT), newest_first("08/08/17 20:09:00", [27.5] * 5), State.OK,
     "Threshold Crossed: 5 datapoints were greater than the threshold (10.0). The most recent datapoints which crossed the threshold: [27.5 (08/08/17 20:09:00), 27.5 (08/08/17 20:08:00), 27.5 (08/08/17 20:07:00), 27.5 (08/08/17 20:06:00), 27.5 (08/08/17 20:05:00)]."),
    (alarm(60, 5, 5, threshold=65.0, compare=LT), newest_first("29/04/20 23:32:00", [0] * 5), State.INSUFFICIENT_DATA,
     "Threshold Crossed: 5 out of the last 5 datapoints were less than the threshold (65.0). The most recent datapoints which crossed the threshold: [0.0 (29/04/20 23:32:00), 0.0 (29/04/20 23:31:00), 0.0 (29/04/20 23:30:00), 0.0 (29/04/20 23:29:00), 0.0 (29/04/20 23:28:00)] (minimum 5 datapoints for OK -> ALARM transition)."),
    (alarm(60, 20, 1, "notBreaching"), {"16/03/24 12:15:00": 613}, State.OK,
     "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (16/03/24 12:15:00)] was greater than or equal to the threshold (1.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition)."),
    (alarm(60, 2, None, "breaching", 1.0, LT), {"25/09/26 21:51:00": 1}, State.ALARM,
     "Threshold Crossed: 1 datapoint [1.0 (25/09/26 21:51:00)] was not less than the threshold (1.0) and 1 missing datapoint was treated as [Breaching]."),
    (alarm(60, 3, 2, "breaching"), {"05/09/26 20:47:00": 0}, State.OK,
     "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."),
    (alarm(60, 3, 2, "notBreaching"), {"05/09/26 20:47:00": 1}, State.ALARM,
     "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [NonBreaching]."),
]  # fmt: skip


@pytest.mark.parametrize(("watched", "values", "before", "reason"), REASONS)
def test_reasons(watched, values, before, reason):
    """What is written when the state changes."""
    assert reason == last(watched, values, before).reason


@pytest.mark.parametrize(("treat", "n", "reason"), [
    ("missing", 5, "Insufficient Data: 5 datapoints were unknown."),
    ("missing", 1, "Insufficient Data: 1 datapoint was unknown."),
    ("breaching", 2, "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."),
    ("notBreaching", 1, "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."),
])  # fmt: skip
def test_reasons_without_data(treat, n, reason):
    """What is written when there is no datapoint at all."""
    before = State.ALARM if treat == "notBreaching" else State.OK
    (transition,) = told(alarm(60, n, None, treat), {}, 60, initial={"a": before})
    assert reason == transition.reason


def test_reason_data():
    """The documented example, to the letter."""
    watched = alarm(300, 3, 3, threshold=31.0, compare=GT, statistic="Average", unit="Seconds")
    starts = {"03/07/25 08:19:00": 41.0, "03/07/25 08:24:00": 33.8, "03/07/25 08:29:00": 32.6}
    metrics = {METRIC: {"Seconds": series_of({at(start): {value: 5} for start, value in starts.items()})}}
    end = at("03/07/25 08:34:00")
    (transition,) = told(watched, metrics, end, asked=[end + 6], initial={"a": State.OK})
    assert transition.reason_data == (
        '{"version":"1.0","queryDate":"2025-07-03T08:34:06.000+0000","startDate":"2025-07-03T08:19:00.000+0000",'
        '"unit":"Seconds","statistic":"Average","period":300,"recentDatapoints":[41.0,33.8,32.6],"threshold":31.0,'
        '"evaluatedDatapoints":[{"timestamp":"2025-07-03T08:29:00.000+0000","sampleCount":5.0,"value":32.6},'
        '{"timestamp":"2025-07-03T08:24:00.000+0000","sampleCount":5.0,"value":33.8},'
        '{"timestamp":"2025-07-03T08:19:00.000+0000","sampleCount":5.0,"value":41.0}]}'
    )


def test_reason_data_without_datapoints():
    """Documented: no start, no recent datapoints, and only the times of those that are missing."""
    watched = alarm(60, 5, None, threshold=5.0, statistic="Average")
    end = at("04/08/23 12:31:00")
    (transition,) = told(watched, {}, end, asked=[end + 29], initial={"a": State.OK})
    assert transition.reason_data == (
        '{"version":"1.0","queryDate":"2023-08-04T12:31:29.000+0000","statistic":"Average","period":60,"recentDatapoints":[],'
        '"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2023-08-04T12:30:00.000+0000"},'
        '{"timestamp":"2023-08-04T12:29:00.000+0000"},{"timestamp":"2023-08-04T12:28:00.000+0000"},'
        '{"timestamp":"2023-08-04T12:27:00.000+0000"},{"timestamp":"2023-08-04T12:26:00.000+0000"}]}'
    )


def test_evaluated_datapoints_end_with_the_decision():
    """Seen twice: three of three datapoints are fine, and the newest alone is listed as evaluated, as it decides."""
    transition = last(alarm(60, 3, 3), newest_first("26/01/22 13:24:00", [0, 0, 0]), State.ALARM)
    found = json.loads(transition.reason_data)
    assert (found["recentDatapoints"], len(found["evaluatedDatapoints"])) == ([0.0, 0.0, 0.0], 1)


def test_reason_data_of_an_expression():
    """There is no statistic, and no number of samples."""
    watched = alarm(queries=[metric("m1"), expression("m1 * 2")])
    (transition,) = told(watched, data([1], of=Metric("N", "m1")), 60, initial={"a": State.OK})
    assert (
        transition.reason
        == "Threshold Crossed: 1 datapoint [2.0 (01/01/70 00:00:00)] was greater than or equal to the threshold (1.0)."
    )
    assert transition.reason_data == (
        '{"version":"1.0","queryDate":"1970-01-01T00:01:00.000+0000","startDate":"1970-01-01T00:00:00.000+0000","period":60,'
        '"recentDatapoints":[2.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"1970-01-01T00:00:00.000+0000","value":2.0}]}'
    )


@pytest.mark.parametrize("value", [1.0, 123456.789e-200])
def test_lengths(value):
    """Reason and data keep to the service's limits, and the data stays JSON, however many datapoints there are."""
    watched = alarm(60, 1440, None, compare="GreaterThanThreshold", threshold=0.0)
    (transition,) = told(watched, data([value] * 1500), 1500 * 60, asked=[1500 * 60], initial={"a": State.OK})
    found = json.loads(transition.reason_data)
    assert (len(transition.reason) <= 1023, len(transition.reason_data) <= 4000) == (True, True)
    assert found["recentDatapoints"][-1] == found["evaluatedDatapoints"][0]["value"] == value


def test_actions():
    """Actions run on a change only, those of the state entered, and none if they are disabled."""
    watched = alarm(60, treat="notBreaching")
    metrics = data([0, 1, 1, 0])
    assert [change.actions for change in told(watched, metrics, 240)] == [("calm",), ("page",), ("calm",)]
    quiet = watched._replace(actions=watched.actions._replace(enabled=False))
    assert [change.actions for change in told(quiet, metrics, 240)] == [(), (), ()]
    assert told(alarm(60), {}, 60, initial={"a": State.OK})[0].actions == ("hm",)
