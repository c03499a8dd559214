"""Deliveries that were read in part: what of each was counted, so that nothing counts again when it is read once more."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rolewatch.scan.detect import Detector
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Delivery
from rolewatch.watch.intake import read


class Partly(NamedTuple):
    """How many records of a delivery were whole, and the identities of the denials among them, one after the other."""

    records: int
    denials: bytes


def partly_read(
    deliveries: Sequence[Delivery], detector: Detector, request: ScanRequest
) -> Mapping[str, Partly]:
    """Say by its identity what was counted of each delivery that is damaged; each of them is read once more, by itself."""
    if not detector.summary.counts["damaged"]:
        return {}
    unreadable = {name for name, _ in detector.summary.unreadable}
    found = {}
    for delivery in deliveries:
        if delivery.name in unreadable and delivery.size >= 0:
            summary = read([delivery], request).summary
            if summary.counts["records"]:
                denials = b"".join(sorted(summary.denials))
                found[delivery.identity] = Partly(summary.counts["records"], denials)
    return found
