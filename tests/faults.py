"""A proxy in front of AWS (moto) that injects faults: refusals, answers that are lost, connections that break, slowness."""

import http.client
import json
import threading
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Request(NamedTuple):
    """A request: the operation is that of a JSON protocol (`ReceiveMessage`), else the method (`GET`)."""

    operation: str
    path: str
    body: bytes


class Answer(NamedTuple):
    """A fault: an answer that AWS never gave."""

    status: int
    body: bytes


class Broken(NamedTuple):
    """A fault: the connection breaks, before the request is forwarded or after it was served."""

    served: bool


class Slow(NamedTuple):
    """A fault: the request is forwarded when the event is set."""

    until: threading.Event


Fault = Answer | Broken | Slow


def refusal(code: str, status: int = 400) -> Answer:
    """Refuse as a service with a JSON protocol does."""
    return Answer(status, json.dumps({"__type": code, "message": "because"}).encode())


def s3_refusal(code: str, status: int) -> Answer:
    """Refuse as S3 does."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode())


class Proxy:
    """Forwards requests, each unless a fault is meant for it, and remembers them all.

    `fault` is asked about each request; `fail` lays faults out for the next requests of one operation.
    """

    def __init__(self, upstream: str) -> None:
        self.requests: list[Request] = []
        self.fault = lambda _: None
        self.seen = threading.Condition()
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self._upstream = urlsplit(upstream).netloc
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.command
                fault = outer._meant_for(Request(operation, self.path, body))
                if isinstance(fault, Slow):
                    fault.until.wait(30)
                if fault == Broken(served=False):
                    self.close_connection = True
                    return
                answer = fault if isinstance(fault, Answer) else None
                status, headers, content = (
                    (answer.status, [], answer.body) if answer else outer._forward(self, body)
                )
                if isinstance(fault, Broken):
                    self.close_connection = True
                    return
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if answer or not any(name.lower() == "content-length" for name, _ in headers):
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing about a client that has gone."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def fail(self, operation: str, *faults: Fault) -> None:
        """Lay out faults for the next requests of an operation."""
        self._planned[operation].extend(faults)

    def sent(self, operation: str) -> list[Request]:
        """Return the requests of an operation so far."""
        return [request for request in self.requests if request.operation == operation]

    def wait_for(self, operation: str, number: int, seconds: float = 20) -> None:
        """Wait until so many requests of an operation have come."""
        with self.seen:
            assert self.seen.wait_for(lambda: len(self.sent(operation)) >= number, seconds), (
                f"{len(self.sent(operation))} {operation} instead of {number}"
            )

    def close(self) -> None:
        """Stop forwarding."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _meant_for(self, request: Request) -> Fault | None:
        with self.seen:
            self.requests.append(request)
            self.seen.notify_all()
            planned = self._planned[request.operation]
            return planned.popleft() if planned else self.fault(request)

    def _forward(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        try:
            headers = {
                name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP
            }
            connection.request(handler.command, handler.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            kept = [
                (name, value)
                for name, value in answer.getheaders()
                if name.lower() not in HOP_BY_HOP or (handler.command == "HEAD" and name == "Content-Length")
            ]
            return answer.status, kept, content
        finally:
            connection.close()
