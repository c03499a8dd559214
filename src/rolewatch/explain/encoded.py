"""An encoded authorization message of EC2 in; the command that decodes it, and what STS makes of it, out.

Sources: AWS STS API Reference, DecodeAuthorizationMessage (what the decoded message has); CloudTrail cuts messages at 1,024 characters
and writes `...` in place of the rest: such a message can no longer be decoded.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo
from rolewatch.explain.incident import Incident
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.plan import Plan

MOST: Final = 10_000  # messages that are looked at
_MARK: Final = "Encoded authorization failure message"
_ENCODED: Final = re.compile(
    r"Encoded authorization failure message:?\s*(?P<text>[A-Za-z0-9_=+/-]{16,})(?P<cut>\.{3})?"
)
_SHOWN: Final = 20  # conditions, statements

Ask = Callable[[Plan, int], Sequence[Sequence[Any]]]


class Decoded(NamedTuple):
    """What STS says of a refusal: whether a statement denied it, which matched, and the request as the service saw it."""

    explicit: bool
    statements: tuple[tuple[str, str], ...]  # (Sid, effect)
    principal: str
    principal_id: str  # `AROA…:session`
    action: str
    resource: str
    conditions: Mapping[str, tuple[str, ...]]

    @property
    def role_id(self) -> str:
        """The role's unique id."""
        found = self.principal_id.partition(":")[0]
        return found if found.startswith("AROA") else ""

    def to_json(self) -> dict[str, Any]:
        """Give it as reports print it."""
        return {
            "explicit_deny": self.explicit,
            "matched_statements": [
                {"sid": sid, "effect": effect} for sid, effect in self.statements[:_SHOWN]
            ],
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "context": {key: list(values) for key, values in self.conditions.items()},
        }


def encoded_in(message: str | None) -> str:
    """Find the encoded part of an error message; "" where there is none, or CloudTrail has cut it."""
    found = _ENCODED.search(message or "")
    return found["text"] if found and not found["cut"] else ""


def messages_of(ask: Ask) -> dict[str, str]:
    """Ask deliveries for encoded messages, by event id; `ask` runs a plan and gives so many rows of it."""
    query = f"filter errorMessage like '{_MARK}' | fields eventID, errorMessage"
    rows = ask(plan_query(parse_query(query), Moments(0, 0)), MOST)
    found = {str(event): encoded_in(str(message)) for event, message in rows}
    return {event: text for event, text in found.items() if text}


def decode_command(encoded: str, region: str | None) -> str:
    """Write the command that decodes a message, quoted for a shell."""
    words = ["aws", "sts", "decode-authorization-message", "--encoded-message", encoded]
    words += ["--query", "DecodedMessage", "--output", "text", *(("--region", region) if region else ())]
    return shlex.join(words)


def decode(encoded: str, region: str | None) -> Decoded:
    """Have STS decode a message; CannotDo where it does not, or no credentials are there."""
    from rolewatch.base import aws  # noqa: PLC0415 - boto3 comes with it

    sts = aws.client("sts", region=region)
    try:
        answer = sts.decode_authorization_message(EncodedMessage=encoded)
    except aws.errors() as error:
        raise aws.cannot(error, "cannot decode the authorization message") from error
    return read_decoded(answer["DecodedMessage"])


def read_decoded(text: str) -> Decoded:
    """Read what STS returns; CannotDo for anything else."""
    try:
        found = json.loads(text)
        context = found["context"]
        conditions = {
            str(each["key"]): tuple(str(value["value"]) for value in _items(each.get("values")))
            for each in _items(context.get("conditions"))
        }
        statements = tuple(
            (str(each.get("statementId") or ""), str(each.get("effect") or "").capitalize())
            for each in _items(found.get("matchedStatements"))
        )
        principal = context.get("principal") or {}
        return Decoded(
            bool(found["explicitDeny"]),
            statements,
            str(principal.get("arn") or ""),
            str(principal.get("id") or ""),
            str(context["action"]),
            str(context.get("resource") or "*"),
            conditions,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CannotDo("STS returned something else than a decoded authorization message") from None


def informed(incident: Incident, decoded: Decoded) -> Incident:
    """Take over what STS says: the action, the resource if the record named none, and whether a statement denied."""
    resource = decoded.resource if decoded.resource.startswith("arn:") else incident.resource
    kind = "explicit" if decoded.explicit else "implicit"
    return incident._replace(
        actions=(decoded.action,) if ":" in decoded.action else incident.actions,
        resource=incident.resource if incident.resource.startswith("arn:") else resource,
        cause={**incident.cause, "kind": kind, "evidence": "message"},
    )


def _items(value: Any) -> list[Mapping[str, Any]]:
    items = (value or {}).get("items") or []
    return [each for each in items if isinstance(each, dict)]
