"""The watcher as an AWS Lambda function: `rolewatch.cli.aws_lambda.handler`.

Each call takes what its event holds or names through the same transaction as `rolewatch watch`, then sends what there is to
tell. Options come from variables and rolewatch.toml, as for `rolewatch watch`; ROLEWATCH_STATE has to name a state that
outlives the function: PostgreSQL, or a folder on EFS (then with a reserved concurrency of 1).
"""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli import options as opts
from rolewatch.cli import watch
from rolewatch.cli.commands import Called, set_elsewhere
from rolewatch.cli.main import CONFIG
from rolewatch.cli.states import held
from rolewatch.cli.watching import Watching
from rolewatch.sources.events import deliveries_of_event
from rolewatch.sources.live import BATCH, Arrival, LiveSource
from rolewatch.watch.log import Log

WORD: Final = "event"  # what stands for SOURCE in the state


class Invocation(LiveSource):
    """What one event brought; `left` are those of its arrivals that are not done."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        super().__init__(WORD)
        self._rest = list(arrivals)
        self.left = list(arrivals)
        self._lock = threading.Lock()

    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give them, BATCH at a time."""
        with self._lock:
            part, self._rest = self._rest[:BATCH], self._rest[BATCH:]
        if not part:
            threading.Event().wait(min(seconds, 0.01))
        return part

    @property
    def drained(self) -> bool:
        """Whether all have been given."""
        return not self._rest

    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Take out what was committed."""
        with self._lock:
            ids = {id(arrival) for arrival in arrivals}
            self.left = [arrival for arrival in self.left if id(arrival) not in ids]


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Take one event; returns which messages of a batch have to come again (`batchItemFailures`).

    Raises CannotDo where an event that is no batch could not be taken whole, so that Lambda tries again.
    """
    del context
    return take(event, os.environ)


def take(event: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    """Do what `handler` says, with an environment."""
    called = _called(environ)
    if not called.values["state"]:
        raise UsageError(
            "ROLEWATCH_STATE is not set",
            remedy="name a PostgreSQL, or a folder on EFS: what a function writes elsewhere is forgotten",
        )
    invocation = Invocation(deliveries_of_event(event))
    log = Log(called.values["log-format"], called.values["log-level"])
    with held(called) as state:
        # A first call is no backlog: what its event tells is told as it comes.
        Watching(called, state, log, sources=[Invocation(())]).run()
        Watching(called, state, log, sources=[invocation]).run()
    tickets = dict.fromkeys(arrival.ticket for arrival in invocation.left)
    if None in tickets:
        raise CannotDo("the event could not be taken whole", remedy="see the lines before")
    return {"batchItemFailures": [{"itemIdentifier": ticket} for ticket in tickets]}


def _called(environ: Mapping[str, str]) -> Called:
    """Give the values that `rolewatch watch --once` would have without a word typed."""
    wanted = [option.name for option in watch.OPTIONS]
    values = opts.values({}, watch.OPTIONS, set_elsewhere("watch", wanted, environ, None))
    return Called(values | {"source": (WORD,), "once": True, CONFIG.name: None}, environ, ())
