"""What tests of deploy and destroy share: an AWS of moto's in a process of its own, and the command."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest

from rolewatch.cli import main

SERVER = Path(__file__).with_name("moto_cloud.py")
REGION = "us-east-1"
ACCOUNT = "123456789012"


class Cloud:
    """An empty account; `client` makes clients of it, `run` runs `rolewatch aws` with its credentials."""

    def __init__(self, url, monkeypatch, capsys):
        self.url, self._capsys = url, capsys
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        self._clients = []

    def client(self, service, region=REGION):
        """Make a client."""
        made = boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - made up
        )
        self._clients.append(made)
        return made

    def run(self, *words):
        """Run `rolewatch aws …`; returns exit status, standard output and standard error."""
        self._capsys.readouterr()
        status = main(["aws", *words])
        out, err = self._capsys.readouterr()
        return status, out, err

    def json(self, *words):
        """Run `rolewatch aws … --format json`, which has to succeed; returns what it printed."""
        status, out, err = self.run(*words, "--format", "json")
        assert (status, out != "") == (0, True), err
        return json.loads(out)

    def trails(self):
        """List trails by name, each with its bucket, its log group and whether it is logging."""
        client = self.client("cloudtrail")
        return {
            each["Name"]: (
                each["S3BucketName"],
                each.get("CloudWatchLogsLogGroupArn") or "",
                client.get_trail_status(Name=each["TrailARN"])["IsLogging"],
            )
            for each in client.describe_trails()["trailList"]
        }

    def buckets(self):
        """List the names of buckets."""
        return [each["Name"] for each in self.client("s3").list_buckets()["Buckets"]]

    def stacks(self):
        """List the stacks there are by name, with their status."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return {each["StackName"]: each["StackStatus"] for each in found}

    def make_trail(self, name="other", *, region=REGION, logging=True, multi_region=True, **more):
        """Make a trail that no stack has made; returns its ARN."""
        s3, trail = self.client("s3"), self.client("cloudtrail", region)
        s3.create_bucket(Bucket=f"bucket-of-{name}")
        made = trail.create_trail(
            Name=name, S3BucketName=f"bucket-of-{name}", IsMultiRegionTrail=multi_region, **more
        )
        if logging:
            trail.start_logging(Name=name)
        return made["TrailARN"]

    def close(self):
        """Close all clients."""
        for each in self._clients:
            each.close()


@pytest.fixture(scope="session")
def cloud_url():
    """Start the server, and give its address."""
    server = subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = server.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    yield url
    server.communicate()


@pytest.fixture
def cloud(aws_environment, cloud_url, monkeypatch, capsys):
    """Give an empty account."""
    del aws_environment
    request = urllib.request.Request(f"{cloud_url}/moto-api/reset", method="POST")  # noqa: S310 - on loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        assert answer.status == 200
    made = Cloud(cloud_url, monkeypatch, capsys)
    yield made
    made.close()
