"""The file of `rolewatch policy evaluate`: what it may hold, and what is wrong with others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import UsageError
from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.layers import Policies
from rolewatch.policies.question import LONGEST, read_question
from rolewatch.policies.reading import LARGEST, read_policy
from rolewatch.policies.request import context_of, make_request, principal_of
from rolewatch.templates.errors import TemplateError

ROLE = "arn:aws:iam::111111111111:role/app"
REQUEST = {"principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}  # fmt: skip


def read(*, now=None, request=None, **more):
    """Read a question."""
    return read_question(json.dumps({"request": {**REQUEST, **(request or {})}, **more}).encode(), "q.json", now)  # fmt: skip


@pytest.mark.parametrize("written", [POLICY, {"policy": POLICY}, {"name": "mine", "policy": POLICY}, json.dumps(POLICY), {"name": "mine", "policy": json.dumps(POLICY)}])  # fmt: skip
def test_a_policy_stands_in_several_ways(written):
    """A policy is an object or text, as AWS's APIs return it, with a name beside it or not."""
    question = read(identity_policies=[written])
    policy = question.policies.identity[0]
    assert policy.name == ("mine" if "mine" in json.dumps(written) else "policy 1")
    assert policy.raw == POLICY
    assert policy.statements[0].place.file.startswith("q.json")
    assert evaluate(*question).outcome == "allowed"


def test_the_account_of_the_resource_is_the_principals_unless_it_is_given():
    """Without resource_account, the resource is of the principal's account."""
    assert read().request.resource_account == "111111111111"
    assert read(request={"resource_account": "222222222222"}).request.resource_account == "222222222222"
    assert read(request={"principal": "*"}).request.resource_account == ""


def test_both_times_are_there():
    """Each request tells its time in two ways: of the clock, of the file, or one by the other."""
    now = "2026-06-01T00:00:00Z"
    cases = (
        ({}, ("2026-06-01T00:00:00Z", "1780272000")),
        ({"context": {"aws:currenttime": "2026-01-01"}}, ("2026-01-01", "1767225600")),
        ({"context": {"aws:EpochTime": 1767225600}}, ("2026-01-01T00:00:00Z", "1767225600")),
        ({"absent": ["aws:CurrentTime"]}, (None, None)),
        ({"context": {"aws:CurrentTime": "x"}}, ("x", None)),
    )
    for request, (time, seconds) in cases:
        context = read(now=now, request=request).request.context
        assert context.of("aws:currenttime") == ((time,) if time else None)
        assert context.of("aws:epochtime") == ((seconds,) if seconds else None)
    assert read().request.context.of("aws:currenttime") is None


def test_context_is_complete_unless_it_is_said_not_to_be():
    """Keys that are not given are absent, or, where the context is not complete, not known."""
    condition = {**POLICY["Statement"][0], "Condition": {"StringEquals": {"k:x": "a"}}}
    policies = {"identity_policies": [{"Version": "2012-10-17", "Statement": condition}]}
    assert evaluate(*read(**policies)).outcome == "implicit_deny"
    assert evaluate(*read(request={"context_complete": False}, **policies)).missing == ("k:x",)
    assert evaluate(*read(request={"context": {"K:X": "a"}}, **policies)).outcome == "allowed"
    assert evaluate(*read(request={"context_complete": False, "absent": "k:x"}, **policies)).outcome == "implicit_deny"  # fmt: skip


WRONG = [
    ({"request": None}, "the file names no request", {}),
    ({}, "the request has no action", {"action": ""}),
    ({}, "'GetObject' is no action of a request", {"action": "GetObject"}),
    ({}, r"'s3:\*' is no action of a request", {"action": "s3:*"}),
    ({}, "'me' is no principal", {"principal": "me"}),
    ({}, "principal is a text; this is a list", {"principal": []}),
    ({}, "'actions' is no part of request", {"actions": "x"}),
    ({"identity_policy": POLICY}, "'identity_policy' is no part of the file", {}),
    ({"identity_policies": POLICY}, "identity_policies is a list; this is a mapping", {}),
    ({"identity_policies": [7]}, "JSON not well-formed|a policy is wanted", {}),
    ({"identity_policies": [{"name": "x"}]}, "no policy stands here", {}),
    ({"identity_policies": [{"policy": POLICY, "arn": "x"}]}, "'arn' is no part of a policy", {}),
    ({"identity_policies": [""]}, "the policy is empty", {}),
    ({"identity_policies": [" " * (LARGEST + 1)]}, "a policy of 131,073 characters", {}),
    ({"identity_policies": ["{"]}, "identity_policies.0.:1:2", {}),
    ({"resource_policy": POLICY}, "resource-based policy without Principal", {}),
    ({"service_control_policies": [POLICY]}, "is no part of a level", {}),
    ({"service_control_policies": [{"level": "x"}]}, "a level without policies", {}),
    ({"resource_control_policies": [{"policies": [{"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "Action": "*"}}]}]}, "NotPrincipal in a control policy", {}),
    ({}, "k:x has no value", {"context": {"k:x": None}}),
    ({}, "K:X is given twice", {"context": {"k:x": "a", "K:X": "b"}}),
    ({}, "K:X is given and absent", {"context": {"k:x": "a"}, "absent": ["K:X"]}),
    ({}, "context is an object; this is a list", {"context": []}),
    ({}, "neither true nor false", {"context_complete": "maybe"}),
    ({}, "no user whose session this is", {"federated_by": "arn:aws:iam::111111111111:user/a"}),
    ({}, "resource has more than 131,072 characters", {"resource": "x" * (LONGEST + 1)}),
    ({"grants": {}}, "an object without Grants", {}),
    ({"grants": 7}, "grants is a list of grants", {}),
    ({"grants": [{"Operations": ["Decrypt"]}]}, "a grant without GranteePrincipal", {}),
    ({"grants": [{"GranteePrincipal": ROLE}]}, "a grant without Operations", {}),
    ({"grants": [{"GranteePrincipal": ROLE, "Operations": [{}]}]}, "an operation is a text", {}),
    ({"grants": [{"GranteePrincipal": ROLE, "Operations": [], "Constraints": {"Other": {}}}]}, "'Other' is no part of Constraints", {}),
    ({"grants": [{"GranteePrincipal": ROLE, "Operations": [], "Constraints": {"EncryptionContextEquals": []}}]}, "EncryptionContextEquals is an object", {}),
]  # fmt: skip


@pytest.mark.parametrize(("more", "message", "request_more"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_with_its_place(more, message, request_more):
    """A file that makes no sense is refused, with the place and what to do."""
    whole = {"request": {**REQUEST, **request_more}, **more}
    whole = {key: value for key, value in whole.items() if key != "request" or value is not None}
    with pytest.raises(TemplateError, match=message) as caught:
        read_question(json.dumps(whole, indent=1).encode(), "q.json")
    assert str(caught.value).startswith("q.json:")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"7", b'{"request": 7}', b'{"request": {}, "request": {}}']
)
def test_what_is_no_question(content):
    """Something else is refused."""
    with pytest.raises(UsageError):
        read_question(content, "q.json")


VALUES = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["*", ROLE, "s3:GetObject", "a", "", "Decrypt"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "policy", "level", "policies", "Grants", "GranteePrincipal", "Operations", "Constraints", "EncryptionContextSubset", "k", "Statement"]), inner, max_size=3)), max_leaves=8)  # fmt: skip
PARTS = st.sampled_from(["identity_policies", "resource_policy", "permission_boundaries", "session_policies", "service_control_policies", "resource_control_policies", "vpc_endpoint_policies", "grants"])  # fmt: skip
ASKED = st.dictionaries(st.sampled_from(["principal", "principal_id", "federated_by", "action", "resource", "resource_account", "context", "absent", "context_complete"]), VALUES, max_size=3)  # fmt: skip


@given(ASKED, st.dictionaries(PARTS, VALUES, max_size=3))
def test_any_file_is_read_or_refused(request_more, more):
    """Whatever JSON comes, it is decided, or refused by an error that ends the command with status 2."""
    outcome = refused = None
    try:
        question = read_question(json.dumps({"request": {**REQUEST, **request_more}, **more}).encode(), "q", "2026-01-01T00:00:00Z")  # fmt: skip
        outcome = evaluate(*question).outcome
    except UsageError as error:
        refused = error.exit_code
    assert (outcome in ("allowed", "explicit_deny", "implicit_deny", "depends"), refused) in ((True, None), (False, 2))  # fmt: skip


def test_what_decides_is_what_names_who_asks_most_closely():
    """Of several statements that allow, the one that is enough by itself is named."""
    policy = read_policy(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:*", "Resource": "*"},
        {"Sid": "Role", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"},
    ]}), "bucket")  # fmt: skip
    request = make_request(principal_of(ROLE), "s3:GetObject", "arn:aws:s3:::b/k", "111111111111", context_of({}))  # fmt: skip
    decision = evaluate(request, Policies(resource=policy))
    assert (decision.outcome, decision.decided_by.applied.statement.sid) == ("allowed", "Role")


def test_missing_keys_are_those_that_matter():
    """A key that only an allowance beside a certain one asks for is not listed."""
    unsure = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"k:allow": "a"}}}  # fmt: skip
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"k:deny": "a"}}}  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [unsure, POLICY["Statement"][0], deny]}
    decision = evaluate(*read(request={"context_complete": False}, identity_policies=[policy]))
    assert (decision.outcome, decision.missing) == ("depends", ("k:deny",))
    alone = evaluate(*read(request={"context_complete": False}, identity_policies=[{**policy, "Statement": [unsure, deny]}]))  # fmt: skip
    assert alone.missing == ("k:allow", "k:deny")
    denied = evaluate(*read(request={"context_complete": False}, identity_policies=[{**policy, "Statement": [deny]}]))  # fmt: skip
    assert (denied.outcome, denied.missing) == ("implicit_deny", ())
