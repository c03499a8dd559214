"""Who asks: by a token, by a session that one began, by a proxy that is trusted, or anybody where reading is open."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Literal, NamedTuple

from starlette.requests import HTTPConnection

from rolewatch.base.sanitise import terminal
from rolewatch.web.tokens import Scope, Token, token_of

COOKIE: Final = "rolewatch_session"
CSRF_HEADER: Final = "x-rolewatch-csrf"
LASTS: Final = timedelta(hours=12)  # a session
MOST_SESSIONS: Final = 1000
FAILURES: Final = 5  # logins of an address that may fail …
FAILURES_OF_ALL: Final = 50  # … and of all addresses …
WINDOW: Final = 60.0  # … within so many seconds

Network = IPv4Network | IPv6Network


class Visitor(NamedTuple):
    """Who asks and what they may. `csrf` is what a page of theirs has to send with a change; "" where none is needed."""

    name: str
    scope: Scope
    how: Literal["open", "token", "session", "proxy"]
    csrf: str = ""

    @property
    def may_write(self) -> bool:
        """Whether they may change anything."""
        return self.scope == "write"


class Proxies(NamedTuple):
    """The addresses of proxies that are trusted, and the header in which they name who asks."""

    networks: Sequence[Network]
    header: str


class _Session(NamedTuple):
    token: Token
    until: datetime


class TooManyError(Exception):
    """Too many logins have failed; `seconds` until the next one is looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Gate:
    """Knows tokens and sessions, which hold as long as their token is one of `tokens`.

    `open_reading`: whoever reaches it may read, as on a loopback address without tokens.
    """

    def __init__(
        self,
        tokens: Callable[[], Sequence[Token]],
        clock: Callable[[], datetime],
        *,
        open_reading: bool,
        proxies: Proxies | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.open_reading = open_reading
        self._tokens, self._clock, self._proxies, self._monotonic = tokens, clock, proxies, monotonic
        self._key = secrets.token_bytes(32)
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._failed: list[tuple[float, str]] = []
        self._lock = threading.Lock()

    def visitor(self, request: HTTPConnection) -> Visitor | None:
        """Say who asks; None for somebody who has to log in first."""
        secret = _bearer(request.headers.get("authorization", ""))
        if secret is not None:
            token = token_of(secret, self._tokens(), self._clock())
            return Visitor(token.name, token.scope, "token") if token else None
        session = request.cookies.get(COOKIE, "")
        known = self._session(session) if session else None
        if known:
            return Visitor(known.name, known.scope, "session", self._csrf(session))
        named = self._named_by_proxy(request)
        if named:
            return Visitor(named, "write", "proxy", self._csrf(f"proxy {named}"))
        return Visitor("anybody", "read", "open") if self.open_reading else None

    def login(self, secret: str, peer: str) -> str | None:
        """Begin a session with a token; None for one that is not known. TooManyError if too many have failed lately."""
        now = self._monotonic()
        with self._lock:
            self._failed = [(at, who) for at, who in self._failed if now - at < WINDOW]
            own = [at for at, who in self._failed if who == peer]
            if len(own) >= FAILURES or len(self._failed) >= FAILURES_OF_ALL:
                oldest = min(own if len(own) >= FAILURES else [at for at, _ in self._failed])
                raise TooManyError(max(1, round(WINDOW - (now - oldest))))
        token = token_of(secret.strip(), self._tokens(), self._clock())
        with self._lock:
            if token is None:
                self._failed.append((now, peer))
                return None
            session = secrets.token_urlsafe(32)
            until = self._clock() + LASTS
            if token.until:
                until = min(until, token.until)
            self._sessions[_hashed(session)] = _Session(token, until)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def logout(self, session: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hashed(session), None)

    def _session(self, session: str) -> Token | None:
        tokens, name = self._tokens(), _hashed(session)
        with self._lock:
            known = self._sessions.get(name)
            if known is None:
                return None
            if self._clock() < known.until and known.token in tokens:
                return known.token
            del self._sessions[name]
            return None

    def _named_by_proxy(self, request: HTTPConnection) -> str:
        if not self._proxies or not request.client:
            return ""
        try:
            peer = ip_address(request.client.host)
        except ValueError:
            return ""
        if not any(peer in network for network in self._proxies.networks):
            return ""
        return terminal(request.headers.get(self._proxies.header, "").strip(), 100)

    def _csrf(self, session: str) -> str:
        return hmac.new(self._key, session.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two secrets in a time that says nothing of them."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _bearer(header: str) -> str | None:
    kind, _, secret = header.partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def _hashed(session: str) -> bytes:
    return hashlib.sha256(session.encode("utf-8", "replace")).digest()
