"""`rolewatch watch --blame`: a denial and the change of the policy before it, in a folder; what people are told and can ask."""

import json

import pytest
from deliveries import denial as denial_of
from deliveries import record, write
from watchers import stamp

from rolewatch.cli.aws_lambda import take
from rolewatch.sources.events import deliveries_of_event

DENY = {
    "Sid": "VpcOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::blind",
}
TELL = ("--notify", "exec:/usr/bin/tee -a told.jsonl")


def denial(number):
    """Return the record of a denial, some minutes after an hour ago."""
    return denial_of(number, eventTime=stamp(minutes=60 - number))


def change(number, *statements):
    """Return the record of a new policy of the bucket, some minutes after an hour ago."""
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    facts = {
        "eventName": "PutBucketPolicy",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann\x1b[2J"},
        "requestParameters": {"bucketName": "blind", "bucketPolicy": policy},
    }
    return record(number, resource="blind", eventTime=stamp(minutes=60 - number), **facts)


@pytest.fixture
def watch(cli):
    """Give a way to let deliveries arrive in a folder and watch it once; returns the finding."""
    (cli.folder / "trail").mkdir()

    def once(name, *records, words=("--blame",), **environ):
        if records:
            write(cli.folder / "trail" / f"{name}.json.gz", *records)
        done = cli("watch", "trail", "--once", "--state", "state", *TELL, *words, **environ)
        assert done.returncode == 0, done.stderr
        return found(cli)

    return once


def found(cli, *words):
    """Give the finding as it is kept, None if there is none."""
    listed = json.loads(cli("findings", "list", "--state", "state", "--format", "json", *words).stdout)
    return listed["findings"][0] if listed["findings"] else None


def told(cli):
    """Give the bodies of the messages, in order."""
    path, decoder, bodies = cli.folder / "told.jsonl", json.JSONDecoder(), []
    text = path.read_text() if path.exists() else ""
    while text := text.strip():
        body, end = decoder.raw_decode(text)
        bodies.append(body)
        text = text[end:]
    return bodies


def test_a_finding_names_who_changed_the_policy(cli, watch):
    """As a scan does, in the list, in the message, and in words; a change that is delivered late is told in the finding alone."""
    watch("a")
    finding = watch("b", change(2, DENY), denial(10))
    (scanned,) = json.loads(cli("scan", "trail", "--blame", "--format", "json").stdout)["findings"]
    assert finding["blame"] == scanned["blame"]
    assert (finding["blame"]["event_id"][-2:], finding["blame"]["added"]) == ("02", [DENY])
    (message,) = told(cli)
    assert message["findings"][0]["blame"] == finding["blame"]
    shown = cli("findings", "show", finding["id"], "--state", "state").stdout
    assert "PutBucketPolicy by arn:aws:iam::111122223333:user/ann\\x1b[2J" in " ".join(shown.split())
    assert "\x1b" not in shown
    later = watch("c", change(1))
    assert later["blame"]["event_id"] == finding["blame"]["event_id"]
    assert later["blame"]["compared_with_earlier_policy"] is True
    assert watch("d", change(3, DENY), change(11, DENY))["blame"]["event_id"][-2:] == "03"
    assert len(told(cli)) == 1


@pytest.mark.parametrize("way", ["environment", "settings"])
def test_it_is_set_elsewhere_as_well(cli, watch, way):
    """By a variable, and in rolewatch.toml."""
    if way == "settings":
        (cli.folder / "rolewatch.toml").write_text("blame = true\n")
    environ = {"ROLEWATCH_BLAME": "true"} if way == "environment" else {}
    assert watch("a", change(2, DENY), denial(10), words=(), **environ)["blame"]["event_id"][-2:] == "02"


def test_without_it_there_is_nothing(cli, watch):
    """No blame, in no form."""
    assert "blame" not in watch("a", change(2, DENY), denial(10), words=())
    assert "blame" not in told(cli)[0]["findings"][0]


def test_a_function_keeps_changes_too(cli, monkeypatch):
    """The watcher as a Lambda function has the option as a variable, and remembers from call to call."""
    monkeypatch.chdir(cli.folder)
    environ = {"HOME": str(cli.folder), "ROLEWATCH_STATE": "state", "ROLEWATCH_BLAME": "true"}
    for each in (change(2, DENY), denial(10)):
        event = {
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.s3",
            "detail": each,
            "id": each["eventID"],
        }
        assert list(deliveries_of_event(event))
        take(event, environ)
    assert found(cli)["blame"]["event_id"][-2:] == "02"


def test_a_lake_fills_in_what_the_state_does_not_know(cli, watch):
    """And takes away nothing that it does not know itself."""
    finding = watch("a", denial(10), words=("--lake", "with"))
    assert "blame" not in finding
    write(cli.folder / "old" / "x.json.gz", change(2, DENY))
    assert cli("ingest", "old", "--lake", "with").returncode == 0
    shown = json.loads(
        cli(
            "findings", "show", finding["id"], "--state", "state", "--lake", "with", "--format", "json"
        ).stdout
    )
    assert shown["blame"]["event_id"][-2:] == "02"
    named = watch("b", change(3, DENY))
    again = json.loads(
        cli(
            "findings", "show", finding["id"], "--state", "state", "--lake", "with", "--format", "json"
        ).stdout
    )
    assert named["blame"]["event_id"][-2:] == "03"
    assert again["blame"]["event_id"][-2:] == "02"
    write(cli.folder / "other" / "x.json.gz", record(1, resource="else"))
    assert cli("ingest", "other", "--lake", "without").returncode == 0
    kept = json.loads(
        cli(
            "findings", "show", finding["id"], "--state", "state", "--lake", "without", "--format", "json"
        ).stdout
    )
    assert kept["blame"] == named["blame"]
