"""Places for the sources to read: an S3 made by moto, and a server that answers as a test tells it."""

import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from rolewatch.base import aws

Answer = tuple[int, bytes]


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


@pytest.fixture
def listings(monkeypatch) -> list[tuple[str, str]]:
    """Record the listings that S3 is asked for from now on: (prefix, delimiter) of each request that is sent."""
    sent: list[tuple[str, str]] = []

    def note(request, **_: object) -> None:
        query = parse_qs(urlsplit(request.url).query)
        sent.append((query.get("prefix", [""])[0], query.get("delimiter", [""])[0]))

    make = aws.client

    def client(service: str, **more: object):
        made = make(service, **more)
        made.meta.events.register("before-send.s3.ListObjectsV2", note)
        return made

    monkeypatch.setattr(aws, "client", client)
    return sent


class Server:
    """Answers each request as `answer(method, path, body)` says, and remembers them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.answer: Callable[[str, str, bytes], Answer] = lambda *_: (500, b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, body))
                status, content = outer.answer(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _any  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(aws_environment) -> Iterator[Server]:
    """Start a server under the test's control."""
    del aws_environment
    running = Server()
    yield running
    running.close()
