"""A decision, told as JSON and as text."""

import json

from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.question import read_question
from rolewatch.report.decision import decision_json, decision_text

QUESTION = """{
 "request": {"principal": "arn:aws:iam::111111111111:role/app", "action": "kms:Decrypt", "context_complete": false,
  "resource": "arn:aws:kms:us-east-1:111111111111:key/1", "context": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
 "resource_policy": {"name": "key", "policy": {"Version": "2012-10-17", "Statement": [
  {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:*", "Resource": "*"},
  {"Effect": "Deny", "Principal": {"AWS": ["222222222222"]}, "Action": "kms:*", "Resource": "*"},
  {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "NotAction": "kms:Decrypt", "NotResource": "*"},
  {"Effect": "Deny", "Principal": "*", "Action": ["kms:A*", "kms:B*", "kms:C*", "kms:X*"], "Resource": "*"},
  {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"},
  {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "arn:aws:kms:us-east-1:111111111111:key/2"},
  {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "NotResource": "arn:aws:kms:us-east-1:111111111111:key/*"}]}},
 "identity_policies": [{"name": "app\\u001b[31m", "policy": {"Version": "2012-10-17", "Statement": [
  {"Sid": "Via", "Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}},
  {"Sid": "Vpc", "Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}]}}],
 "service_control_policies": [{"level": "root", "policies": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]}],
 "grants": [{"Name": "one", "GranteePrincipal": "arn:aws:iam::111111111111:role/other", "Operations": ["Decrypt"]}]
}"""


def decided(text=QUESTION):
    """Decide a question."""
    question = read_question(text.encode(), "q.json")
    return evaluate(*question), question.request


def test_json_has_the_decision_the_layers_and_what_is_missing():
    """The JSON says what was decided, by what, what each layer says, and each statement with its place and reason."""
    found = json.loads(json.dumps(decision_json(*decided())))
    assert list(found) == ["decision", "decided_by", "layers", "missing_context"]
    assert (found["decision"], found["missing_context"]) == ("depends", ["aws:SourceVpc"])
    assert found["decided_by"] == {
        "layer": "identity_policies", "policy": "app\x1b[31m", "sid": "Vpc", "statement": 2, "file": "q.json", "line": 14, "column": 3,
        "effect": "Allow", "matches": None, "reason": "hangs on aws:SourceVpc",
    }  # fmt: skip
    layers = found["layers"]
    assert {name: layer["decision"] for name, layer in layers.items()} == {
        "service_control_policies": "allowed", "resource_control_policies": "not_applicable", "vpc_endpoint_policies": "not_applicable",
        "resource_policy": "allowed", "grants": "implicit_deny", "identity_policies": "depends", "permission_boundaries": "not_applicable",
        "session_policies": "not_applicable",
    }  # fmt: skip
    assert layers["permission_boundaries"]["reason"] == "there is none"
    assert layers["service_control_policies"]["statements"][0]["level"] == "root"
    assert layers["grants"]["grants"] == [{"grant": "one", "line": 16, "allows": False, "reason": "it is for arn:aws:iam::111111111111:role/other"}]  # fmt: skip
    assert [(each["matches"], each["reason"]) for each in layers["resource_policy"]["statements"]] == [
        (True, "its elements match, and it has no condition"),
        (False, "Principal does not name arn:aws:iam::111111111111:role/app"),
        (False, "NotAction names kms:Decrypt"),
        (False, "Action kms:A*, kms:B*, kms:C* and 1 more does not match kms:Decrypt"),
        (False, "NotPrincipal names arn:aws:iam::111111111111:role/app"),
        (False, "Resource arn:aws:kms:us-east-1:111111111111:key/2 does not match arn:aws:kms:us-east-1:111111111111:key/1"),
        (False, "NotResource names arn:aws:kms:us-east-1:111111111111:key/1"),
    ]  # fmt: skip
    assert layers["identity_policies"]["statements"][0]["reason"] == 'StringEquals kms:ViaService sqs.us-east-1.amazonaws.com does not hold: "s3.us-east-1.amazonaws.com"'  # fmt: skip


def test_text_says_the_same_to_people():
    """The text says it in lines, marks what matches, and lets no control character through."""
    text = decision_text(*decided())
    lines = text.splitlines()
    assert (
        lines[0] == "arn:aws:iam::111111111111:role/app kms:Decrypt arn:aws:kms:us-east-1:111111111111:key/1"
    )
    assert lines[1] == "depends: not decided: it hangs on what is not known"
    assert "  not known: aws:SourceVpc" in lines
    assert "  + Allow root / policy 1 / statement 1 (q.json:15:101)" in lines
    assert "  - grant one (q.json:16:13)" in lines
    assert "          it is for arn:aws:iam::111111111111:role/other" in lines
    assert any(line.startswith("  ? Allow ") and "Vpc" in line for line in lines)
    assert "\x1b" not in text


def test_what_decided_without_a_statement_is_told():
    """What no statement decided has a reason; a layer that was not asked says why."""
    role = "arn:aws:iam::111111111111:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    linked = QUESTION.replace("arn:aws:iam::111111111111:role/app", role)
    text = decision_text(*decided(linked))
    assert "not asked: service_control_policies (a service-linked role is not restricted by them)" in text
    root = '{"request": {"principal": "111111111111", "action": "s3:GetObject", "resource": "*"}}'
    assert "  by identity_policies: the root user may do everything in its account" in decision_text(*decided(root))  # fmt: skip
    assert "  no statement" in decision_text(*decided(root))
    found = decision_json(*decided(root.replace("111111111111", "arn:aws:iam::111111111111:user/a")))
    assert found["decided_by"] == {"layer": "identity_policies", "policy": None, "sid": None, "statement": None, "line": None, "reason": "no statement of identity policies allows it"}  # fmt: skip


def test_a_grant_that_decides_is_named():
    """Where a grant allows, the grant is named with its line."""
    granted = decided(QUESTION.replace("role/other", "role/app"))
    found = decision_json(*granted)["decided_by"]
    assert (found["layer"], found["grant"], found["line"], found["reason"]) == ("grants", "one", 16, "the grant one allows it")  # fmt: skip
    assert "by grants: the grant one allows it" in decision_text(*granted)
