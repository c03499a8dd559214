"""What evaluating a log alarm leaves for the next time, as it is kept in the state: results, and what contributors did."""

import hashlib
import json
from collections.abc import Iterable

import msgspec
import numpy as np

from rolewatch.alarms.log_results import Attributes, Earlier, LogResults, Results
from rolewatch.alarms.log_watch import LogWatch

Several = tuple[Attributes, ...]


class Memory(msgspec.Struct, frozen=True):
    """What is left of the latest runs (seconds since 1970) of a query that began to run at `since`.

    `results`: a contributor's attributes, runs and values. `ringing`, `seen` and `full` are those of `Earlier`; `told` are the
    contributors of which people were told that they are in ALARM, and not that this is over.
    """

    since: int
    results: tuple[tuple[Attributes, tuple[int, ...], tuple[float, ...]], ...] = ()
    ringing: Several = ()
    seen: bool = False
    full: int | None = None
    told: Several = ()

    def encode(self) -> bytes:
        """Write it."""
        return msgspec.msgpack.encode(self)

    def of_another_query(self, since: int) -> "Memory":
        """Give what is left when another query runs from a time on: for whoever rings that has still to end."""
        return Memory(since, ringing=self.ringing, seen=bool(self.ringing), told=self.told)

    def before(self, start: int) -> "Memory":
        """Leave out what was evaluated after a time, because the clock was put back since."""
        if self.since <= start and all(runs[-1] <= start for _, runs, _ in self.results):
            return self
        kept = []
        for who, runs, values in self.results:
            number = sum(run <= start for run in runs)
            if number:
                kept.append((who, runs[:number], values[:number]))
        since = min(self.since, start)
        return msgspec.structs.replace(self, since=since, results=tuple(kept), full=None)

    def earlier(self) -> Earlier:
        """Give what evaluation has to know beside the results."""
        return Earlier(self.since, frozenset(self.ringing), self.seen, self.full)

    def with_earlier(self, results: LogResults) -> LogResults:
        """Put what is remembered before the results of later runs."""
        found = {
            who: Results(np.array(runs, np.int64), np.array(values, np.float64))
            for who, runs, values in self.results
        }
        for who, later in results.contributors.items():
            known = found.get(who)
            found[who] = later if known is None else _joined(known, later)
        return results._replace(contributors=dict(sorted(found.items())))


def decode(data: bytes) -> Memory | None:
    """Read what `encode` wrote; None of what another version of rolewatch wrote."""
    try:
        return msgspec.msgpack.decode(data, type=Memory)
    except msgspec.MsgspecError:
        return None


def left(watch: LogWatch, memory: Memory) -> Memory:
    """Say what is left when all runs of a watch are evaluated: who rings, and the results that the next evaluations look at."""
    later, first = watch.later, int(watch.numbers[-1]) - watch.wanted + 1
    kept = []
    for each in watch.contributors:
        place = int(np.searchsorted(each.runs, first))
        if place < len(each.runs):
            runs, values = each.runs[place:] * watch.every, each.values[place:]
            kept.append((each.attributes, tuple(runs.tolist()), tuple(values.tolist())))
    return Memory(
        memory.since, tuple(kept), tuple(sorted(later.ringing)), later.seen, later.full, memory.told
    )


def digest_of(attributes: Attributes) -> bytes:
    """Digest a contributor's attributes, however long they are."""
    return hashlib.sha256(written(attributes).encode()).digest()[:16]


def written(attributes: Iterable[tuple[str, str]]) -> str:
    """Write a contributor's attributes as JSON in ASCII."""
    return json.dumps(list(attributes))


def read(text: str) -> Attributes:
    """Read them again."""
    return tuple((name, value) for name, value in json.loads(text))


def _joined(one: Results, other: Results) -> Results:
    return Results(np.concatenate([one.runs, other.runs]), np.concatenate([one.values, other.values]))
