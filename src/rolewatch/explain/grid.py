"""Policies and a request in; many other requests out, of the kinds that a change could decide otherwise without meaning to.

Principals, actions, resources and context values come from the policies themselves, and are made beside: the role's namesakes, its
account's other principals, other accounts, parts of the resource, keys that are absent. For each statement that was changed, the
circumstances are made in which it speaks, and those in which one of its conditions no longer holds.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

from rolewatch.catalog.profile import role_parts
from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.principals import is_unique_id
from rolewatch.policies.request import Context, Principal, Request, context_of, make_request, principal_of

MOST: Final = 6000  # requests that are compared
_OF_EACH: Final = 40  # values of one kind
_FOCUS: Final = 0.7  # part of the requests that are about changed statements
_STRANGER: Final = "999988887777"
_SEED: Final = 20260301
_FILL: Final = {"*": "example", "?": "x"}
_VARIABLE: Final = re.compile(r"\$\{[^${}]*\}")
_OTHER: Final = "something-else"
#: Keys whose values follow from who asks, and of whose resource.
_DERIVED: Final = (
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:principalisawsservice",
    "aws:viaawsservice",
    "aws:resourceaccount",
)

Values = dict[str, list[str]]
Combination = tuple[str, str, Context]


class Block(NamedTuple):
    """Actions, resources and circumstances that belong together; what says most comes first in each."""

    actions: Sequence[str]
    resources: Sequence[str]
    contexts: Sequence[Context]

    def combinations(self, choice: random.Random) -> list[Combination]:
        """Give all combinations, the first one first, the others mixed."""
        first, *rest = product(*self)
        choice.shuffle(rest)
        return [first, *rest]


class Grid(NamedTuple):
    """What requests are made of: principals, a block for each changed statement, and one of all that the policies name."""

    principals: Sequence[Principal]
    focus: Sequence[Block]
    whole: Block

    def requests(self, account: str) -> Iterator[Request]:
        """Yield requests on resources of an account, each combination with every principal, the same each time."""
        choice = random.Random(_SEED)  # noqa: S311 - nothing is kept secret by it
        left = MOST // len(self.principals)
        share = max(1, int(left * _FOCUS) // max(1, len(self.focus)))
        for block in self.focus:
            found = block.combinations(choice)[:share]
            left -= len(found)
            yield from self._with_each(found, account)
        yield from self._with_each(self.whole.combinations(choice)[: max(1, left)], account)

    def _with_each(self, found: Iterable[Combination], account: str) -> Iterator[Request]:
        for action, resource, context in found:
            for principal in self.principals:
                yield make_request(principal, action, resource, account, context)


def grid_of(policies: Iterable[Policy], requests: Sequence[Request], touched: Sequence[Statement]) -> Grid:
    """Draw a grid from policies (before and after a change), the requests that the change is for, and the statements it touched."""
    statements = [statement for policy in policies for statement in policy.statements]
    asked = requests[0]
    named = [
        (entry.kind, entry.text)
        for each in statements
        if each.principals
        for entry in each.principals.entries
    ]
    named += [
        ("AWS", value)
        for each in statements
        for test in each.tests
        if test.key.lower() == "aws:principalarn"
        for value in test.values
    ]
    return Grid(
        _principals(asked, named),
        [_block([each], requests, 4) for each in touched],
        _block(statements, requests, _OF_EACH),
    )


def _block(statements: Sequence[Statement], requests: Sequence[Request], most: int) -> Block:
    asked = requests[0]
    own = [request for request in requests if any(each.actions.match(request.action) for each in statements)]
    own = own or list(requests)
    patterns = [pattern for each in statements for pattern in each.actions.patterns]
    actions = [request.action for request in own[:most]]
    actions += [_action(pattern, asked.action) for pattern in patterns[:most]]
    actions += [f"{asked.action.partition(':')[0]}:ExampleAction", "iam:CreateUser"]
    places = [pattern for each in statements if each.resources for pattern in each.resources.patterns]
    resources = [request.resource for request in own[:most]] + [_concrete(each) for each in places[:most]]
    resources += [f"{asked.resource}/other", f"{asked.resource}-other"]
    contexts = [context for each in statements for context in _contexts(each)]
    return Block(
        list(dict.fromkeys(actions)), list(dict.fromkeys(resources)), _different([*contexts, context_of({})])
    )


def _different(contexts: Iterable[Context]) -> list[Context]:
    found = {tuple(sorted(context.known.items())): context for context in contexts}
    return list(found.values())


def _principals(asked: Request, named: Iterable[tuple[str, str]]) -> list[Principal]:
    """Make principals: those that a careless change would let in, and those that the policies name."""
    role = role_parts(asked.principal.arn)
    account, partition = asked.principal.account, asked.principal.partition
    start = f"arn:{partition}:iam::"
    words = [asked.principal.arn]
    if role:
        words += [
            f"{start}{account}:role/{role.name}",  # a namesake that the customer can make
            f"{start}{account}:role/team/{role.name}",
            f"{start}{_STRANGER}:role/aws-service-role/{role.principal}/{role.name}",
            f"{start}{account}:role/aws-service-role/{role.principal}/{role.name}Other",
            f"{start}{account}:role/aws-service-role/other.amazonaws.com/AWSServiceRoleForOther",
            f"{start}{account}:role/aws-service-role-like/{role.name}",
            f"{start}{account}:role/{role.name}-2",
            f"{start}{account}:user/{role.name}",
            f"arn:{partition}:sts::{account}:assumed-role/Example/session",
            role.principal,
        ]
    words += [
        f"{start}{each}:{kind}"
        for each in dict.fromkeys((account, asked.resource_account, _STRANGER))
        if each
        for kind in ("root", "user/example", "role/example")
    ]
    words += ["*", "example.amazonaws.com"]
    written = [_concrete(word) for kind, word in named if not is_unique_id(word) and kind != "CanonicalUser"]
    found = [principal_of(word) for word in dict.fromkeys([*words, *written])]
    found += [
        principal_of(f"{start}{account}:role/deleted-{word.lower()}", word)
        for word in dict.fromkeys(word for _, word in named if is_unique_id(word))
    ]
    return [principal for principal in found if principal][: 3 * _OF_EACH]


def _contexts(statement: Statement) -> Iterator[Context]:
    """Make the circumstances in which all conditions of a statement hold, then those in which one of them may not."""
    holding: Values = {}
    written: Values = {}
    for test in sorted(statement.tests, key=lambda each: "not" not in each.operator.lower()):
        key = test.key.lower()
        if key in _DERIVED:
            continue
        written.setdefault(key, []).extend(_concrete(value) for value in test.values[:_OF_EACH])
        value = _fulfilling(test.operator, test.values)
        if value is None:
            holding.pop(key, None)
        else:
            holding[key] = [value]
    yield context_of(holding)
    for key, values in written.items():
        yield context_of({name: held for name, held in holding.items() if name != key})
        for value in dict.fromkeys([*values[:4], _OTHER, "true", "false"]):
            yield context_of({**holding, key: [value]})
            yield context_of({key: [value]})


def _fulfilling(operator: str, values: Sequence[str]) -> str | None:
    """Make a value for which a test holds, as a rule; None where the key has to be absent."""
    name = operator.lower().partition(":")[2] or operator.lower()
    name = name.removesuffix("ifexists")
    value = _concrete(values[0]) if values else _OTHER
    if name == "null":
        return None if value.lower() == "true" else _OTHER
    if name.startswith("notip"):
        return "198.51.100.7"
    if name == "ipaddress":
        return value.partition("/")[0]
    if "not" in name:
        return "arn:aws:iam::999988887777:role/elsewhere" if name.startswith("arn") else _else(name)
    return _shifted(name, value)


def _else(name: str) -> str:
    if name.startswith("numeric"):
        return "987654321"
    return "2001-02-03T04:05:06Z" if name.startswith("date") else _OTHER


def _shifted(name: str, value: str) -> str:
    """Give a value below or above one, where an operator asks for that."""
    if name.startswith("datelessthan"):
        return "1971-01-01T00:00:00Z"
    if name.startswith("dategreaterthan"):
        return "2999-01-01T00:00:00Z"
    if name.startswith("numericlessthan"):
        return "-999999999"
    return "999999999999" if name.startswith("numericgreaterthan") else value


def _action(pattern: str, asked: str) -> str:
    made = _concrete(pattern)
    return made if ":" in made else f"{asked.partition(':')[0]}:{made}"


def _concrete(pattern: str) -> str:
    """Make something that a pattern matches."""
    text = _VARIABLE.sub("example", pattern)
    return "".join(_FILL.get(character, character) for character in text)
