"""The parts of a watcher, put together as options and settings say."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from rolewatch.base.errors import CannotDo
from rolewatch.cli.commands import Called
from rolewatch.cli.lakes import EXTRA, lake_of
from rolewatch.cli.shared import requested
from rolewatch.notify.routing import Routing, routing_of
from rolewatch.notify.target import Target, target_of
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window
from rolewatch.sources.live import LiveSource, Told
from rolewatch.sources.live_places import live_sources
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import SHORT_SECONDS, WAIT_SECONDS, Feed
from rolewatch.watch.kept import Spans
from rolewatch.watch.line import Manners
from rolewatch.watch.memory import StateMemory
from rolewatch.watch.sender import Sender
from rolewatch.watch.telling import Address, Teller
from rolewatch.watch.watcher import Watcher

if TYPE_CHECKING:
    from rolewatch.watch.lakeward import Lakeward


class Watching:
    """A watcher and the sender beside it, over a state that is held; `sources` in place of those that are typed."""

    def __init__(
        self, called: Called, state: State, tell: Told, sources: Sequence[LiveSource] | None = None
    ) -> None:
        values = called.values
        self._once: bool = values["once"]
        routing = routing_of(called.environ, values["config"], values["notify"])
        targets = opened(routing, called.environ)
        prepare(state)
        request = requested(
            values,
            Window(),
            principals=frozenset(("slr", *values["principals"])),
            authentication=values["authentication"],
        )
        if sources is None:
            sources = live_sources(values["source"], StateMemory(state), tell)
        addresses = {url: Address(digest_of(url), target.name) for url, target in targets.items()}
        spans = Spans(values["silent-after"], values["settle"])
        self._lake = _lakeward(called, state, request, tell) if values["lake"] else None
        rules = Rules(spans, Teller(routing.routes.targets_of, addresses), now, lake=self._lake is not None)
        by_digest = {addresses[url].target: target for url, target in targets.items()}
        self._sender = Sender(state, by_digest, Manners(routing.rate, routing.quiet), told=tell, clock=now)
        feed = Feed(sources, tell, SHORT_SECONDS if self._once else WAIT_SECONDS)
        self._watcher = Watcher(state, feed, request, rules, told=tell, committed=self._sender.wake)

    def stop(self) -> None:
        """Finish what was begun, and end."""
        self._watcher.stop()

    def run(self) -> None:
        """Watch, and send what there is to tell, until it is stopped or all is done."""
        self._sender.start()
        if self._lake and not self._once:
            self._lake.start()
        try:
            self._watcher.run(once=self._once)
            if self._lake and self._once:
                self._lake.take()
        finally:
            if self._lake:
                self._lake.stop()
            if self._once:
                self._sender.drain()
            else:
                self._sender.stop()


def _lakeward(called: Called, state: State, request: ScanRequest, tell: Told) -> "Lakeward":
    """Prepare to take deliveries into a lake; CannotDo without what writes it."""
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - it is an extra
    except ImportError:
        raise CannotDo("a lake is written by pyarrow, which is not installed", remedy=EXTRA) from None
    from rolewatch.watch.lakeward import Lakeward  # noqa: PLC0415 - only where a lake is wanted

    # In this process: one forked beside threads may wait for ever for what they held.
    alone = msgspec.structs.replace(request, jobs=1)
    return Lakeward(state, lambda: lake_of(called), alone, tell)


def opened(routing: Routing, environ: Mapping[str, str]) -> dict[str, Target]:
    """Open every target that something can be told to, by its URL; UsageError for a URL that is none."""
    urls = (*routing.routes.all_targets(), *(url for urls in routing.actions.values() for url in urls))
    return {url: target_of(url, environ=environ) for url in dict.fromkeys(urls)}


def digest_of(url: str) -> str:
    """Name a target's URL in 16 hex digits, which tell nothing of what it holds."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def now() -> datetime:
    """Give the time of the clock."""
    return datetime.now(UTC)
