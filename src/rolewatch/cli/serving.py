"""The dashboard put together as options say, and the server that it runs in: in this thread, or beside a watcher."""

import socket
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli.commands import Called
from rolewatch.cli.output import complain

if TYPE_CHECKING:
    from rolewatch.store.state import State
    from rolewatch.web.access import Gate

EXTRA: Final = "pip install 'rolewatch[web]', in a checkout pip install '.[web]'"
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened at


class Serving:
    """Listens from the start, so that a place that is taken is told at once; answers when it runs."""

    def __init__(self, called: Called, state: "State", place: tuple[str, int]) -> None:
        """Check the options; UsageError for an address that others reach without a way to say who they are."""
        try:
            from rolewatch.web.app import create_app  # noqa: PLC0415 - it needs an extra
            from rolewatch.web.desk import Desk  # noqa: PLC0415 - as above
            from rolewatch.web.server import Server  # noqa: PLC0415 - as above
        except ImportError as error:
            raise CannotDo(
                f"the dashboard needs {error.name}, which is not installed", remedy=EXTRA
            ) from None
        values, (host, port) = called.values, place
        gate, self._secret = _gate(called, host)
        self._socket = _listening(host, port)
        self.address = _spelled(host, self._socket.getsockname()[1])
        self._desk = Desk(state, gate, now, lake=values["lake"] or "")
        numeric = host in _ANY
        hosts = {host, *values["host"], *(_LOCAL if _is_local(host) or numeric else ())}
        app = create_app(self._desk, hosts=hosts, numeric=numeric)

        def closing() -> None:
            self._desk.live.close()
            app.state.queries.close()

        self._server = Server(app, closing)
        self._thread = threading.Thread(target=self._serve, name="dashboard", daemon=True)

    def run(self) -> None:
        """Serve in this thread until it is interrupted."""
        sys.stderr.write(self.words + "\n")
        sys.stderr.flush()
        self._serve()

    @property
    def words(self) -> str:
        """What to tell people: where it is, and how to change anything. A secret is for a terminal, not for a log."""
        lines = [f"rolewatch: dashboard at http://{self.address}"]
        if self._secret and sys.stderr.isatty():
            lines.append(
                f"to change anything, log in with this token, which holds until the end: {self._secret}"
            )
        elif self._secret:
            lines.append(
                "to change anything, name a file of access tokens with --tokens (`rolewatch token NAME` makes one)"
            )
        return "\n".join(lines)

    def start(self) -> None:
        """Serve beside what this process does."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for what is being answered."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        self._server.answer(self._socket)


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def _gate(called: Called, host: str) -> tuple["Gate", str]:
    """Make what says who may do what, and the secret of a token that this server alone knows, if it has no file of them."""
    from rolewatch.web.access import Gate, Proxies  # noqa: PLC0415 - it needs an extra
    from rolewatch.web.tokens import TokenFile, new_token  # noqa: PLC0415 - as above

    values = called.values
    proxies = Proxies(values["proxy"], values["proxy-header"]) if values["proxy"] else None
    if values["tokens"]:
        return Gate(TokenFile(values["tokens"], complain), now, open_reading=False, proxies=proxies), ""
    if proxies:
        return Gate(tuple, now, open_reading=False, proxies=proxies), ""
    if not _is_local(host):
        raise UsageError(
            f"others reach {host}, and nothing says who may see what",
            remedy="name a file of access tokens with --tokens (`rolewatch token NAME` makes one), or listen at 127.0.0.1",
        )
    secret, token = new_token("local", "write")
    return Gate(lambda: [token], now, open_reading=True), secret


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(host: str, port: int) -> socket.socket:
    """Listen at an address; CannotDo if that is impossible."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as undone:
            found = undone.enter_context(socket.socket(family, kind, protocol))
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(place)
            found.listen(512)
            undone.pop_all()
    except OSError as error:
        raise CannotDo(
            f"--listen {_spelled(host, port)}: {error.strerror or error}",
            remedy="name another HOST:PORT of this machine",
        ) from None
    return found


def _spelled(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
