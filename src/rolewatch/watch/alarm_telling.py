"""A change of an alarm's state and the actions that it invokes in, letters in the outbox out.

Actions of templates are told to the targets that the settings give them. What no action tells is told as findings are, by routes
and `--notify`: that an alarm rings, and that it is over.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.alarms.history import State
from rolewatch.alarms.log_results import Attributes
from rolewatch.base import clock
from rolewatch.notify.grouping import identify
from rolewatch.notify.notification import Notification
from rolewatch.notify.routes import Routes
from rolewatch.store import outbox
from rolewatch.templates.definitions import Topic
from rolewatch.watch.alarm_actions import TELL, Acted
from rolewatch.watch.log_alarm_memory import digest_of
from rolewatch.watch.telling import Address, letter

_RINGING: Final = "high"  # what a ringing alarm counts as for routes: that it is over goes where that went


class Audience(NamedTuple):
    """Whom a change is told, and whether somebody who is not named by an action knows now that the alarm rings."""

    targets: tuple[str, ...]
    open: bool


class AlarmTeller:
    """Puts changes of alarms into the outbox. Safe for several threads.

    `actions`: ARN or logical id → its targets' URLs; `topics` are those of the templates; `addresses` has every URL.
    """

    def __init__(
        self,
        routes: Routes,
        actions: Mapping[str, tuple[str, ...]],
        addresses: Mapping[str, Address],
        topics: Sequence[Topic] = (),
    ) -> None:
        self._topics = topics
        self._to = self._lines(routes, actions, addresses)

    def turn_to(
        self, routes: Routes, actions: Mapping[str, tuple[str, ...]], addresses: Mapping[str, Address]
    ) -> None:
        """Tell others from now on."""
        self._to = self._lines(routes, actions, addresses)

    def audience(self, acted: Acted, account: str, *, is_open: bool) -> Audience:
        """Say whom a change is told."""
        change, to = acted.change, self._to
        mapped = [action for action in change.actions if action in to.actions]
        urls = [url for action in mapped for url in to.actions[action]]
        if TELL in change.actions:
            rings, over = change.after is State.ALARM, change.after is State.OK
            subject = {"account": account}
            if (rings and not mapped) or (over and is_open):
                urls += to.routes.targets_of("alarm", subject, _RINGING)
                is_open = rings
            else:
                urls += to.asking.targets_of("alarm", subject, _RINGING if rings else "low")
        return Audience(tuple(dict.fromkeys(urls)), is_open)

    def tell(
        self, connection: sa.Connection, notifications: Sequence[tuple[Notification, Sequence[str]]], now: int
    ) -> None:
        """Put notifications into the outbox for their targets, to be sent in this order, the first `now` (milliseconds)."""
        addresses = self._to.addresses
        letters = [
            letter(notification, addresses[url], now + place)
            for place, (notification, urls) in enumerate(notifications)
            for url in urls
        ]
        outbox.put(connection, letters)

    def _lines(
        self, routes: Routes, actions: Mapping[str, tuple[str, ...]], addresses: Mapping[str, Address]
    ) -> "_Lines":
        asking = Routes(tuple(route for route in routes.routes if "alarm" in route.kinds))
        own = {topic.arn: actions[topic.logical_id] for topic in self._topics if topic.logical_id in actions}
        return _Lines(routes, asking, {**own, **actions}, addresses)


class _Lines(NamedTuple):
    """Where it goes; `asking` are the routes that name alarms."""

    routes: Routes
    asking: Routes
    actions: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, Address]


def notification_id(arn: str, acted: Acted) -> str:
    """Name the notification of a change, the same whenever it is told."""
    return identify("alarm", arn, str(acted.change.time), str(acted.change.after), *_whose(acted.contributor))


def incident_of(arn: str, contributor: Attributes | None = None) -> str:
    """Give the `dedup_key` of an alarm, or of one of its contributors: what OK resolves is what ALARM has opened."""
    return identify("alarm", arn, *_whose(contributor))


def contributor_id(contributor: Attributes) -> str:
    """Name a contributor in 32 hex digits."""
    return digest_of(contributor).hex()


def _whose(contributor: Attributes | None) -> tuple[str, ...]:
    return () if contributor is None else (contributor_id(contributor),)


def spelled(seconds: int) -> str:
    """Spell a time in seconds since 1970."""
    return clock.spelled(datetime.fromtimestamp(seconds, UTC))
