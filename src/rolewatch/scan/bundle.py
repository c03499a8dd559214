"""Small log files are read as one large one, since a trail writes thousands of them, and each costs a little anew.

The records of `{"Records":[A,B]}` and `{"Records":[C]}` are those of `{"Records":[A,B,C]}`. Whatever is odd about one
of the files shows in the whole as well; then all of them are read again, each by itself.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rolewatch.cloudtrail.carve import HEAD, TAIL, Buffer, Carved, end_of_records, parts
from rolewatch.cloudtrail.layout import Layout
from rolewatch.cloudtrail.read import Inexact, exactly
from rolewatch.sources import Delivery

SMALL = 256 * 1024  # bytes of a delivery that may be bundled, as stored
ENOUGH = 256 * 1024  # bytes of content after which a bundle is read, so that it fits into a processor's cache


class Member(NamedTuple):
    """A delivery of a bundle, with its data as stored, for the case that it has to be read by itself."""

    delivery: Delivery
    data: bytes
    layout: Layout


class Bundle:
    """The deliveries that are read next, as one."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.size = 0  # bytes of content
        self.stored = 0  # bytes as stored
        self._contents: list[memoryview] = []

    def take(self, member: Member, content: Buffer) -> bool:
        """Add a delivery, if its content is one list of records in CloudTrail's own shape."""
        end = end_of_records(content)
        if not end:
            return False
        self.members.append(member)
        self.size += len(content)
        self.stored += len(member.data)
        self._contents.append(memoryview(content)[len(HEAD) : end])
        return True

    def batches(self) -> Iterator[Carved]:
        """Yield all records; raises Inexact where they are not in CloudTrail's own shape."""
        contents, self._contents = self._contents, []
        carved = parts(b"".join((HEAD, b",".join(contents), TAIL[1:])))
        if carved is None:
            raise Inexact
        yield from exactly(carved)
