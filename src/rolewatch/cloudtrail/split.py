"""The exact way from content to records: everything is parsed, whatever its shape, and nothing whole is lost."""

from collections.abc import Iterable, Iterator

from rolewatch.cloudtrail.encoding import text
from rolewatch.cloudtrail.gunzip import Allowance, Limits
from rolewatch.cloudtrail.tally import Damaged, Skipped, Tally
from rolewatch.cloudtrail.tokens import Window
from rolewatch.cloudtrail.walk import Walk

__all__ = ["Damaged", "Skipped", "split"]


def split(pieces: Iterable[bytes], limits: Limits | None = None) -> Iterator[list[bytes]]:
    """Yield lists of raw records, each the bytes of exactly one JSON object in valid UTF-8, in order.

    `pieces` is the content of one delivery in any of the shapes that carry CloudTrail records (spec/cloudtrail.md
    §4-§7), or gzip of it; `limits` bound what gzip inside it may inflate to. Memory is bounded, and every byte is
    looked at a fixed number of times. Raises Damaged after everything whole was yielded, if something was lost;
    Skipped if there is no CloudTrail in it; and whatever `pieces` raises, after everything whole before it.
    """
    tally = Tally()
    allowance = Allowance(limits or Limits())
    window = Window(text(allowance.counted(pieces), allowance))
    for _ in Walk(window, tally, allowance).run():
        yield from tally.take()
    tally.flush()
    yield from tally.take()
    tally.verdict()
