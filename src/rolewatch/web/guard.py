"""What holds for every request, whatever it asks for: whom it is addressed to, how large it is, and what browsers may do with the answer."""

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rolewatch.web.answers import Problem, problem_response
from rolewatch.web.problems import bug

BODY: Final = 256 * 1024  # bytes of a request
#: Nothing from elsewhere, nothing inline, no frames. Charts draw on a canvas.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class Guard:
    """Refuses requests for another host, from another site, or too large; puts HEADERS on every answer, also on bugs.

    `hosts` are the names by which this server may be called, without ports. Every numeric address is one as well if
    `numeric`: a name that an attacker had resolved to this machine is none.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, numeric: bool) -> None:
        self._app, self._hosts, self._numeric = app, {host.lower() for host in hosts}, numeric

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def safer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        problem = self._refused(scope, headers)
        if problem:
            await problem_response(scope, headers.get("accept", ""), problem)(scope, receive, safer)
            return
        try:
            await self._app(scope, _bounded(receive), safer)
        except Exception as error:
            if begun:
                raise
            await bug(scope, headers.get("accept", ""), error)(scope, receive, safer)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> Problem | None:
        host = _name(headers.get("host", ""))
        if not (host in self._hosts or (self._numeric and _is_address(host))):
            return Problem(
                421, "This server has another name",
                "The request was addressed to a host that this server does not go by.", "Start it with --host NAME, or ask for it by its address.",
            )  # fmt: skip
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > BODY:
            return Problem(413, "Too large", f"A request may have {BODY:,} bytes.", "Ask for less at once.")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and _from_elsewhere(headers):
            return Problem(
                403, "From another site", "A page of another site has sent this request.", "Open the page here and do it again."
            )  # fmt: skip
        return None


def _from_elsewhere(headers: dict[str, str]) -> bool:
    """Whether a browser says that a page of another origin asks; programs that are no browsers say nothing of it."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def _bounded(receive: Receive) -> Receive:
    """Cut off a body that says nothing of its length and goes on too long."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > BODY:
            return {"type": "http.disconnect"}
        return message

    return bounded


def _name(host: str) -> str:
    """Take the port from a host."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
