"""Annotations of GitHub Actions: one line each, with what would end a message or a property escaped."""

import io

import pytest

from rolewatch.report.lockouts_github import write

STATEMENT = {
    "policy": "p",
    "sid": "Vpc",
    "number": 1,
    "file": "p.json",
    "line": 4,
    "column": 5,
    "path": "Statement[0]",
}
LOCKOUT = {
    "service_name": "AWS Config",
    "severity": "high",
    "resource": "arn:aws:s3:::b",
    "address": None,
    "statement": STATEMENT,
    "statements": [],
}
AT = "file=p.json,line=4,col=5"
SAID = "Statement Vpc would shut 1 service-linked role out of arn:aws:s3:::b: AWS Config."


def lines(**report):
    """Write a report, and return its lines."""
    out = io.StringIO()
    write({"lockouts": [], "depends": [], "notes": [], "unread": [], **report}, out)
    return out.getvalue().splitlines()


def test_a_lockout():
    """A statement is an error at its place, which names the services."""
    assert lines(lockouts=[LOCKOUT]) == [f"::error {AT},title=Service-linked roles shut out::{SAID}"]


def test_one_line_for_a_statement():
    """All roles that one statement shuts out are one annotation."""
    others = [{**LOCKOUT, "service_name": f"Service {number}"} for number in range(20)]
    found = lines(lockouts=others)
    assert len(found) == 1
    assert "20 service-linked roles" in found[0]
    assert found[0].endswith("Service 11 and 8 more.")


def test_levels():
    """What depends is a notice, a mistake a warning, and so is what was not checked."""
    note = {"rule": "source-vpce", "message": "no", "statement": STATEMENT}
    unread = {"where": "t.yaml:1:1", "reason": "later"}
    found = lines(
        depends=[{**LOCKOUT, "missing_context": ["aws:SecureTransport"]}], notes=[note], unread=[unread]
    )
    assert [line.split(" ")[0] for line in found] == ["::notice", "::warning", "::warning"]
    assert "It hangs on aws:SecureTransport." in found[0]
    assert found[2] == "::warning title=Not checked::t.yaml:1:1: later"


@pytest.mark.parametrize(
    ("sid", "shown"),
    [
        ("a%0Ab", "a%250Ab"),
        ("a\nb", "a\\x0ab"),
        ("a\r::error::b", "a\\x0d::error::b"),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_escapes(sid, shown):
    """A Sid neither ends the line nor becomes a command."""
    found = lines(lockouts=[{**LOCKOUT, "statement": {**STATEMENT, "sid": sid}}])
    assert len(found) == 1
    assert f"Statement {shown} would shut" in found[0]


def test_escapes_of_properties():
    """A file's name ends no property."""
    found = lines(lockouts=[{**LOCKOUT, "statement": {**STATEMENT, "file": "a,line=1:b%.json"}}])
    assert found[0].startswith("::error file=a%2Cline=1%3Ab%25.json,line=4,col=5,title=")


def test_several_statements():
    """A role that several statements shut out is in the annotation of each, since all of them have to be changed."""
    other = {**STATEMENT, "sid": "Mfa", "number": 2, "line": 9, "path": "Statement[1]"}
    found = lines(lockouts=[{**LOCKOUT, "statements": [STATEMENT, other]}])
    assert [line.partition(",title")[0] for line in found] == [
        f"::error {AT}",
        "::error file=p.json,line=9,col=5",
    ]
