"""The line to one target: its letters out of the outbox, each until it has arrived, or for good reason never will."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from rolewatch.base.clock import milliseconds, moment_of
from rolewatch.base.errors import RolewatchError
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification
from rolewatch.notify.pace import Pace, Rate, due, merged, offer, release
from rolewatch.notify.quiet import Quiet
from rolewatch.notify.retry import next_attempt
from rolewatch.notify.routes import severity_of
from rolewatch.notify.target import Target
from rolewatch.sources.live import Told
from rolewatch.store import deliveries, outbox
from rolewatch.store.outbox import DEAD, HELD, MERGED, SENT, WAITING, Letter
from rolewatch.store.state import State
from rolewatch.watch.observer import Observer

AT_ONCE: Final = 20  # letters taken in one go
LEASE: Final = timedelta(minutes=2)  # after which another process may send a letter that was taken
BACK: Final = timedelta(minutes=1)  # by which the clock was put back if it shows so much less than it did
IDLE_SECONDS: Final = 5.0  # between looks into the outbox where nobody here has put anything

Clock = Callable[[], datetime]


class Manners(NamedTuple):
    """When and how fast targets are told."""

    rate: Rate | None
    quiet: Quiet


class Line:
    """Sends what is due to one target. Every letter is sent at least once; twice only if a crash has lost the answer."""

    def __init__(
        self,
        state: State,
        digest: str,
        target: Target,
        *,
        manners: Manners,
        told: Told,
        clock: Clock,
        observer: Observer | None = None,
    ) -> None:
        self._state, self._digest, self._target = state, digest, target
        self._manners, self._told, self._clock = manners, told, clock
        self._observer = observer or Observer()
        self._latest: datetime | None = None  # what the clock showed last
        self.sent = self.failed = 0

    def send_due(self) -> bool:
        """Send what is due now; returns whether there was anything."""
        self._mend()
        self._state.write(self._release)
        letters = self._state.write(self._take)
        failed: dict[str, int] = {}  # incident → when it is tried again to tell of it
        for letter in letters:
            if letter.incident in failed:
                after = letter._replace(due=failed[letter.incident] + 1)
            else:
                after = self._sent(letter)
                self._observer.sent(self._target.name, after)
            if after.state == WAITING:
                failed[letter.incident] = after.due
            self._state.write(partial(outbox.settle, letter=after))
        return bool(letters)

    def pause(self) -> float:
        """Say how many seconds until something is due, as far as this process knows."""

        def work(connection: sa.Connection) -> float | None:
            held = due(self._pace(connection), self._clock(), self._manners.rate)
            times = [held.timestamp()] if held else []
            letter = outbox.next_due(connection, self._digest)
            return min([*times, *([] if letter is None else [letter / 1000])], default=None)

        moment = self._state.read(work)
        if moment is None:
            return IDLE_SECONDS
        return min(max(moment - self._clock().timestamp(), 0.02), IDLE_SECONDS)

    def _mend(self) -> None:
        """Have letters sent that wait for a time which the clock had shown before it was put back."""
        now, latest = self._clock(), self._latest
        if latest is None:
            created = self._state.read(partial(outbox.latest_created, target=self._digest))
            latest = now if created is None else moment_of(created)
        if latest - now > BACK:
            self._state.write(partial(outbox.hasten, target=self._digest, now=milliseconds(now)))
        self._latest = now

    def _take(self, connection: sa.Connection) -> list[Letter]:
        """Take letters that are due, without those that have to wait: for the end of quiet times, or beyond the rate."""
        now = self._clock()
        outbox.claim(connection, self._digest)
        letters = outbox.take(connection, self._digest, milliseconds(now), milliseconds(now + LEASE), AT_ONCE)
        pace = before = self._pace(connection)
        taken: list[Letter] = []
        for letter in letters:
            notification = Notification.decode(letter.body)
            # What opens an incident may have failed, or be held: nothing may end it before.
            going = [each.id for each in taken]
            opener = outbox.earlier_due(connection, letter, going) if notification.ends else None
            if opener is not None:
                outbox.settle(connection, letter._replace(due=max(opener, milliseconds(now)) + 1))
                continue
            if letter.attempts:  # it was offered before
                taken.append(letter)
                continue
            held_until = self._manners.quiet.held_until(now, severity_of(notification))
            if held_until:
                outbox.settle(connection, letter._replace(due=milliseconds(held_until)))
                continue
            offered = offer(pace, notification, now, self._manners.rate)
            pace = offered.pace
            if offered.send:
                taken.append(letter)
            else:
                outbox.settle(connection, letter._replace(state=HELD))
        if pace != before:
            self._keep(connection, pace)
        return taken

    def _release(self, connection: sa.Connection) -> None:
        """Make one letter of those that were held, when the time for it has come."""
        now = self._clock()
        outbox.claim(connection, self._digest)
        released = release(self._pace(connection), now, self._manners.rate)
        if not released.ids:
            return
        self._keep(connection, released.pace)
        letters = outbox.held(connection, self._digest, released.ids)
        if not letters:
            return
        notification = merged([Notification.decode(letter.body) for letter in letters], now)
        for letter in letters:
            outbox.settle(connection, letter._replace(state=MERGED))
        quiet = self._manners.quiet.held_until(now, severity_of(notification))
        one = letters[0]._replace(
            id=notification.id,
            kind=notification.kind,
            body=notification.encode(),
            state=WAITING,
            due=milliseconds(quiet or now),
            attempts=1,
            incident=notification.dedup_key,
        )
        outbox.put(connection, [one._replace(created=milliseconds(now))])
        outbox.settle(connection, one)  # one that was there: a single letter goes as it is

    def _pace(self, connection: sa.Connection) -> Pace:
        text = deliveries.note(connection, f"pace:{self._digest}")
        return msgspec.json.decode(text, type=Pace) if text else Pace()

    def _keep(self, connection: sa.Connection, pace: Pace) -> None:
        deliveries.keep_notes(connection, {f"pace:{self._digest}": msgspec.json.encode(pace).decode()})

    def _sent(self, letter: Letter) -> Letter:
        """Send a letter and say what has become of it."""
        try:
            self._target.send(Notification.decode(letter.body))
        except SendError as error:
            return self._failed(letter, error)
        except RolewatchError as error:
            return self._failed(letter, SendError(error.message, remedy=error.remedy))
        except Exception as error:  # noqa: BLE001 - whatever it is, the letter is tried again
            return self._failed(letter, SendError(f"internal error: {type(error).__name__}", passing=True))
        self.sent += 1
        return letter._replace(state=SENT, error=None)

    def _failed(self, letter: Letter, error: SendError) -> Letter:
        self.failed += 1
        self._told("notifications", str(error))
        attempts = letter.attempts + 1
        following = next_attempt(
            attempts,
            self._clock(),
            created=moment_of(letter.created),
            jitter=random.random(),  # noqa: S311 - only spreads the attempts
            retry_after=error.retry_after,
            passing=error.passing,
        )
        if following.at is None:
            return letter._replace(state=DEAD, attempts=attempts, error=str(error))
        return letter._replace(due=milliseconds(following.at), attempts=attempts, error=str(error))
