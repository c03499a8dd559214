"""`rolewatch findings`: what a watcher has found, and what people decide about it."""

import getpass
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, say
from rolewatch.cli.scan import SEVERITIES
from rolewatch.cli.shared import OUTPUT
from rolewatch.cli.states import STATE, looked_into

if TYPE_CHECKING:
    from rolewatch.findings.life import Life
    from rolewatch.store.state import State

HELP = (
    "list: the findings of a watcher, the worst first.\n"
    "show: everything about one, and why people were told of it or not.\n"
    "mute, unmute: be told nothing of a finding, or of all that match, until a time; and take that back.\n"
    "mutes: the mutes there are.\n"
    "acknowledge, assign: note who has seen it, and whose it is."
)
EXAMPLES = (
    ("rolewatch findings list --status blocked --severity high", "what somebody has to look at"),
    ("rolewatch findings show 1d8648e6a1c1f356", "an id may be shortened where it is clear"),
    ("rolewatch findings mute 1d8648e6 --until 7d --reason 'bucket goes next week' --until-recovered", "one finding"),
    ("rolewatch findings mute --match service=macie.amazonaws.com,resource='arn:aws:s3:::logs-*' --until 2026-12-31 --reason 'logs are not scanned'", "all that match"),
    ("rolewatch findings list --format json --state postgresql://rolewatch@db/rolewatch", "as JSON, from a shared state"),
)  # fmt: skip
ACTIONS = ("list", "show", "mute", "unmute", "mutes", "acknowledge", "assign")
POSITIONALS = (
    Positional(
        "action", "ACTION", f"what to do: {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}", choices=ACTIONS
    ),
    Positional("id", "ID", "of a finding; for unmute also of a mute", optional=True),
)
STATUSES = ("blocked", "silent", "recovered", "gone")
_WHICH, _WHAT = "which findings", "what to do"
OPTIONS = (
    STATE,
    Option("status", "only findings of this status", "STATUS", choices=STATUSES, default=(), many=True, group=_WHICH),
    Option("severity", "only findings of this severity and worse", "LEVEL", choices=SEVERITIES, group=_WHICH),
    Option("service", "only these services: config.amazonaws.com, or config for short", "NAME", default=(), many=True, group=_WHICH),
    Option("account", "only roles of these accounts", "ID", words.account, default=(), many=True, group=_WHICH),
    Option("limit", "list at most N findings", "N", words.positive, default=100, group=_WHICH),
    Option("after", "go on behind the page that gave this word", "WORD", group=_WHICH),
    Option("lake", "for show: name who changed the policy last before it began, by the records of a lake", "DIR", file=True, group=_WHAT),
    Option("match", "for mute: KEY=PATTERN,… with the keys service, role, account, resource and verdict", "MATCH", group=_WHAT),
    Option("until", "for mute: when it ends, as an ISO time or a span (7d)", "TIME", words.moment, group=_WHAT),
    Option("reason", "for mute: why", "TEXT", group=_WHAT),
    Option("until-recovered", "for mute: it also ends when its finding recovers", flag=True, default=False, group=_WHAT),
    Option("by", "who decides", "NAME", shown="the user of this shell", group=_WHAT),
    Option("note", "for acknowledge: what there is to say", "TEXT", group=_WHAT),
    Option("to", "for assign: whose it is; nobody's without it", "NAME", group=_WHAT),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json", "jsonl"), group="what to print"),
    OUTPUT,
)  # fmt: skip
#: Which options mean something to which actions, beside those of all.
_MEANT: Final[Mapping[str, frozenset[str]]] = {
    "show": frozenset(("lake",)),
    "list": frozenset(("status", "severity", "service", "account", "limit", "after")),
    "mute": frozenset(("match", "until", "reason", "until-recovered", "by")),
    "unmute": frozenset(("by",)),
    "acknowledge": frozenset(("by", "note")),
    "assign": frozenset(("to",)),
}
_ALL: Final = frozenset(("state", "format", "output", "config", "action", "id"))


def run(called: Called) -> int:
    """Do what was asked, and return the exit status."""
    action: str = called.values["action"]
    strange = sorted(set(called.typed) - _ALL - _MEANT.get(action, frozenset()))
    if strange:
        raise UsageError(f"--{strange[0]} means nothing to findings {action}")
    if action in ("list", "mutes") and called.values["id"]:
        raise UsageError(f"findings {action} takes no ID", remedy="write `rolewatch findings show ID`")
    do: Mapping[str, Callable[[Called, State], int]] = {
        "list": _list, "show": _show, "mute": _mute, "unmute": _unmute, "mutes": _mutes, "acknowledge": _acknowledge,
        "assign": _assign,
    }  # fmt: skip
    with looked_into(called) as state:
        return do[action](called, state)


def _list(called: Called, state: "State") -> int:
    from rolewatch.store.finding_lists import Wanted  # noqa: PLC0415 - not needed for --help
    from rolewatch.watch.listing import listed  # noqa: PLC0415 - as above

    values = called.values
    severity = SEVERITIES.index(values["severity"]) if values["severity"] else 0
    wanted = Wanted(values["status"], values["service"], values["account"], severity)
    found = listed(state, wanted, after=values["after"], number=values["limit"], now=datetime.now(UTC))
    form = values["format"]
    if form == "jsonl":
        return _print(
            called, "".join(json.dumps(finding, ensure_ascii=False) + "\n" for finding in found["findings"])
        )
    if form == "json":
        return _print(called, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    from rolewatch.report.finding_list import write_list  # noqa: PLC0415 - as above
    from rolewatch.report.output import Options  # noqa: PLC0415 - as above

    with Output(values["output"]) as out:
        out.write(lambda stream: write_list(found, stream, Options(environ=called.environ)))
    return 0


def _show(called: Called, state: "State") -> int:
    from rolewatch.watch.listing import shown  # noqa: PLC0415 - as above

    finding = shown(state, _id(called), now=datetime.now(UTC))
    if called.values["lake"]:
        from rolewatch.cli.enriching import blamed  # noqa: PLC0415 - as above

        blamed(finding, called, called.values["lake"])
    if called.values["format"] != "table":
        indent = 1 if called.values["format"] == "json" else None
        return _print(called, json.dumps(finding, ensure_ascii=False, indent=indent) + "\n")
    from rolewatch.report.finding_list import write_one  # noqa: PLC0415 - as above
    from rolewatch.report.output import Options  # noqa: PLC0415 - as above

    with Output(called.values["output"]) as out:
        out.write(lambda stream: write_one(finding, stream, Options(environ=called.environ)))
    return 0


def _mute(called: Called, state: "State") -> int:
    from rolewatch.findings.match import parse_match  # noqa: PLC0415 - as above
    from rolewatch.findings.mutes import new_mute  # noqa: PLC0415 - as above
    from rolewatch.watch.listing import keep_mute, shown  # noqa: PLC0415 - as above

    values, now = called.values, datetime.now(UTC)
    if bool(values["id"]) == bool(values["match"]):
        raise UsageError("findings mute takes an ID or --match, one of them")
    if values["until"] is None:
        raise UsageError("a mute has to end", remedy="write --until 7d, or a date")
    severity = None
    if values["id"]:
        finding = shown(state, values["id"], now=now)
        match, severity = {"id": finding["id"]}, finding["severity"]
    else:
        match = parse_match(values["match"])
    mute = new_mute(
        match,
        reason=values["reason"] or "",
        by=_person(called),
        until=values["until"],
        now=now,
        until_recovered=values["until-recovered"],
        severity=severity,
    )
    state.write(partial(keep_mute, mute=mute))
    return _tell(called, {"id": mute.id, "until": mute.until.isoformat()}, f"muted until {mute.until:%Y-%m-%d %H:%M} UTC (mute {mute.id})")  # fmt: skip


def _unmute(called: Called, state: "State") -> int:
    from rolewatch.watch.listing import end_mutes  # noqa: PLC0415 - as above

    ended = state.write(partial(end_mutes, name=_id(called), by=_person(called), now=datetime.now(UTC)))
    return _tell(called, {"ended": ended}, f"ended {', '.join(ended)}")


def _mutes(called: Called, state: "State") -> int:
    from rolewatch.watch.listing import all_mutes  # noqa: PLC0415 - as above

    found = all_mutes(state, now=datetime.now(UTC))
    if called.values["format"] == "json":
        return _print(called, json.dumps({"mutes": found}, ensure_ascii=False, indent=1) + "\n")
    if called.values["format"] == "jsonl":
        return _print(called, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in found))
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - as above

    lines = []
    for mute in found:
        what = ", ".join(f"{key}={value}" for key, value in mute["match"].items())
        state_ = "holds" if mute["active"] else "ended"
        lines.append(
            terminal(
                f"{mute['id']}  {state_}  until {mute['until']}  {what}  by {mute['by']}: {mute['reason']}",
                500,
            )
        )
    return _print(called, "".join(f"{line}\n" for line in lines or ["no mutes"]))


def _acknowledge(called: Called, state: "State") -> int:
    from rolewatch.findings.life import acknowledge  # noqa: PLC0415 - as above

    by, now, note = _person(called), datetime.now(UTC), called.values["note"] or ""
    return _change(called, state, lambda life: acknowledge(life, by, now, note), f"acknowledged by {by}")


def _assign(called: Called, state: "State") -> int:
    from rolewatch.findings.life import assign  # noqa: PLC0415 - as above

    person = called.values["to"] or ""
    return _change(called, state, lambda life: assign(life, person), f"assigned to {person or 'nobody'}")


def _change(called: Called, state: "State", change: Callable[["Life"], "Life"], said: str) -> int:
    from rolewatch.watch.listing import change_life  # noqa: PLC0415 - as above

    name = state.write(partial(change_life, name=_id(called), change=change))
    return _tell(called, {"id": name}, f"{name} {said}")


def _id(called: Called) -> str:
    name: str | None = called.values["id"]
    if not name:
        raise UsageError("ID is missing", remedy="`rolewatch findings list` shows them")
    return name


def _person(called: Called) -> str:
    if called.values["by"]:
        return str(called.values["by"])
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in a container
        return ""


def _tell(called: Called, found: Mapping[str, Any], text: str) -> int:
    return _print(called, (json.dumps(found) if called.values["format"] != "table" else text) + "\n")


def _print(called: Called, text: str) -> int:
    if called.values["output"] is None:
        return say(text)
    with Output(called.values["output"]) as out:
        out.write(lambda stream: stream.write(text))
    return 0
