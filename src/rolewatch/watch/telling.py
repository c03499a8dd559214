"""Decisions in, letters in the outbox out: which notifications there are, and to whom each goes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.notify.grouping import Event, Grouped, Targets, grouped
from rolewatch.notify.notification import Notification
from rolewatch.store import findings, outbox
from rolewatch.store.outbox import WAITING, Letter


class Address(NamedTuple):
    """Where a letter goes: a digest of the target's URL, and the URL without its secrets."""

    target: str
    name: str


class Teller:
    """Puts notifications into the outbox. `addresses` has every URL that `targets` may name."""

    def __init__(self, targets: Targets, addresses: Mapping[str, Address]) -> None:
        self._targets = targets
        self._addresses = addresses

    def tell(self, connection: sa.Connection, events: Iterable[Event], now: datetime) -> Grouped:
        """Make the notifications of a transaction and put them into the outbox, once for each of their targets."""

        def members(incident: str) -> int:
            return len(findings.members(connection, incident))

        made = grouped(events, now=now, members=members, targets=self._targets)
        outbox.put(connection, list(self._letters(made, now)))
        return made

    def _letters(self, made: Grouped, now: datetime) -> Iterable[Letter]:
        moment = int(now.timestamp() * 1000)
        for notification in made.notifications:
            for url in made.targets[notification.id]:
                yield letter(notification, self._addresses[url], moment)


def letter(notification: Notification, address: Address, moment: int) -> Letter:
    """Address a notification."""
    return Letter(
        id=notification.id,
        target=address.target,
        name=address.name,
        kind=notification.kind,
        body=notification.encode(),
        state=WAITING,
        created=moment,
        due=moment,
        attempts=0,
        error=None,
    )
