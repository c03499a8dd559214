"""The name of a delivery in, what CloudTrail's layout says about it out (spec/cloudtrail.md §4)."""

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

KINDS = (
    "CloudTrail",
    "CloudTrail-Digest",
    "CloudTrail-Insight",
    "CloudTrail-NetworkActivity",
    "CloudTrail-Aggregated",
)


class Layout(NamedTuple):
    """What a name tells without reading the file.

    `kind` is one of KINDS; `day` is the UTC day of **delivery** as `YYYY-MM-DD`, and `delivered` that minute: the
    events inside may be older.
    """

    kind: str
    account: str
    region: str
    day: str
    delivered: datetime | None
    organization: str | None


# Tried at each "/": only folders of the layout, or a file name as CloudTrail writes it, can match.
_FOLDERS = re.compile(
    r"AWSLogs/(?:(o-[a-z0-9]{4,34})/)?([0-9]{12})/(CloudTrail(?:-(?:Digest|Insight|NetworkActivity|Aggregated))?)/"
    r"([a-z]{2}[a-z0-9-]{3,30})/([0-9]{4})/(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])\Z"
)
_TIME = re.compile(r"[^/]*_([0-9]{8}T[0-9]{4})(?:[0-9]{2})?Z[_.]")
_FILE = re.compile(
    r"([0-9]{12})_(CloudTrail(?:-(?:Digest|Insight|NetworkActivity|Aggregated))?)_([a-z]{2}[a-z0-9-]{3,30})_"
    r"(?:[^/]*_)?([0-9]{8}T[0-9]{4})(?:[0-9]{2})?Z[_.][^/]*\Z"
)


def parse(name: str) -> Layout | None:
    """Return what a path or key tells; None if it is not of the AWSLogs layout.

    A file whose name is CloudTrail's own is recognised without its folders too: copies are often kept flat.
    `delivered` is None where the file name holds no time (or an impossible one).
    """
    folder, _, file = name.rpartition("/")
    layout = _folder(folder) if file else None
    if layout:
        time = _TIME.match(file)
        # As `_replace` would, in a fourth of the time: a scan does this for every delivery.
        return Layout(*layout[:4], _moment(time[1]), layout.organization) if time else layout
    found = _FILE.match(file)
    if found:
        account, kind, region, day = found.groups()
        delivered = _moment(day)
        if delivered:
            return Layout(kind, account, region, f"{day[:4]}-{day[4:6]}-{day[6:8]}", delivered, None)
    return None


@lru_cache(maxsize=4096)
def _folder(path: str) -> Layout | None:
    """Return what a folder tells; many deliveries share one."""
    found = _FOLDERS.search(path)
    if found is None:
        return None
    organization, account, kind, region, year, month, day = found.groups()
    return Layout(kind, account, region, f"{year}-{month}-{day}", None, organization)


def _moment(text: str) -> datetime | None:
    """Read `20230710T1145` as UTC."""
    try:
        return datetime.fromisoformat(text + "Z")
    except ValueError:
        return None
