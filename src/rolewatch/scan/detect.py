"""The step of a scan: one delivery into denials, and into proofs of what was not denied."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.layout import parse
from rolewatch.cloudtrail.read import Batch, Content
from rolewatch.denials.rule import Fact
from rolewatch.denials.sieve import Deeds
from rolewatch.scan.examine import Collected, Examiner
from rolewatch.scan.fetch import AT_ONCE
from rolewatch.scan.pool import Crew
from rolewatch.scan.proofs import Hear, Key, Proofs, State, Witness
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Stepper
from rolewatch.scan.summary import Summary
from rolewatch.sources import Delivery


class Detector(Stepper[Collected, Summary]):
    """Steps deliveries into a summary of denials, and into proofs of access and disappearance."""

    lasting = True

    def __init__(self, request: ScanRequest) -> None:
        self._request = request
        super().__init__(Summary(), Limits(request.gunzip_limit, request.gunzip_ratio))
        self._examiner = Examiner(request)
        self.literals = self._examiner.literals
        self._proofs = Proofs(self._examiner.rule, self._again, self._exactly)
        self._accounts = request.window.accounts

    def restore(self, state: State) -> None:
        """Take up the proofs of another detector."""
        self._proofs.state = state

    def take_over(self, summary: Summary) -> None:
        """Take up the summary of another detector."""
        self._summary = summary

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with the proofs, without the summary."""
        return _restored, (self._request, self._proofs.state)

    def begin(self, *, proven: bool) -> Collected:
        """Give an empty place for what a delivery gives."""
        return Collected(proven=proven)

    def examine(self, batch: Batch, gathered: Collected) -> int:
        """Decode the records of a batch that may matter; returns how many could not be."""
        return self._examiner.examine(batch, gathered, self.summary.coverage)

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Take in a delivery's denials, and what it proves."""
        accounts = self._accounts
        for denial in gathered.denials:
            if not accounts or denial.case.who.account in accounts:
                self.summary.add(denial)
        self._proofs.keep(gathered, delivery)

    def find(self, keys: Collection[Key]) -> dict[Key, str]:
        """Give the latest time of each fact, not proven yet."""
        return self._proofs.find(keys)

    def prove(self, due: Mapping[Key, str]) -> dict[Key, str] | None:
        """Look again at facts that `find` gave; None if they hold, else the times of all that were asked for."""
        return self._proofs.prove(due)

    def witnessed(
        self, after: Mapping[Key, str], deeds: Deeds, hear: Hear | None = None
    ) -> dict[Key, Witness]:
        """Give a record of each fact that is later than `after` says, with the event that tells it (`Proofs.witnessed`)."""
        return self._proofs.witnessed(after, deeds, hear)

    def hear(self, places: Iterable[tuple[Delivery, set[Fact]]]) -> list[dict[Key, Witness]]:
        """Find the records of deliveries that tell some facts of each."""
        return [self._proofs.hear(*place) for place in places]

    def absorb(self, other: "Detector") -> None:
        """Take in what another one could prove, which is of no use afterwards; its denials stay its own."""
        self._proofs.absorb(other._proofs)  # noqa: SLF001 - one of its kind

    def _exactly(self, delivery: Delivery) -> Collected:
        """Collect from a delivery that was read before, with everything parsed."""
        return self._collect(self._again(delivery), parse(delivery.name), exact=True)

    def _again(self, delivery: Delivery) -> Content:
        data = delivery.read() if 0 <= delivery.size <= AT_ONCE else None
        return Content(data, delivery.open, self._limits)


def _restored(request: ScanRequest, state: State) -> Detector:
    detector = Detector(request)
    detector.restore(state)
    return detector


def latest(crew: Crew[Summary], keys: Mapping[Key, str]) -> dict[Key, str]:
    """Ask detectors for the latest time of each fact; those later than the time given with their key are proven.

    Each is proven by the detector that knows its latest time.
    """
    told: dict[Any, dict[Key, str]] = crew.ask(dict.fromkeys(crew.members, ("find", keys)))
    while True:
        latest: dict[Key, str] = {}
        knows: dict[Key, Any] = {}
        for member, times in told.items():
            for key, moment in times.items():
                if moment > latest.get(key, ""):
                    latest[key], knows[key] = moment, member
        due: dict[Any, dict[Key, str]] = {}
        for key, moment in latest.items():
            if moment > keys[key]:
                due.setdefault(knows[key], {})[key] = moment
        again = crew.ask({member: ("prove", facts) for member, facts in due.items()})
        wrong = {member: times for member, times in again.items() if times is not None}
        if not wrong:
            return latest
        told |= wrong  # read again the exact way, so that nothing of it has to be proven next time
