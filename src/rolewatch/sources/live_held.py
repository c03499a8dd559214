"""Messages of a queue that are being worked on: kept invisible to others, and deleted when all that they brought is done.

A thread of its own does this, so that neither slow work nor a slow queue lets a message become visible again. What is not
deleted, for whatever reason, comes again, and is known by its marks then.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rolewatch.base import aws
from rolewatch.sources.live_time import Backoff, Time
from rolewatch.sources.live_trouble import Trouble

TOGETHER: Final = 10  # messages in one request, the most there is
GONE: Final = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"})
PARTING: Final = 3  # attempts to delete what is done when the queue is let go
EXTENDED: Final = 3  # times that a message's time is extended before it would run out


class _Message:
    """A message: `open` are the marks of what it brought that is not done; `settled` says that they are all known."""

    __slots__ = ("open", "receipt", "settled")

    def __init__(self, receipt: str) -> None:
        self.receipt = receipt
        self.open: set[str] = set()
        self.settled = False


class Held:
    """The messages of one queue that are held. `seconds` is how long one stays invisible without being extended."""

    def __init__(self, client: Any, url: str, trouble: Trouble, seconds: int, time: Time) -> None:
        self._client, self._url, self._trouble, self._seconds, self._time = (
            client,
            url,
            trouble,
            seconds,
            time,
        )
        self._messages: dict[str, _Message] = {}
        self._waiting: dict[str, list[str]] = {}  # mark → the messages that wait for it
        self._finished: dict[str, str] = {}  # id → receipt of what is to be deleted
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def hold(self, name: str, receipt: str) -> bool:
        """Take a message that was received; False if it is held already, or if the queue is being let go of."""
        with self._changed:
            if name in self._messages:
                self._messages[
                    name
                ].receipt = receipt  # its time had run out: only the latest receipt is good
                return False
            if name in self._finished:
                self._finished[name] = receipt
                return False
            if not self._closed:
                self._messages[name] = _Message(receipt)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._keep, name="rolewatch-held", daemon=True)
                    self._thread.start()
                return True
        self._change({name: receipt}, 0)
        return False

    def settle(self, name: str, marks: Iterable[str]) -> list[str]:
        """Say what a message brought; returns the marks that no other message has brought before and that are not done."""
        with self._changed:
            message = self._messages.get(name)
            if message is None:  # let go of meanwhile
                return []
            message.settled = True
            message.open.update(marks)
            new = [mark for mark in message.open if mark not in self._waiting]
            for mark in message.open:
                self._waiting.setdefault(mark, []).append(name)
            self._finish(name)
            return new

    def done(self, marks: Iterable[str]) -> None:
        """Say what is done; a message without anything left is deleted soon."""
        with self._changed:
            for mark in marks:
                for name in self._waiting.pop(mark, ()):
                    message = self._messages.get(name)
                    if message:
                        message.open.discard(mark)
                        self._finish(name)

    def close(self) -> None:
        """Delete what is done, and make all else visible to others again."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread, self._thread = self._thread, None
        if thread:
            thread.join()
        failures = 0
        while self._finished and failures < PARTING:
            failures += not self._delete()
        with self._changed:
            left = {name: message.receipt for name, message in self._messages.items()}
            self._messages.clear()
            self._waiting.clear()
        self._change(left, 0)

    def _finish(self, name: str) -> None:
        message = self._messages[name]
        if message.settled and not message.open:
            self._finished[name] = self._messages.pop(name).receipt
            self._changed.notify()

    def _keep(self) -> None:
        """Delete and extend until the queue is let go of."""
        every = self._seconds / EXTENDED
        due = self._time.monotonic() + every
        again = 0.0  # when deleting may be tried again
        backoff = Backoff()
        while True:
            with self._changed:
                while not self._closed:
                    now = self._time.monotonic()
                    until = min(due, max(again, now)) if self._finished else due
                    if until <= now:
                        break
                    self._changed.wait(until - now)
                if self._closed:
                    return
                held = {name: message.receipt for name, message in self._messages.items()}
            now = self._time.monotonic()
            if due <= now:
                due = now + every
                self._change(held, self._seconds)
            elif self._delete():
                backoff.reset()
            else:
                again = now + backoff.pause()

    def _delete(self) -> bool:
        """Delete some messages that are done; False if that did not work and is to be tried again."""
        with self._changed:
            some = dict(list(self._finished.items())[:TOGETHER])
        names = list(some)
        entries = [{"Id": str(number), "ReceiptHandle": some[name]} for number, name in enumerate(names)]
        try:
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        except aws.errors() as error:
            self._trouble.failed("deleting messages", error)
            return False
        failed = {names[int(each["Id"])]: each for each in answer.get("Failed", ())}
        kept = {name for name, each in failed.items() if each.get("Code") not in GONE}
        with self._changed:
            for name in names:
                if name not in kept and self._finished.get(name) == some[name]:
                    del self._finished[name]
        if kept:
            self._tell("deleting", [failed[name] for name in kept])
        return not kept

    def _change(self, messages: dict[str, str], seconds: int) -> None:
        """Set for how long messages are invisible from now on; those that are visible already come again."""
        receipts = list(messages.values())
        for start in range(0, len(receipts), TOGETHER):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for number, receipt in enumerate(receipts[start : start + TOGETHER])
            ]
            try:
                answer = self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            except aws.errors() as error:
                self._trouble.failed("holding messages", error)
                continue
            failed = [each for each in answer.get("Failed", ()) if each.get("Code") not in GONE]
            if failed:
                self._tell("holding", failed)

    def _tell(self, doing: str, failed: Sequence[dict[str, Any]]) -> None:
        code, message = failed[0].get("Code"), failed[0].get("Message")
        self._trouble.tell(
            f"{doing} {code}", f"{doing} {len(failed)} messages failed, and is tried again: {code}: {message}"
        )
