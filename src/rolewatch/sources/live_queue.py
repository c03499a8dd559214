"""A queue that is followed: `sqs://queue`, with notices of objects that were written.

A message is deleted after all objects that it names are done; one that means nothing comes as a delivery that cannot be read,
so that it is listed with its reason and does not come again.
"""

import re
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from rolewatch.base import aws
from rolewatch.base.errors import SourceError
from rolewatch.sources.live import BATCH, Arrival, LiveSource, Memory, Told
from rolewatch.sources.live_held import TOGETHER, Held
from rolewatch.sources.live_time import Backoff, Time
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.messages import SENT, arrivals_of, sent_at
from rolewatch.sources.notices import Item, Noticed, Refused, decode
from rolewatch.sources.s3_objects import Objects

VISIBILITY: Final = 120  # seconds that a message stays invisible without being extended
LONGEST_POLL: Final = 20  # seconds, the most there is
MISSING: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress")
_ARN: Final = re.compile(r"arn:[a-z0-9-]+:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?")
_HOST: Final = re.compile(r"https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com")
_REMEDY: Final = "write sqs://queue-name, sqs://https://… (the queue's URL) or sqs://arn:aws:sqs:…; ?region= and ?bucket= may follow"


class Queue(NamedTuple):
    """A queue: by its name (and the account that owns it), or by its URL.

    `region` is empty for that of the settings; `buckets`, where there are any, are the only ones whose objects are read.
    """

    name: str
    url: str
    account: str
    region: str
    buckets: frozenset[str]


def queue(word: str) -> Queue:
    """Read `sqs://…`; raises SourceError for what cannot be a queue."""
    text, _, query = word.removeprefix("sqs://").partition("?")
    options = parse_qs(query, keep_blank_values=True)
    if not set(options) <= {"region", "bucket"}:
        raise SourceError(
            f"{word}: only ?region= and ?bucket= can follow a queue", remedy="leave the others out"
        )
    region = options.get("region", [""])[-1]
    buckets = frozenset(options.get("bucket", ()))
    if text.startswith(("https://", "http://")):
        found = _HOST.match(text)
        return Queue(
            text.rpartition("/")[2],
            text,
            "",
            region or (found[1] or found[2] if found else ""),
            buckets,
        )
    arn = _ARN.fullmatch(text)
    if arn:
        return Queue(arn[3], "", arn[2], arn[1], buckets)
    if not _NAME.fullmatch(text):
        raise SourceError(f"{word}: not a name that a queue can have", remedy=_REMEDY)
    return Queue(text, "", "", region, buckets)


class QueueSource(LiveSource):
    """Follows a queue.

    Raises SourceError for a queue that does not exist, and CannotDo where AWS refuses to let it be read. `visibility` is in
    seconds.
    """

    least = 1.0  # SQS counts whole ones

    def __init__(
        self,
        word: str,
        asked: Queue,
        memory: Memory,
        told: Told,
        *,
        visibility: int = VISIBILITY,
        time: Time | None = None,
    ) -> None:
        super().__init__(word)
        self._asked, self._memory, self._visibility = asked, memory, visibility
        self._time = time or Time()
        self._trouble = Trouble(word, told, self._time)
        self._client = aws.client("sqs", region=asked.region or None, retry=False)
        self._objects = Objects()
        self._ready: deque[Arrival] = deque()
        self._unread: list[dict[str, Any]] = []  # messages that are held, but not looked into yet
        self._fresh: list[Arrival] = []  # what no other message brought, but perhaps a predecessor's
        self._backoff = Backoff()
        self._again = 0.0  # when AWS may be asked again
        self._drained = False
        self._closing = threading.Event()
        self._url = ""
        self._held: Held | None = None
        self._find()

    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give what the messages name that are in the queue or come into it; `seconds` are counted in whole ones."""
        self._drained = False
        if not self._ready:
            pause = min(seconds, self._again - self._time.monotonic())
            if pause > 0:
                self._time.wait(self._closing, pause)
        if self._time.monotonic() >= self._again and (self._held or self._find()):
            wait = 0 if self._ready or seconds <= 0 else min(LONGEST_POLL, max(1, round(seconds)))
            try:
                self._fill(wait)
            except aws.errors() as error:
                self._trouble.failed("receiving", error)
                self._again = self._time.monotonic() + self._backoff.pause()
        return [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]

    @property
    def drained(self) -> bool:
        """Whether the queue had nothing to give when it was asked last, and was waited for."""
        return self._drained

    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Delete the messages that brought these as soon as nothing else that they brought is left."""
        if self._held:
            self._held.done(mark for arrival in arrivals for mark in arrival.marks)

    def close(self) -> None:
        """Delete what is done, and give back all else."""
        self._closing.set()
        self._objects.close()
        if self._held:
            self._held.close()

    def _find(self) -> bool:
        """Find the queue and receive from it once; False while AWS cannot be asked."""

        def first() -> bool:
            if not self._url:
                owner = {"QueueOwnerAWSAccountId": self._asked.account} if self._asked.account else {}
                self._url = self._asked.url or str(
                    self._client.get_queue_url(QueueName=self._asked.name, **owner)["QueueUrl"]
                )
            held = Held(self._client, self._url, self._trouble, self._visibility, self._time)
            self._receive(0, held)
            self._held = held
            return True

        nothing = f"{self.word}: no such queue in {self._client.meta.region_name}"
        found = self._trouble.try_first("receive from", first, dict.fromkeys(MISSING, nothing))
        if not found:
            self._again = self._time.monotonic() + self._backoff.pause()
        return bool(found)

    def _fill(self, wait: int) -> None:
        """Receive until there is enough to give, or nothing more to receive."""
        while self._held and len(self._ready) < BATCH and not self._closing.is_set():
            if not (self._unread or self._fresh or self._receive(wait, self._held)):
                self._drained = wait > 0 and not self._ready
                break
            self._read(self._held)
            self._backoff.reset()
            wait = 0

    def _receive(self, wait: int, held: Held) -> bool:
        """Receive some messages, after waiting up to `wait` seconds for one; False if there were none at all."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=TOGETHER,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._visibility,
            MessageSystemAttributeNames=[SENT],
        )
        messages = answer.get("Messages", [])
        self._unread += [each for each in messages if held.hold(each["MessageId"], each["ReceiptHandle"])]
        return bool(messages)

    def _read(self, held: Held) -> None:
        """Look into the messages that are held, and make ready what is new in them.

        Each step leaves what it could not do, because S3 or the memory could not be asked, to the next call.
        """
        if self._unread:
            decoded = {each["MessageId"]: self._items(each["Body"]) for each in self._unread}
            sent = {each["MessageId"]: sent_at(each.get("Attributes")) for each in self._unread}
            brought = arrivals_of(decoded, self.word, self._objects, sent)
            self._unread.clear()
            for name, arrivals in brought.items():
                new = set(held.settle(name, [each.marks[0] for each in arrivals]))
                self._fresh += {each.marks[0]: each for each in arrivals if each.marks[0] in new}.values()
        known = self._memory.known([each.marks[0] for each in self._fresh])
        held.done(known)
        self._ready.extend(each for each in self._fresh if each.marks[0] not in known)
        self._fresh.clear()

    def _items(self, body: str) -> list[Item]:
        buckets = self._asked.buckets
        return [
            Refused(f"names an object of a bucket that is not to be read: {item.bucket}", body.encode())
            if isinstance(item, Noticed) and buckets and item.bucket not in buckets
            else item
            for item in decode(body)
        ]
