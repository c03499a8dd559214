"""smtplib's clients, with an end: a timeout of the socket begins anew with each byte, this one does not."""

import smtplib
import socket
import ssl
from contextlib import suppress
from threading import Lock, Timer
from types import TracebackType
from typing import Self


class Watchdog:
    """Cuts the connection that it watches off after so many seconds, and says whether it did."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._lock = Lock()
        self._connection: socket.socket | None = None
        self._timer = Timer(seconds, self._cut_off)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def watch(self, connection: socket.socket) -> socket.socket:
        """Watch a connection from now on, also when it is encrypted later; gives it back."""
        with self._lock:
            self._connection = connection.dup()
            if self.late:
                self._end()
        return connection

    def _cut_off(self) -> None:
        with self._lock:
            self.late = True
            self._end()

    def _end(self) -> None:
        """End the connection that another thread waits for: that one sees its end."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


class Client(smtplib.SMTP):
    """A client that is watched from its first byte on; `timeout` in seconds is for each step."""

    def __init__(self, watchdog: Watchdog, host: str, port: int, timeout: float) -> None:
        self._watchdog = watchdog
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._watchdog.watch(socket.create_connection((host, port), timeout))


class TlsClient(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(
        self, watchdog: Watchdog, host: str, port: int, timeout: float, context: ssl.SSLContext
    ) -> None:
        self._watchdog, self._context = watchdog, context
        super().__init__(host, port, timeout=timeout, context=context)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = self._watchdog.watch(socket.create_connection((host, port), timeout))
        return self._context.wrap_socket(connection, server_hostname=host)
