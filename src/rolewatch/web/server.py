"""The HTTP server in which the application runs, over a socket that listens already."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

GRACE: Final = 5  # seconds that answers may take when all ends
MOST: Final = 1000  # requests and streams at once


class Server(uvicorn.Server):
    """Serves until `should_exit`; `closing` is called when the end begins, for streams would go on for ever, and queries as well."""

    def __init__(self, app: ASGIApp, closing: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=GRACE,
            proxy_headers=False, http="h11", ws="none", limit_concurrency=MOST,
        )  # fmt: skip
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._closing()
        await super().shutdown(sockets)

    def answer(self, listening: socket.socket) -> None:
        """Answer what comes to a socket, in this thread, until the end."""
        asyncio.run(self.serve(sockets=[listening]))
