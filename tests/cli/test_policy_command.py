"""`rolewatch policy evaluate`, called as people and programs call it."""

import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "policies.md"
QUESTION = {
    "request": {"principal": "arn:aws:iam::111111111111:role/app", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"},
    "identity_policies": [{"name": "app", "policy": {"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
    ]}}],
}  # fmt: skip


def documented():
    """Give the file and the two outputs that the documentation shows."""
    text = DOCS.read_text()
    question = re.search(r"```json title=\"request.json\"\n(.*?)```", text, re.DOTALL)[1]
    table, found = (
        re.search(rf"\$ {re.escape(command)}\n(.*?)```", text, re.DOTALL)[1]
        for command in (
            "rolewatch policy evaluate request.json",
            "rolewatch policy evaluate request.json --format json | jq .decided_by",
        )
    )
    return question, table, found


def test_the_documented_example_is_decided_as_documented(call, here):
    """The file of the documentation gives what the documentation shows."""
    question, table, decided_by = documented()
    (here / "request.json").write_text(question)
    assert call("policy", "evaluate", "request.json") == (0, table, "")
    status, out, err = call("policy", "evaluate", "request.json", "--format", "json")
    assert (status, err) == (0, "")
    assert json.loads(out)["decided_by"] == json.loads(decided_by)


def test_a_question_comes_from_standard_input(cli):
    """The file may be standard input, and the time of the request is now."""
    done = cli("policy", "evaluate", "-", "--format", "json", stdin=json.dumps(QUESTION).encode())
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["decision"], found["decided_by"]["sid"]) == ("allowed", "Read")
    assert found["decided_by"]["file"] == "standard input"


@pytest.mark.parametrize(("content", "message"), [
    (b"{", "q.json:1:2: Template format error: JSON not well-formed"),
    (b"", "q.json:1:1: the file is empty"),
    (b"\xff", "q.json:1:1: not UTF-8"),
    (b'{"bindings": [], "etag": "x"}', "q.json:1:2: 'bindings' is no part of the file"),
    (json.dumps({**QUESTION, "resource_policy": {"properties": {"mode": "All"}}}).encode(), "'properties' is no part of a policy"),
    (json.dumps({**QUESTION, "resource_policy": '{"bindings": []}'}).encode(), "q.json:resource_policy:1:2: this is no policy of AWS"),
])  # fmt: skip
def test_what_is_wrong_ends_with_status_2(call, here, content, message):
    """A file that makes no sense ends the command with 2, and the place is told."""
    (here / "q.json").write_bytes(content)
    status, out, err = call("policy", "evaluate", "q.json")
    assert (status, out) == (2, "")
    assert message in err


def test_a_file_that_is_not_there(call):
    """A file that does not exist is a SOURCE that means nothing."""
    status, out, err = call("policy", "evaluate", "nowhere.json")
    assert (status, out) == (2, "")
    assert "nowhere.json: No such file or directory" in err
    assert call("policy", "judge", "x.json")[0] == 2
