"""The records that a finding rests on, from the lake where whole records are kept."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rolewatch.base.machine import cores
from rolewatch.engines.lake import answer_lake
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.lake.lake import Lake
from rolewatch.lake.place import place_of
from rolewatch.sources import Window
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk

MEMORY: Final = 512 * 1024**2  # bytes that looking for them may take …
SPILL: Final = 1024**3  # … and bytes of temporary files
MOST: Final = 20  # records that are shown, the latest of those that a finding names
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def records_of(desk: Desk, finding: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the latest records of a finding, in the order of time; ProblemError 404 where no lake keeps any."""
    if not desk.lake:
        raise ProblemError(
            Problem(404, "There is no lake", "Whole records are kept in a lake, and this server has none.", "Start it with --lake DIR.")
        )  # fmt: skip
    names = [name for name in finding["event_ids"][-MOST:] if _ID.fullmatch(name)]
    if not names:
        return []
    listed = ", ".join(f"'{name}'" for name in names)
    query = parse_query(
        f"filter eventID in [{listed}] | fields @message | sort @timestamp asc | limit {MOST}"
    )
    window = Window(since=_moment(finding["first_denied"], -1), until=_moment(finding["last_denied"], 1))
    lake = Lake(place_of(desk.lake), lambda _name, _reason: None)
    try:
        found = answer_lake(
            plan_query(query, Moments(0, 0)),
            lake,
            window,
            most=MOST,
            threads=cores(),
            doubtful=lambda _: False,
        )
    finally:
        lake.place.close()
    return [json.loads(row[0]) for row in found.rows if row[0]]


def _moment(time: str | None, seconds: int) -> datetime | None:
    """Read an eventTime, some seconds later; None for what is none."""
    try:
        return datetime.fromisoformat(time or "") + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
