"""The grammar of access-denied messages: who was refused what, on which resource, by which kind of policy.

Source: spec/cloudtrail.md §8 and research/peers.md §3. Only substring searches: a message is attacker-written text
and may be of any size, so nothing here backtracks.
"""

from typing import NamedTuple

from rolewatch.catalog.messages import NOT_ENABLED, POLICY_TYPES

LONGEST = 65_536  # CloudTrail cuts at 1,026 characters; nobody but an attacker sends more
ELLIPSIS = "..."  # how CloudTrail marks the cut (spec/cloudtrail.md §1.1)
DEED = "ot authorized to perform"  # "is not …" and STS's "Not …"
ENCODED = "Encoded authorization failure message"
EXPLICIT = " with an explicit deny"
IMPLICIT = " because no "
BECAUSE = " because "
KMS_MAYBE = (
    "resource-based policy explicitly denies access"  # KMS names three causes at once, all of them the key's
)
ENDS_OF_RESOURCE = (BECAUSE, f". {ENCODED}", f" {ENCODED}", " (Service: ")
QUOTED = ' on resource: "'  # S3 alone quotes
# Forms that name the resource and nothing else: what stands before it and after it.
DENIED_RESOURCE = (("Access to the resource ", " is denied"), ("Not authorized to access resource ", " "))


class Message(NamedTuple):
    """What a message tells; a part it does not tell is None. `policy_type` and `kind` are in the words of DESIGN."""

    principal: str | None = None
    action: str | None = None
    resource: str | None = None
    policy_type: str | None = None
    kind: str | None = None
    policy_arn: str | None = None
    not_enabled: bool = False


NOTHING = Message()


def parse_message(text: str | None) -> Message:
    """Take an `errorMessage` apart; text of no known form gives an empty `Message`, never an error."""
    if not text or not isinstance(text, str):
        return NOTHING
    text = text[:LONGEST]
    if not text.isprintable():  # the documentation breaks messages over lines
        text = " ".join(text.split())
    deed = text.find(f"{DEED}:")
    if deed < 0:
        deed = text.find(DEED)  # STS leaves out the colon; EC2 may say no more than its prefix
    if deed < 0 or any(0 <= text.find(before) < deed for before, _ in DENIED_RESOURCE):
        return _without_deed(text)
    action, rest = _action(text[deed + len(DEED) :])
    reason_at = _reason_at(rest)
    reason = rest[reason_at:] if reason_at >= 0 else ""
    policy_type, kind = _policy(reason)
    if kind is None and KMS_MAYBE in rest and action and action.startswith("kms:"):
        policy_type = "resource-based"
    resource = _resource(rest[:reason_at] if reason else rest, whole=bool(reason))
    return Message(_principal(text, deed), action, resource, policy_type, kind, _policy_arn(reason))


def _without_deed(text: str) -> Message:
    """Read the forms that name no action after "not authorized to perform".

    Forms with a resource come first: its name must not be able to pass for one of the others.
    """
    for before, after in DENIED_RESOURCE:
        start = text.find(before)
        if start >= 0:
            return Message(resource=_clean(text[start + len(before) :].partition(after)[0]))
    if text.startswith("Principal [") and "] is not allowed to execute [" in text:
        principal, _, rest = text[len("Principal [") :].partition("] is not allowed to execute [")
        action, _, rest = rest.partition("]")
        named = rest.partition(" on the resource [")[2].partition("]")[0]
        return Message(principal or None, action or None, _clean(named))
    refused = text.find(" is not authorized to access this resource")
    if refused >= 0:
        return Message(_principal(text, refused))
    lowered = text.lower()
    if "denied due to a vpc endpoint policy" in lowered:  # always this text in network activity events
        return Message(policy_type="vpc-endpoint")
    return Message(not_enabled=True) if any(row.phrase in lowered for row in NOT_ENABLED) else NOTHING


def _principal(text: str, before: int) -> str | None:
    """Read what stands between the last "User: " and the verdict at `before`."""
    start = text.rfind("User: ", 0, before)
    return (text[start + 6 : before].partition(" is n")[0].strip() or None) if start >= 0 else None


def _action(rest: str) -> tuple[str | None, str]:
    """Split `: s3:GetObject on resource: …` into the action and the rest (with its leading space)."""
    token, space, tail = rest.removeprefix(":").lstrip(" ").partition(" ")
    token = token.rstrip(".,;")
    service, colon, name = token.partition(":")
    if not (colon and service and name):
        return None, rest  # "perform this operation"
    return token, space + tail


def _reason_at(rest: str) -> int:
    """Find where the reason starts, -1 if there is none: an object's key may hold one of its own.

    AWS's reason is the last one. After a quoted resource it follows the last quote, unless the message was cut inside
    a key that holds a quote: then nothing after the bucket's name is sure to be AWS's.
    """
    start = rest.find(QUOTED)
    if start < 0:
        return max(rest.rfind(EXPLICIT), rest.rfind(IMPLICIT))
    after = rest.rfind('"') + 1
    cut = rest.endswith(ELLIPSIS) and "/" in rest[start:after]
    return after if rest.startswith((EXPLICIT, IMPLICIT), after) and not cut else -1


def _resource(text: str, *, whole: bool) -> str | None:
    """Read the resource after " on resource: "; `whole` if a reason follows it, so that it cannot have been cut."""
    start = text.find(" on resource: ")
    if start < 0:
        return None
    named = text[start + 14 :]
    if named.startswith('"'):  # S3 quotes; a key may itself hold a quote, so the last one closes
        quoted = named if whole else named.partition('"' + BECAUSE)[0]
        inner, closing, _ = quoted[1:].rpartition('"')
        return _clean(inner if closing else _uncut(quoted[1:]))
    stop = min((at for at in map(named.find, ENDS_OF_RESOURCE) if at >= 0), default=-1)
    if stop >= 0:
        return _clean(named[:stop])
    return _clean(named if whole else _uncut(named))


def _uncut(named: str) -> str:
    """Drop what CloudTrail's cut made doubtful: of an S3 object the bucket is still sure, of others nothing is."""
    if not named.endswith(ELLIPSIS):
        return named
    sure, slash, _ = named.rpartition("/")
    return sure if slash and ":s3:::" in sure else ""


def _clean(named: str) -> str | None:
    return named.strip(" \"'").rstrip(".,;") or None


def _policy(reason: str) -> tuple[str | None, str | None]:
    """Read (policy type, kind) from a reason that starts with EXPLICIT or IMPLICIT, else (None, None)."""
    if reason.startswith(EXPLICIT):
        named = reason[len(EXPLICIT) :].lower().removeprefix(" in ")
        for article in ("an ", "a ", "the "):
            named = named.removeprefix(article)
        return _policy_type(named), "explicit"
    if reason.startswith(IMPLICIT):
        policy_type = _policy_type(reason[len(IMPLICIT) :].lower())
        return policy_type, "implicit" if policy_type else None
    return None, None


def _policy_type(named: str) -> str | None:
    return next((row.meaning for row in POLICY_TYPES if named.startswith(row.phrase)), None)


def _policy_arn(reason: str) -> str | None:
    """Read the ARN of the denying policy that AWS adds since 2026, explicit denials only."""
    if not reason.startswith(EXPLICIT):
        return None
    start = reason.find(": arn:")
    if start < 0:
        return None
    arn = reason[start + 2 :].partition(" ")[0]
    return None if arn.endswith(ELLIPSIS) else arn.rstrip(".,;") or None
