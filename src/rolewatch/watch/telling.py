"""Decisions in, letters in the outbox out: which notifications there are, and to whom each goes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds
from rolewatch.findings.life import Incident
from rolewatch.notify.grouping import Event, Grouped, Targets, grouped
from rolewatch.notify.notification import Notification
from rolewatch.notify.routes import severity_of
from rolewatch.store import findings, outbox
from rolewatch.store.outbox import WAITING, Letter


class Address(NamedTuple):
    """Where a letter goes: a digest of the target's URL, and the URL without its secrets."""

    target: str
    name: str


class OpenIncidents:
    """The incidents of the findings that are kept, within a transaction; `notify.likeness.Incidents` says what each does."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def hold(self, names: Iterable[str]) -> None:
        """Wait for other transactions that are about some incidents."""
        findings.hold_incidents(self._connection, names)

    def latest(self, alike: str, since: int) -> Incident | None:
        """Give the latest incident of a digest."""
        found = findings.open_incident(self._connection, alike, since)
        return Incident(*found, alike) if found else None

    def members(self, key: str, most: int) -> int:
        """Count the findings of an incident."""
        return findings.members(self._connection, key, most)


class Teller:
    """Puts notifications into the outbox. `addresses` has every URL that `targets` may name. Safe for several threads."""

    def __init__(self, targets: Targets, addresses: Mapping[str, Address]) -> None:
        self._to = (targets, addresses)

    def turn_to(self, targets: Targets, addresses: Mapping[str, Address]) -> None:
        """Tell others from now on."""
        self._to = (targets, addresses)

    def tell(self, connection: sa.Connection, events: Iterable[Event], now: datetime) -> Grouped:
        """Make the notifications of a transaction and put them into the outbox, once for each of their targets."""
        targets, addresses = self._to
        made = grouped(events, now=now, incidents=OpenIncidents(connection), targets=targets)
        outbox.put(connection, list(_letters(made, addresses, now)))
        return made

    def announce(self, connection: sa.Connection, notification: Notification, now: datetime) -> None:
        """Put an alarm into the outbox, once for each target that alarms of its account go to."""
        targets, addresses = self._to
        account = {"account": (notification.alarm or {}).get("AWSAccountId")}
        urls = targets("alarm", account, severity_of(notification))
        moment = milliseconds(now)
        outbox.put(connection, [letter(notification, addresses[url], moment) for url in urls])


def _letters(made: Grouped, addresses: Mapping[str, Address], now: datetime) -> Iterable[Letter]:
    moment = milliseconds(now)
    for notification in made.notifications:
        for url in made.targets[notification.id]:
            yield letter(notification, addresses[url], moment)


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
        incident=notification.dedup_key,
    )
