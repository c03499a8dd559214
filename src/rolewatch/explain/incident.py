"""A finding in; what has to be explained about it out: which role, which actions, on which resource, and what the messages said."""

from collections.abc import Mapping, Sequence
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
        entries = finding["actions"]
        known = {_text(entry["iam_action"]): None for entry in entries.values()}
        actions = tuple(map(_text, finding.get("open_actions") or known)) or (_text(None),)
        return Incident(
            id=_text(finding["id"]),
            service=finding["service"] or "",
            service_name=finding.get("service_name") or finding["service"] or "",
            role_arn=finding["role_arn"] or "",
            account=finding["account"] or "",
            resource=_text(finding["resource"]),
            resource_type=finding.get("resource_type"),
            resource_account=finding.get("resource_account"),
            actions=actions,
            examples=tuple(map(_text, finding.get("resource_examples") or ())),
            verdict=_text(finding["verdict"]),
            cause=dict(finding["cause"]),
            candidates=list(finding.get("candidates") or ()),
            explanation=finding.get("explanation") or "",
            first_denied=finding.get("first_denied"),
            regions=tuple(map(_text, finding.get("regions") or ())),
            calls=tuple(_calls(entries, actions)),
            event_ids=tuple(map(_text, finding.get("event_ids") or ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"this is no finding: {error} is missing or of another kind",
            remedy="give one as `rolewatch scan --format json` prints it",
        ) from None


def _calls(entries: Mapping[str, Mapping[str, Any]], actions: Sequence[str]) -> list[str]:
    """Name the calls that were refused for want of an action that is still open."""
    return [call for call, entry in entries.items() if entry["iam_action"] in actions]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.100}")
    return value
