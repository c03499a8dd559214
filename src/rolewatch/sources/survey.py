"""What a scan would read, without reading it (`--dry-run`)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rolewatch.cloudtrail.layout import parse
from rolewatch.sources.files import Problems
from rolewatch.sources.places import deliveries_of
from rolewatch.sources.window import Window


@dataclass
class Survey:
    """Deliveries as far as listing them tells.

    `bytes` are compressed and leave out what has no known size (standard input, LookupEvents); `days` counts
    deliveries by day of delivery, `unnamed` those whose name says no day.
    """

    objects: int = 0
    bytes: int = 0
    days: Counter[str] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    unnamed: int = 0


def survey(sources: Sequence[str], window: Window, problems: Problems) -> Survey:
    """List the sources and sum up; raises what listing raises.

    LookupEvents gives nothing to list without reading it: each such SOURCE counts as one object without a size.
    """
    result = Survey()
    for delivery in deliveries_of(sources, window, problems, listing_only=True):
        result.objects += 1
        result.bytes += max(delivery.size, 0)
        layout = parse(delivery.name)
        if layout:
            result.days[layout.day] += 1
            result.accounts.add(layout.account)
            result.regions.add(layout.region)
        else:
            result.unnamed += 1
    return result
