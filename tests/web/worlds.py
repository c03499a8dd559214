"""What tests of the dashboard look at: a folder of logs that a watcher reads, its state, and a server over that."""

import gzip
import http.client
import json
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple
from urllib.parse import urlencode

import calls
from rolewatch.cli.main import main
from rolewatch.store.state import State
from rolewatch.web.access import Gate
from rolewatch.web.app import create_app
from rolewatch.web.desk import Desk
from rolewatch.web.live import Live
from rolewatch.web.server import Server
from rolewatch.web.tokens import new_token

_ids = count(1)


class World:
    """Logs that come in, and what a watcher made of them: the real one, run to its end each time."""

    def __init__(self, folder):
        self.folder, self.logs, self.place = folder, folder / "logs", str(folder / "state")
        self.logs.mkdir()
        self._names = count(1)

    def call(self, ago, bucket="b", **facts):
        """Make the record of a call of a service-linked role, so many minutes ago."""
        moment = datetime.now(UTC) - timedelta(minutes=ago)
        return calls.call(next(_ids), moment, bucket, **facts)

    def happen(self, *records, words=()):
        """Let records be delivered, and a watcher read them; `words` are more options of it."""
        path = self.logs / f"{next(self._names):06d}.json.gz"
        path.write_bytes(gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode()))
        os.utime(
            path, (1_700_000_000, 1_700_000_000)
        )  # a file that is new may still be written: a watcher waits a bit
        self.watch(*words)

    def watch(self, *words):
        """Have a watcher read what is there."""
        status = main(
            ["watch", str(self.logs), "--once", "--state", self.place, "--log-level", "error", *words],
            environ={},
        )
        assert status == 0


class Answer(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        """Its body as text."""
        return self.body.decode()

    @property
    def json(self):
        """Its body as JSON."""
        return json.loads(self.body)


class Site:
    """A server over a state, in a thread of its own; `secrets` are tokens of scope read and write."""

    def __init__(
        self,
        place,
        *,
        open_reading=True,
        proxies=None,
        hosts=("127.0.0.1",),
        numeric=False,
        lake="",
        clock=None,
    ):
        self.secrets, tokens = {}, []
        for scope in ("read", "write"):
            self.secrets[scope], token = new_token(f"{scope}er", scope)
            tokens.append(token)
        self.state = State(place)
        clock = clock or (lambda: datetime.now(UTC))
        self.tokens = tokens
        self.gate = Gate(lambda: self.tokens, clock, open_reading=open_reading, proxies=proxies)
        self.desk = Desk(self.state, self.gate, clock, lake=lake)
        self.desk.live = Live(self.desk.read, every=0.05)
        self.app = create_app(self.desk, hosts=hosts, numeric=numeric)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._server = Server(self.app, self.desk.live.close)
        self._thread = threading.Thread(target=self._server.answer, args=(self._socket,), daemon=True)
        self._thread.start()

    def close(self):
        """End the server, and wait for it."""
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        self.state.close()
        assert not self._thread.is_alive(), "the server does not end"

    def ask(self, method, path, body=None, *, scope=None, **headers):
        """Ask for something; `scope` sends the token that has it, `body` goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if scope:
            said["Authorization"] = f"Bearer {self.secrets[scope]}"
        if body is not None and not isinstance(body, bytes | str):
            body = json.dumps(body)
            said.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        """Read something."""
        return self.ask("GET", path, **headers)

    def login(self, scope, **headers):
        """Begin a session; returns its cookie as a browser sends it."""
        form = urlencode({"token": self.secrets[scope], "back": "/findings"})
        answer = self.ask("POST", "/login", form, Content_Type="application/x-www-form-urlencoded", **headers)
        assert answer.status == 303, answer.text
        return answer.headers["Set-Cookie"].partition(";")[0]
