"""A finding in; what has to be explained about it out: which role, which actions, on which resource, and what the messages said."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.catalog.naming import named
from rolewatch.catalog.profile import role_parts


class Incident(NamedTuple):
    """What was denied. `actions` are IAM actions that are still open; `examples` parts of the resource that were asked for.

    `resource_account` is None where it is not known; `verdict`, `cause` and `candidates` as the messages tell them. `calls` are the
    API calls behind the actions (`s3:GetObject` behind kms:Decrypt), as CloudTrail recorded them.
    """

    id: str
    service: str
    service_name: str
    role_arn: str
    account: str
    resource: str
    resource_type: str | None
    resource_account: str | None
    actions: tuple[str, ...]
    examples: tuple[str, ...]
    verdict: str
    cause: Mapping[str, Any]
    candidates: Sequence[Mapping[str, str]]
    explanation: str
    first_denied: str | None = None
    regions: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()

    @property
    def linked(self) -> bool:
        """Whether a service-linked role was denied."""
        return role_parts(self.role_arn) is not None

    @property
    def owner(self) -> str:
        """The account of the resource; where neither the record nor the ARN tells it, the role's."""
        found = named(self.resource)
        return self.resource_account or (found.account if found else None) or self.account


def incident_of(finding: Mapping[str, Any]) -> Incident:
    """Read a finding, as `scan` and `findings show` print it; UsageError for what is none."""
    try:
        entries = {
            _text(call): _text(_object(entry)["iam_action"])
            for call, entry in _object(finding["actions"]).items()
        }
        actions = _actions(_texts(finding.get("open_actions")) or entries.values())
        service = _some_text(finding["service"])
        return Incident(
            id=_text(finding["id"]),
            service=service,
            service_name=_some_text(finding.get("service_name")) or service,
            role_arn=_some_text(finding["role_arn"]),
            account=_some_text(finding["account"]),
            resource=_text(finding["resource"]),
            resource_type=_some_text(finding.get("resource_type")) or None,
            resource_account=_some_text(finding.get("resource_account")) or None,
            actions=actions,
            examples=_texts(finding.get("resource_examples")),
            verdict=_text(finding["verdict"]),
            cause={_text(key): _some_text(value) or None for key, value in _object(finding["cause"]).items()},
            candidates=[_candidate(each) for each in finding.get("candidates") or ()],
            explanation=_some_text(finding.get("explanation")),
            first_denied=_some_text(finding.get("first_denied")) or None,
            regions=_texts(finding.get("regions")),
            calls=tuple(call for call, action in entries.items() if action in actions),
            event_ids=_texts(finding.get("event_ids")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"this is no finding: {error} is missing or of another kind",
            remedy="give one as `rolewatch scan --format json` prints it",
        ) from None


def _actions(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names))
    if not found or not all(":" in name for name in found):
        raise ValueError("an IAM action")
    return found


def _candidate(value: object) -> dict[str, str]:
    return {_text(key): _text(each) for key, each in _object(value).items()}


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r:.100}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | None):
        raise TypeError(f"{value!r:.100}")
    return tuple(map(_text, value or ()))


def _some_text(value: object) -> str:
    return "" if value is None else _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.100}")
    return value
