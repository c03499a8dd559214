"""A policy in; whose resource it may be, and in which organisation, out: the accounts and organisations that it names, the likeliest first.

A bucket's ARN tells no account, and a policy that lets in one organisation is written by a member of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.policies.conditions import Test
from rolewatch.policies.policy import Policy

NOBODY: Final = "111122223333"  # AWS's own example
OPEN_ORGANIZATION: Final = "o-0000000000"  # one that a template does not tell
_MOST: Final = 4  # of each; whoever names more names others' accounts
_MOST_OWNERS: Final = 8
_NAMED: Final = "the policy names it"
_WHENCE: Final = {OPEN_ORGANIZATION: "stands for a value that the template does not tell"}
_ACCOUNT: Final = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]*):[^:]*:(?P<account>[0-9]{12}):(?P<rest>.*)", re.DOTALL
)
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_PARTITION: Final = re.compile(r"arn:(aws-[a-z-]{1,20}):")
#: Where an account is named, the likeliest to be the owner's first.
_RESOURCE, _ROOT, _OWN_KEY, _PRINCIPAL, _SOURCE, _OTHER = range(6)
_KEYS: Final = {
    "aws:principalaccount": _OWN_KEY,
    "aws:resourceaccount": _RESOURCE,
    "s3:resourceaccount": _RESOURCE,
    "kms:calleraccount": _OWN_KEY,
    "aws:principalarn": _OWN_KEY,
    "aws:sourceaccount": _SOURCE,
    "aws:sourcearn": _SOURCE,
}
_OWN_KEYS: Final = ("aws:principal", "aws:resource", "aws:userid")
ORGANIZATION_KEYS: Final = ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid")


class Owner(NamedTuple):
    """Whose a resource is taken to be; the words in `…_from` say why. `organization` as in `catalog.profile`."""

    account: str
    account_from: str
    organization: str | None
    organization_from: str


class Given(NamedTuple):
    """What the caller knows: an account, an organisation ("" for none), where from; None where nothing is known."""

    account: str | None = None
    account_from: str = ""
    organization: str | None = None
    organization_from: str = ""


def owners(policy: Policy, given: Given) -> list[Owner]:
    """List who may own the resource of a policy, the likeliest first; never empty."""
    if given.account:
        accounts = [(given.account, given.account_from)]
    else:
        accounts = [(account, _NAMED) for account in _accounts(policy)[:_MOST]]
        if NOBODY not in dict(accounts):  # whoever is named may be somebody else
            accounts.append((NOBODY, "a placeholder: nothing tells the account"))
    if given.organization is not None:
        organizations: list[tuple[str | None, str]] = [(given.organization, given.organization_from)]
    else:
        organizations = [(each, _WHENCE.get(each, _NAMED)) for each in _organizations(policy)[:_MOST]]
        organizations = organizations or [(None, "")]
    pairs = [Owner(*account, *organization) for organization in organizations for account in accounts]
    return pairs[:_MOST_OWNERS]


def tells_owners_apart(policy: Policy) -> bool:
    """Whether what a policy denies may hang on whose account and organisation it is in."""
    for statement in policy.statements:
        if statement.allows:
            continue
        if statement.principals and (
            statement.principals.negated or any(entry.text != "*" for entry in statement.principals.entries)
        ):
            return True
        if any(_of_owner(test) for test in statement.tests):
            return True
    return False


def _of_owner(test: Test) -> bool:
    key = test.key.lower()
    return key in _KEYS or key.startswith(_OWN_KEYS) or any("${" in value for value in test.values)


def partition_of(policy: Policy) -> str:
    """Tell the partition by the ARNs of a policy."""
    found = next((_PARTITION.search(text) for text in _texts(policy.raw) if _PARTITION.search(text)), None)
    return found[1] if found else "aws"


def _accounts(policy: Policy) -> list[str]:
    """List the accounts that a policy names by where it does so, then in order."""
    found: dict[str, tuple[int, int]] = {}
    for rank, account in _named(policy):
        found[account] = min(found.get(account, (rank, len(found))), (rank, len(found)))
    return sorted(found, key=found.__getitem__)


def _named(policy: Policy) -> Iterator[tuple[int, str]]:
    for statement in policy.statements:
        for text in statement.resources.patterns if statement.resources else ():
            arn = _ARN.match(text)
            if arn:
                yield _RESOURCE, arn["account"]
        for entry in statement.principals.entries if statement.principals else ():
            arn = _ARN.match(entry.text)
            account = arn["account"] if arn else entry.text
            if _ACCOUNT.fullmatch(account):
                root = not arn or arn["rest"] == "root"
                yield _ROOT if root and statement.allows else _PRINCIPAL, account
        for test in statement.tests:
            rank = _KEYS.get(test.key.lower(), _OTHER)
            for value in test.values:
                arn = _ARN.match(value)
                for account in [arn["account"]] if arn else _ACCOUNT.findall(value):
                    yield rank, account


def _organizations(policy: Policy) -> list[str]:
    return list(
        dict.fromkeys(
            found
            for statement in policy.statements
            for test in statement.tests
            if test.key.lower() in ORGANIZATION_KEYS
            for value in test.values
            for found in _ORGANIZATION.findall(value)
        )
    )


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
