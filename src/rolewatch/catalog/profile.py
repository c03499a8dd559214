"""What a request made with a service-linked role carries: the state of each context key, with its source.

Data: `data/profile.json`, rows of [key, IAM prefixes of the action or "*", state, values, reason, source]; a key that
ends in `*` stands for all that begin so. A row for the action's prefix goes before one for all, an exact key before a
pattern. Keys are compared in lower case. What no row names is unknown.
"""

import ipaddress
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

_DATA = Path(__file__).with_name("data")
_ROLE = re.compile(r"arn:(aws[a-z-]{0,20}):iam::(\d{12}):role/aws-service-role/([^/\s]+)/([\w+=,.@-]{1,64})")
ANY = "*"

Kind = Literal["known", "absent", "optional", "begins", "present", "foreign", "unknown"]
"""What is known of a key:

- `known`: it is there and has these values;
- `absent`: it is not there;
- `optional`: it is not there, or has these values;
- `begins`: it is there, and each value begins with one of these;
- `present`: it is there with a value that only the request tells;
- `foreign`: it is not there, or has a value of AWS's own, which is none that a customer writes (`may_be_foreign`);
- `unknown`: nothing.
"""


class Row(NamedTuple):
    """A key (`/*` or `:*` at its end for all below), the IAM prefixes it is for, its state, and where that stands."""

    key: str
    services: str  # separated by spaces; "*" for all
    kind: Kind
    values: tuple[str, ...]  # with {role_arn}, {account}, {organization}, {role_id}
    reason: str
    title: str  # of the source
    url: str


class State(NamedTuple):
    """What is known of one key in one request; `reason` and `source` are words for people."""

    kind: Kind
    values: tuple[str, ...] = ()
    reason: str = "no documentation says what such a request carries"
    source: str = ""


class Role(NamedTuple):
    """A service-linked role's ARN in its parts."""

    partition: str
    account: str
    principal: str
    name: str


class Profile:
    """The context of a request of one role: `state` answers for any key, the rest lists keys by what is known of them.

    All keys are in lower case. Keys with `*` at their end stand for all that begin so.
    """

    def __init__(self, states: dict[str, State]) -> None:
        self._states = states
        self._patterns = sorted((key[:-1] for key in states if key.endswith(ANY)), key=len, reverse=True)
        self.known: dict[str, list[str]] = self._values("known")
        self.optional: dict[str, list[str]] = self._values("optional")
        self.begins: dict[str, list[str]] = self._values("begins")
        self.absent: frozenset[str] = frozenset(self._values("absent"))
        self.present: frozenset[str] = frozenset(self._values("present"))
        self.foreign: frozenset[str] = frozenset(self._values("foreign"))

    def _values(self, kind: Kind) -> dict[str, list[str]]:
        return {key: list(state.values) for key, state in self._states.items() if state.kind == kind}

    def state(self, key: str) -> State:
        """Tell what is known of a key, in any case; `unknown` for one that no row names."""
        key = key.lower()
        found = self._states.get(key)
        if found is None:
            found = next(
                (self._states[head + ANY] for head in self._patterns if key.startswith(head)),
                State("unknown"),
            )
        return found

    def states(self) -> dict[str, State]:
        """Give all keys and patterns with what is known of them, for people to read."""
        return dict(self._states)


class _File(msgspec.Struct):
    sources: dict[str, tuple[str, str]]
    keys: list[tuple[str, str, Kind, tuple[str, ...], str, str]]


@cache
def rows() -> tuple[Row, ...]:
    """Give the whole table in its order."""
    table = msgspec.json.decode(_DATA.joinpath("profile.json").read_bytes(), type=_File)
    found = []
    for key, services, kind, values, reason, source in table.keys:
        name, _, anchor = source.partition("#")
        title, url = table.sources[name]
        found.append(Row(key, services, kind, values, reason, title, f"{url}#{anchor}" if anchor else url))
    return tuple(found)


def role_parts(role_arn: str) -> Role | None:
    """Take a service-linked role's ARN apart; None for anything else, the ARN of a session among it."""
    match = _ROLE.fullmatch(role_arn)
    return Role(*match.groups()) if match else None


def profile_of(
    role_arn: str, *, action: str, organization: str | None, role_id: str | None = None
) -> Profile:
    """Tell what a request carries that a service-linked role makes.

    `action` is an IAM action (`s3:GetObject`), `organization` an id (`o-…`), "" for an account that is in none, None for
    what is not known; `role_id` is the role's unique id (`AROA…`) if known. ValueError: no service-linked role's ARN.
    """
    return _profile(role_arn, action.partition(":")[0].lower(), organization, role_id)


@lru_cache(maxsize=1024)
def _profile(role_arn: str, service: str, organization: str | None, role_id: str | None) -> Profile:
    role = role_parts(role_arn)
    if role is None:
        raise ValueError(f"not the ARN of a service-linked role: {role_arn[:200]!r}")
    fill = {"role_arn": role_arn, "account": role.account, "organization": organization, "role_id": role_id}
    states: dict[str, State] = {}
    for row in rows():
        key = row.key.lower()
        if service in row.services.split() or (row.services == ANY and key not in states):
            states[key] = _state(row, fill)
    return Profile(states)


def _state(row: Row, fill: dict[str, str | None]) -> State:
    source = f"{row.title}, {row.url}"
    if "{organization}" in "".join(row.values) and not fill["organization"]:
        if fill["organization"] is None:
            return State("unknown", (), "whether the account is in an organization is not known", source)
        return State("absent", (), "the account is in no organization", source)
    if "{role_id}" in "".join(row.values) and not fill["role_id"]:
        return State(row.kind, ("AROA",), row.reason, source)  # what every role's unique id begins with
    values = tuple(value.format(**fill) for value in row.values)
    return State(row.kind, values, row.reason, source)


_WIDEST = {4: 16, 6: 32}  # a block of addresses wider than this may hold addresses of AWS's
_WHOLE_PRIVATE = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)  # RFC 1918 and 6598
_SHORTEST_ID = 8  # characters after `vpc-` and `vpce-`, and of what a pattern must say to name somebody's own
_ACCOUNT = re.compile(r":\d{12}:")
_ID_HEADS = re.compile(r"(?:arn:[^/]*/)?(?:vpce?-|o-)?")


@lru_cache(maxsize=4096)
def may_be_foreign(key: str, value: str) -> bool:
    """Whether a value that a policy writes for a `foreign` key may match what AWS's own network sends.

    Only what is so wide that it says nothing of the customer's own: `*`, `vpce-*`, `0.0.0.0/0`, a public block wider
    than a /16 (IPv6: /32), for addresses within a VPC all of a private range. Whatever cannot be read may match.
    """
    key = key.lower()
    if key in ("aws:sourceip", "aws:vpcsourceip"):
        return _wide_block(value, within_vpc=key == "aws:vpcsourceip")
    if not set("*?") & set(value) or _ACCOUNT.search(value):
        return False  # an account in an ARN is the customer's
    literal = re.sub(r"[*?]", "", _ID_HEADS.sub("", value, count=1))
    return len(literal) < _SHORTEST_ID


def _wide_block(value: str, *, within_vpc: bool) -> bool:
    try:
        block = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return True
    if block.prefixlen < 8:
        return True
    if block.version == 4 and any(block.subnet_of(private) for private in _WHOLE_PRIVATE):  # type: ignore[arg-type]
        return within_vpc and block in _WHOLE_PRIVATE
    return block.prefixlen < _WIDEST[block.version]
