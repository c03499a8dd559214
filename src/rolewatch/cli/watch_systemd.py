"""What systemd wants to hear of a service of Type=notify (sd_notify(3)): ready, reloading, stopping, and still alive."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress


class Supervisor:
    """Tells systemd, if it asks to be told; `alive` decides whether the watchdog is fed."""

    def __init__(self, environ: Mapping[str, str], alive: Callable[[], bool]) -> None:
        self._address, self._alive = environ.get("NOTIFY_SOCKET", ""), alive
        asked = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "") if asked else ""
        self._every = int(microseconds) / 2e6 if microseconds.isdecimal() else 0.0
        self._stop = threading.Event()

    def ready(self) -> None:
        """Tell that the work has begun, or goes on with what was read again."""
        self._tell("READY=1")
        if self._every and not self._stop.is_set():
            self._feed()

    def start(self) -> None:
        """Tell that the work begins, and feed the watchdog from now on."""
        self.ready()
        if self._address and self._every:
            threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def reloading(self) -> None:
        """Tell that settings are being read; `ready` tells that they have been."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stop(self) -> None:
        """Tell that the work comes to its end."""
        self._stop.set()
        self._tell("STOPPING=1")

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._feed()

    def _feed(self) -> None:
        if self._alive():
            self._tell("WATCHDOG=1")

    def _tell(self, *words: str) -> None:
        if not self._address:
            return
        # A name that begins with @ is one of the abstract ones, which begin with NUL.
        place = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as spoken:
            spoken.connect(place)
            spoken.sendall("\n".join(words).encode())
