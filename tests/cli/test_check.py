"""`rolewatch check`: files on the command line, lockouts on standard output, the exit status."""

import json

import pytest

from rolewatch.cli.main import main

VPC_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyVpc",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"],
            "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}},
        }
    ],
}
ORDINARY = {
    "Statement": {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::www/*",
    }
}
TLS_IF_EXISTS = {
    "Statement": {
        "Sid": "Tls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::payroll/*",
        "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}},
    }
}
CONFIG = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the working folder, and return its name."""
    monkeypatch.chdir(tmp_path)

    def written(name, content):
        tmp_path.joinpath(name).write_text(
            content if isinstance(content, str) else json.dumps(content, indent=2)
        )
        return name

    return written


def told(capsys, *words):
    """Run `check` and return exit status, standard output and stderr."""
    status = main(["check", *words], {})
    return status, *capsys.readouterr()


def test_a_lockout(write, capsys):
    """A lockout has its service, role, actions, statement with its place, and what stops working with the source."""
    status, out, err = told(capsys, write("p.json", VPC_ONLY), "--format", "json")
    report = json.loads(out)
    assert (status, err) == (1, "")
    config = next(each for each in report["lockouts"] if each["role_name"] == "AWSServiceRoleForConfig")
    assert config["service"] == "config.amazonaws.com"
    assert config["service_name"] == "AWS Config"
    assert config["severity"] == "high"
    assert "s3:GetBucketAcl" in config["actions"]
    assert config["action_count"] == len(config["actions"])
    assert config["statement"] == {
        "policy": "p.json", "sid": "OnlyVpc", "number": 1, "file": "p.json", "line": 4, "column": 5, "path": "Statement[0]",
    }  # fmt: skip
    assert config["consequence"] == "AWS Config may not record changes of this bucket, nor notify of them."
    assert config["consequence_source"].startswith("AWS Config developer guide")
    assert report["checked"][0]["account_from"].startswith("a placeholder")


def test_security_services_come_first(write, capsys):
    """Security services come before the others."""
    _, out, _ = told(capsys, write("p.json", VPC_ONLY), "--format", "json")
    severities = [each["severity"] for each in json.loads(out)["lockouts"]]
    assert severities == sorted(severities, key=("high", "medium").index)
    assert set(severities) == {"high", "medium"}


def test_the_table(write, capsys):
    """The table has the answer first, then the statement, each role below it, the mistakes, and what was taken for granted."""
    status, out, _ = told(capsys, write("p.json", VPC_ONLY))
    lines = out.splitlines()
    assert status == 1
    assert lines[0].startswith("13 service-linked roles would be shut out of 1 resource (1 policy checked")
    assert "arn:aws:s3:::payroll: Statement OnlyVpc (p.json:4:5)" in lines
    assert "  high      AWS Config (AWSServiceRoleForConfig)" in lines
    assert "Mistakes" in lines
    assert "Taken for granted" in lines


def test_silence(write, capsys):
    """A policy that shuts nobody out ends with 0, and says so in one line."""
    status, out, err = told(capsys, write("p.json", ORDINARY))
    assert (status, err) == (0, "")
    assert out.startswith("No service-linked role would be shut out by 1 policy (role policies of ")
    assert out.count("\n") == 1


def test_what_depends(write, capsys):
    """What hangs on facts that nothing tells is listed apart, and counts as found only with --strict."""
    name = write("p.json", TLS_IF_EXISTS)
    status, out, _ = told(capsys, name, "--format", "json")
    report = json.loads(out)
    assert (status, report["lockouts"]) == (0, [])
    assert {tuple(each["missing_context"]) for each in report["depends"]} == {("aws:SecureTransport",)}
    assert report["depends"][0]["reason"] == "documented as redacted where a service calls S3"
    assert told(capsys, name, "--strict")[0] == 1
    assert "p.json:2:16: Statement Tls hangs on aws:SecureTransport" in " ".join(
        told(capsys, name)[1].split()
    )


def test_exit_code(write, capsys):
    """--exit-code says what a lockout ends with."""
    name = write("p.json", VPC_ONLY)
    assert told(capsys, name, "--exit-code", "0")[0] == 0
    assert told(capsys, name, "--exit-code", "7")[0] == 7


def test_only_enabled(write, capsys):
    """Only the roles of the account are asked, by ARN, by name with a suffix, or one a line; unknown ones are told."""
    name = write("p.json", VPC_ONLY)
    roles = {
        "Roles": [{"Arn": CONFIG, "RoleName": "AWSServiceRoleForConfig", "RoleId": "AROAEXAMPLEEXAMPLE123"}]
    }
    for listed in (
        roles,
        [CONFIG],
        f"{CONFIG}\n",
        "AWSServiceRoleForConfig\nAWSServiceRoleForNothingKnown\n",
    ):
        _, out, _ = told(capsys, name, "--only-enabled", write("roles", listed), "--format", "json")
        report = json.loads(out)
        assert [each["role_name"] for each in report["lockouts"]] == ["AWSServiceRoleForConfig"]
        unknown = ["AWSServiceRoleForNothingKnown"] if "Nothing" in str(listed) else []
        assert report["unknown_roles"] == unknown
    assert told(capsys, name, "--only-enabled", write("roles", "[]"))[0] == 0


@pytest.mark.parametrize("listed", ["{", '{"Roles": 1}', "[1]", "no role\n", '["a b"]'])
def test_a_list_that_is_none(write, capsys, listed):
    """A list of roles that is none is refused with what to give."""
    status, out, err = told(capsys, write("p.json", VPC_ONLY), "--only-enabled", write("roles", listed))
    assert (status, out) == (2, "")
    assert "aws iam list-roles --path-prefix /aws-service-role/" in err


def test_several_files(write, capsys):
    """Several files are checked in one run; an invalid one is told with its place and makes the status 2, the others are checked."""
    names = (
        write("a.json", VPC_ONLY),
        write("b.json", ORDINARY),
        write("c.json", '{"Statement": [{"Effect": "Deni"}]}'),
    )
    status, out, err = told(capsys, *names, "--format", "json")
    assert status == 2
    assert [each["file"] for each in json.loads(out)["checked"]] == ["a.json", "b.json"]
    assert err.startswith("rolewatch: c.json:1:27: Effect 'Deni' is none")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("[]", "a mapping with keys is wanted, this is a list"),
        ('{"Statement": [], "Statement": []}', "Statement"),
        ('{"Version": "2020-01-01", "Statement": []}', "Version '2020-01-01' is none"),
        (
            '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}',
            "give --resource",
        ),
        ('{"bindings": [{"role": "roles/storage.admin"}]}', "a policy"),
    ],
)
def test_what_is_no_policy(write, capsys, content, message):
    """What is no policy is refused with the place and what is wrong; nothing is printed."""
    status, out, err = told(capsys, write("p.json", content))
    assert (status, out) == (2, "")
    assert err.startswith("rolewatch: p.json:1:")
    assert message in err


def test_a_file_that_is_not_there(capsys):
    """A FILE that does not exist is wrong usage."""
    status, out, err = told(capsys, "no-such-file.json")
    assert (status, out) == (2, "")
    assert "no-such-file.json" in err


def test_the_resource(write, capsys):
    """--resource names what a policy does not; it has to carry a policy, to be the policy's own, and is for one policy only."""
    everything = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}
    name = write("p.json", everything)
    arn = "arn:aws:sqs:us-east-1:444455556666:orders"
    status, out, _ = told(capsys, name, "--resource", arn, "--format", "json")
    report = json.loads(out)
    assert status == 1
    checked = report["checked"][0]
    assert (checked["kind"], checked["account"], checked["account_from"]) == (
        "queue", "444455556666", "the resource's ARN",
    )  # fmt: skip
    assert {each["role_arn"].split(":")[4] for each in report["lockouts"]} == {"444455556666"}
    assert told(capsys, name, "--resource", "arn:aws:ec2:us-east-1:1:instance/i-1")[0] == 2
    assert told(capsys, write("q.json", VPC_ONLY), "--resource", "arn:aws:s3:::other")[0] == 2
    assert told(capsys, name, "q.json", "--resource", arn)[0] == 2
    assert told(capsys, write("t.yaml", "Resources: {}\n"), "--resource", arn)[0] == 2


def test_the_organization(write, capsys):
    """The account is taken for a member of the organization that the policy names; --organization says otherwise."""
    policy = json.loads(json.dumps(VPC_ONLY))
    policy["Statement"][0]["Condition"] = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    name = write("p.json", policy)
    assert told(capsys, name)[0] == 0
    assert told(capsys, name, "--organization", "o-a1b2c3d4e5")[0] == 0
    assert told(capsys, name, "--organization", "o-zzzzzzzzzz")[0] == 1
    assert told(capsys, name, "--organization", "none")[0] == 1
    assert told(capsys, name, "--organization", "mine")[0] == 2


def test_the_accounts_that_a_policy_names(write, capsys):
    """A foreign account that a policy denies is not taken for the owner."""
    policy = json.loads(json.dumps(VPC_ONLY))
    del policy["Statement"][0]["Condition"]
    policy["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::444455556666:root"}
    name = write("p.json", policy)
    assert told(capsys, name)[0] == 0
    assert told(capsys, name, "--resource-account", "444455556666")[0] == 1


def test_output(write, capsys, tmp_path):
    """--output writes the report to a file."""
    status, out, _ = told(capsys, write("p.json", VPC_ONLY), "--format", "json", "--output", "report.json")
    assert (status, out) == (1, "")
    assert json.loads(tmp_path.joinpath("report.json").read_text())["lockouts"]


def test_hostile_names(write, capsys):
    """What a policy's author wrote moves no cursor and starts no command of GitHub Actions."""
    policy = json.loads(json.dumps(VPC_ONLY))
    policy["Statement"][0]["Sid"] = "\x1b]0;x\x07\n::error::a%0Ab"
    name = write("p.json", policy)
    for form in ("table", "json", "sarif", "github"):
        _, out, _ = told(capsys, name, "--format", form)
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "\n::error::a" not in out


def test_standard_input(cli):
    """A policy comes through standard input, also within what an API returned."""
    done = cli("check", "-", "--format", "json", stdin=json.dumps({"Policy": json.dumps(VPC_ONLY)}).encode())
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert report["lockouts"][0]["statement"]["file"] == "standard input"
    assert report["lockouts"][0]["statement"]["path"] == "Policy.Statement[0]"


def test_policies_that_name_nobody(write, capsys):
    """An identity-based or service control policy bears on no service-linked role: it is passed over, and told."""
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
    status, out, err = told(capsys, write("scp.json", policy), "--format", "json")
    report = json.loads(out)
    assert (status, err, report["checked"]) == (0, "", [])
    assert [each["where"] for each in report["passed_over"]] == ["scp.json:1:1"]
    assert "Passed over" in told(capsys, "scp.json")[1]


def test_a_statement_without_principal(write, capsys):
    """One statement without Principal among others makes the policy invalid."""
    policy = json.loads(json.dumps(VPC_ONLY))
    policy["Statement"].append(
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::payroll/*"}
    )
    status, out, err = told(capsys, write("p.json", policy))
    assert (status, out) == (2, "")
    assert "without Principal" in err


def test_several_statements(write, capsys):
    """A role that several statements shut out is listed once, with all of them."""
    policy = json.loads(json.dumps(VPC_ONLY))
    second = {
        **policy["Statement"][0],
        "Sid": "Mfa",
        "Condition": {"Null": {"aws:MultiFactorAuthAge": "true"}},
    }
    policy["Statement"].append(second)
    name = write("p.json", policy)
    report = json.loads(told(capsys, name, "--format", "json")[1])
    roles = [each["role_name"] for each in report["lockouts"]]
    assert len(set(roles)) == len(roles) == 13
    assert {tuple(statement["sid"] for statement in each["statements"]) for each in report["lockouts"]} == {
        ("OnlyVpc", "Mfa")
    }
    assert "also by Statement Mfa (p.json:" in told(capsys, name)[1]


def test_a_role_with_a_suffix(write, capsys):
    """A role with a suffix of the customer's is asked by its own name, whether the list has its ARN or its name."""
    topic = {
        "Sid": "T",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": "arn:aws:sns:us-east-1:111122223333:t",
    }
    name = write("p.json", {"Version": "2012-10-17", "Statement": [topic]})
    role = "AWSServiceRoleForAutoScaling_team"
    for listed in (role, f"arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/{role}"):
        report = json.loads(
            told(capsys, name, "--only-enabled", write("roles", listed), "--format", "json")[1]
        )
        assert [each["role_name"] for each in report["lockouts"]] == [role]
