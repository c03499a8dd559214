"""Small log files are read as one large one, since a trail writes thousands of them, and each costs a little anew.

The records of `{"Records":[A,B]}` and `{"Records":[C]}` are those of `{"Records":[A,B,C]}`. Whatever is odd about one
of the files shows in the whole as well; then all of them are read again, each by itself.
"""

from typing import NamedTuple

from rolewatch.cloudtrail.carve import FIRST, HEAD, TAIL, Buffer, Carved, canonical
from rolewatch.cloudtrail.layout import Layout
from rolewatch.sources import Delivery

SMALL = 256 * 1024  # bytes of a delivery that may be bundled, as stored
ENOUGH = 1536 * 1024  # bytes of content after which a bundle is read; well below carve.DOUBTED


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
        self._parts: list[memoryview] = []

    def take(self, member: Member, content: Buffer) -> bool:
        """Add a delivery, if its content is one list of records in CloudTrail's own shape."""
        if not content.startswith(FIRST) or not content.endswith(TAIL):
            return False
        self.members.append(member)
        self.size += len(content)
        self.stored += len(member.data)
        self._parts.append(memoryview(content)[len(HEAD) : 1 - len(TAIL)])
        return True

    def carved(self) -> Carved | None:
        """Return all records, None if they are not in CloudTrail's own shape."""
        parts, self._parts = self._parts, []
        return canonical(b"".join((HEAD, b",".join(parts), TAIL[1:])))
