"""`rolewatch explain` as a whole command: what it takes, prints and writes, and how it ends."""

import gzip
import json
import shlex
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

import deliveries
import pytest

from rolewatch.cli import explain
from rolewatch.explain.folder import file_name

HOME = deliveries.HOME
ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
BLIND = "arn:aws:s3:::blind"
ENCODED = "aB3-_cD4" * 12
KEYS = [
    "id", "service", "role_arn", "resource", "actions", "verdict", "cause", "decided_by", "explanation", "candidates", "fix", "no_fix", "look_at",
    "decoded", "decode_command", "notes",
]  # fmt: skip


def vpc_only(bucket, **more):
    """Write a policy that leaves the own VPC only."""
    condition = {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}
    statement = {"Sid": "VpcOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}", "Condition": condition}  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [statement | more]}


def collect(bucket, content):
    """Put a bucket's policy into the folder `policies`."""
    folder = Path("policies")
    folder.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    folder.joinpath(file_name(f"arn:aws:s3:::{bucket}")).write_text(text)


@pytest.fixture
def one(here):
    """Make a record of one denial, and the policy that denied it."""
    collect("blind", vpc_only("blind"))
    return str(deliveries.write(here / "denied.json", deliveries.denial(1)))


@pytest.fixture
def several(here):
    """Make records of three denials, and the policies of two of them."""
    collect("blind", vpc_only("blind"))
    collect("far", vpc_only("far"))
    denials = [
        deliveries.denial(number, "config", name) for number, name in enumerate(("blind", "far", "third"), 1)
    ]
    return str(deliveries.write(here / "denied.json", *denials))


def explained(call, *words, status=0):
    """Run the command and read its JSON."""
    found, out, err = call("explain", *words, "--format", "json")
    assert status == found, err
    return json.loads(out)


def test_people_read_the_cause_the_change_and_the_command(call, one):
    """In this order, and nothing on stderr."""
    status, out, err = call("explain", one, "--policies", "policies")
    place = f"policies/{file_name(BLIND)}:4:5"
    wanted = ["AWS Config is refused s3:GetBucketPolicy on arn:aws:s3:::blind", ROLE, "fix-your-policy", f"VpcOnly (Deny), {place}",
              '+        "ArnNotEquals": {', f'+          "aws:PrincipalArn": "{ROLE}"', "proven: ", "aws s3api put-bucket-policy --bucket blind"]  # fmt: skip
    assert (status, err) == (0, "")
    assert sorted(map(out.index, wanted)) == list(map(out.index, wanted))


def test_programs_read_json(call, one):
    """With the keys that the documentation names, the statement with its place, and the proof."""
    found = explained(call, one, "--policies", "policies")
    assert list(found) == KEYS
    decided, fix = found["decided_by"], found["fix"]
    assert (decided["sid"], decided["line"], decided["policy"]) == ("VpcOnly", 4, BLIND)
    assert (fix["target"], fix["proof"]["request_allowed"], found["no_fix"]) == (BLIND, True, None)
    assert json.loads(fix["command_file"]["content"]) == fix["policy_after"]


def test_without_policies_the_message_is_told_and_what_to_look_at(call, one):
    """With the command that fetches the policy."""
    found = explained(call, one)
    told = (found["verdict"], found["cause"]["evidence"], found["fix"], found["no_fix"])
    assert told == ("fix-your-policy", "message", None, "the policies are needed to find a change")
    command = "aws s3api get-bucket-policy --bucket blind --query Policy --output text"
    assert found["look_at"] == [{"policy": "bucket policy", "resource": BLIND, "command": command}]
    assert command in call("explain", one)[1]


def test_all_service_linked_roles_of_the_account(call, one):
    """Never those of every account."""
    found = explained(call, one, "--policies", "policies", "--all-slrs")
    value = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/aws-service-role/*"}}
    assert found["fix"]["json_patch"] == [{"op": "add", "path": "/Statement/0/Condition/ArnNotLike", "value": value["ArnNotLike"]}]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_records_come_from_standard_input_too(cli, one, packed):
    """Plain and packed; they are read more than once."""
    del one
    content = json.dumps({"Records": [deliveries.denial(1)]}).encode()
    done = cli("explain", "-", "--format", "json", stdin=gzip.compress(content) if packed else content)
    assert (done.returncode, json.loads(done.stdout)["resource"], done.stderr) == (0, BLIND, "")


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_scan_of_many_is_explained_finding_by_finding(call, several, form):
    """A report, or findings a line each; one of them by the start of its id."""
    call("scan", several, "--format", form, "--output", "report")
    found = explained(call, "report", "--policies", "policies")["explanations"]
    assert sorted((each["resource"], bool(each["fix"])) for each in found) == [
        (BLIND, True), ("arn:aws:s3:::far", True), ("arn:aws:s3:::third", False)
    ]  # fmt: skip
    chosen = explained(call, "report", "--policies", "policies", "--finding", found[0]["id"][:8])
    assert chosen == found[0]


def test_one_finding_is_explained(call, several):
    """As `jsonl` writes it, a file of its own."""
    line = call("scan", several, "--format", "jsonl")[1].splitlines()[0]
    Path("finding.json").write_text(line)
    assert explained(call, "finding.json")["id"] == json.loads(line)["id"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["absent.json"], "absent.json"),
        (["denied.json", "--finding", "ffffffff"], "no finding whose id begins with ffffffff"),
        (["fine.json"], "no denial of a service-linked role"),
        (["denied.json", "--policies", "absent"], "absent is no folder"),
        (["odd.json"], "this is no finding"),
        (["denied.json", "--write", "policy.json"], "--policies"),
        (["denied.json", "--policies", "policies", "--write", "-"], "--write names the file"),
        (
            ["denied.json", "--policies", "policies", "--write", "x", "--output", "x"],
            "--write names the file",
        ),
    ],
)
def test_wrong_usage_is_told(call, one, words, says):
    """Exit status 2, and nothing on standard output."""
    del one
    deliveries.write(Path("fine.json"), deliveries.record(1))
    Path("odd.json").write_text('{"role_arn": 3, "actions": {}, "resource": null}')
    status, out, err = call("explain", *words)
    assert (status, out, says in err) == (2, "", True), err


def test_a_broken_policy_ends_what_is_explained_alone(call, one):
    """With its place and the remedy."""
    collect("blind", '{"Statement": [{"Effect": "deny"}]}')
    status, out, err = call("explain", one, "--policies", "policies")
    assert (status, out) == (2, "")
    assert f"{file_name(BLIND)}:1:27: Effect 'deny' is none" in err.replace("\n", " ")


def test_a_broken_policy_does_not_end_what_others_are_explained(call, several):
    """They are explained by theirs, it by its message, and the exit status tells."""
    collect("blind", '{"Statement": [')
    status, out, err = call("explain", several, "--policies", "policies", "--format", "json")
    found = {each["resource"]: each for each in json.loads(out)["explanations"]}
    assert (status, file_name(BLIND) in err) == (3, True)
    assert (found[BLIND]["fix"], bool(found["arn:aws:s3:::far"]["fix"])) == (None, True)
    assert "its policy cannot be read" in found[BLIND]["notes"][0]


def test_records_that_cannot_be_read_are_told(call, one):
    """What can be read is explained, and the exit status is 3."""
    Path("logs2").mkdir()
    Path(one).rename("logs2/denied.json")
    Path("logs2/broken.json.gz").write_bytes(gzip.compress(b'{"Records": []}')[:-4])
    status, out, err = call("explain", "logs2", "--policies", "policies")
    assert (status, "proven: " in out, "cannot read logs2/broken.json.gz" in err) == (3, True, True)


def test_the_changed_policy_is_written_for_the_command(call, one):
    """The command names the file, whatever its name; what stood there is replaced, as by --output."""
    Path("new policy.json").write_text("old")
    status, out, _ = call("explain", one, "--policies", "policies", "--write", "new policy.json")
    written = json.loads(Path("new policy.json").read_text())
    command = shlex.split(out.strip().splitlines()[-1])
    assert (status, command[-2:]) == (0, ["--policy", "file://new policy.json"])
    assert written["Statement"][0]["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": ROLE}
    found = explained(call, one, "--policies", "policies", "--write", "new policy.json")
    assert found["fix"]["command_file"] == {
        "name": "new policy.json",
        "content": Path("new policy.json").read_text(),
    }


def test_nothing_is_written_where_nothing_is_to_be_changed(call, one):
    """What is known is told, the exit status is 4, and what stood there stays."""
    collect("blind", {"Version": "2012-10-17", "Statement": []})
    Path("policy.json").write_text("old")
    status, out, err = call("explain", one, "--policies", "policies", "--write", "policy.json")
    assert (status, "  no change  " in out, "nothing is written to policy.json: " in err) == (4, True, True)
    assert Path("policy.json").read_text() == "old"


def test_one_change_is_written_at_a_time(call, several):
    """Which one has to be said."""
    status, _, err = call("explain", several, "--policies", "policies", "--write", "policy.json")
    assert (status, "--finding" in err, Path("policy.json").exists()) == (2, True, False)


def test_what_attackers_wrote_steers_nothing(call, one):
    """Names in a policy and in a record come out as escapes, in their lines."""
    evil = "\x1b[2J\u202eevil\nforged  verdict"
    policy = vpc_only("blind", Sid=evil)
    policy["Statement"][0]["Condition"]["StringNotEquals"]["aws:PrincipalTag/\u2028x"] = evil
    collect("blind", json.dumps(policy))
    record = deliveries.denial(1)
    record["errorMessage"] += ": arn:aws:s3:::\x1b]0;x\x07"
    deliveries.write(Path(one), record)
    status, out, err = call("explain", one, "--policies", "policies")
    assert (status, err) == (0, "")
    assert [
        character
        for character in out
        if (ord(character) < 32 and character != "\n") or character in "\u202e\u2028"
    ] == []
    assert [line for line in out.splitlines() if line.startswith("forged")] == []
    _, out, _ = call("explain", one, "--policies", "policies", "--format", "json")
    assert (out.isascii(), "\x1b" in out) == (True, False)


def encoded_denial():
    """Return a record of EC2's, whose message is encoded."""
    role = f"arn:aws:iam::{HOME}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return deliveries.denial(
        1, "autoscaling", eventSource="ec2.amazonaws.com", eventName="ModifyVpcEndpoint", requestParameters={"foo": "bar"},
        errorCode="Client.UnauthorizedOperation",
        errorMessage=f"You are not authorized to perform this operation. Encoded authorization failure message: {ENCODED}",
    ) | {"userIdentity": {"type": "AssumedRole", "accountId": HOME, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": HOME}}}}  # fmt: skip


def test_an_encoded_message_comes_with_the_command_that_decodes_it(call, here):
    """For a shell, in the Region of the call."""
    file = str(deliveries.write(here / "encoded.json", encoded_denial()))
    command = f"aws sts decode-authorization-message --encoded-message {ENCODED} --query DecodedMessage --output text --region us-east-1"
    assert explained(call, file)["decode_command"] == command
    status, out, _ = call("explain", file)
    assert (status, command in out, "--decode" in out) == (0, True, True)


@pytest.fixture
def sts(here, monkeypatch):
    """Start what answers as STS does, and set credentials for it."""
    del here
    text = json.dumps(
        {
            "allowed": False, "explicitDeny": False, "matchedStatements": {"items": []},
            "context": {"principal": {"id": "AROAEXAMPLE1234567890:x"}, "action": "ec2:ModifyVpcEndpoint",
                        "resource": f"arn:aws:ec2:us-east-1:{HOME}:vpc-endpoint/vpce-1", "conditions": {"items": []}},
        }
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = f"<R xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><DecodeAuthorizationMessageResult><DecodedMessage>{escape(text)}</DecodedMessage></DecodeAuthorizationMessageResult></R>"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{server.server_port}",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_sts_decodes_it_where_that_is_asked_for(call, here, sts):
    """And the action, the resource and the reason are those that EC2 knew."""
    del sts
    file = str(deliveries.write(here / "encoded.json", encoded_denial()))
    found = explained(call, file, "--decode")
    told = (
        found["decoded"]["explicit_deny"],
        found["resource"],
        found["cause"]["kind"],
        found["cause"]["evidence"],
    )
    assert told == (False, f"arn:aws:ec2:us-east-1:{HOME}:vpc-endpoint/vpce-1", "implicit", "message")
    assert "decoded    nothing allows it: ec2:ModifyVpcEndpoint" in call("explain", file, "--decode")[1]


def test_without_credentials_the_rest_is_told(call, here, monkeypatch):
    """With the reason on stderr, the command, and exit status 4."""
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    file = str(deliveries.write(here / "encoded.json", encoded_denial()))
    status, out, err = call("explain", file, "--decode")
    assert (status, "decode-authorization-message" in out, "AWS_PROFILE" in err) == (4, True, True)


def test_nothing_to_decode_is_told(call, one):
    """On stderr; it is no failure."""
    status, _, err = call("explain", one, "--decode")
    assert (status, "no record has an encoded message" in err) == (0, True)


def test_a_report_may_be_larger_than_what_is_looked_at_first(monkeypatch, tmp_path):
    """Records are recognised by their beginning, and not read whole to find that they are no report."""
    file = tmp_path / "records.json"
    file.write_bytes(b'{\n "Records" : [' + b" " * 100 + b"]}")
    monkeypatch.setattr(explain, "read_file", lambda *_: sys.exit("read whole"))
    assert explain._report(str(file)) == b""
