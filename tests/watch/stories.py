"""A state, the clock, and what happens: what tests of the watcher tell, in the order in which it arrives."""

import gzip
import json
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

from givers import Given

import calls
from calls import ACCOUNT, ROLE, spelled  # noqa: F401 - for those who tell stories
from rolewatch.notify.notification import Notification
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery, FileDelivery
from rolewatch.store import findings, outbox
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import Feed
from rolewatch.watch.housekeeping import REMEMBERED
from rolewatch.watch.kept import Spans
from rolewatch.watch.telling import Address, Teller
from rolewatch.watch.watcher import Watcher

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ids = count(1)


def call(minute, bucket="b", **facts):
    """Make the record of a call of a service-linked role, some minutes from noon on."""
    return calls.call(next(_ids), NOON + timedelta(minutes=minute), bucket, **facts)


def content(*records):
    """Write a log file."""
    return gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode())


class Story:
    """A state that watchers follow, one after the other or beside each other, and a clock that tests set."""

    def __init__(self, place, folder, **spans):
        self.state = State(place)
        prepare(self.state)
        self.folder = folder
        self.now = NOON
        self.spans = Spans(**spans)
        self.retention = REMEMBERED
        self.explainer = None
        self.blame = False
        self.complaints = []
        self._names = count(1)

    def close(self):
        """Close the state."""
        self.state.close()

    def delivery(self, *records):
        """Make a delivery of records, in a file."""
        path = self.folder / f"{next(self._names):06d}.json.gz"
        path.write_bytes(content(*records))
        stat = path.stat()
        identity = f"{path}+{stat.st_size}+{stat.st_mtime_ns}+{stat.st_ino}"
        return FileDelivery(str(path), identity, named=False, size=stat.st_size, remote=False)

    def watcher(self, *sources, request=None):
        """Make a watcher of sources."""

        def told(name, reason):
            self.complaints.append((name, reason))

        teller = Teller(lambda *_: ("url",), {"url": Address("t", "test")})
        rules = Rules(self.spans, teller, lambda: self.now, explainer=self.explainer, blame=self.blame)
        request = request or ScanRequest()
        return Watcher(self.state, Feed(sources, told), request, rules, told=told, retention=self.retention)

    def arrive(self, *deliveries, at_once=100):
        """Let deliveries arrive, and a watcher do what there is to do; returns the source."""
        source = Given(deliveries, at_once)
        self.watcher(source).run(once=True)
        return source

    def together(self, *sources):
        """Let a watcher of each source do what there is to do, all at once."""
        threads = [
            threading.Thread(target=self.watcher(source).run, kwargs={"once": True}) for source in sources
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def happen(self, *records):
        """Let records arrive in one delivery, at the time of the latest of them."""
        moments = [datetime.fromisoformat(record["eventTime"]) for record in records]
        self.now = max([self.now, *moments])
        return self.arrive(self.delivery(*records))

    def begin(self):
        """Let a first watcher find that there is no backlog."""
        self.arrive()

    @property
    def documents(self):
        """The findings as they are kept."""
        rows = self.state.read(lambda connection: list(findings.with_status(connection, STATUSES)))
        return [json.loads(row.document) for row in rows]

    @property
    def findings(self):
        """The findings as they are kept, by their resource's name."""
        return {document["resource"].rpartition(":")[2]: document for document in self.documents}

    @property
    def told(self):
        """What was put into the outbox, in order: (kind, names of resources)."""
        return [
            (each.kind, *sorted(finding["resource"].rpartition(":")[2] for finding in each.findings))
            for each in self.notifications
        ]

    @property
    def notifications(self):
        """The notifications in the outbox, in order."""
        letters = self.state.read(
            lambda connection: outbox.listed(connection, ("waiting", "sent", "held", "dead"))
        )
        found = [Notification.decode(letter.body) for letter in letters]
        return sorted(found, key=lambda each: each.time)


STATUSES = ("blocked", "silent", "recovered", "gone")


def in_memory(*records, name="x"):
    """Make a delivery that comes with its content, and cannot be found again once it is gone."""
    data = content(*records)
    return BytesDelivery(name, name, named=False, size=len(data), remote=False, content=data)
