"""What listens to a service of Type=notify in the place of systemd."""

import socket


class Systemd:
    """The socket that systemd listens at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name)
        self._socket.settimeout(30)

    def heard(self) -> dict[str, str]:
        """Give the next message, its lines by their names."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
