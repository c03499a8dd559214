"""Deliveries in; what they hold out: denials, and the facts that open findings wait for. Nothing is kept in here."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rolewatch.cloudtrail.gunzip import Shared
from rolewatch.denials.denial import Denial
from rolewatch.denials.sieve import Deeds, deeds_of
from rolewatch.explain.blame import PolicyChange
from rolewatch.findings.build import followed
from rolewatch.findings.tally import Key
from rolewatch.scan.coverage import LOGS
from rolewatch.scan.detect import Detector
from rolewatch.scan.fetch import AT_ONCE, Fetched, Fetcher, arrived, attempt
from rolewatch.scan.proofs import Witness
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import without_collector
from rolewatch.scan.step import Stepper
from rolewatch.sources import Delivery
from rolewatch.store.delivered import Folder
from rolewatch.watch.following import Fact, Following
from rolewatch.watch.successes import Successes


class Taken(NamedTuple):
    """What a batch of deliveries holds.

    `copies`: denial's identity → event ids of its copies; `examples`: finding's key → parts of its resource; `witnesses`:
    fact → a record that tells it, the first one if it is an access; `last_seen`: account → time of its latest record; `unreadable` and `skipped`:
    delivery's name → reason; `counts`: records, hits (denials with repeats), bytes, bytes_compressed, deliveries, damaged;
    `changes` of policies, where anybody wants to know; `folders`: how many log files of a trail came of each, by their names.
    """

    denials: Sequence[Denial]
    copies: Mapping[bytes, set[str]]
    examples: Mapping[Key, set[str]]
    witnesses: Mapping[Fact, Witness]
    last_seen: Mapping[str, str]
    unreadable: Mapping[str, str]
    skipped: Mapping[str, str]
    counts: Mapping[str, int]
    changes: Sequence[PolicyChange] = ()
    folders: Mapping[Folder, int] = {}


class Beside(NamedTuple):
    """Another fold, and which deliveries it is to see: all, if nothing is said."""

    stepper: Stepper[Any, Any]
    sees: Callable[[Delivery], bool] = lambda _: True


def read(deliveries: Sequence[Delivery], request: ScanRequest, beside: Sequence[Beside] = ()) -> Detector:
    """Read deliveries, by the fold of a scan; those over a network are fetched side by side.

    Other folds may be taken `beside` it, of what was fetched and inflated once.
    """
    detector, fetcher = Detector(request), Fetcher()
    try:
        with without_collector():
            fetched: Iterable[tuple[Delivery, Fetched]] = arrived(fetcher.start(list(deliveries)))
            if beside:
                _step_together([Beside(detector), *beside], fetched)
            else:
                for _ in detector.step_all(fetched):
                    pass
            detector.finish()
    finally:
        fetcher.close()
    return detector


def _step_together(folds: Sequence[Beside], fetched: Iterable[tuple[Delivery, Fetched]]) -> None:
    """Show each delivery to all folds that are to see it, before the next one, so that none is held for longer."""
    for delivery, data in fetched:
        pair = (delivery, _at_hand(delivery, data))
        for each in folds:
            if each.sees(delivery):
                for _ in each.stepper.step_all((pair,)):
                    pass


def _at_hand(delivery: Delivery, data: Fetched) -> Fetched:
    """Read what will be looked at several times: whatever its size, if it can be read only once."""
    if data is None and delivery.size <= AT_ONCE:
        data = attempt(delivery)
    return Shared(data) if isinstance(data, bytes) else data


class Asked(NamedTuple):
    """What is asked of deliveries: the facts that are followed, also in what was read `earlier` for denials that are new."""

    following: Following
    earlier: Successes | None = None


def taken(detector: Detector, asked: Asked | None, changes: Sequence[PolicyChange] = ()) -> Taken:
    """Say what matters of what was read; nobody is a witness where nothing is asked."""
    summary = detector.summary
    return Taken(
        list(summary.denials.values()),
        summary.copies,
        summary.examples,
        _witnesses(detector, asked) if asked else {},
        summary.coverage.last_seen(),
        dict(summary.unreadable),
        dict(summary.skipped),
        summary.counts,
        changes,
        {
            (place.account, place.region, place.day): number
            for place, number in summary.coverage.deliveries.items()
            if place.kind == LOGS
        },
    )


def _witnesses(detector: Detector, asked: Asked) -> dict[Fact, Witness]:
    following, earlier = asked
    new = followed(detector.summary.denials.values())
    after: Mapping[Fact, str] = following.after
    deeds: Deeds = following.deeds
    if new:  # laid over what is followed, which is not copied: it may be very much
        times = {fact: min(time, after.get(fact, time)) for fact, time in new.items()}
        after = ChainMap(times, following.after)
        done = deeds_of(fact for fact in new if len(fact) > 1)
        both = {deed: list({*facts, *following.deeds.get(deed, ())}) for deed, facts in done.items()}
        deeds = ChainMap(both, following.deeds)
    witnesses = detector.witnessed(after, deeds)
    late = {fact: time for fact, time in new.items() if fact not in following.after} if earlier else {}
    if late and earlier:
        for fact, witness in earlier.witnessed(
            late, deeds_of(fact for fact in late if len(fact) > 1)
        ).items():
            witnesses[fact] = min(witness, witnesses.get(fact, witness))
    return witnesses
