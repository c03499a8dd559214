"""An incident and collected policies in; the verdict, the statement that decides, and a proven change, out.

Tiers of evidence (DESIGN "verdict"): what the policies say goes before what the message says, and that before a guess.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.policy_kinds import PolicyKind, kind_of
from rolewatch.denials.resources import takes_policy
from rolewatch.explain import endpoints
from rolewatch.explain.asking import own_policy, requests_of, told_lacking
from rolewatch.explain.case import AWS_SIDE, UNMENDED, Case, Place, Said, behind
from rolewatch.explain.encoded import Decoded, informed
from rolewatch.explain.fix import Fix
from rolewatch.explain.folder import Folder
from rolewatch.explain.grants import collected_grants
from rolewatch.explain.incident import Incident
from rolewatch.explain.setting import anything, for_endpoint, for_resource
from rolewatch.policies.layers import ENDPOINT, IDENTITY, RESOURCE, Deciding
from rolewatch.policies.request import Request

#: Whose policies each layer has, in words.
LAYERS: Final = {
    IDENTITY: "the role's own policy",
    RESOURCE: "the resource's policy",
    ENDPOINT: "the endpoint's policy",
}
_NOT_LINKED: Final = "this is no service-linked role; its own policies and the organisation's bind it as well, and are not evaluated here"
_REFUSED: Final = {
    "fix-your-policy": "the policies are needed to find a change",
    "aws-side": AWS_SIDE,
    "unknown": "the message does not tell what denied it",
}


class Explanation(NamedTuple):
    """Why an incident is one. `deciding` with `request` is None where no policy tells; `notes` are sentences for people.

    `look_at`: which policy would tell, and the command that fetches it. `refused`: why there is no fix. `decoded` is what STS said of
    the refusal, if it was asked.
    """

    incident: Incident
    verdict: str
    cause: Mapping[str, Any]
    deciding: Deciding | None
    request: Request | None
    candidates: Sequence[Mapping[str, str]]
    fix: Fix | None
    refused: str
    look_at: Sequence[Mapping[str, str | None]]
    notes: Sequence[str]
    decoded: Decoded | None = None


class Asked(NamedTuple):
    """What an explanation is made with: the folder, if there is one; whether to let in all service-linked roles of the account.

    `decoded` are messages that STS decoded, by a finding's id.
    """

    folder: Folder | None = None
    all_slrs: bool = False
    decoded: Mapping[str, Decoded] = {}


def explain(incident: Incident, asked: Asked) -> Explanation:
    """Explain an incident, and find the change that ends it. UsageError where a policy in the folder cannot be read."""
    decoded = asked.decoded.get(incident.id)
    if decoded:
        incident = informed(incident, decoded)
    found = _explained(incident, asked, decoded)
    return found._replace(decoded=decoded) if decoded else found


def by_message(incident: Incident, *notes: str) -> Explanation:
    """Explain by what the message says, and say which policy would tell more."""
    kind = kind_of(incident.resource)
    refused = _REFUSED.get(incident.verdict, f"nothing has to be changed: {incident.verdict}")
    return _without_policies(incident, _look_at(incident, kind), refused, notes)


def _explained(incident: Incident, asked: Asked, decoded: Decoded | None) -> Explanation:
    folder = asked.folder
    if not incident.linked:
        return by_message(incident, _NOT_LINKED)
    if folder is None:
        return by_message(incident)
    if endpoints.is_by_endpoint(incident):
        return _by_endpoint(incident, asked, folder)
    kind = kind_of(incident.resource)
    if kind is None:
        return _by_own_policy(incident, decoded)
    if not folder.asked(incident.resource):
        return by_message(incident, f"{folder.path} holds no policy of {incident.resource}")
    role = folder.role(incident.role_arn)
    role_id = (role.unique_id if role else "") or (decoded.role_id if decoded else "")
    requests = requests_of(
        incident,
        kind,
        organization=folder.organization,
        role_id=role_id,
        known=decoded.conditions if decoded else {},
    )
    known = own_policy(incident.role_arn)
    collected = folder.policy(incident.resource)
    if collected is None and kind.rule == "policy":
        return by_message(
            incident,
            f"what {folder.path} has of {incident.resource} holds no policy, and each {kind.kind} has one",
        )
    said = Said(role_id, folder.organization, known)
    grants = collected_grants(folder, incident.resource) if kind.kind == "key" else ()
    place = Place(kind, incident.resource, collected, for_resource((known or anything(),), grants))
    return _of_case(Case(incident, place, requests, said), all_slrs=asked.all_slrs)


def _of_case(case: Case, *, all_slrs: bool) -> Explanation:
    """Put together what the policies say."""
    incident = case.incident
    verdict, cause = case.judged()
    fix, refused = case.mended(verdict, all_slrs=all_slrs)
    deciding = case.deciding
    return Explanation(
        incident,
        verdict,
        cause,
        deciding,
        case.request if deciding else None,
        [] if cause.get("evidence") == "policy" else list(incident.candidates),
        fix,
        refused,
        [],
        list(case.notes(fix)),
    )


def _by_endpoint(incident: Incident, asked: Asked, folder: Folder) -> Explanation:
    """Explain what the policy of a VPC endpoint denied: by that policy, where it is clear which one that is."""
    kind = endpoints.endpoint_kind()
    requests = requests_of(
        incident, kind_of(incident.resource), account=incident.account, organization=folder.organization
    )
    found = endpoints.endpoints_of(incident, folder, requests)
    if len(found) == 1:
        arn, collected = found[0]
        place = Place(kind, arn, collected, for_endpoint())
        said = Said("", folder.organization, own_policy(incident.role_arn))
        return _of_case(Case(incident, place, requests, said), all_slrs=asked.all_slrs)
    if found:
        refused = "several endpoints have policies that do not let the role through, and the message does not name one"
    else:
        name = endpoints.endpoint_id(incident)
        refused = (
            f"{folder.path} holds no policy of {name or 'an endpoint that does not let the role through'}"
        )
    return _without_policies(incident, endpoints.look_at(incident, found), refused, ())


def _by_own_policy(incident: Incident, decoded: Decoded | None) -> Explanation:
    """Explain a denial on something whose policy cannot be looked at, by the policy that AWS gives the role."""
    known = own_policy(incident.role_arn)
    found = by_message(incident, *told_lacking(known, incident.actions))
    if (
        known is None
        or incident.verdict in UNMENDED
        or takes_policy(incident.resource_type or "", incident.resource)
    ):
        return found
    case = Case(
        incident,
        Place(None, incident.resource, None, for_resource((known,))),
        requests_of(incident, None, known=decoded.conditions if decoded else {}),
        Said(decoded.role_id if decoded else "", None, known),
    )
    if not case.is_lacking():
        return found
    verdict, cause = case.judged()
    return found._replace(
        verdict=verdict,
        cause=cause,
        deciding=case.deciding,
        request=case.request,
        candidates=[],
        refused=AWS_SIDE if verdict == "aws-side" else found.refused,
        look_at=[],
    )


def _without_policies(
    incident: Incident,
    look_at: Sequence[Mapping[str, str | None]],
    refused: str,
    notes: Sequence[str],
) -> Explanation:
    more = [*notes, *behind(incident)]
    return Explanation(
        incident, incident.verdict, incident.cause, None, None, incident.candidates, None, refused, look_at, more
    )  # fmt: skip


def _look_at(incident: Incident, kind: PolicyKind | None) -> list[Mapping[str, str | None]]:
    if incident.verdict in (*UNMENDED, "aws-side"):
        return []
    if endpoints.is_by_endpoint(incident):
        return endpoints.look_at(incident, ())
    if kind is None:
        return []
    command = kind.fetch_command(incident.resource)
    return [{"policy": kind.name, "resource": incident.resource, "command": command}]
