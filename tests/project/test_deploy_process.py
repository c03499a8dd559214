"""The unit of systemd as a process: with the variables that it gets, and what it has to do for them."""

import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from calls import call
from supervising import Systemd

DEPLOY = Path(__file__).resolve().parents[2] / "examples" / "deploy"
SECRETS = {
    "SLACK_TOKENS": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "PAGERDUTY_KEY": "0123456789abcdef",
}
READY, FED = {"READY": "1"}, {"WATCHDOG": "1"}


@pytest.fixture
def trail(aws_environment, moto_url, monkeypatch):
    """Make a bucket that notifies the queue of the unit; give a function that stores an object in it."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    s3, sqs = (boto3.client(service, region_name="us-east-1") for service in ("s3", "sqs"))
    queue = sqs.create_queue(QueueName="trail-notices")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:trail-notices"
    s3.create_bucket(Bucket="my-trail")
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="my-trail", NotificationConfiguration=configuration)
    yield lambda key, body: s3.put_object(Bucket="my-trail", Key=key, Body=body)
    sqs.delete_queue(QueueUrl=queue)
    for each in (s3, sqs):
        each.close()


@pytest.fixture
def unit():
    """Read what the unit says of the service; of a key that comes twice, the last."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string((DEPLOY / "rolewatch.service").read_text())
    return parser["Service"]


@pytest.fixture
def systemd(tmp_path):
    """Listen in the place of systemd."""
    made = Systemd(str(tmp_path / "notify"))
    yield made
    made.close()


def variables(unit, folder, systemd):
    """Give the variables that systemd sets for the unit, and those of its file of secrets."""
    own = dict(word.split("=", 1) for word in shlex.split(unit["Environment"]))
    own["ROLEWATCH_STATE"] = own["ROLEWATCH_STATE"].replace("%S", str(folder))
    own["ROLEWATCH_CONFIG"] = own["ROLEWATCH_CONFIG"].replace("/etc/rolewatch", str(DEPLOY))
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    told = {"NOTIFY_SOCKET": systemd.name, "WATCHDOG_USEC": f"{unit['WatchdogSec']}000000"}
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error",
        **own,
        **SECRETS,
        **aws,
        **told,
    }


def probed(address):
    """Ask for the watcher's health as the container does; gives the exit status."""
    (probe,) = re.findall(r"^HEALTHCHECK .*?CMD (.*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    code = json.loads(probe)[2].replace("'127.0.0.1', 9464", "{!r}, {}".format(*address))
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False).returncode


def counted(address):
    """Give how many deliveries the watcher has committed."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return sum(map(float, re.findall(r"^rolewatch_deliveries_total\{.*\} (.*)$", text, re.MULTILINE)))


def test_the_unit_runs(tmp_path, unit, systemd, trail):
    """Without a home, with its own settings: it says that it is ready, feeds the watchdog, reads again and ends as told.

    Nothing is written but the state, and that is nobody else's to read.
    """
    state, empty = tmp_path / "rolewatch", tmp_path / "empty"
    state.mkdir()
    empty.mkdir()
    words = [word.replace("9464", "0") for word in shlex.split(unit["ExecStart"])[1:]]
    trail("1.json", json.dumps({"Records": [call(1, datetime.now(UTC), "b")]}))
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh", sys.executable, "-m", "rolewatch", *words],
        cwd=empty, env=variables(unit, tmp_path, systemd) | {"TMPDIR": str(empty)}, umask=int(unit["UMask"], 8),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert [systemd.heard(), systemd.heard()] == [READY, FED]
        first = process.stderr.readline()
        (host, port), targets = re.search(r" metrics=(\S+):(\d+)", first).groups(), first.count("://…")
        assert (targets, "targets=" in first) == (2, True)
        while "backlog through" not in (line := process.stderr.readline()):
            assert line
        assert (probed((host, int(port))), counted((host, int(port)))) == (0, 1)
        reload = [word.replace("$MAINPID", str(process.pid)) for word in shlex.split(unit["ExecReload"])]
        subprocess.run(reload, check=True)
        assert [systemd.heard().keys(), systemd.heard(), systemd.heard()] == [
            {"RELOADING", "MONOTONIC_USEC"}, READY, FED,
        ]  # fmt: skip
        process.send_signal(signal.SIGTERM)
        assert systemd.heard() == {"STOPPING": "1"}
        assert process.wait(int(unit["TimeoutStopSec"])) == 0
        assert "stopped" in process.stderr.read()
        assert probed((host, int(port))) == 1
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert list(empty.iterdir()) == []
    assert {path.name: path.stat().st_mode & 0o077 for path in state.iterdir()} == {
        "state.db": 0,
        "watcher.lock": 0,
    }
