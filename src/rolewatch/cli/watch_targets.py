"""Whom a watcher tells: what options and settings say about that, read at the start and again whenever that is asked."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from rolewatch.cli import options as opts
from rolewatch.cli.commands import Called, load, set_elsewhere
from rolewatch.notify.routing import Routing, routing_of
from rolewatch.notify.target import Target, target_of
from rolewatch.watch.line import Manners
from rolewatch.watch.telling import Address

NOTIFY = "notify"


class Targets(NamedTuple):
    """What is set about telling, and its targets: their addresses by URL, and themselves by the digests of these."""

    routing: Routing
    addresses: Mapping[str, Address]
    by_digest: Mapping[str, Target]

    @property
    def manners(self) -> Manners:
        """When and how fast they are told."""
        return Manners(self.routing.rate, self.routing.quiet)

    @property
    def names(self) -> list[str]:
        """Name them, without their secrets."""
        return sorted({address.name for address in self.addresses.values()})


def targets_of(called: Called) -> Targets:
    """Read what is set now; UsageError that names the place of what makes no sense."""
    routing = routing_of(called.environ, called.values["config"], _notify(called))
    found = opened(routing, called.environ)
    addresses = {url: Address(digest_of(url), target.name) for url, target in found.items()}
    return Targets(routing, addresses, {addresses[url].target: target for url, target in found.items()})


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


def _notify(called: Called) -> tuple[str, ...]:
    """Give the targets of what no route keeps for itself: as typed, else as they are set now."""
    if NOTIFY in called.typed:
        return tuple(called.values[NOTIFY])
    option = next(option for option in load("watch").OPTIONS if option.name == NOTIFY)
    found = set_elsewhere("watch", [NOTIFY], called.environ, called.values["config"])
    return tuple(opts.values({}, (option,), found)[NOTIFY])
