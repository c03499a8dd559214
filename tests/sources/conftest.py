"""Places for the sources to read: a server that answers as a test tells it, and what S3 is asked for."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from faults import Proxy
from following import Memory, Told
from rolewatch.base import aws

Answer = tuple[int, bytes]


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


@pytest.fixture
def faults(aws_environment, moto_url, monkeypatch) -> Iterator[Proxy]:
    """Put a proxy that can inject faults between this process and AWS."""
    del aws_environment
    proxy = Proxy(moto_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def memory() -> Memory:
    """Make a memory in which nothing is done."""
    return Memory()


@pytest.fixture
def told() -> Told:
    """Listen to what is told."""
    return Told()


@pytest.fixture(scope="session")
def straight(moto_url) -> Iterator[Callable[[str], Any]]:
    """Give clients that reach AWS around the proxy, to prepare what a source will find."""
    import boto3  # noqa: PLC0415 - most tests need no AWS

    made: dict[tuple[str, str], Any] = {}

    def client(service: str, region: str = "us-east-1") -> Any:
        if (service, region) not in made:
            made[service, region] = boto3.client(
                service,
                endpoint_url=moto_url,
                region_name=region,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106 - made up
            )
        return made[service, region]

    yield client
    for each in made.values():
        each.close()
