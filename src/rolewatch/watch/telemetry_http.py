"""Metrics and probes over HTTP: `/metrics`, `/healthz` and `/readyz`, without authentication, by threads of their own."""

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, SOCK_STREAM, getaddrinfo
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo
from rolewatch.watch.health import Report

AT_ONCE: Final = 16  # requests that are answered at once; others are hung up on
SECONDS: Final = 5.0  # after which a client that says nothing is hung up on


class Page(NamedTuple):
    """An answer to a GET request."""

    status: int
    kind: str  # its content type
    body: bytes


Pages = Mapping[str, Callable[[str], Page]]  # path → what the header `Accept` is answered with


def probe(ask: Callable[[], Report]) -> Callable[[str], Page]:
    """Make the page of a probe: 200 or 503, and the reasons as JSON."""

    def page(_accept: str) -> Page:
        report = ask()
        status = HTTPStatus.OK if report.ok else HTTPStatus.SERVICE_UNAVAILABLE
        return Page(status, "application/json", f"{json.dumps(report.body)}\n".encode())

    return page


def metrics(registry: Any) -> Callable[[str], Page]:
    """Make the page of a registry, in the format of Prometheus or OpenMetrics, whichever is asked for."""
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - only where metrics are served

    def page(accept: str) -> Page:
        encode, kind = choose_encoder(accept)
        return Page(HTTPStatus.OK, kind, encode(registry))

    return page


class Served:
    """Listens at an address; port 0 is any that is free. CannotDo if that is impossible."""

    def __init__(self, host: str, port: int) -> None:
        try:
            family, *_, place = getaddrinfo(host, port, type=SOCK_STREAM)[0]
            self._server = (_Server6 if family == AF_INET6 else _Server)(place[:2], _Handler)
        except OSError as error:
            raise CannotDo(
                f"--metrics {_spelled(host, port)}: {error.strerror or error}",
                remedy="name another HOST:PORT of this machine",
            ) from None
        self.address = _spelled(host, self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True
        )

    def start(self, pages: Pages) -> None:
        """Answer with pages from now on."""
        self._server.pages = pages
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = SECONDS
    server_version = "rolewatch"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: Any) -> None:
        """Leave the log to what matters."""

    def _answer(self, *, body: bool) -> None:
        make = self.server.pages.get(self.path.partition("?")[0])
        page = make(self.headers.get("Accept") or "") if make else _NOT_FOUND
        self.send_response(page.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        if body:
            self.wfile.write(page.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: Any, handler: Any) -> None:
        self.pages: Pages = {}
        self._room = threading.Semaphore(AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, if there is room."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, *_: Any) -> None:
        """Say nothing about clients that are gone."""


class _Server6(_Server):
    address_family = AF_INET6


_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NOT_FOUND: Final = Page(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"/metrics, /healthz and /readyz are here\n")  # fmt: skip


def _spelled(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
