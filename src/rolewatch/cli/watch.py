"""`rolewatch watch`: follow deliveries as they arrive, and tell people what becomes blocked and what recovers."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import complain
from rolewatch.cli.scan import PRINCIPALS
from rolewatch.cli.shared import WORK
from rolewatch.cli.states import STATE, opened

HELP = (
    "Follow CloudTrail deliveries as they arrive, keep findings up to date, and tell people:\n"
    "once when a resource becomes blocked, once when it recovers."
)
EXAMPLES = (
    ("rolewatch watch /var/cloudtrail --notify slack://TOKENS", "a folder, and a message to Slack for each new blocked resource"),
    ("rolewatch watch sqs://trail-notices --notify sns:arn:aws:sns:us-east-1:111122223333:oncall", "a queue of S3 event notices"),
    ("rolewatch watch s3://my-trail/AWSLogs --once", "for cron: what is new since the last time, then end"),
    ("rolewatch watch sqs://trail-notices --state postgresql://rolewatch@db/rolewatch", "several watchers can share one database"),
)  # fmt: skip
SOURCE = Positional(
    "source",
    "SOURCE",
    "a folder, a file, a glob, - (standard input), s3://bucket/prefix, sqs://queue or logs://log-group",
    many=True,
    file=True,
)
POSITIONALS = (SOURCE,)
_WHAT, _TELL, _HOW = "what to look for", "whom to tell", "how to work"
OPTIONS = (
    STATE._replace(group=_HOW),
    Option("once", "end when everything that is there is done", flag=True, default=False, group=_HOW),
    Option("lake", "also keep the records in a lake: a folder, or s3://bucket/prefix; needs the extra lake", "DIR", file=True, group=_HOW),
    Option("notify", "tell URL: slack://…, sns:ARN, smtp://…, webhook+https://…, exec:COMMAND …; can be repeated", "URL", default=(), many=True, whole=True, group=_TELL),
    Option("principals", "whom to watch beside service-linked roles", "KIND", default=(), shown="slr", choices=PRINCIPALS, many=True, group=_WHAT),
    Option("authentication", "count failed credentials (ExpiredToken, AuthFailure …) as denials too", flag=True, default=False, group=_WHAT),
    Option("silent-after", "call a finding silent after so long without an attempt", "SPAN", words.span, default=timedelta(days=7), shown="7d", group=_WHAT),
    Option("settle", "say that something recovered only when events so much later have been seen", "SPAN", words.span, default=timedelta(minutes=15), shown="15m", group=_WHAT),
    *WORK,
)  # fmt: skip
SAME_SECONDS: Final = 60.0  # within which the same complaint is made once


def run(called: Called) -> int:
    """Watch until it is told to end; returns the exit status."""
    from rolewatch.cli.watching import Watching  # noqa: PLC0415 - not needed for --help

    tell = Complaints()
    with ExitStack() as held:
        state = held.enter_context(opened(called))
        state.make()
        held.enter_context(_locked(state.folder))
        watching = Watching(called, state, tell)
        with _signals(watching.stop):
            watching.run()
    return 0


class Complaints:
    """Says on stderr what goes wrong, the same thing once a minute at most. Safe for several threads."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str, reason: str) -> None:
        """Say it."""
        now = time.monotonic()
        with self._lock:
            self._said = {what: said for what, said in self._said.items() if now - said < SAME_SECONDS}
            if (name, reason) in self._said:
                return
            self._said[name, reason] = now
        complain(f"{name}: {reason}")


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _locked(folder: Any) -> Iterator[None]:
    """Hold the lock of a state that lies in a folder; that of a database is shared."""
    if folder is None:
        yield
        return
    from rolewatch.store.lock import Lock  # noqa: PLC0415 - as above

    lock = Lock(folder, f"{_now():%Y-%m-%dT%H:%M:%SZ}")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _signals(stop: Any) -> Iterator[None]:
    """Have SIGTERM end the work in good order."""

    def ended(_number: int, _frame: Any) -> None:
        stop()

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
