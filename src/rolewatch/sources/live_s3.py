"""A bucket that is polled: `s3://bucket/prefix`.

CloudTrail's names sort by the minute of delivery within the folder of a region, but they are random within a minute, and a
delivery that failed is tried again for 30 days. So a poll lists each region's folder from two hours before the cursor on, a
sweep the last 31 days, once a day, and both drop what is done. Outside of the layout nothing tells the time in a name: all is
listed, and what was last modified before that time is left out.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.sources.live import DAY, Arrival, Memory, Told
from rolewatch.sources.live_polled import Page, Polled, Round
from rolewatch.sources.live_time import Time, moment_of
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.s3 import S3Delivery
from rolewatch.sources.s3_listing import Listing
from rolewatch.sources.window import Window

POLL, SWEEP = "poll", "sweep"
LATE: Final = timedelta(hours=2)  # how late an object may come and be found by the next poll
HORIZON: Final = timedelta(days=31)  # what a sweep lists: deliveries that failed are tried again for 30 days


class BucketSource(Polled[S3Delivery]):
    """Follows the objects below a prefix, by listing them.

    The first sweep is the backlog: all objects, or those of the window. `interval` is the seconds
    between the beginnings of two polls, at least. Raises SourceError for a bucket that does not exist
    and CannotDo where S3 refuses to list.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        memory: Memory,
        told: Told,
        *,
        window: Window,
        interval: float,
        time: Time | None = None,
    ) -> None:
        name = f"s3://{bucket}/{prefix}"
        self._bucket, self._prefix, self._window = bucket, prefix, window
        self._client = aws.client("s3")
        self._clock: datetime | None = None
        trouble = Trouble(name, told, time)
        self._look(trouble)
        rounds = (Round(POLL, interval), Round(SWEEP, DAY))
        super().__init__(name, memory, trouble, rounds, first=SWEEP, time=time)

    def listing(self, kind: str, cursor: datetime | None, place: str | None) -> Iterator[Page[S3Delivery]]:
        """Yield the pages of one listing of all folders; `place` is a key, the last one of those listed before."""
        since = self._since(kind, cursor)
        folder = ""

        def start(region: str) -> str | None:
            nonlocal folder
            folder = region
            if place and region < place and not place.startswith(region):
                return None  # folders come in the order of their names: this one is through
            after = _first_key(region, since, exact=kind == POLL)
            return max(after, place) if place and place.startswith(region) else after

        problems: list[tuple[str, str]] = []
        listing = Listing(
            self._bucket,
            self._prefix,
            self._window,
            problems,
            today=self.time.now().date(),
            since=start,
            modified=since,
            client=self._client,
        )
        for objects in listing.pages():
            last = objects[-1].key if objects else ""
            reached = last if kind == SWEEP and folder and last.startswith(folder) else None
            yield Page(
                [(found.identity, found) for found in objects], self._read_clock(listing.answered), reached
            )
        for where, reason in problems:
            self.trouble.tell(f"{kind} {where}", f"{where}: {reason}")
        if listing.stopped:
            raise CannotDo(problems[-1][1])
        yield Page(clock=self._read_clock(listing.answered))

    def pack(self, found: list[tuple[str, S3Delivery]]) -> list[Arrival]:
        """Give each object by itself."""
        return [Arrival(delivery, (mark,)) for mark, delivery in found]

    def _since(self, kind: str, cursor: datetime | None) -> datetime | None:
        """Return the time of delivery from which on a round lists, None for all there is."""
        if cursor is None:
            return self._window.since
        return cursor - LATE if kind == POLL else (self._clock or self.time.now()) - HORIZON

    def _read_clock(self, date: str | None) -> datetime | None:
        """Read S3's clock, which is trusted more than this machine's."""
        self._clock = moment_of(date) or self._clock
        return self._clock

    def _look(self, trouble: Trouble) -> None:
        """Find out at the start whether there is such a bucket."""

        def first() -> Any:
            return self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

        missing = {
            "NoSuchBucket": f"s3://{self._bucket}: no such bucket",
            "InvalidBucketName": f"s3://{self._bucket}: not a name that a bucket can have",
            "ParamValidationError": f"s3://{self._bucket}: not a name that a bucket can have",
        }
        page = trouble.try_first("list", first, missing)
        if page and self._prefix and not page.get("Contents"):
            trouble.tell("prefix", "no object has this prefix yet")


def _first_key(region: str, since: datetime | None, *, exact: bool) -> str:
    """Return what sorts before all keys of a region's folder that were delivered at a time or later.

    `exact` relies on the file names that CloudTrail gives, else only their folders count.
    """
    if since is None:
        return ""
    day = f"{region}{since:%Y/%m/%d}/"
    account, kind, name = region.rstrip("/").split("/")[-3:]
    return f"{day}{account}_{kind}_{name}_{since:%Y%m%dT%H%M}" if exact else day
