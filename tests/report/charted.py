"""Answers to draw, made of a query and the rows that it could give."""

from datetime import UTC, datetime

from rolewatch.engines.answers import Answer
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.report.query_chart import Room, chart_of
from rolewatch.report.query_chart_shape import shape_of

HOUR = 3_600_000
ROOM = Room(columns=720, series=10, bars=40)


def at(text):
    """Give the milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def answer(query, *rows):
    """Make the answer that has such rows."""
    plan = plan_query(parse_query(query), Moments(0, 0))
    return Answer(plan, list(rows), more=False, statistics={}, absent=(), skipped=[], unreadable=[])


def charted(query, *rows, room=ROOM):
    """Make the chart of some rows."""
    found = answer(query, *rows)
    return chart_of(found, shape_of(found.plan), room)
