"""What a watcher's log says of its work: the start, what was told and why, what failed, and the sums at the end."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rolewatch.notify.headlines import title
from rolewatch.notify.notification import Notification
from rolewatch.store.outbox import DEAD, SENT, Letter
from rolewatch.watch.feed import Given
from rolewatch.watch.log import Log
from rolewatch.watch.observer import Committed, Observer
from rolewatch.watch.register import Changed

HEADLINE: Final = 300  # characters
SENT_WORD: Final = "sent"
RESULTS: Final[Mapping[str, str]] = {SENT: SENT_WORD, DEAD: "dead"}  # anything else is tried again


def result_of(letter: Letter) -> str:
    """Say in a word what became of a letter: sent, dead (given up), or failed (it is tried again)."""
    return RESULTS.get(letter.state, "failed")


class LogLines(Observer):
    """Writes the lines, and keeps the sums of this run."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.sums: Counter[str] = Counter()
        self._lock = threading.Lock()

    def committed(self, committed: Committed) -> None:
        """Tell of each delivery that could not be read, and of what the batch changed."""
        changed, failed = committed.changed, committed.failed
        for given in failed:
            name = given.arrival.delivery.name
            self._log.warning("delivery failed", name=name, source=given.source.word, reason=committed.unreadable[name])  # fmt: skip
        self._add(
            deliveries=len(committed.given),
            records=committed.records,
            denials=changed.denials,
            duplicates=committed.repeated,
            failed=len(failed),
        )
        self._log.debug(
            "committed",
            deliveries=len(committed.given),
            records=committed.records,
            denials=changed.denials,
            seconds=committed.seconds,
        )
        self.changed(changed)

    def put_off(self, given: Given, reason: str, seconds: float) -> None:
        """Tell that a delivery is tried again."""
        self._log.warning(
            "delivery put off",
            name=given.arrival.delivery.name,
            source=given.source.word,
            reason=reason,
            again_in_seconds=round(seconds),
        )

    def changed(self, changed: Changed) -> None:
        """Tell of each notification, and of each one that was held back."""
        for notification in changed.told:
            self.announced(notification)
        for name, reason in changed.held:
            self._log.debug("not told", finding=name, reason=reason)

    def announced(self, notification: Notification) -> None:
        """Tell of one notification."""
        self._add(notifications=1)
        self._log.info(
            "notification",
            kind=notification.kind,
            id=notification.id,
            reason=notification.reason,
            findings=len(notification.findings) + notification.left_out or None,
            title=title(notification, HEADLINE),
        )

    def drained(self, *, first: bool) -> None:
        """Tell that the backlog is through."""
        self._log.info("backlog through", first=first, **self.totals())

    def sent(self, target: str, letter: Letter) -> None:
        """Tell what became of a letter."""
        result = result_of(letter)
        self._add(**{f"letters_{result}": 1})
        facts = {"target": target, "kind": letter.kind, "id": letter.id}
        if result == SENT_WORD:
            self._log.info("notification sent", **facts)
        elif result == "dead":
            self._log.error("notification given up", **facts, attempts=letter.attempts, reason=letter.error)
        else:
            # Why is told once a minute for each target, as trouble.
            self._log.debug("notification not sent", **facts, attempts=letter.attempts, reason=letter.error)

    def _add(self, **numbers: int) -> None:
        with self._lock:
            self.sums.update(numbers)

    def totals(self) -> dict[str, int]:
        """Give the sums of this run."""
        return {name: self.sums[name] for name in _TOTALS}


_TOTALS: Final[Sequence[str]] = (
    "deliveries",
    "records",
    "denials",
    "duplicates",
    "failed",
    "notifications",
    "letters_sent",
    "letters_failed",
    "letters_dead",
)
