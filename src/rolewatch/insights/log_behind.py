"""Records that the first filters of a log alarm's query let through in; what stood in each minute, and of which findings, out."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from rolewatch.alarms.log_results import Attributes
from rolewatch.denials.rule import ERROR
from rolewatch.metrics.series import Times
from rolewatch.plan import Get
from rolewatch.scan.count import described
from rolewatch.scan.replayed import Behind, Match, Named
from rolewatch.scan.tally import EXAMPLES

_MINUTE, _HOUR = 60, 3600
_SECOND: Final = 1000  # milliseconds

Minutes = Mapping[int, Behind]


class Kept(NamedTuple):
    """Records in order of their `times` (milliseconds), and their fields.

    Their messages are None where all records are let through, their contributors where these cannot be told by record. `seen`
    is when each of them arrived, None where that follows from its time: a run sees what it had not to wait for.
    """

    times: Times
    messages: tuple[str, ...] | None
    columns: Mapping[Get, Any]
    contributors: tuple[Attributes, ...] | None = None
    seen: Times | None = None


class _Gathered:
    """What stood in each minute (epoch seconds)."""

    def __init__(self) -> None:
        self.matched: Counter[int] = Counter()
        self.findings: defaultdict[int, set[str]] = defaultdict(set)
        self.examples: defaultdict[int, list[Match]] = defaultdict(list)

    def minutes(self) -> Minutes:
        """Give it in order."""
        return {
            minute: Behind(number, 0, tuple(sorted(self.findings[minute])), tuple(self.examples[minute]))
            for minute, number in sorted(self.matched.items())
        }


def behind(kept: Kept, named: dict[str, Named]) -> tuple[Minutes, Mapping[Attributes, Minutes]]:
    """Give the records of each minute (epoch seconds), and those of each contributor; findings' names are added to `named`.

    All findings are told, and some records of each hour; where all records are let through, they are only counted.
    """
    every = _Gathered()
    own: defaultdict[Attributes, _Gathered] = defaultdict(_Gathered)
    hours: Counter[int] = Counter()
    for place, time in enumerate(kept.times.tolist()):
        minute, hour = time // (_MINUTE * _SECOND) * _MINUTE, time // (_HOUR * _SECOND)
        gathered = [every, own[kept.contributors[place]]] if kept.contributors else [every]
        for each in gathered:
            each.matched[minute] += 1
        raw = kept.messages[place].encode() if kept.messages else b""
        wanted = kept.messages is not None and hours[hour] < EXAMPLES
        if not wanted and ERROR not in raw:
            continue
        match, ids = described(_written(time), raw, named)
        hours[hour] += wanted
        for each in gathered:
            each.findings[minute].update(ids)
            if wanted:
                each.examples[minute].append(match)
    return every.minutes(), {who: each.minutes() for who, each in own.items()}


def _written(time: int) -> str:
    """Write a time as CloudTrail does."""
    return datetime.fromtimestamp(time // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
