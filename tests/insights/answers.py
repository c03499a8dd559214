"""Queries and messages in, what an engine answers out, spelled as results are: to hold against the slow evaluator."""

import json
from datetime import UTC, datetime

from rolewatch.engines.duckdb import rows_of
from rolewatch.insights import parse_query
from rolewatch.insights.lower import Moments
from rolewatch.insights.planner import plan_query
from rolewatch.plan import Type, gets


def answers(text, messages, *, engine=rows_of, start=0, end=0):
    """Run a query on an engine, given as its `rows_of`; rows as dicts of what is there, as text."""
    plan = plan_query(parse_query(text), Moments(start, end))
    records = [json.loads(message) for message in messages]
    fields = {get: [field(record, message, get) for record, message in zip(records, messages, strict=True)] for get in gets(plan)}  # fmt: skip
    names = [(each.name, each.expression.type) for each in plan.shown]
    return [
        {name: spelled(value, kind) for (name, kind), value in zip(names, row, strict=True) if spelled(value, kind) is not None}
        for row in engine(plan, fields, len(messages), most=10_000)[0]
    ]  # fmt: skip


def field(record, message, get):
    """Give what a field of a record is to a plan."""
    if get.steps == ("@message",):
        return message
    if get.steps == ("@timestamp",):
        return moment(record.get("eventTime"))
    node = record
    for step in get.steps:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return leaf(node)


def moment(text):
    """Give the milliseconds of a time."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def leaf(node):
    """Give the text of a leaf."""
    if node is None or isinstance(node, dict | list):
        return None
    if isinstance(node, bool):
        return "1" if node else "0"
    return node if isinstance(node, str) else json.dumps(node)


def spelled(value, kind):
    """Write a value as results do."""
    if value is None:
        return None
    if kind is Type.TRUTH:
        return "1" if value else "0"
    if kind is Type.TIME:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    if kind is Type.NUMBER:
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if kind is Type.STRUCTURE:
        node = json.loads(value)
        return (
            json.dumps(node, separators=(",", ":"), ensure_ascii=False)
            if isinstance(node, dict | list)
            else leaf(node)
        )
    return value
