"""Policies read from text: what is wrong is told with its place and a remedy, and nothing else is ever raised."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import UsageError
from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.layers import Policies
from rolewatch.policies.reading import LARGEST, MOST_STATEMENTS, read_policy, value_of
from rolewatch.policies.request import context_of, make_request, principal_of
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.source import Source

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def text_of(*statements, **more):
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", **more, "Statement": list(statements)})


def test_everything_is_read_with_its_place():
    """A policy keeps its name, version, statements, their places, and what is written."""
    text = '{\n "Version": "2012-10-17",\n "Statement": [\n  {"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},\n  {"Effect": "Deny", "NotAction": ["a:B"],\n   "NotResource": "*", "Condition": {"Bool": {"k": true}}}\n ]}'
    policy = read_policy(text, "name", file="policy.json")
    one, two = policy.statements
    assert (policy.name, policy.version, policy.raw) == ("name", "2012-10-17", json.loads(text))
    assert (str(one.place), one.name, one.effect, one.number) == ("policy.json:4:3", "A", "Allow", 1)
    assert (str(two.place), two.name, two.effect, two.number) == (
        "policy.json:5:3",
        "statement 2",
        "Deny",
        2,
    )
    assert (two.tests[0].operator, two.tests[0].key, two.tests[0].values) == ("Bool", "k", ("true",))
    assert two.actions.word == "NotAction"


def test_one_statement_needs_no_list():
    """A single statement may stand without a list, and the version may be left out."""
    policy = read_policy(json.dumps({"Id": "x", "Statement": STATEMENT}), "p")
    assert policy.version == "2008-10-17"
    assert len(policy.statements) == 1


WRONG = {
    "": "p:1:1: the policy is empty",
    "{": "p:1:2: Template format error: JSON not well-formed: a key in double quotes is wanted here",
    "[]": "p:1:1: a policy is wanted, an object with a Statement; this is a list",
    "null": "p:1:1: a policy is wanted, an object with a Statement; this is null",
    "{}": "p:1:1: a policy without a Statement",
    '{"Version": "2012-10-17"}': "p:1:1: a policy without a Statement",
    '{"Version": "2012-10-18", "Statement": []}': "p:1:13: Version '2012-10-18' is none",
    '{"Version": ["2012-10-17"], "Statement": []}': "p:1:13: Version is a text; this is a list",
    '{"Version": "2012-10-17", "Statements": []}': "p:1:27: 'Statements' is no element of a policy (did you mean Statement?)",
    '{"Statement": [], "Statement": []}': "p:1:19:",
    '{"Statement": [7]}': "p:1:16: a statement is an object; this is a text",
    '{"Statement": [{"Action": "s3:*", "Resource": "*"}]}': "p:1:16: a statement without an Effect",
    '{"Statement": [{"Effect": "allow", "Action": "s3:*", "Resource": "*"}]}': "p:1:27: Effect 'allow' is none",
    '{"Statement": [{"Effect": "Allow", "Resource": "*"}]}': "p:1:16: a statement without Action or NotAction",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}]}': "p:1:54: Action and NotAction in one statement",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "NotResource": "*"}]}': "p:1:71: Resource and NotResource in one statement",
    '{"Statement": [{"Effect": "Allow", "Principal": "*", "NotPrincipal": "*", "Action": "s3:*"}]}': "p:1:54: Principal and NotPrincipal in one statement",
    '{"Statement": [{"Effect": "Allow", "Action": "GetObject", "Resource": "*"}]}': "p:1:46: 'GetObject' is no action",
    '{"Statement": [{"Effect": "Allow", "Action": "*GetObject", "Resource": "*"}]}': "p:1:46: '*GetObject' is no action",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:Get Object", "Resource": "*"}]}': "p:1:46: 's3:Get Object' is no action",
    '{"Statement": [{"Effect": "Allow", "Action": [null], "Resource": "*"}]}': "p:1:47: Action is a text or a list of texts; this is null",
    '{"Statement": [{"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}]}': "p:1:46: Action is a text or a list of texts; this is a mapping",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "my-bucket"}]}': "p:1:66: 'my-bucket' is no resource",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "me"}]}': "p:1:84: Principal 'me' is none",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": ["*"]}]}': 'p:1:67: Principal is "*" or an object; this is a list',
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": {"Aws": "*"}}]}': "p:1:68: 'Aws' is no element of Principal (did you mean AWS?)",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}}]}': "p:1:75: 'arn:aws:iam::123456789012:role/*' is no principal of kind AWS",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": {"AWS": "arn:aws:iam::123456789012:group/a"}}]}': "p:1:75: 'arn:aws:iam::123456789012:group/a' is no principal of kind AWS",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": {"AWS": "config.amazonaws.com"}}]}': "p:1:75: 'config.amazonaws.com' is no principal of kind AWS",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Condition": []}]}': "p:1:67: Condition is an object of operators; this is a list",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Condition": {"Bool": "x"}}]}': "p:1:76: Bool is an object of keys; this is a text",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Condition": {"Bool": {"k": null}}}]}': "p:1:82: Bool k is a text or a list of texts; this is null",
    '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Condition": {"Bool": {"k": "a", "k": "b"}}}]}': "p:1:87:",
    '{"Statement": [{"Efect": "Allow", "Action": "s3:*"}]}': "p:1:17: 'Efect' is no element of a statement (did you mean Effect?)",
    '{"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}], "etag": "x", "version": 1}': "p:1:2: this is no policy of AWS (a policy of AWS is written",
    '{"properties": {"mode": "All", "policyRule": {"if": {}, "then": {"effect": "deny"}}}}': "p:1:2: this is no policy of AWS (a policy of AWS is written",
    '{"Name": "Custom", "Actions": ["*/read"], "AssignableScopes": ["/"]}': "p:1:2: this is no policy of AWS (a policy of AWS is written",
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_what_is_wrong_is_told_with_its_place(text, message):
    """A policy that makes no sense is refused, with the line and the column of what is wrong."""
    with pytest.raises(TemplateError) as caught:
        read_policy(text, "p")
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_too_large_policies_are_refused():
    """A policy that is larger than AWS takes any, or has too many statements, is refused before work is put in."""
    with pytest.raises(TemplateError, match="AWS takes none of more than 131,072"):
        read_policy(" " * LARGEST + text_of(STATEMENT), "p")
    with pytest.raises(TemplateError, match="more than 2,000 statements"):
        read_policy(text_of(*[{}] * (MOST_STATEMENTS + 1)), "p")
    with pytest.raises(TemplateError, match="nested more than 100 levels deep"):
        read_policy("[" * 200, "p")


def test_principals_stand_where_they_belong():
    """A policy of who asks names no principals, a resource's does."""
    resource = text_of({**STATEMENT, "Principal": "*"})
    assert read_policy(resource, "p", principals=True).statements[0].principals
    assert read_policy(text_of(STATEMENT), "p", principals=False).statements[0].principals is None
    with pytest.raises(TemplateError, match="Principal in a policy that is attached to who asks"):
        read_policy(resource, "p", principals=False)
    with pytest.raises(TemplateError, match="resource-based policy without Principal"):
        read_policy(text_of(STATEMENT), "p", principals=True)
    with pytest.raises(TemplateError, match="without Resource or NotResource"):
        read_policy(text_of({"Effect": "Allow", "Action": "s3:*"}), "p", principals=False)


def test_values_are_given_as_json_gives_them():
    """What stands in a policy is kept as JSON's values, numbers that are too long for Python included."""
    text = f'{{"a": [1, 2.5, true, null, "x"], "b": {{"c": {"9" * 5000}}}}}'
    found = value_of(json_nodes(Source("x", text)))
    assert found == {"a": [1, 2.5, True, None, "x"], "b": {"c": "9" * 5000}}


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from([
    "*", "Allow", "Deny", "2012-10-17", "s3:*", "s3:GetObject", "arn:aws:s3:::b/*", "${aws:username}", "${*}", "${", "123456789012",
    "arn:aws:iam::123456789012:role/a", "AROAEXAMPLEID123456", "config.amazonaws.com", "\ue000", "\ud800", "", "10.0.0.0/8", "2026-01-01", "true",
]), st.text(max_size=5))  # fmt: skip
KEYS = st.sampled_from([
    "Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
    "AWS", "Service", "Federated", "CanonicalUser", "StringEquals", "ForAllValues:StringLike", "Null", "BoolIfExists", "DateLessThan",
    "IpAddress", "ArnLike", "NumericEquals", "BinaryEquals", "Weird", "aws:username", "aws:PrincipalTag/x", "",
])  # fmt: skip
ANY = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12)  # fmt: skip
CONDITIONS = st.dictionaries(KEYS, st.dictionaries(KEYS, st.one_of(LEAVES, st.lists(LEAVES, max_size=3)), max_size=2), max_size=2)  # fmt: skip
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": st.sampled_from(["*", "s3:*", "s3:Get?bject"])},
    optional={"Resource": LEAVES, "Principal": ANY, "NotPrincipal": ANY, "Condition": st.one_of(CONDITIONS, ANY), "Sid": LEAVES},
)  # fmt: skip
WHOLE = st.one_of(ANY, st.fixed_dictionaries({"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Statement": st.one_of(STATEMENTS, st.lists(STATEMENTS, max_size=3))}))  # fmt: skip
ASKING = ["arn:aws:iam::123456789012:role/a", "arn:aws:sts::123456789012:assumed-role/a/b", "*", "config.amazonaws.com", "123456789012"]  # fmt: skip


@given(WHOLE, st.sampled_from(ASKING), st.dictionaries(KEYS, st.lists(st.text(max_size=4), max_size=2)), st.booleans())  # fmt: skip
def test_any_json_is_read_or_refused(value, principal, known, complete):
    """Whatever JSON comes, it is read and decided, or refused by an error that ends the command with status 2."""
    policy = None
    with suppress(UsageError):
        policy = read_policy(json.dumps(value), "p")
    if policy is None:
        return
    request = make_request(principal_of(principal), "s3:GetObject", "arn:aws:s3:::b/k", "123456789012", context_of(known, complete=complete))  # fmt: skip
    decision = evaluate(
        request, Policies(identity=[policy], resource=policy, boundaries=[policy], endpoint=[policy])
    )
    assert decision.outcome in ("allowed", "explicit_deny", "implicit_deny", "depends")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    """Whatever text comes, nothing but that error is raised."""
    with suppress(UsageError):
        assert read_policy(text, "p").name == "p"
