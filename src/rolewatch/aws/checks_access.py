"""Who wants to do what in; whether the policies around it allow that, in words, out."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.aws.doctor_setup import Setup
from rolewatch.policies.evaluate import Decision, evaluate
from rolewatch.policies.layers import Policies
from rolewatch.policies.request import Context, Request, make_request, principal_of

#: Keys that a service's own request has not: it comes from no identity, over no endpoint of ours.
_ABSENT: Final = (
    "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/*", "aws:username",
    "aws:userid", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:multifactorauthpresent",
    "aws:multifactorauthage", "aws:tokenissuetime", "aws:referer",
)  # fmt: skip
_NOTHING: Final[Mapping[str, Sequence[str]]] = {}


class Access(NamedTuple):
    """What the policies say: `allowed` for certain, or `depends` on what is not known; `why` names what decided."""

    allowed: bool
    depends: bool
    why: str


def asked(
    setup: Setup,
    principal: str,
    action: str,
    resource: str,
    *,
    source: str = "",
    known: Mapping[str, Sequence[str]] = _NOTHING,
) -> Request:
    """Make the request of a service (`cloudwatch.amazonaws.com`), on behalf of a resource of the account, or of a role's session."""
    who = principal_of(principal)
    if who is None:
        raise ValueError(f"{principal!r} is no principal")
    context: dict[str, tuple[str, ...]] = {
        "aws:securetransport": ("true",),
        "aws:currenttime": (setup.now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(setup.now.timestamp())),),
    }
    if source:
        context |= {
            "aws:sourceaccount": (setup.account,),
            "aws:sourceowner": (setup.account,),
            "aws:sourcearn": (source,),
        }
    context |= {key.lower(): tuple(values) for key, values in known.items()}
    absent = frozenset(_ABSENT) if source else frozenset()
    return make_request(who, action, resource, setup.account, Context(context, absent, complete=False))


def decided(request: Request, policies: Policies) -> Access:
    """Hold a request against policies."""
    found = evaluate(request, policies)
    depends = found.outcome == "depends"
    return Access(found.outcome == "allowed", depends, f" ({_why(found)})")


def _why(found: Decision) -> str:
    by = found.decided_by
    if found.missing:
        return f"it hangs on {', '.join(found.missing)}"
    if by.policy is not None and by.applied is not None:
        return f"{by.applied.statement.name} of {by.policy.name} denies it"
    return by.reason or "no statement allows it"
