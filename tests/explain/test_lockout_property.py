"""What holds of every policy: a statement more that denies shuts out no fewer, one that lets in no more, and roles that are exempt stay in."""

import json

import pytest
from check_files import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.catalog.policy_kinds import kind_of
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import Given
from rolewatch.explain.lockouts import lockouts
from rolewatch.policies.reading import read_policy

BUCKET, QUEUE = "arn:aws:s3:::payroll", "arn:aws:sqs:us-east-1:111122223333:orders"
OWNER = Given("111122223333", "given", "o-a1b2c3d4e5", "given")
CONDITIONS = st.sampled_from(
    [
        None,
        {"Bool": {"aws:SecureTransport": "false"}},
        {"BoolIfExists": {"aws:SecureTransport": "false"}},
        {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}},
        {"StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/app"}},
        {
            "ArnNotLike": {
                "aws:PrincipalArn": "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/*"
            }
        },
        {"StringNotEquals": {"aws:PrincipalTag/team": "a"}},
        {"Null": {"aws:MultiFactorAuthAge": "true"}},
    ]
)
PRINCIPALS = st.sampled_from(
    ["*", {"AWS": "*"}, {"AWS": "111122223333"}, {"AWS": "444455556666"}, {"Service": "config.amazonaws.com"}]
)
ACTIONS = st.sampled_from(
    ["*", "s3:*", "sqs:*", "s3:Get*", "s3:GetObject", "s3:List*", "sqs:GetQueueAttributes"]
)


@st.composite
def statements(draw):
    """Draw a statement for a bucket or a queue."""
    made = {
        "Effect": draw(st.sampled_from(["Deny", "Deny", "Allow"])),
        "Principal": draw(PRINCIPALS),
        "Action": draw(ACTIONS),
    }
    made["Resource"] = draw(
        st.sampled_from(["*", [BUCKET, f"{BUCKET}/*"], f"{BUCKET}/*", f"{BUCKET}/private/*", QUEUE])
    )
    condition = draw(CONDITIONS)
    return {**made, "Condition": condition} if condition else made


def shut_out(resource, listed):
    """Give (role, action) for certain, and those that may be."""
    policy = read_policy(json.dumps({"Version": "2012-10-17", "Statement": listed}), "p")
    found = lockouts(Subject(policy, kind_of(resource), resource, "--resource"), OWNER, NOW)
    return tuple(
        {(each.role_name, action) for each in group for action in each.actions}
        for group in (found.lockouts, found.depends)
    )


@pytest.mark.parametrize("resource", [BUCKET, QUEUE])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(listed=st.lists(statements(), min_size=1, max_size=3), more=statements())
def test_one_statement_more(resource, listed, more):
    """A Deny more shuts out no fewer roles for certain; an Allow more shuts out the same."""
    before, after = shut_out(resource, listed)[0], shut_out(resource, [*listed, more])[0]
    if more["Effect"] == "Deny":
        assert before <= after
    else:
        assert before == after


@pytest.mark.parametrize("resource", [BUCKET, QUEUE])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(listed=st.lists(statements(), min_size=1, max_size=3))
def test_exempt_roles(resource, listed):
    """With every service-linked role exempt in every Deny, nobody is shut out, for certain or perhaps."""
    exempt = {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/aws-service-role/*"}}
    changed = [
        {**each, "Condition": {**each.get("Condition", {}), **exempt}} if each["Effect"] == "Deny" else each
        for each in listed
    ]
    assert shut_out(resource, changed) == (set(), set())
