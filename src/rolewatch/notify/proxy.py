"""A connection over TLS through the HTTP proxy that the environment names."""

import ssl
from base64 import b64encode
from http.client import HTTPSConnection
from urllib.parse import unquote, urlsplit

from rolewatch.notify.errors import SendError


def through(proxy: str, host: str, port: int | None, context: ssl.SSLContext, timeout: float) -> HTTPSConnection:  # fmt: skip
    """Make a connection that reaches `host` by CONNECT; SendError for a proxy that is no http://HOST:PORT."""
    try:
        found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        name, at = found.hostname, found.port
    except ValueError:
        name, at = None, None
    if not name or urlsplit(proxy if "://" in proxy else f"http://{proxy}").scheme != "http":
        raise SendError("HTTPS_PROXY names no proxy that can be used", remedy="write it as in http://proxy.example.com:3128")  # fmt: skip
    connection = HTTPSConnection(name, at or 80, timeout=timeout, context=context)
    headers = {}
    if found.username is not None:
        login = f"{unquote(found.username)}:{unquote(found.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    connection.set_tunnel(host.strip("[]"), port or 443, headers)
    return connection
