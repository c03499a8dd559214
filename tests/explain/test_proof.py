"""The proof of a change refuses every change that lets in others, or that changes something else."""

import copy
import itertools
import json
import random

import naive
import pytest
import test_fix_property as drawn
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rolewatch.explain.asking import own_policy
from rolewatch.explain.changes import admitted
from rolewatch.explain.proof import Change, prove
from rolewatch.explain.setting import for_endpoint, for_resource
from rolewatch.policies.policy import Policy
from rolewatch.policies.profiles import linked_request
from rolewatch.policies.reading import read_policy

HOME, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
BUCKET = "arn:aws:s3:::ledger"
VPC_ONLY = {
    "Sid": "VpcOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}},
}
READERS = {
    "Sid": "Readers",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
    "Action": "s3:GetObject",
    "Resource": f"{BUCKET}/*",
}
REQUEST = linked_request(ROLE, "s3:GetBucketPolicy", BUCKET)


def policy(*statements: dict) -> Policy:
    """Read a policy of some statements."""
    return read_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), "policy")


def proven(before, after, *touched, who=None, request=REQUEST, setting=None):
    """Ask for the proof of a change of some statements, by their numbers from 1."""
    found = [each for each in after.statements if each.number in touched]
    setting = setting or for_resource((own_policy(ROLE),))
    return prove(Change(before, after, found), [request], setting, who or admitted(ROLE, all_slrs=False))


def with_condition(**condition):
    """Change the condition of the statement that denies."""
    return VPC_ONLY | {"Condition": VPC_ONLY["Condition"] | condition}


def leaving_out(operator, *values):
    """Leave somebody out of the statement that denies."""
    return with_condition(**{operator: {"aws:PrincipalArn": list(values)}})


def test_the_smallest_change_is_proven():
    """Decisions are compared, and those that change are the role's."""
    proof = proven(policy(VPC_ONLY, READERS), policy(leaving_out("ArnNotEquals", ROLE), READERS), 1)
    assert (proof.wrong, proof.allowed, proof.provided) == ("", 1, {})
    assert proof.compared > 1000 > proof.changed > 0


WIDE = {
    "everybody": leaving_out("ArnNotLike", "*"),
    "every service-linked role of every account": leaving_out("ArnNotLike", "arn:aws:iam::*:role/aws-service-role/*"),
    "every service-linked role of the account": leaving_out("ArnNotLike", f"arn:aws:iam::{HOME}:role/aws-service-role/*"),
    "every role of the account": leaving_out("ArnNotLike", f"arn:aws:iam::{HOME}:role/*"),
    "every role of the service": leaving_out("ArnNotLike", f"arn:aws:iam::{HOME}:role/aws-service-role/config.amazonaws.com/*"),
    "roles whose name begins alike": leaving_out("ArnNotLike", f"{ROLE}*"),
    "a namesake that the customer can make": leaving_out("ArnNotEquals", ROLE, f"arn:aws:iam::{HOME}:role/AWSServiceRoleForConfig"),
    "whoever has that name": leaving_out("StringNotLike", "*AWSServiceRoleForConfig"),
    "whoever has that name at any path": leaving_out("ArnNotLike", ROLE, f"arn:aws:iam::{HOME}:role/*/AWSServiceRoleForConfig"),
    "a namesake in another account": leaving_out("ArnNotEquals", ROLE, ROLE.replace(HOME, "999988887777")),
    "another role of the account": leaving_out("ArnNotEquals", ROLE, f"arn:aws:iam::{HOME}:role/Admin"),
    "a user": leaving_out("StringNotEquals", ROLE, f"arn:aws:iam::{HOME}:user/ann"),
    "the account": with_condition(StringNotLike={"aws:PrincipalAccount": HOME}),
    "all roles": with_condition(StringNotLike={"aws:PrincipalType": "AssumedRole"}),
    "all but services": with_condition(Bool={"aws:PrincipalIsAWSService": "true"}),
    "whoever has no VPC": {**VPC_ONLY, "Condition": {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}, "Null": {"aws:SourceVpc": "false"}, "ArnNotEquals": {"aws:PrincipalArn": ROLE}}},
    "a second VPC": {**leaving_out("ArnNotEquals", ROLE), "Condition": {"StringNotEquals": {"aws:SourceVpc": ["vpc-0a1b2c3d4e5f60718", "vpc-99999999999999999"]}, "ArnNotEquals": {"aws:PrincipalArn": ROLE}}},
    "fewer actions": leaving_out("ArnNotEquals", ROLE) | {"Action": "s3:Get*"},
    "fewer resources": leaving_out("ArnNotEquals", ROLE) | {"Resource": BUCKET},
    "only one principal": leaving_out("ArnNotEquals", ROLE) | {"Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}},
    "an Allow instead": leaving_out("ArnNotEquals", ROLE) | {"Effect": "Allow"},
}  # fmt: skip


@pytest.mark.parametrize("wide", WIDE.values(), ids=list(WIDE))
def test_a_change_that_is_too_wide_is_refused(wide):
    """Whoever else it lets in, and whatever else it no longer denies."""
    assert proven(policy(VPC_ONLY, READERS), policy(wide, READERS), 1).wrong.startswith(
        "it would also change "
    )


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"AWS": f"arn:aws:iam::{HOME}:root"}, {"AWS": [ROLE, f"arn:aws:iam::{HOME}:user/ann"]}, {"AWS": ROLE, "Service": "config.amazonaws.com"}],
)  # fmt: skip
def test_an_allow_for_more_than_the_role_is_refused(principal):
    """The role of another account is let in by naming it, and by nothing wider."""
    request = linked_request(ROLE, "s3:GetBucketPolicy", BUCKET, resource_account=OTHER)
    made = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetBucketPolicy", "Resource": BUCKET}
    assert proven(policy(READERS), policy(READERS, made), 2, request=request).wrong.startswith(
        "it would also"
    )
    exact = made | {"Principal": {"AWS": ROLE}}
    assert proven(policy(READERS), policy(READERS, exact), 2, request=request).wrong == ""
    assert proven(None, policy(exact), 1, request=request).wrong == ""


@pytest.mark.parametrize(
    "useless",
    [
        VPC_ONLY,
        with_condition(StringNotLike={"aws:SourceVpce": "vpce-0fedcba9876543210"}),
        leaving_out("ArnNotEquals", f"arn:aws:iam::{HOME}:role/AWSServiceRoleForConfig"),
        leaving_out("ArnNotEquals", f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForConfig/session"),
        with_condition(BoolIfExists={"aws:PrincipalIsAWSService": "false"}),
    ],
)
def test_a_change_that_does_not_let_the_role_in_is_refused(useless):
    """The endpoint of the record among them, which is AWS's own."""
    wrong = proven(policy(VPC_ONLY, READERS), policy(useless, READERS), 1).wrong
    assert wrong == f"s3:GetBucketPolicy on {BUCKET} would still be an explicit deny"


@pytest.mark.parametrize(
    "others", [[], [READERS | {"Action": "s3:*"}], [READERS, READERS], [{**READERS, "Sid": "Other"}]]
)
def test_a_change_of_more_than_it_says_is_refused(others):
    """A statement that is gone, changed or new without being named."""
    after = policy(leaving_out("ArnNotEquals", ROLE), *others)
    assert "it changes more of the policy" in proven(policy(VPC_ONLY, READERS), after, 1).wrong


def test_a_change_of_the_version_is_refused():
    """Variables would mean something else."""
    text = json.dumps({"Version": "2008-10-17", "Statement": [leaving_out("ArnNotEquals", ROLE), READERS]})
    after = read_policy(text, "policy")
    assert "it changes more of the policy" in proven(policy(VPC_ONLY, READERS), after, 1).wrong


def test_all_service_linked_roles_of_the_account_may_be_meant():
    """Then the pattern passes, and that of another account does not."""
    who = admitted(ROLE, all_slrs=True)
    own, foreign = (
        policy(leaving_out("ArnNotLike", who.pattern, *more))
        for more in ([], [f"arn:aws:iam::{OTHER}:role/aws-service-role/*"])
    )
    assert proven(policy(VPC_ONLY), own, 1, who=who).wrong == ""
    assert proven(policy(VPC_ONLY), foreign, 1, who=who).wrong.startswith("it would also change")


def test_the_policy_of_an_endpoint_is_proven_for_other_accounts_too():
    """An Allow in it lets through whoever it names, whatever their own policies are."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetBucketPolicy", "Resource": BUCKET}
    exact, wide = (
        policy(READERS, allow | {"Condition": {operator: {"aws:PrincipalArn": value}}})
        for operator, value in (("ArnEquals", ROLE), ("ArnLike", ROLE.replace(HOME, "*")))
    )
    setting = for_endpoint()
    assert proven(policy(READERS), exact, 2, setting=setting).wrong == ""
    assert proven(policy(READERS), wide, 2, setting=setting).wrong.startswith("it would also change")


def test_a_deleted_role_may_lose_what_nobody_can_use():
    """The identifier that is replaced, and no other."""
    former, other = "AROAXK5EXAMPLE7OLDROLE", "AROAXK5EXAMPLEANOTHER"
    request = linked_request(ROLE, "s3:GetBucketPolicy", BUCKET, resource_account=OTHER)
    allow = {"Effect": "Allow", "Action": "s3:GetBucketPolicy", "Resource": BUCKET}
    before = policy(allow | {"Principal": {"AWS": [former, other]}})
    right, wrong = (policy(allow | {"Principal": {"AWS": left}}) for left in ([ROLE, other], [former, ROLE]))
    who = admitted(ROLE, all_slrs=False)._replace(former=former)
    assert proven(before, right, 1, who=who, request=request).wrong == ""
    assert "deleted-" in proven(before, wrong, 1, who=who, request=request).wrong


WIDER = ["*", "arn:aws:iam::*:role/*", f"arn:aws:iam::{HOME}:*", f"arn:aws:iam::{HOME}:role/aws-service-role/*", "arn:aws:iam::*:user/*"]  # fmt: skip


def widened(value, pattern):
    """Write a pattern wherever a change names the role."""
    if isinstance(value, dict):
        return {key: widened(each, pattern) for key, each in value.items()}
    if isinstance(value, list):
        inner = [widened(each, pattern) if isinstance(each, dict) else each for each in value]
        return inner + ([pattern] if ROLE in value else [])
    return [ROLE, pattern] if value == ROLE else value


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(drawn.policies(), drawn.ASKED, st.sampled_from(WIDER), st.integers(0, 10**6))
def test_what_another_evaluator_sees_the_proof_sees(document, actions, pattern, seed):
    """A random change, made wider: if others notice in any of many random requests, it is refused."""
    assume("NotPrincipal" not in json.dumps(document))
    found = drawn.fixed(document, actions, HOME, all_slrs=False)
    assume(found is not None)
    fix, requests = found
    wide = widened(copy.deepcopy(fix.document), pattern)
    statements = naive.listed(wide["Statement"])
    for statement in statements:
        condition = statement.get("Condition", {})
        keys = condition.pop("ArnNotEquals", {})  # which takes patterns as well
        condition.update({"ArnNotLike": {**condition.get("ArnNotLike", {}), **keys}} if keys else {})
    noticed = any(
        naive.decide(document, asks, action, resource, context)[0]
        != naive.decide(wide, asks, action, resource, context)[0]
        for asks, action, resource, context in itertools.islice(drawn_requests(random.Random(seed)), 300)
    )
    after = read_policy(json.dumps(wide), "policy")
    before = read_policy(json.dumps(document), "policy")
    touched = [
        new.number
        for old, new in zip(before.statements, after.statements, strict=False)
        if old.raw != new.raw
    ]
    proof = proven(before, after, *touched, *range(len(before.statements) + 1, 99), request=requests[0])
    assert proof.wrong or not noticed


def drawn_requests(choice):
    """Yield random requests of others."""
    while True:
        context = {
            key: choice.choice([value.partition("/")[0] for value in values] + ["elsewhere", "true", "false"])
            for key, (values, _) in drawn.KEYS.items()
            if key not in ("aws:PrincipalArn", "aws:PrincipalAccount") and choice.random() < 0.5
        }
        yield (
            choice.choice(drawn.PEOPLE),
            choice.choice(drawn.ACTIONS),
            choice.choice([BUCKET, f"{BUCKET}/secret/a", f"{BUCKET}/b"]),
            context,
        )
