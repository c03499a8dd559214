"""Changes of policies into the store; who changed the policy of a finding's resource last before it began, out.

The rules are those of `rolewatch.explain.blame`. All of it happens within the transaction of a batch.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from rolewatch.base.sanitise import encodable
from rolewatch.explain.blame import ONLY_ADD, Blame, History, PolicyChange
from rolewatch.store import findings, policy_changes
from rolewatch.store.policy_changes import ChangeRow

Finding = dict[str, Any]
#: Bytes of a policy's text that are kept: as many as a key's may have. A change to a longer one is kept without its text …
LARGEST: Final = 32 * 1024
#: … and so is one to what is nested deeper than any policy.
_DEEPEST: Final = 16
#: Characters of what names who called, and of an id; CloudTrail writes no more.
_LONGEST: Final = 2048
#: Records that are looked at for the last two calls: each may be recorded for the caller's account and the resource's.
_RECORDS: Final = 8
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_END: Final = "9999-12-31T23:59:59Z"


def take(connection: sa.Connection, changes: Sequence[PolicyChange], denied: Iterable[str]) -> list[str]:
    """Keep the changes of a batch, which also holds denials of some resources; returns the findings to be looked at again.

    These are findings that began after a change which was not known.
    """
    rows = [_row(change) for change in changes if _TIME.fullmatch(change.time)]
    policy_changes.hold(connection, {row.resource for row in rows}, denied)
    return findings.about(connection, policy_changes.add(connection, rows))


def put(connection: sa.Connection, found: Sequence[Finding]) -> None:
    """Put `blame` into findings, null where no change of their policy is known."""
    known = policy_changes.known(connection, {finding["resource"] for finding in found})
    for finding in found:
        blame = _blame(connection, finding) if finding["resource"] in known else None
        finding["blame"] = blame.to_json() if blame else None


def _blame(connection: sa.Connection, finding: Finding) -> Blame | None:
    resource, began = finding["resource"], finding["first_denied"]
    rows = policy_changes.last(connection, resource, began or _END, _RECORDS, passed_over=ONLY_ADD)
    return History(_change(row)._replace(resource=resource) for row in rows).blame(resource, began)


def _row(change: PolicyChange) -> ChangeRow:
    return ChangeRow(
        time=change.time,
        resource=change.resource,
        event_name=change.event_name,
        principal=change.principal[:_LONGEST],
        source_ip=change.source_ip and change.source_ip[:_LONGEST],
        user_agent=change.user_agent and change.user_agent[:_LONGEST],
        event_id=change.event_id and change.event_id[:_LONGEST],
        shared_id=change.shared_id and change.shared_id[:_LONGEST],
        policy=_written(change.policy),
    )


def _written(policy: Mapping[str, Any] | None) -> str | None:
    """Write a policy as JSON; None where there is none, and for what is too large."""
    if policy is None or not _is_shallow(policy, _DEEPEST):
        return None
    try:
        text = encodable(json.dumps(policy, ensure_ascii=False, separators=(",", ":")))
    except ValueError:  # a number of more digits than Python writes
        return None
    return text if len(text.encode()) <= LARGEST else None


def _is_shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)


def _change(row: ChangeRow) -> PolicyChange:
    return PolicyChange(**row._asdict() | {"policy": row.policy and json.loads(row.policy)})
