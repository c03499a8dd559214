"""Records of calls that change policies in; who changed the policy of a resource last before a denial began, and what was added, out.

A change that failed is none. What a call leaves out (a permission that is added to a function, a grant) has no policy to compare.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.policy_kinds import Change, changed_by, kinds
from rolewatch.denials.resources import Asked, named_resource, requested_resource
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.plan import Plan

MOST: Final = 100_000  # changes that are looked at
#: How calls begin that add something that allows, unless they set a whole policy.
ONLY_ADD: Final = ("CreateGrant", "AddPermission", "AddLayerVersionPermission", "PutPermission")
_SHOWN: Final = 20  # statements
_VERSIONS: Final = ("", "20150331", "20150331v2")  # that Lambda's calls have at their ends
_ARN: Final = re.compile(r"arn:(aws[a-z-]*):")


class PolicyChange(NamedTuple):
    """A call that changed a resource's policy: `policy` is the one it set, None where it was removed or is not recorded."""

    time: str
    resource: str
    event_name: str
    principal: str  # the ARN of who called, else what the record says of it
    source_ip: str | None
    user_agent: str | None
    event_id: str | None
    policy: Mapping[str, Any] | None
    shared_id: str | None = None  # that all records of one call across accounts have


class Blame(NamedTuple):
    """The last change before the first denial; `added` and `removed` are its statements, against the change before, if there is one."""

    change: PolicyChange
    added: Sequence[Mapping[str, Any]]
    removed: Sequence[Mapping[str, Any]]
    compared: bool

    def to_json(self) -> dict[str, Any]:
        """Give it as findings carry it."""
        change = self.change
        return {
            "time": change.time,
            "event_name": change.event_name,
            "principal": change.principal,
            "source_ip": change.source_ip,
            "user_agent": change.user_agent,
            "event_id": change.event_id,
            "added": [dict(each) for each in self.added[:_SHOWN]],
            "removed": [dict(each) for each in self.removed[:_SHOWN]],
            "compared_with_earlier_policy": self.compared,
        }


class History:
    """Changes of policies, by resource and in the order of time, whatever order they come in."""

    def __init__(self, changes: Iterable[PolicyChange]) -> None:
        self._changes: dict[str, list[PolicyChange]] = {}
        for change in _once(sorted(changes, key=_order)):
            self._changes.setdefault(change.resource, []).append(change)

    def blame(self, resource: str, first_denied: str | None) -> Blame | None:
        """Name the last change of a resource's policy up to the first denial; None where none is known.

        What only adds access (`adds`) shuts nobody out, and is passed over; there are keys with thousands of grants.
        """
        before = [
            each
            for each in self._changes.get(resource, ())
            if first_denied is None or each.time <= first_denied
        ]
        place = max((place for place, each in enumerate(before) if not adds(each)), default=-1)
        if place < 0:
            return None
        last, earlier = before[place], before[place - 1] if place else None
        compared = earlier is not None and (earlier.policy is not None or _removes(earlier))
        was = _statements(earlier.policy if earlier else None)
        now = _statements(last.policy)
        added = [each for each in now if each not in was]
        removed = [each for each in was if each not in now] if compared and (now or _removes(last)) else []
        return Blame(last, added, removed, compared)


def _once(changes: Iterable[PolicyChange]) -> Iterable[PolicyChange]:
    """Leave out copies: one event may have been delivered several times, and one call be recorded for two accounts.

    Of the records of a call, the one counts that names who called by an ARN.
    """
    found: dict[object, PolicyChange] = {}
    for change in changes:
        call = change.shared_id or change.event_id or (change.time, change.event_name)
        known = found.setdefault((change.resource, call), change)
        if not known.principal.startswith("arn:") and change.principal.startswith("arn:"):
            found[change.resource, call] = change
    return found.values()


def _order(change: PolicyChange) -> tuple[str, str, str]:
    return change.time, change.event_id or "", change.event_name


def history_of(ask: Callable[[Plan, int], Sequence[Sequence[Any]]]) -> History:
    """Ask deliveries or a lake for all changes of policies; `ask` runs a plan and gives so many rows of it."""
    rows = ask(plan_of_changes(), MOST)
    return History(change for row in rows for change in changes_in(row[0]))


def names_of_changes() -> Mapping[str, Sequence[Change]]:
    """Name the calls that change policies, as `eventName` has them, in order, with what each may change."""
    found: dict[str, list[Change]] = {}
    for kind in kinds():
        for change in kind.changes:
            for version in _VERSIONS if change.source == "lambda" else ("",):
                found.setdefault(change.name + version, []).append(change)
    return dict(sorted(found.items()))


def plan_of_changes() -> Plan:
    """Plan the query for records of calls that change policies."""
    listed = ", ".join(f"'{name}'" for name in names_of_changes())
    return plan_query(parse_query(f"filter eventName in [{listed}] | fields @message"), Moments(0, 0))


def changes_in(message: str | None) -> Iterable[PolicyChange]:
    """Read a record; yields nothing for one that changed no policy."""
    try:
        record = json.loads(message or "")
    except (ValueError, RecursionError):
        return
    yield from changes_of(record)


def changes_of(record: Any) -> Iterable[PolicyChange]:
    """Give what a record, decoded, changed: one policy or none."""
    if not isinstance(record, dict) or record.get("errorCode"):
        return
    source, name = _text(record.get("eventSource")), _text(record.get("eventName"))
    parameters = record.get("requestParameters")
    parameters = parameters if isinstance(parameters, dict) else None
    for _, change in changed_by(source, name):
        if change.applies(parameters):
            yield _change(record, (source, name), parameters, change)
            return


def _change(
    record: Mapping[str, Any], call: tuple[str, str], parameters: Mapping[str, Any] | None, change: Change
) -> PolicyChange:
    identity = record.get("userIdentity")
    identity = identity if isinstance(identity, dict) else {}
    found = _ARN.match(_text(identity.get("arn")))
    asked = Asked(
        *call,
        _text(record.get("awsRegion")),
        _text(record.get("recipientAccountId")),
        found[1] if found else "aws",
    )
    entries = record.get("resources")
    listed = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    resource = named_resource(asked, "", listed) or requested_resource(asked, parameters)
    return PolicyChange(
        _text(record.get("eventTime")),
        resource.arn,
        call[1],
        _text(identity.get("arn"))
        or _text(identity.get("invokedBy"))
        or _text(identity.get("type"))
        or "unknown",
        _text(record.get("sourceIPAddress")) or None,
        _text(record.get("userAgent")) or None,
        _text(record.get("eventID")) or None,
        _policy(change.new_policy(parameters)),
        _text(record.get("sharedEventID")) or None,
    )


def _policy(found: Any) -> Mapping[str, Any] | None:
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def _statements(policy: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    found = policy.get("Statement") if policy else None
    items = found if isinstance(found, list) else [found]
    return [each for each in items if isinstance(each, dict)]


def adds(change: PolicyChange) -> bool:
    """Whether a call can only give access: a grant, or a statement that allows, added to what there is."""
    return change.policy is None and change.event_name.startswith(ONLY_ADD)


def _removes(change: PolicyChange) -> bool:
    return change.event_name.startswith("Delete")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
