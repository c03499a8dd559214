"""What digest files prove: which log files exist, and at which times CloudTrail delivered none.

CloudTrail writes one about every hour for each region, also when nothing happened (spec/cloudtrail.md §4.1). Log
files lie in the folder of the day on which they were delivered, which is the time that digests speak of.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from rolewatch.cloudtrail.layout import Layout, parse

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Place(NamedTuple):
    """A folder of the layout: the deliveries of one day. `kind` is one of `layout.KINDS`."""

    account: str
    region: str
    kind: str
    day: str


class _LogFile(msgspec.Struct):
    s3Object: str = ""  # noqa: N815 - CloudTrail's own field names


class _Digest(msgspec.Struct):
    digestStartTime: str = ""  # noqa: N815
    digestEndTime: str = ""  # noqa: N815
    logFiles: list[_LogFile] = []  # noqa: N815 - msgspec copies a mutable default


class Digests:
    """A fold over digest files: the hours they vouch for, and how many log files of each place exist."""

    def __init__(self) -> None:
        self.hours: dict[tuple[str, str], set[tuple[str, str]]] = {}  # (account, region) → (start, end)
        self.promised: Counter[Place] = Counter()

    def take(self, content: bytes, layout: Layout) -> None:
        """Take in a digest file; one that cannot be read proves nothing."""
        try:
            digest = msgspec.json.decode(content, type=_Digest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        hour = (digest.digestStartTime, digest.digestEndTime)
        if all(map(_TIME.fullmatch, hour)):
            self.hours.setdefault((layout.account, layout.region), set()).add(hour)
        for file in digest.logFiles:
            named = parse(file.s3Object)
            if named:
                self.promised[Place(named.account, named.region, named.kind, named.day)] += 1

    def merge(self, other: "Digests") -> None:
        """Take in what other digest files prove."""
        for place, hours in other.hours.items():
            self.hours.setdefault(place, set()).update(hours)
        self.promised.update(other.promised)

    def quiet(self, place: Place, next_day: str) -> bool:
        """Whether it is proven that nothing was delivered there: digests speak of the whole day and name no file."""
        if self.promised[place]:
            return False
        reached, end = f"{place.day}T00:00:00Z", f"{next_day}T00:00:00Z"
        for start, stop in sorted(self.hours.get((place.account, place.region), ())):
            if start > reached:
                break
            reached = max(reached, stop)
        return reached >= end

    def lacking(self, delivered: Mapping[Place, int]) -> Iterator[tuple[Place, int]]:
        """Yield each place where more log files exist than were delivered, and how many."""
        for place in sorted(self.promised):
            lacking = self.promised[place] - delivered.get(place, 0)
            if lacking > 0:
                yield place, lacking
