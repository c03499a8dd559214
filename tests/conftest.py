"""What the tests of several rooms share."""

import logging
import shutil
from itertools import count

import pytest
from hypothesis import settings

from databases import Postgres
from rolewatch.cloudtrail import carve
from rolewatch.engines.spark_session import session

# A test is never about time: on a busy machine an example may take as long as it likes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def spark():
    """Open the session of Spark that tests of this process share, small enough to stand beside another one's."""
    with session("local[2]", {"spark.driver.memory": "768m"}) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres():
    """Start the PostgreSQL that tests of this process share."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    """Start the system's Chromium, with nothing that asks other hosts by itself; it ends with the module, for it has a loop of its own."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - few tests need it

    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    path = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


@pytest.fixture(params=["in C", "in Python"])
def both_ways(request, monkeypatch):
    """Run a test with the part of the fast path that is written in C, and with what stands in for it."""
    if request.param == "in Python":
        monkeypatch.setattr(carve, "native", None)
    else:
        assert carve.native is not None, "there is a C compiler on a machine that runs the tests"


@pytest.fixture
def aws_environment(monkeypatch):
    """Set an environment with made-up credentials that no file of the machine adds to."""
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_DEFAULT_REGION",
        "AWS_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def moto_url():
    """Start an S3 that answers over HTTP, and give its address."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second, and most tests need no S3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of its own for one test."""

    def __init__(self, client, name: str) -> None:
        self.client, self.name = client, name
        client.create_bucket(Bucket=name)

    def put(self, *keys: str, body: bytes = b"content") -> None:
        """Store the same content under each key."""
        for key in keys:
            self.client.put_object(Bucket=self.name, Key=key, Body=body)


@pytest.fixture(scope="session")
def make_bucket(moto_url):
    """Give a function that makes an empty bucket."""
    import boto3  # noqa: PLC0415 - as above

    client = boto3.client(
        "s3",
        endpoint_url=moto_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - made up
    )
    yield lambda name: Bucket(client, name)
    client.close()


@pytest.fixture
def s3(aws_environment, moto_url, monkeypatch):
    """Point the environment to moto's S3."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)


_numbers = count()


@pytest.fixture
def bucket(s3, make_bucket):
    """Make an empty bucket for one test."""
    del s3
    return make_bucket(f"bucket-{next(_numbers)}")
