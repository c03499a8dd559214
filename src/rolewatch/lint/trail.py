"""What CloudTrail writes into the fields of a record: knowledge that a pattern about a trail is held against.

Source: spec/cloudtrail.md §1 to §3. Events of Insights and aggregated ones, which hold none of what denials are found by,
are left out of account.
"""

import difflib
from typing import NamedTuple

from rolewatch.patterns.syntax import ANY, Step

Path = tuple[Step, ...]
TEXT, FLAG, OBJECT, LIST, NULL, NUMBER = "text", "boolean", "object", "list", "null", "number"


class Field(NamedTuple):
    """A field of a record: the kinds of its values, and whether each record has it."""

    kinds: frozenset[str]
    always: bool = False


_OTHER = Field(frozenset())  # of which nothing is known


def _rows(names: str, *kinds: str, always: bool = False) -> dict[Path, Field]:
    return {_path(name): Field(frozenset(kinds), always) for name in names.split()}


def _path(name: str) -> Path:
    """Return a path; `*` stands for each element of a list."""
    return tuple(ANY if step == "*" else step for step in name.split("."))


FIELDS = {
    **_rows("awsRegion eventID eventName eventSource eventTime eventType eventVersion sourceIPAddress", TEXT, always=True),
    **_rows("userIdentity", OBJECT, always=True),
    **_rows("errorCode errorMessage eventCategory recipientAccountId requestID sessionCredentialFromConsole sharedEventID userAgent vpcEndpointAccountId vpcEndpointId", TEXT),
    **_rows("apiVersion", TEXT, NULL),
    **_rows("managementEvent readOnly", FLAG),
    **_rows("additionalEventData requestParameters responseElements serviceEventDetails", OBJECT, NULL),
    **_rows("addendum annotation edgeDeviceDetails eventContext insightDetails tlsDetails", OBJECT),
    **_rows("resources", LIST, NULL),
    **_rows("resources.*", OBJECT),
    **_rows("resources.*.ARN resources.*.ARNPrefix resources.*.accountId resources.*.type", TEXT),
    **_rows("tlsDetails.cipherSuite tlsDetails.clientProvidedHostHeader tlsDetails.keyExchange tlsDetails.tlsVersion", TEXT),
    **_rows("additionalEventData.LoginTo additionalEventData.MFAIdentifier additionalEventData.MFAUsed additionalEventData.MobileVersion", TEXT),
    **_rows("responseElements.ConsoleLogin", TEXT),
    **_rows("userIdentity.accessKeyId userIdentity.accountId userIdentity.arn userIdentity.credentialId userIdentity.identityProvider", TEXT),
    **_rows("userIdentity.invokedBy userIdentity.principalId userIdentity.type userIdentity.userName", TEXT),
    **_rows("userIdentity.inScopeOf userIdentity.invokedByDelegate userIdentity.onBehalfOf userIdentity.sessionContext", OBJECT),
    **_rows("userIdentity.sessionContext.attributes userIdentity.sessionContext.sessionIssuer userIdentity.sessionContext.webIdFederationData", OBJECT),
    **_rows("userIdentity.sessionContext.assumedRoot userIdentity.sessionContext.ec2RoleDelivery userIdentity.sessionContext.sourceIdentity", TEXT),
    **_rows("userIdentity.sessionContext.attributes.creationDate userIdentity.sessionContext.attributes.mfaAuthenticated", TEXT),
    **_rows("userIdentity.sessionContext.sessionIssuer.accountId userIdentity.sessionContext.sessionIssuer.arn", TEXT),
    **_rows("userIdentity.sessionContext.sessionIssuer.principalId userIdentity.sessionContext.sessionIssuer.type", TEXT),
    **_rows("userIdentity.sessionContext.sessionIssuer.userName", TEXT),
}  # fmt: skip
"""By path; below objects that are not spelled out here, anything may stand."""

ERROR_CODE = ("errorCode",)
EVENT_NAME = ("eventName",)
EVENT_SOURCE = ("eventSource",)
SESSION_ARN = ("userIdentity", "arn")
ISSUER_ARN = ("userIdentity", "sessionContext", "sessionIssuer", "arn")

# Objects all of whose keys are in FIELDS, so that any other is misspelled.
_CLOSED = frozenset({(), ("userIdentity",), *(ISSUER_ARN[:size] for size in (2, 3))}) | {
    ("userIdentity", "sessionContext", "attributes"),
    ("resources", ANY),
}


def field_of(path: Path) -> Field | None:
    """Return what is known of a path, None if nothing is."""
    return FIELDS.get(_of_any(path))


def of_list(path: Path) -> bool:
    """Whether a path asks a list for a key."""
    return any(
        isinstance(step, str) and FIELDS.get(path[:size], _OTHER).kinds >= {LIST}
        for size, step in enumerate(path)
    )


def _of_any(path: Path) -> Path:
    """Return the path to any element where there is one to a certain one."""
    return tuple(step if isinstance(step, str) else ANY for step in path)


def may_be_missing(path: Path) -> bool:
    """Whether a record may lack what a path leads to."""
    field = field_of(path)
    return field is None or not field.always


def misspelled(path: Path) -> tuple[str, str] | None:
    """Return the first name of a path that no record has, and the nearest that there is."""
    path = _of_any(path)
    for size, step in enumerate(path):
        parent = path[:size]
        if FIELDS.get(parent, _OTHER).kinds >= {LIST} and step is ANY:
            continue
        if parent not in _CLOSED or not isinstance(step, str):
            return None
        names = [str(known[size]) for known in FIELDS if known[:size] == parent and len(known) > size]
        if step not in names:
            folded = {name.lower(): name for name in names}
            near = difflib.get_close_matches(step.lower(), folded, 1)
            return step, folded[near[0]] if near else ""
    return None
