"""`rolewatch deliveries`: what a watcher could not read, and reading it again."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import UsageError
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain, say
from rolewatch.cli.shared import OUTPUT
from rolewatch.cli.states import STATE, looked_into

if TYPE_CHECKING:
    from rolewatch.store.state import State

HELP = (
    "failed: the deliveries that a watcher could not read, or not to their end, each with the reason.\n"
    "retry: read them again, all that can be or those named; nothing of them counts twice. It may run beside the watcher,\n"
    "which tells people what has changed."
)
EXAMPLES = (
    ("rolewatch deliveries failed", "what could not be read"),
    ("rolewatch deliveries retry", "read all of it again; status 3 if some of it still cannot be read"),
    ("rolewatch deliveries retry s3://my-trail/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/x.json.gz", "read one again"),
)  # fmt: skip
ACTIONS = ("failed", "retry")
POSITIONALS = (
    Positional("action", "ACTION", "what to do: failed or retry", choices=ACTIONS),
    Positional("name", "NAME", "for retry: the name of a delivery, or its id", many=True, optional=True),
)
OPTIONS = (
    STATE,
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json", "jsonl"), group="what to print"),
    OUTPUT,
)  # fmt: skip
LONGEST = 400  # characters of a name or a reason in the table


def run(called: Called) -> int:
    """List, or read again, and return the exit status."""
    names: tuple[str, ...] = tuple(called.values["name"])
    if called.values["action"] == "failed" and names:
        raise UsageError("deliveries failed takes no NAME", remedy="write `rolewatch deliveries retry NAME`")
    with looked_into(called) as state:
        return _failed(called, state) if called.values["action"] == "failed" else _retry(called, state, names)


def _failed(called: Called, state: "State") -> int:
    from rolewatch.watch.failed import listed  # noqa: PLC0415 - not needed for --help

    found = listed(state)
    form = called.values["format"]
    if form == "json":
        return _print(called, f"{json.dumps({'failed': found, 'total': len(found)}, indent=1)}\n")
    if form == "jsonl":
        return _print(called, "".join(f"{json.dumps(each)}\n" for each in found))
    return _print(called, "".join(map(_line, found)) or "no deliveries failed\n")


def _line(failure: dict[str, Any]) -> str:
    """Write a failure in two lines: which delivery, and why."""
    times = "once" if failure["attempts"] == 1 else f"{failure['attempts']:,} times, first {failure['first']}"
    part = f"; {failure['records']:,} records of it were whole" if failure["records"] else ""
    again = "" if failure["retryable"] else "; cannot be read again"
    facts = f"of {_shown(failure['source'])}, {failure['last']}, {times}{part}{again}"
    return f"{failure['id']}  {_shown(failure['name'])}\n    {_shown(failure['reason'])} ({facts})\n"


def _retry(called: Called, state: "State", names: tuple[str, ...]) -> int:
    from rolewatch.watch.failed import Retry, chosen  # noqa: PLC0415 - as above

    wanted = chosen(state, names)
    done = Retry(state, lambda: datetime.now(UTC)).run(wanted)
    for outcome in done.unread:
        complain(f"cannot read {outcome.name}: {outcome.reason}")
    facts = {
        "read": len(done.outcomes) - len(done.unread),
        "unread": len(done.unread),
        "records": done.records,
        "denials": done.denials,
    }
    if called.values["format"] == "table":
        text = f"{facts['read']:,} of {len(done.outcomes):,} deliveries read: {done.records:,} records, {done.denials:,} new denials\n"
    else:
        rows = [{"name": each.name, "reason": each.reason or None} for each in done.outcomes]
        indent = 1 if called.values["format"] == "json" else None
        text = f"{json.dumps({'deliveries': rows, **facts}, indent=indent)}\n"
    _print(called, text)
    return UNREAD if done.unread else 0


def _shown(text: str) -> str:
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - not needed for --help

    return terminal(text, LONGEST)


def _print(called: Called, text: str) -> int:
    if called.values["output"] is None:
        return say(text)
    with Output(called.values["output"]) as out:
        out.write(lambda stream: stream.write(text))
    return 0
