"""Watchers as processes of their own, whose log tests wait for; and receivers of their webhooks."""

import json
import os
import queue
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import deliveries

SECONDS = 60  # after which what does not happen is a failure
SECRET = "tests only"  # noqa: S105 - the receiver is ours


class Daemon:
    """A watcher over a folder `trail`, with its log as JSON."""

    def __init__(self, folder, *words, source="trail", state="state", environ=None):
        self.folder = folder
        (folder / "trail").mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "rolewatch",
            "watch",
            source,
            "--state",
            state,
            "--log-format",
            "json",
        ]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("ROLEWATCH_", "AWS_", "XDG_"))}  # fmt: skip
        own |= {"HOME": str(folder), "ROLEWATCH_WEBHOOK_SECRET": SECRET, "PYTHONWARNINGS": "error"}
        self.process = subprocess.Popen(
            [*command, *words], cwd=folder, env=own | (environ or {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines = []
        self._queue = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def _read(self):
        for line in self.process.stderr:
            self._queue.put(line.decode())
        self._queue.put(None)

    def wait(self, message, **facts):
        """Wait for a line of the log with a message and some facts; returns it."""
        while True:
            try:
                text = self._queue.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"{message!r} did not come: {self.lines}") from None
            assert text is not None, f"it ended before {message!r}: {self.lines}"
            line = json.loads(text)
            self.lines.append(line)
            if line["message"] == message and facts.items() <= line.items():
                return line

    def signal(self, number):
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self):
        """Wait for its end; returns the exit status."""
        status = self.process.wait(SECONDS)
        self._reader.join()
        while (text := self._queue.get()) is not None:
            self.lines.append(json.loads(text))
        return status


class Receiver:
    """Takes webhooks, with a status that tests set; `bodies` have arrived.

    Where `lost()` says so, the connection breaks without an answer: the sender never hears that it has arrived.
    """

    def __init__(self, lost=lambda: False):
        self.bodies, self.status, self.arrived = [], 204, threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    if not lost():
                        self.send_response(receiver.status)
                        self.end_headers()
                finally:
                    with receiver.arrived:
                        if receiver.status < 300:
                            receiver.bodies.append(body)
                        receiver.arrived.notify_all()

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"webhook+http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def wait(self, number):
        """Wait until so many have arrived; returns them."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= number, SECONDS), self.bodies
            return list(self.bodies)

    def close(self):
        """Stop taking any."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def stamp(**ago):
    """Spell a time a while ago as eventTime."""
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(folder, name, *buckets, number=1, **more):
    """Write a delivery of denials on buckets into the trail, as if they had happened a minute ago."""
    records = [
        deliveries.denial(number + place, resource=bucket, eventTime=stamp(minutes=1), **more)
        for place, bucket in enumerate(buckets)
    ]
    (folder / "trail").mkdir(exist_ok=True)
    hidden = folder / "trail" / f".{name}"
    deliveries.write(hidden, *records)
    hidden.rename(folder / "trail" / name)
