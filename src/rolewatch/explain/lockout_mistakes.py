"""Statements that shut service-linked roles out in; the mistakes that people make when they mean to let them in, out.

Sources: IAM user guide, "AWS global condition context keys"; aws-samples/data-perimeter-policy-examples, which exempt service-linked roles
by `aws:PrincipalArn` and AWS's services by `aws:PrincipalIsAWSService`, since the one does not cover the other.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from rolewatch.policies.conditions import Test
from rolewatch.policies.policy import Statement

_REMEDY: Final = (
    "exempt the roles themselves: ArnNotLike aws:PrincipalArn "
    "arn:<partition>:iam::<account>:role/aws-service-role/* in the same Condition"
)


class Mistake(NamedTuple):
    """A mistake: the rule's name, what is wrong and what to do instead, and the statement."""

    rule: str
    message: str
    statement: Statement


class _Rule(NamedTuple):
    name: str
    keys: tuple[str, ...]
    meets: Callable[[Test], bool]
    message: str


def _exempts(test: Test) -> bool:
    """Whether a Deny leaves out requests that have the key true: `Bool … false`, or `StringNotEquals … true`."""
    wanted = "true" if _negated(test) else "false"
    return any(value.lower() == wanted for value in test.values)


def _negated(test: Test) -> bool:
    return "not" in test.operator.lower()


def _wrong_path(test: Test) -> bool:
    return _negated(test) and any(
        ":role/service-role/" in value or ":assumed-role/AWSServiceRole" in value for value in test.values
    )


RULES: Final = (
    _Rule(
        "principal-is-aws-service",
        ("aws:principalisawsservice",),
        _exempts,
        "aws:PrincipalIsAWSService is true only where a service calls as itself (service principal); a service-linked role is a role, "
        "for which it is false, so this exemption does not cover it",
    ),
    _Rule(
        "via-aws-service",
        ("aws:viaawsservice",),
        _exempts,
        "aws:ViaAWSService is true only where a service passes on a caller's credentials; with a service-linked role the service uses "
        "the role's own, for which it is false, so this exemption does not cover it",
    ),
    _Rule(
        "called-via",
        ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
        _negated,
        "aws:CalledVia is absent where a service uses a service-linked role, so this exemption does not cover it",
    ),
    _Rule(
        "source-account",
        ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"),
        _negated,
        "aws:SourceAccount, aws:SourceArn and aws:SourceOrgID are there only where a service calls as itself; a service-linked role's "
        "request has none, so as the only way in they shut it out",
    ),
    _Rule(
        "principal-service-name",
        ("aws:principalservicename", "aws:principalservicenameslist"),
        _negated,
        "aws:PrincipalServiceName is there only where a service calls as itself; a service-linked role's request has none, so this "
        "exemption does not cover it",
    ),
    _Rule(
        "source-vpce",
        ("aws:sourcevpce", "aws:sourcevpc"),
        _negated,
        "service-linked roles call from AWS's own network: the vpcEndpointId of a CloudTrail record of theirs is AWS's own, and may "
        "change; to add it to this list does not let them in for good",
    ),
    _Rule(
        "wrong-role-path",
        ("aws:principalarn",),
        _wrong_path,
        "aws:PrincipalArn of a service-linked role is arn:<partition>:iam::<account>:role/aws-service-role/<service>/<role>: neither the "
        "path service-role/ nor a session's ARN matches it",
    ),
)  # fmt: skip
"""What each rule looks for in a statement that denies."""


def mistakes(statements: Iterable[Statement]) -> Iterator[Mistake]:
    """Yield the mistakes in statements that shut somebody out, each once."""
    for statement in {each.number: each for each in statements}.values():
        if statement.allows:
            continue
        for rule in RULES:
            if any(test.key.lower() in rule.keys and rule.meets(test) for test in statement.tests):
                yield Mistake(rule.name, f"{rule.message}; {_REMEDY}", statement)
