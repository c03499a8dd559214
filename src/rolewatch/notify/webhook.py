"""`webhook+https://`: the body as JSON in a signed POST, so that the receiver knows who wrote it, and when.

The signature is HMAC-SHA256, with the secret as key, over the timestamp, a full stop and the body as sent.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.notify.body import body, bytes_of
from rolewatch.notify.http_post import Place, post
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import Url, fingerprint, is_loopback, nonsense, parsed, switch, variable

EXAMPLE: Final = "webhook+https://SECRET@hooks.example.com/rolewatch"
VARIABLE: Final = "ROLEWATCH_WEBHOOK_SECRET"
MOST: Final = 1024 * 1024  # bytes of a body
ID, TIMESTAMP, SIGNATURE = "Rolewatch-Id", "Rolewatch-Timestamp", "Rolewatch-Signature"
_OWN: Final = ("secret-env", "insecure")  # options for us; all others go to the receiver


class Webhook(Target):
    """A receiver of signed POSTs; `clock` gives seconds since 1970."""

    def __init__(self, name: str, place: Place, secret: bytes, clock: Callable[[], float] = time.time) -> None:  # fmt: skip
        super().__init__(name)
        self._place, self._secret, self._clock = place, secret, clock

    def deliver(self, notification: Notification) -> None:
        """Post the body with its signature."""
        content = body(notification, bytes_of(MOST)).encode("ascii")
        stamp = str(int(self._clock()))
        headers = {
            ID: terminal(notification.id, 200).encode("ascii", "backslashreplace").decode(),
            TIMESTAMP: stamp,
            SIGNATURE: f"sha256={signature(self._secret, stamp, content)}",
        }
        post(self._place, content, headers, self.name)


def signature(secret: bytes, timestamp: str, content: bytes) -> str:
    """Sign a body: HMAC-SHA256 over `timestamp.body`, in hex."""
    return hmac.new(secret, timestamp.encode("ascii") + b"." + content, hashlib.sha256).hexdigest()


def target(url: str, environ: Mapping[str, str]) -> Webhook:
    """Make the target of a URL."""
    found = parsed(url, EXAMPLE)
    if not found.host:
        raise nonsense(found.scheme, "it names no host", EXAMPLE)
    tls = found.scheme == "webhook+https"
    if not tls and not is_loopback(found.host) and not switch(found, "insecure", "no", EXAMPLE):
        raise nonsense(
            found.scheme, "without https everybody on the way can read it; add insecure=yes if that is meant", EXAMPLE
        )  # fmt: skip
    switch(found, "insecure", "no", EXAMPLE)
    secret = _secret(found, environ)
    rest = urlencode({name: value for name, value in found.options.items() if name not in _OWN})
    place = Place(tls, found.host, found.port, (found.path or "/") + (f"?{rest}" if rest else ""))
    port = f":{found.port}" if found.port else ""
    # The path may be what the receiver knows its senders by, so that the name has a fingerprint in its place.
    return Webhook(f"{found.scheme}://{found.host}{port}/…{fingerprint(url)}", place, secret)


def _secret(found: Url, environ: Mapping[str, str]) -> bytes:
    """Find the secret: in the URL, else in the variable that it names, else in the usual one."""
    named = variable(found, "secret-env", EXAMPLE)
    word = found.password or found.user
    if named is not None:
        if word:
            raise nonsense(found.scheme, "its secret stands before the @ or in a variable, not both", EXAMPLE)
        word = environ.get(named)
        if not word:
            raise UsageError(f"the {found.scheme} URL takes its secret from {named}, which is not set", remedy=f"set {named}")  # fmt: skip
    word = word or environ.get(VARIABLE)
    if not word:
        raise UsageError(
            f"the {found.scheme} URL has no secret to sign with",
            remedy=f"write it before the host as in {EXAMPLE}, name its variable with ?secret-env=NAME, or set {VARIABLE}",
        )
    return word.encode("utf-8", "surrogateescape")
