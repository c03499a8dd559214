"""One POST over HTTP, without redirects and within a time: whoever answers slowly or endlessly holds up nobody else."""

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from typing import Final, NamedTuple

from rolewatch import __version__
from rolewatch.notify.errors import SendError

SECONDS: Final = 10.0  # for each step: to connect, to send, to wait for an answer
WHOLE: Final = 30.0  # seconds for all of it
LONGEST_WAIT: Final = 86_400.0  # seconds that an answer may ask for; more is taken for this
#: Answers beside 5xx after which the same may be accepted later: too slow, too early, too many.
PASSING: Final = frozenset((408, 425, 429))
_REMEDIES: Final = {
    401: "check the secret or key",
    403: "check the secret or key",
    404: "check the address",
    405: "check the address: it takes no POST",
    410: "the address is no longer in use: take the target out of the settings",
    413: "let the receiver take larger messages",
}


class Place(NamedTuple):
    """Where to post to: `target` is path and query as they go on the wire."""

    tls: bool
    host: str
    port: int | None
    target: str


def post(
    place: Place, content: bytes, headers: Mapping[str, str], name: str, *, whole: float = WHOLE
) -> None:
    """Post, and return if the answer is a 2xx; else SendError, which names the target by `name` only.

    `whole` is how many seconds all of it may take.
    """
    connection = _connection(place)
    late = Event()
    # A timeout of the socket begins anew with each byte: this one does not.
    watchdog = Timer(whole, _cut_off, (connection, late))
    watchdog.daemon = True
    watchdog.start()
    try:
        sent = {"Content-Type": "application/json", "User-Agent": f"rolewatch/{__version__}"} | dict(headers)
        connection.request("POST", place.target, content, sent)
        with connection.getresponse() as answer:
            status, wait = answer.status, answer.getheader("Retry-After")
        if late.is_set():  # an end in the middle of the headers looks like their end
            raise TimeoutError
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message or "not trusted"
        remedy = "let SSL_CERT_FILE name the authority that issued it"
        raise SendError(f"{name}: its certificate is not accepted: {reason}", remedy=remedy) from None
    except (OSError, HTTPException) as error:
        reason = "it took too long" if late.is_set() else _what(error)
        raise SendError(f"{name}: no answer ({reason})", remedy="check the address and the network", passing=True) from None  # fmt: skip
    finally:
        watchdog.cancel()
        connection.close()
    check(status, wait, name)


def check(status: int, wait: str | None, name: str) -> None:
    """Return for a 2xx; else SendError, with the time that the answer asks to wait for."""
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        remedy = "redirects are not followed: name the address that it leads to"
        raise SendError(f"{name}: answered {status}", remedy=remedy)
    passing = status >= 500 or status in PASSING
    remedy = "it is tried again" if passing else _REMEDIES.get(status, "look into the receiver's log")
    raise SendError(
        f"{name}: answered {status}",
        remedy=remedy,
        passing=passing,
        retry_after=seconds(wait, time.time()) if passing else None,
    )


def seconds(wait: str | None, now: float) -> float | None:
    """Read a Retry-After, in seconds or as a date (RFC 9110 §10.2.3); None if there is none, or it is neither."""
    word = (wait or "").strip()
    if word.isascii() and word.isdigit():
        return min(float(word[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(word)
    except ValueError:
        return None
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.fromtimestamp(now, UTC)
    return min(max(at.total_seconds(), 0.0), LONGEST_WAIT)


def _connection(place: Place) -> HTTPConnection:
    """Make a connection, through the proxy that the environment names for https."""
    if not place.tls:
        return HTTPConnection(place.host.strip("[]"), place.port, timeout=SECONDS)
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415 - takes 20 ms

    proxy = getproxies_environment().get("https")
    context = ssl.create_default_context()
    if not proxy or proxy_bypass(place.host):
        return HTTPSConnection(place.host.strip("[]"), place.port, timeout=SECONDS, context=context)
    from rolewatch.notify.proxy import through  # noqa: PLC0415 - few have one

    return through(proxy, place.host, place.port, context, SECONDS)


def _what(error: Exception) -> str:
    """Say what kind of failure it was; its own words may repeat what was sent."""
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return "it took too long" if isinstance(error, TimeoutError) else type(error).__name__


def _cut_off(connection: HTTPConnection, late: Event) -> None:
    """End a connection that another thread waits for: that one sees its end."""
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
