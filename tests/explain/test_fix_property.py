"""Changes of random policies, held against an evaluator that shares nothing with the one that proves them."""

import json

import jsonpatch
import naive
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rolewatch.catalog.policy_kinds import kind_of
from rolewatch.explain.asking import own_policy
from rolewatch.explain.changes import admitted
from rolewatch.explain.fix import Refused, Target, Told, propose
from rolewatch.explain.setting import for_resource
from rolewatch.policies.profiles import linked_request

HOME, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
MACIE = f"arn:aws:iam::{HOME}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
BUCKET = "arn:aws:s3:::ledger"
ORGANIZATION = "o-a1b2c3d4e5"
PEOPLE = [
    f"arn:aws:iam::{HOME}:role/Admin", f"arn:aws:iam::{HOME}:role/team/App", f"arn:aws:iam::{HOME}:user/ann", f"arn:aws:iam::{OTHER}:role/Admin",
    f"arn:aws:iam::{HOME}:role/AWSServiceRoleForConfig", ROLE.replace(HOME, OTHER), f"{ROLE}2", MACIE,
    f"arn:aws:iam::{HOME}:role/aws-service-role-x/config.amazonaws.com/AWSServiceRoleForConfig",
]  # fmt: skip
ACTIONS = ["s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:ListBucket", "s3:GetObject", "s3:DeleteBucket"]
#: What the role's own requests look like: from AWS's network, or without a network at all.
OF_AWS = {
    "aws:SourceIp": (None, "52.94.76.9"),
    "aws:SourceVpce": (None, "vpce-0fedcba9876543210"),
    "aws:SourceVpc": (None, "vpc-0fedcba9876543210"),
    "aws:SecureTransport": (None, "true"),
    "aws:MultiFactorAuthPresent": (None, "false"),
}
CERTAIN = {
    "aws:PrincipalOrgID": ORGANIZATION,
    "aws:PrincipalType": "AssumedRole",
    "aws:PrincipalIsAWSService": "false",
    "aws:ViaAWSService": "false",
}
KEYS = {
    "aws:SourceIp": (["203.0.113.0/24", "198.51.100.7/32", "2001:db8::/40"], ["IpAddress", "NotIpAddress", "NotIpAddressIfExists"]),
    "aws:SourceVpce": (["vpce-1a2b3c4d5e6f7a8b9", "vpce-9f8e7d6c5b4a39281"], ["StringEquals", "StringNotEquals", "StringNotEqualsIfExists", "StringNotLike"]),
    "aws:SourceVpc": (["vpc-1a2b3c4d5e6f7a8b9"], ["StringEquals", "StringNotEquals", "StringNotEqualsIgnoreCase"]),
    "aws:SecureTransport": (["false"], ["Bool"]),
    "aws:PrincipalOrgID": ([ORGANIZATION, "o-other00000"], ["StringEquals", "StringNotEquals", "StringNotEqualsIfExists"]),
    "aws:PrincipalIsAWSService": (["false", "true"], ["Bool", "BoolIfExists"]),
    "aws:ViaAWSService": (["false"], ["Bool", "BoolIfExists"]),
    "aws:PrincipalAccount": ([HOME, OTHER], ["StringEquals", "StringNotEquals"]),
    "aws:PrincipalType": (["AssumedRole", "User"], ["StringEquals", "StringNotLike"]),
    "aws:CalledVia": (["true", "false"], ["Null"]),
    "aws:MultiFactorAuthPresent": (["true"], ["Bool"]),
    "aws:PrincipalArn": (
        [*PEOPLE[:4], f"arn:aws:iam::{HOME}:role/team/*", "arn:aws:iam::*:role/Adm*"],
        ["ArnNotLike", "ArnNotEquals", "StringNotLike", "StringNotEquals", "ArnNotLikeIfExists", "StringNotEqualsIgnoreCase", "ArnLike"],
    ),
}  # fmt: skip


@st.composite
def conditions(draw):
    """Draw a Condition element of up to three keys."""
    found = {}
    for key in draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=3, unique=True)):
        values, operators = KEYS[key]
        chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        shape = chosen[0] if len(chosen) == 1 and draw(st.booleans()) else chosen
        found.setdefault(draw(st.sampled_from(operators)), {})[key] = shape
    return found


@st.composite
def statements(draw, effect):
    """Draw a statement."""
    some = draw(
        st.lists(st.sampled_from([*ACTIONS, "s3:*", "s3:Get*", "*"]), min_size=1, max_size=3, unique=True)
    )
    made = {"Effect": effect}
    if effect == "Deny" and draw(st.integers(0, 4)) == 0:
        made["NotPrincipal"] = {
            "AWS": draw(
                st.lists(
                    st.sampled_from([*PEOPLE[:3], ROLE, f"arn:aws:iam::{HOME}:root"]),
                    min_size=1,
                    max_size=3,
                    unique=True,
                )
            )
        }
    else:
        made["Principal"] = draw(
            st.sampled_from(
                ["*", {"AWS": "*"}, {"AWS": f"arn:aws:iam::{HOME}:root"}, {"AWS": [PEOPLE[0], PEOPLE[3]]}]
            )
        )
    made["NotAction" if effect == "Deny" and draw(st.integers(0, 5)) == 0 else "Action"] = some
    made["Resource"] = draw(st.sampled_from(["*", BUCKET, [BUCKET, f"{BUCKET}/*"], f"{BUCKET}/secret/*"]))
    condition = draw(conditions())
    return made | ({"Condition": condition} if condition else {})


@st.composite
def policies(draw):
    """Draw a policy with at least one Deny, its statements named."""
    found = draw(st.lists(statements("Deny"), min_size=1, max_size=4)) + draw(
        st.lists(statements("Allow"), max_size=2)
    )
    found = [{"Sid": f"S{number}"} | each for number, each in enumerate(found)]
    single = len(found) == 1 and draw(st.booleans())
    return {"Version": "2012-10-17", "Statement": found[0] if single else found}


def fixed(policy, actions, owner, *, all_slrs):
    """Ask for the change that lets the role in, as `explain` does; None if none is offered."""
    requests = [
        linked_request(
            ROLE,
            action,
            f"{BUCKET}/a" if "Object" in action else BUCKET,
            resource_account=owner,
            organization=ORGANIZATION,
        )
        for action in actions
    ]
    target = Target(BUCKET, kind_of(BUCKET), json.dumps(policy), "policy")
    found = propose(
        target, requests, for_resource((own_policy(ROLE),)), admitted(ROLE, all_slrs=all_slrs), Told()
    )
    event("refused" if isinstance(found, Refused) else "fixed")
    return None if isinstance(found, Refused) else (found, requests)


ASKED = st.lists(st.sampled_from(ACTIONS[:3]), min_size=1, max_size=3, unique=True)
LONG = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@LONG
@given(policies(), ASKED, st.sampled_from([HOME, OTHER]), st.booleans(), st.data())
def test_a_change_lets_the_role_in_by_another_evaluator_too(policy, actions, owner, all_slrs, data):
    """However its requests come from AWS's network, unless a statement that the proof names as a proviso denies them."""
    found = fixed(policy, actions, owner, all_slrs=all_slrs)
    if found is None:
        return
    fix, requests = found
    context = CERTAIN | {key: data.draw(st.sampled_from(values)) for key, values in OF_AWS.items()}
    context = {key: value for key, value in context.items() if value is not None}
    kept = [
        each for each in naive.listed(fix.document["Statement"]) if each.get("Sid") not in fix.proof.provided
    ]
    for request in requests:
        said, _ = naive.decide({"Statement": kept}, ROLE, request.action, request.resource, context)
        assert said in (("allow",) if owner == OTHER else ("allow", ""))


@LONG
@given(policies(), ASKED, st.sampled_from([HOME, OTHER]), st.booleans(), st.data())
def test_a_change_changes_nothing_for_anybody_else(policy, actions, owner, all_slrs, data):
    """Over requests that are drawn in another way than those of the proof; nor for the role where it is not about."""
    found = fixed(policy, actions, owner, all_slrs=all_slrs)
    if found is None:
        return
    after = found[0].document
    people = [each for each in PEOPLE if not (all_slrs and each in (MACIE, f"{ROLE}2"))]
    for _ in range(20):
        asks = data.draw(st.sampled_from(people))
        action, resource = (
            data.draw(st.sampled_from([*ACTIONS, "s3:PutObject"])),
            data.draw(st.sampled_from([BUCKET, f"{BUCKET}/secret/a", f"{BUCKET}/b"])),
        )
        context = {
            key: data.draw(
                st.sampled_from(
                    [value.partition("/")[0] for value in values] + ["elsewhere", "true", "false"]
                )
            )
            for key, (values, _) in KEYS.items()
            if key not in ("aws:PrincipalArn", "aws:PrincipalAccount") and data.draw(st.booleans())
        }
        was, now = (naive.decide(each, asks, action, resource, context)[0] for each in (policy, after))
        assert was == now, (asks, action, resource, context)


@LONG
@given(policies(), ASKED, st.booleans())
def test_the_json_patch_gives_the_policy_that_is_printed(policy, actions, all_slrs):
    """By another implementation of RFC 6902; and the text that is written is that policy."""
    found = fixed(policy, actions, HOME, all_slrs=all_slrs)
    if found is None:
        return
    fix, _ = found
    shown = fix.to_json()
    assert (
        jsonpatch.apply_patch(policy, shown["json_patch"])
        == shown["policy_after"]
        == json.loads(shown["command_file"]["content"])
    )
    assert "::*:" not in json.dumps(shown["json_patch"])
