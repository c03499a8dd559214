"""`exec:COMMAND WORD…`: a program of the user's own, without a shell; the body is its standard input."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import Final

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.notify.body import body, bytes_of
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import fingerprint

EXAMPLE: Final = "exec:/usr/local/bin/page-us --team security"
SECONDS: Final = 30.0
MOST: Final = 16 * 1024 * 1024  # bytes of a body
TEMPFAIL: Final = 75  # EX_TEMPFAIL of sysexits.h: try again later


class Program(Target):
    """A program that is run for each notification; its exit status says how that went."""

    def __init__(
        self, name: str, words: Sequence[str], environ: Mapping[str, str], seconds: float = SECONDS
    ) -> None:
        super().__init__(name)
        self._words, self._environ, self._seconds = list(words), dict(environ), seconds

    def deliver(self, notification: Notification) -> None:
        """Run the program; 75 is tried again, and so is one that took too long or was killed."""
        content = body(notification, bytes_of(MOST)).encode("ascii")
        status = self._run(content, self._told(notification))
        if status == 0:
            return
        if status is None:
            raise SendError(f"{self.name}: not done after {self._seconds:g} seconds, and killed", remedy="let it do its work in the background", passing=True)  # fmt: skip
        if status < 0:
            raise SendError(f"{self.name}: killed by signal {-status}", remedy="it is tried again", passing=True)  # fmt: skip
        passing = status == TEMPFAIL
        remedy = (
            "it is tried again"
            if passing
            else f"end with 0 if all is well, with {TEMPFAIL} to be called again"
        )
        raise SendError(f"{self.name}: ended with status {status}", remedy=remedy, passing=passing)

    def _told(self, notification: Notification) -> dict[str, str]:
        """Give the program's environment: ours, and what the notification is about."""
        own = {
            "ROLEWATCH_KIND": notification.kind,
            "ROLEWATCH_ID": terminal(notification.id, 1000),
            "ROLEWATCH_DEDUP_KEY": terminal(notification.dedup_key, 1000),
        }
        return self._environ | own

    def _run(self, content: bytes, environ: Mapping[str, str]) -> int | None:
        """Run to the end and return the exit status; None if that took too long."""
        # A file, not a pipe: a program that does not read it, or leaves children behind, holds up nobody.
        with TemporaryFile() as stdin:
            stdin.write(content)
            stdin.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - the user's own command, and no shell
                    self._words,
                    stdin=stdin,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environ,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise SendError(f"{self.name}: cannot be run: {reason}", remedy="check its path and its mode") from None  # fmt: skip
            try:
                return process.wait(self._seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def target(url: str, environ: Mapping[str, str]) -> Program:
    """Make the target of a URL; UsageError where there is no such program."""
    try:
        words = shlex.split(url.partition(":")[2])
    except ValueError:
        raise UsageError("the exec URL has a quotation mark that is not closed", remedy=f"write it as in {EXAMPLE}") from None  # fmt: skip
    if not words or "\0" in url:
        raise UsageError("the exec URL names no command", remedy=f"write it as in {EXAMPLE}")
    program = shutil.which(words[0], path=environ.get("PATH"))
    called = terminal(PurePath(words[0]).name, 100)
    if program is None:
        raise UsageError(f"the exec URL names the program {called}, which is not there or cannot be run", remedy="write its whole path, and make it executable")  # fmt: skip
    # Any word may be a token: the name has a fingerprint of them instead.
    return Program(f"exec:{called}…{fingerprint(url)}", [program, *words[1:]], environ)
