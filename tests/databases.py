"""A PostgreSQL of the tests' own: started in a folder, spoken to over a socket in it, stopped and started again at will."""

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Self

_numbers = count()


class Postgres:
    """A server with databases that tests make; PostgreSQL refuses to be root, so it runs as another user where that is us."""

    def __init__(self) -> None:
        self._home = Path(
            tempfile.mkdtemp(prefix="rw-pg-")
        )  # a short path: sockets have no room for long ones
        self._data = self._home / "data"
        self._user = _user()
        if self._user:
            shutil.chown(self._home, *self._user)
        self._run("initdb", "-D", self._data, "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-k {self._home} -c listen_addresses='' -c max_connections=50 -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", self._home / "log", "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; connections break."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def database(self) -> str:
        """Make a new database and give its URL."""
        name = f"d{next(_numbers)}"
        self._run("createdb", "-h", self._home, "-U", "tests", name)
        return f"postgresql://tests@/{name}?host={self._home}"

    def _run(self, program: str, *words: object) -> None:
        more = {"user": self._user[0], "group": self._user[1]} if self._user else {}
        subprocess.run(
            [_found(program), *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd=self._home, **more
        )


def _user() -> tuple[str, str] | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ("postgres", "postgres") if "postgres" in names else ("nobody", "nogroup")


def _found(program: str) -> str:
    """Find a program of PostgreSQL; Debian keeps them out of the way of the shell."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    found = shutil.which(program) or next(map(str, places), None)
    assert found, "PostgreSQL is installed on a machine that runs the tests"
    return found
