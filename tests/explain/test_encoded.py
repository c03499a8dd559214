"""EC2's encoded authorization messages: found in records, decoded by STS, and what the explanation makes of them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from xml.sax.saxutils import escape

import pytest
from labelled import HOME, role_arn

from rolewatch.base.errors import CannotDo
from rolewatch.explain.encoded import decode, decode_command, encoded_in, informed, read_decoded
from rolewatch.explain.explanation import Asked, explain
from rolewatch.explain.folder import Folder
from rolewatch.explain.incident import Incident

TEXT = "aB3-_cD4" * 12
MESSAGE = f"You are not authorized to perform this operation. Encoded authorization failure message: {TEXT}"
INSTANCE = f"arn:aws:ec2:eu-west-1:{HOME}:instance/*"
SCALING = role_arn("autoscaling")


def decoded_text(**more):
    """Write what STS returns, as its documentation shows it."""
    found = {
        "allowed": False,
        "explicitDeny": False,
        "matchedStatements": {"items": []},
        "failures": {"items": []},
        "context": {
            "principal": {"id": "AROAEXAMPLE1234567890:AutoScaling", "arn": f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling"},
            "action": "ec2:ModifyVpcEndpoint",
            "resource": INSTANCE,
            "conditions": {"items": [{"key": "ec2:Region", "values": {"items": [{"value": "eu-west-1"}]}}]},
        },
    }  # fmt: skip
    return json.dumps(found | more)


def incident(**more):
    """Make an incident of Auto Scaling, as a scan finds it when the message is encoded."""
    made = Incident(
        "1d8648e6a1c1f356", "autoscaling.amazonaws.com", "Amazon EC2 Auto Scaling", SCALING, HOME, "service:ec2.amazonaws.com",
        "AWS::Service", None, ("ec2:RunInstances",), (), "unknown", {"policy_type": None, "kind": None, "evidence": "guess", "policy_arn": None}, [], "",
        regions=("eu-west-1",),
    )  # fmt: skip
    return made._replace(**more)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (MESSAGE, TEXT),
        (MESSAGE.replace("message: ", "message:"), TEXT),
        (f"{MESSAGE}...", ""),  # cut by CloudTrail
        ("You are not authorized to perform this operation.", ""),
        ("Encoded authorization failure message: ; rm -rf /", ""),
        (None, ""),
    ],
)
def test_the_encoded_part_of_a_message_is_found(message, found):
    """Whole, and in letters that are no shell's; a message that CloudTrail has cut cannot be decoded."""
    assert encoded_in(message) == found


def test_the_command_decodes_it():
    """By the AWS CLI, where the call was made."""
    expected = f"aws sts decode-authorization-message --encoded-message {TEXT} --query DecodedMessage --output text --region eu-west-1"
    assert decode_command(TEXT, "eu-west-1") == expected
    assert decode_command(TEXT, None) == expected.removesuffix(" --region eu-west-1")


ANSWER = (
    "<DecodeAuthorizationMessageResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><DecodeAuthorizationMessageResult>"
    f"<DecodedMessage>{escape(decoded_text())}</DecodedMessage>"
    "</DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse>"
)


@pytest.fixture
def sts(aws_environment, monkeypatch):
    """Start what answers as STS does; give the requests that came, and a way to change the answer."""
    del aws_environment

    class Handler(BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []
        answer = (200, ANSWER)

        def do_POST(self):
            self.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = self.answer
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_sts_decodes_a_message(sts):
    """The message goes to STS as it is, and what it says comes back."""
    found = decode(TEXT, "eu-west-1")
    assert f"EncodedMessage={TEXT}" in sts.asked[0]
    told = (found.explicit, found.action, found.resource, found.role_id, found.conditions)
    assert told == (
        False,
        "ec2:ModifyVpcEndpoint",
        INSTANCE,
        "AROAEXAMPLE1234567890",
        {"ec2:Region": ("eu-west-1",)},
    )


def test_a_refusal_by_sts_says_what_to_do(sts, monkeypatch):
    """Nobody is left with a trace."""
    denied = (
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
    )
    monkeypatch.setattr(sts, "answer", (403, denied))
    with pytest.raises(
        CannotDo, match="cannot decode the authorization message: AccessDenied: not you"
    ) as error:
        decode(TEXT, "eu-west-1")
    assert error.value.remedy == "ask for the permission that the message names"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"explicitDeny": true}', '{"explicitDeny": 1, "context": {"action": "a", "conditions": 3}}', "[" * 100_000]
)  # fmt: skip
def test_anything_else_is_no_decoded_message(text):
    """An error, and no trace."""
    with pytest.raises(CannotDo, match="something else than a decoded authorization message"):
        read_decoded(text)


def test_statements_that_matched_are_told():
    """With their Sids and effects."""
    items = {"items": [{"statementId": "DenyAll", "effect": "DENY"}, {"effect": "ALLOW"}]}
    found = read_decoded(decoded_text(matchedStatements=items, explicitDeny=True))
    assert found.to_json()["matched_statements"] == [{"sid": "DenyAll", "effect": "Deny"}, {"sid": "", "effect": "Allow"}]  # fmt: skip


def test_the_incident_takes_over_what_the_record_did_not_tell():
    """Action and resource; a resource that the record names is kept."""
    decoded = read_decoded(decoded_text())
    found = informed(incident(), decoded)
    told = (found.actions, found.resource, found.cause["kind"], found.cause["evidence"])
    assert told == (("ec2:ModifyVpcEndpoint",), INSTANCE, "implicit", "message")
    kept = informed(incident(resource="arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0"), decoded)
    assert kept.resource.endswith("ami-0123456789abcdef0")


def test_a_decoded_message_makes_the_verdict_certain(tmp_path):
    """Auto Scaling's own policy lacks the action, and an instance takes no policy: only AWS can change that."""
    found = explain(
        incident(), Asked(Folder(str(tmp_path)), decoded={"1d8648e6a1c1f356": read_decoded(decoded_text())})
    )
    assert (found.verdict, found.cause["policy_type"], found.fix) == ("aws-side", "identity-based", None)
    assert found.decoded is not None
