"""Coverage as the page and the API show it: what is read, how late, what is missing, and what cannot be seen at all."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of, spelled
from rolewatch.base.cursors import marks_of, word_of
from rolewatch.base.errors import UsageError
from rolewatch.store import coverage, delivered, deliveries, sources
from rolewatch.store.coverage import After, Queue
from rolewatch.store.deliveries import Failure
from rolewatch.store.sources import SourceRow
from rolewatch.store.state import State
from rolewatch.watch.failed import identify, impossible
from rolewatch.watch.selfcheck import Condition, Standing, decode
from rolewatch.web.desk import Desk
from rolewatch.web.pulse import LATE

PAGE: Final = 25  # failed deliveries on a page …
MOST: Final = 500  # … and in one answer of the API
DAYS: Final = 30  # that are looked at for gaps …
MOST_GAPS: Final = 50  # … of which so many are listed
ACCOUNTS: Final = 100  # accounts that are listed where nobody asks for more …
MOST_ACCOUNTS: Final = 1000  # … and at most
OLD: Final = timedelta(days=1)  # the age of the latest event from which on it is no picture of the present

_HEX: Final = re.compile(r"[0-9a-f]{32}")  # a mark: 16 bytes

#: What an alarm of a watcher about itself means, by its condition.
MEANINGS: Final[Mapping[Condition, str]] = {
    "quiet": "No deliveries: nothing that becomes blocked is seen meanwhile. Check the trail, its bucket, queue or log group, and what the watcher may read.",
    "late": "Deliveries are late: what becomes blocked is seen only so much later. CloudTrail delivers late, or the watcher does not keep up, or its clock is wrong.",
    "failing": "Deliveries cannot be read: what they hold is not seen. Their reasons stand below.",
}  # fmt: skip


class Gap(NamedTuple):
    """Something that records may not show: what, why, and how to make it visible."""

    what: str
    why: str
    how: str


#: docs/coverage.md in short: what a watcher cannot see, whatever it is given.
GAPS: Final = (
    Gap("Reading and writing objects in S3", "A trail records no data events unless asked: GetObject, PutObject, and also HeadBucket and ListObjects. Macie refused an object leaves no trace without them.", "An event selector for the buckets that matter"),
    Gap("Lambda invocations, DynamoDB items, SNS publishing", "These are data events as well, each of its own kind; a selector names resources, and nothing in the records tells which.", "An event selector for each"),
    Gap("KMS, where a trail leaves it out", "Trails can exclude KMS, for its volume.", "Do not exclude it, or only what reads"),
    Gap("Denials by VPC endpoint policies", "VpceAccessDenied is a network activity event, which is recorded only if asked for.", "A network activity selector"),
    Gap("Other Regions", "A single-Region trail sees its own.", "A multi-Region trail"),
    Gap("Denials of KMS in the key owner's account", "CloudTrail records a cross-account denial in the caller's account only.", "Watch the callers' accounts as well, best with a trail of the organization"),
    Gap("Records larger than 256 KB, by CloudWatch Logs or EventBridge", "They are dropped there.", "Read the trail's bucket"),
    Gap("Calls that only read, by EventBridge", "Read-only management events reach only rules that ask for them.", "A rule that asks for all management events, or the trail's bucket"),
    Gap("The last minutes", "CloudTrail delivers after about five minutes, and does not guarantee it.", "Wait; the lag above says how long it takes"),
    Gap("A service that has given up", "Who does not ask is not refused. Its finding grows silent, which is no proof of recovery.", "See it from the service's side: a finding has the command"),
)  # fmt: skip


class Known(NamedTuple):
    """What the state knows, read in one transaction."""

    rows: Sequence[SourceRow]
    failed: Mapping[str, int]
    accounts: tuple[int, str]
    quietest: Sequence[tuple[str, str]]
    counters: Mapping[str, int]
    queues: Sequence[Queue]


class Missing(NamedTuple):
    """Of how many accounts and Regions log files came, those with gaps, and how many these are."""

    folders: int
    gaps: Sequence[delivered.Gap]
    total: int


def known(desk: Desk, accounts: int = ACCOUNTS) -> dict[str, Any]:
    """Give coverage in the shape of the API; times as events spell them, null where there is none."""

    def work(connection: sa.Connection) -> Known:
        return Known(
            sources.rows(connection),
            deliveries.failed_since(connection, 0),
            coverage.accounts(connection),
            coverage.quietest(connection, accounts),
            deliveries.counters(connection),
            coverage.queues(connection),
        )

    since = spelled(desk.clock() - timedelta(days=DAYS))[:10]
    missing = desk.kept(_looking(since))  # of a thousand accounts it takes a second
    found, now = desk.read(work), milliseconds(desk.clock())
    arrived = max((row.arrived for row in found.rows if row.arrived is not None), default=None)
    number, latest = found.accounts
    return {
        "read": bool(found.counters.get("deliveries")),
        "last_delivery": _moment(arrived),
        "late": _is_late(arrived, now),
        "last_event": latest or None,
        "old": bool(latest) and latest < spelled(desk.clock() - OLD),
        "sources": [_source(row, found.failed.get(row.source, 0), now) for row in found.rows],
        "totals": _totals(found.counters) | {"unread": sum(found.failed.values())},
        "accounts": {
            "total": number,
            "quietest": [{"account": account, "last_event": time or None} for account, time in found.quietest],
        },
        "gaps": {
            "since": since,
            "folders": missing.folders,
            "total": missing.total,
            "gaps": [gap._asdict() for gap in missing.gaps],
        },
        "notifications": [
            {**queue._asdict(), "oldest": _moment(queue.oldest)} for queue in found.queues
        ],
        "not_visible": [gap._asdict() for gap in GAPS],
    }  # fmt: skip


def failed(desk: Desk, after: str | None, number: int = PAGE) -> dict[str, Any]:
    """Give a page of the deliveries that could not be read: `failed`, `total`, and `next`, the `after` of the page behind it."""
    place = _place(after)

    def work(connection: sa.Connection) -> tuple[list[Failure], int]:
        return coverage.failures(connection, place, number + 1), deliveries.failed_number(connection)

    found, total = desk.read(work)
    shown = found[:number]
    return {
        "failed": [_failure(each, desk.state) for each in shown],
        "total": total,
        "next": _word(shown[-1]) if len(found) > number else None,
    }


def answer(model: Mapping[str, Any]) -> str:
    """Say in a sentence how it stands with what is read."""
    if not model["read"] and not model["last_delivery"]:
        return "Nothing was read yet"
    if model["late"]:
        return "No deliveries arrive"
    if model["old"]:
        return "Deliveries arrive, of old events"
    if any(source["alarms"] for source in model["sources"]):
        return "Deliveries arrive, but not as they should"
    return "Deliveries arrive"


def retrying(state: State, name: str = "") -> str:
    """Write the command that reads failed deliveries again: one of them, or all that can be."""
    place = "" if state.shared else f" --state {shlex.quote(state.name)}"
    return f"rolewatch deliveries retry{f' {name}' if name else ''}{place}"


def stretches(missing: Sequence[str]) -> list[str]:
    """Say which days are missing, those that follow each other as one: "2026-03-02" and "2026-03-05 to 2026-03-09"."""
    found: list[list[str]] = []
    for day in missing:
        follows = found and date.fromisoformat(day) - date.fromisoformat(found[-1][-1]) == timedelta(days=1)
        if follows:
            found[-1].append(day)
        else:
            found.append([day])
    return [each[0] if len(each) == 1 else f"{each[0]} to {each[-1]}" for each in found]


def span(seconds: float | None) -> str:
    """Say how long something takes, in its largest unit: "5 min"."""
    if seconds is None:
        return ""
    sizes: Sequence[tuple[int, str, Callable[[float], float]]] = ((172_800, "days", lambda s: s / 86_400), (7200, "h", lambda s: s / 3600), (120, "min", lambda s: s / 60), (0, "s", float))  # fmt: skip
    unit, number = next((unit, convert(seconds)) for least, unit, convert in sizes if seconds >= least)
    return f"{round(number):,} {unit}"


@lru_cache(maxsize=2)
def _looking(since: str) -> Callable[[sa.Connection], Missing]:
    """Give what looks for gaps since a day; the same for the same day, so that what it found is kept."""

    def look(connection: sa.Connection) -> Missing:
        return Missing(delivered.folders(connection, since), *delivered.gaps(connection, since, MOST_GAPS))

    return look


def _source(row: SourceRow, failed_: int, now: int) -> dict[str, Any]:
    standing = decode(row.alarms)
    return {
        "source": row.source,
        "since": _moment(row.since),
        "last_delivery": _moment(row.arrived),
        "newest_event": _moment(row.newest),
        "lag_seconds": None if row.lag is None else row.lag / 1000,
        "late": _is_late(row.arrived, now),
        "unread": failed_,
        "alarms": [_alarm(condition, alarm) for condition, alarm in standing.items()],
    }


def _alarm(condition: Condition, alarm: Standing) -> dict[str, Any]:
    return {"condition": condition, "since": _moment(alarm.since), "meaning": MEANINGS[condition]}


def _is_late(arrived: int | None, now: int) -> bool:
    return arrived is not None and now - arrived > LATE.total_seconds() * 1000


def _totals(counters: Mapping[str, int]) -> dict[str, int]:
    """Give the sums of all that was ever read; `others` are the records that are no denial."""
    names = (
        "deliveries",
        "records",
        "denials",
        "duplicates",
        "late",
        "failed",
        "retried",
        "bytes",
        "bytes_compressed",
    )
    found = {name: counters.get(name, 0) for name in names}
    found["others"] = max(0, found["records"] - found["denials"] - found["duplicates"])
    return found


def _failure(failure: Failure, state: State) -> dict[str, Any]:
    why = impossible(failure)
    name = identify(failure)
    return {
        "id": name,
        "name": failure.name,
        "source": failure.source,
        "reason": failure.reason,
        "first": _moment(failure.first),
        "last": _moment(failure.last),
        "attempts": failure.attempts,
        "records": failure.records,
        "retryable": not why,
        "not_retryable": why or None,
        "retry": None if why else retrying(state, name),
    }


def _moment(milliseconds_: int | None) -> str | None:
    return None if milliseconds_ is None else spelled(moment_of(milliseconds_))


def _word(failure: Failure) -> str:
    return word_of((failure.last, failure.mark.hex()))


def _place(word: str | None) -> After | None:
    """Read what a page gave as `next`; UsageError for anything else."""
    if not word:
        return None
    match marks_of(word, (int, str)):
        case [int(last), str(mark)] if last >= 0 and _HEX.fullmatch(mark):
            return After(last, bytes.fromhex(mark))
    raise UsageError("no page ends so", remedy="send the `next` of the page before as `after`")
