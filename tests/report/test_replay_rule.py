"""What a log alarm looks at and when it goes off, in a few words."""

import pytest

from rolewatch.report.replay_rule import looked_at, rule
from rolewatch.templates.definitions import Actions, LogAlarm, LogQuery, Place, Spelling

PLACE = Place("alarms.yaml", 3, 5, "Resources.L")


def log_alarm(end=0, treat="missing"):
    """Make a log alarm that runs every five minutes over a quarter of an hour."""
    written = Spelling(PLACE, 0, ())
    text, aggregation = "filter a = 1\n  | fields b\n\n", " count(*) by b "
    query = LogQuery(text, aggregation, ("trail",), 300, 900, end, written, written)
    return LogAlarm("L", "l", None, query, 12, 2, 0.5, "LessThanThreshold", treat, 0, None, Actions(), PLACE)


@pytest.mark.parametrize(
    ("end", "window"),
    [(0, "the last 15 min"), (300, "the time from 15 min to 5 min before")],
)
def test_rule(end, window):
    """The comparison, how often the query runs over which time, M of N, and what missing results count as."""
    assert rule(log_alarm(end)) == f"result < 0.5 every 5 min over {window}, 2 of 12, missing as missing"


def test_looked_at():
    """The lines of the query, and the aggregation as the command that it is."""
    assert looked_at(log_alarm()) == ["filter a = 1", "| fields b", "stats count(*) by b"]
