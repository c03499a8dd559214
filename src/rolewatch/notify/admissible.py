"""What may be said: a notification in, the same without any claim that nothing supports out.

Four things are never told, in no format. Service control policies, resource control policies and permissions
boundaries do not bind service-linked roles (AWS Organizations guide), so none is blamed for refusing one. A change is
told only with the proof that it works. A recovery is told only with the event that proves it. And nobody is named as who
changed a policy without the event that shows it, for what came after it began, or where no policy of theirs is at fault.
"""

import re
from typing import Any, Final

import msgspec

from rolewatch.denials.principal import LINKED
from rolewatch.findings.verdict import NOT_FOR_LINKED
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification

Finding = dict[str, Any]

_GUARDRAIL: Final = re.compile(
    r"\b(?:SCP|RCP)s?\b|(?i:service[ _-]control[ _-]polic|resource[ _-]control[ _-]polic|permissions?[ _-]boundar)"
)
#: Verdicts with which a policy of the customer's may be at fault.
_POLICY: Final = ("fix-your-policy", "unknown")
_NOT_KNOWN: Final = "the record names a kind of policy that AWS documents not to bind service-linked roles, so what refuses it is not known."


def admissible(notification: Notification) -> Notification:
    """Leave out what nothing supports; SendError for a recovery that names no finding with its proof."""
    findings = [_supported(finding) for finding in notification.findings]
    proven = [finding for finding in findings if finding["status"] != "recovered" or finding.get("proof")]
    if notification.kind == "recovered":
        if not proven or not all(finding.get("proof") for finding in proven):
            raise SendError(
                f"notification {notification.id} says `recovered`, and nothing proves it: it is not sent"
            )
        # What was decided is what is told, whatever the finding said when it was read.
        proven = [finding | {"status": "recovered"} for finding in proven]
    left_out = notification.left_out + len(findings) - len(proven)
    return msgspec.structs.replace(notification, findings=tuple(proven), left_out=left_out)


def _supported(finding: Finding) -> Finding:
    """Return a finding without an unproven change, and without a policy that cannot be what refuses a linked role."""
    kept = dict(finding)
    if not proven_fix(finding):
        kept.pop("fix", None)
    if not supported_blame(finding):
        kept.pop("blame", None)
    if LINKED not in (finding["role_arn"] or ""):
        return kept
    if _GUARDRAIL.search(str(kept.get("fix", {}).get("target", ""))):
        kept.pop("fix")
    kept["candidates"] = [
        candidate for candidate in finding["candidates"] if not _GUARDRAIL.search(str(candidate))
    ]
    cause = finding["cause"]
    what, where, why = (finding["explanation"] or "").partition(f" on {finding['resource']}: ")
    if cause["policy_type"] in NOT_FOR_LINKED or _GUARDRAIL.search(str(cause.get("policy_arn") or "")):
        unknown = {"policy_type": None, "kind": None, "policy_arn": None, "evidence": "guess"}
        kept["cause"] = cause | unknown
        kept["explanation"] = f"{what}{where}{_NOT_KNOWN}" if where else _sentence(_NOT_KNOWN)
    elif _GUARDRAIL.search(why if where else what):
        kept["explanation"] = f"{what}{where}{_NOT_KNOWN}" if where else _sentence(_NOT_KNOWN)
    return kept


def proven_fix(finding: Finding) -> Finding | None:
    """Return the change of a finding if it comes with the proof that it works (DESIGN `rolewatch explain`)."""
    fix = finding.get("fix")
    return fix if isinstance(fix, dict) and fix.get("proof") else None


def supported_blame(finding: Finding) -> Finding | None:
    """Return who changed a finding's policy last, if an event shows it that is not later than the first denial."""
    blame = finding.get("blame")
    if not isinstance(blame, dict) or finding["verdict"] not in _POLICY or not blame.get("event_id"):
        return None
    began = finding["first_denied"]
    return blame if began is None or str(blame.get("time")) <= began else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
