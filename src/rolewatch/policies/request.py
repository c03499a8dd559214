"""Who asks for what, on which resource, and what is known of the circumstances."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

_ARN: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::(?P<account>[0-9]{12}|aws|cloudfront):(?P<kind>[a-z-]+)(?:/(?P<name>.+))?\Z",
    re.DOTALL,
)
_ACCOUNT: Final = re.compile(r"[0-9]{12}\Z")
_SERVICE: Final = re.compile(
    r"[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|alexa-appkit\.amazon\.com)\Z"
)
_LINKED: Final = "aws-service-role/"
#: Paths of roles by how their names begin: a session's ARN does not tell its role's path, but these have none other.
_PATHS: Final = {
    "AWSServiceRoleFor": _LINKED,
    "AWSReservedSSO_": "aws-reserved/sso.amazonaws.com/",
}


class Kind(Enum):
    """What kind of principal asks."""

    USER = "user"
    ROLE = "role"  # a session of it whose name is not known
    SESSION = "session"
    FEDERATED_USER = "federated-user"
    ROOT = "root"
    SERVICE = "service"
    FEDERATED = "federated"  # who comes to AssumeRoleWithSAML or AssumeRoleWithWebIdentity
    ANONYMOUS = "anonymous"


class Principal(NamedTuple):
    """Who asks. `arn` as it was given; `account` "" where there is none; `role` and `session` by name, "" where there is none.

    `unique_id` is the role's or user's (`AROA…`, `AIDA…`), "" if it is not known; `federated_by` the ARN of the user whose
    GetFederationToken a federated user comes from, "" likewise.
    """

    kind: Kind
    arn: str
    account: str = ""
    partition: str = "aws"
    role: str = ""
    session: str = ""
    role_arn: str = ""  # with its path, as far as that is known
    unique_id: str = ""
    federated_by: str = ""

    @property
    def service_linked(self) -> bool:
        """Whether it is a service-linked role: SCPs, RCPs and boundaries do not restrict these (Organizations User Guide)."""
        return f":role/{_LINKED}" in self.role_arn


class Unsure(NamedTuple):
    """What is known of a key whose value is not, or not for certain.

    `there`: it is there for certain. `values`: it has these, if it is there. `begins`: each of its values begins with one of
    these. `may_be`: says of a value in a policy whether this may be it; all others it is not.
    """

    there: bool = False
    values: tuple[str, ...] | None = None
    begins: tuple[str, ...] = ()
    may_be: Callable[[str], bool] | None = None


Value = tuple[str, ...] | Unsure | None
"""Of a context key: its values, what is known of it, or None where it is not there."""
UNKNOWN: Final = Unsure()


_NOTHING: Final[Mapping[str, Unsure]] = MappingProxyType({})


class Context(NamedTuple):
    """What is known of context keys, in lower case here. A name under `absent` that ends in `*` stands for all that begin so.

    `others` is asked for keys that are neither known, absent nor `partly` known; without it, these are absent if the context is
    `complete`.
    """

    known: Mapping[str, tuple[str, ...]]
    absent: frozenset[str] = frozenset()
    complete: bool = True
    others: Callable[[str], Value] | None = None
    partly: Mapping[str, Unsure] = _NOTHING

    def of(self, key: str) -> Value:
        """Look up a key in lower case."""
        found = self.known.get(key)
        if found is not None:
            return found
        if key in self.absent or any(name[-1:] == "*" and key.startswith(name[:-1]) for name in self.absent):
            return None
        if key in self.partly:
            return self.partly[key]
        if self.others:
            return self.others(key)
        return None if self.complete else UNKNOWN

    def also(self, more: Mapping[str, tuple[str, ...]], partly: Mapping[str, Unsure] = _NOTHING) -> "Context":
        """Add keys that were not given, nor said to be absent."""
        new = {key: values for key, values in more.items() if key not in self.absent}
        return self._replace(known={**new, **self.known}, partly={**partly, **self.partly})


class Request(NamedTuple):
    """One request. `action` such as `s3:GetObject`; `resource` an ARN, or `*` for an action that has none."""

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Context


def principal_of(word: str, unique_id: str = "") -> Principal | None:
    """Read a principal as it is written: an ARN, an account, a service, `*`; None if it is none of these."""
    if word == "*":
        return Principal(Kind.ANONYMOUS, word)
    if _ACCOUNT.match(word):
        return Principal(Kind.ROOT, f"arn:aws:iam::{word}:root", word)
    found = _ARN.match(word)
    if not found:
        return Principal(Kind.SERVICE, word) if _SERVICE.match(word) else None
    partition, service, account, kind, name = (
        found[each] or "" for each in ("partition", "service", "account", "kind", "name")
    )
    match service, kind:
        case "iam", "root" if not name:
            return Principal(Kind.ROOT, word, account, partition)
        case "iam", "user" if name:
            return Principal(Kind.USER, word, account, partition, unique_id=unique_id)
        case "iam", "role" if name:
            return Principal(
                Kind.ROLE,
                word,
                account,
                partition,
                name.rpartition("/")[2],
                role_arn=word,
                unique_id=unique_id,
            )
        case "sts", "assumed-role" if name:
            role, _, session = name.partition("/")
            arn = f"arn:{partition}:iam::{account}:role/{role}"
            return (
                Principal(Kind.SESSION, word, account, partition, role, session, arn, unique_id)
                if session
                else None
            )
        case "sts", "federated-user" if name:
            return Principal(Kind.FEDERATED_USER, word, account, partition)
        case "iam", "saml-provider" | "oidc-provider" if name:
            return Principal(Kind.FEDERATED, word, account, partition)
    return None


_TYPES: Final = {
    Kind.USER: "User", Kind.ROLE: "AssumedRole", Kind.SESSION: "AssumedRole", Kind.FEDERATED_USER: "FederatedUser", Kind.ROOT: "Account",
    Kind.ANONYMOUS: "Anonymous",
}  # fmt: skip


def own_context(principal: Principal, resource_account: str) -> dict[str, tuple[str, ...]]:
    """Give the context keys that follow from who asks, and of whose resource.

    Sources: IAM User Guide, "AWS global condition context keys", properties of the principal and of the resource; "Variables and
    tags", "Principal key values".
    """
    kind, name = principal.kind, principal.arn.rpartition("/")[2]
    context: dict[str, tuple[str, ...]] = {
        "aws:principalisawsservice": (str(kind is Kind.SERVICE).lower(),),
        "aws:viaawsservice": ("false",),
    }
    if kind in _TYPES:
        context["aws:principaltype"] = (_TYPES[kind],)
    if principal.account:
        context["aws:principalaccount"] = (principal.account,)
        context["aws:principalarn"] = (principal.role_arn or principal.arn,)
    if kind is Kind.SERVICE:
        context["aws:principalservicename"] = (principal.arn,)
    if kind is Kind.USER:
        context["aws:username"] = (name,)
    user_id = _user_id(principal, name)
    if user_id:
        context["aws:userid"] = (user_id,)
    if resource_account:
        context["aws:resourceaccount"] = (resource_account,)
    return context


def _user_id(principal: Principal, name: str) -> str:
    match principal.kind:
        case Kind.ROOT:
            return principal.account
        case Kind.ANONYMOUS:
            return "anonymous"
        case Kind.FEDERATED_USER:
            return f"{principal.account}:{name}"
        case Kind.SESSION:
            return f"{principal.unique_id}:{principal.session}" if principal.unique_id else ""
        case Kind.USER:
            return principal.unique_id
    return ""


def own_unsure(principal: Principal) -> dict[str, Unsure]:
    """Give the context keys that are there whoever asks, with what is known of their values."""
    match principal.kind:
        case Kind.ROLE:
            begins = f"{principal.unique_id}:" if principal.unique_id else "AROA"
        case Kind.SESSION:
            begins = "AROA"
        case Kind.USER:
            begins = "AIDA"
        case _:
            return {}
    return {"aws:userid": Unsure(there=True, begins=(begins,))}


def _with_path(principal: Principal) -> str:
    """Give what the ARN of a session's role begins with, if its name tells that it has a path; else ""."""
    path = next((path for start, path in _PATHS.items() if principal.role.startswith(start)), "")
    known = principal.kind is not Kind.SESSION or principal.role_arn.count("/") > 1
    return "" if known or not path else f"arn:{principal.partition}:iam::{principal.account}:role/{path}"


def context_of(
    given: Mapping[str, Iterable[str]], *, absent: Iterable[str] = (), complete: bool = True
) -> Context:
    """Make a context of keys as they are written."""
    known = {key.lower(): tuple(values) for key, values in given.items()}
    return Context(known, frozenset(key.lower() for key in absent), complete)


def make_request(
    principal: Principal, action: str, resource: str, resource_account: str, context: Context
) -> Request:
    """Put a request together: what follows from who asks is added to its context, and a session learns its role's path from it."""
    arn = context.known.get("aws:principalarn", ("",))[0]
    if (
        principal.kind is Kind.SESSION
        and arn.rpartition("/")[2] == principal.role
        and f"::{principal.account}:role/" in arn
    ):
        principal = principal._replace(role_arn=arn)
    owner, partly = own_context(principal, resource_account), own_unsure(principal)
    begins = _with_path(principal)
    if begins and owner.pop("aws:principalarn"):
        partly["aws:principalarn"] = Unsure(there=True, begins=(begins,))
    return Request(principal, action, resource, resource_account, context.also(owner, partly))
