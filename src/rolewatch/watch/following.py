"""Which facts matter: the accesses that would end an open finding, and the disappearance of its resource."""

from collections.abc import Iterable, Mapping

from rolewatch.findings.build import facts_about
from rolewatch.findings.tally import Tally

Fact = tuple[str, ...]


class Following:
    """The facts that open findings wait for, each with the time after which it counts.

    `after` is in the form that `Detector.witnessed` takes, `deeds` the accesses in it by principal and action.
    """

    def __init__(self) -> None:
        self.after: dict[Fact, str] = {}
        self.deeds: dict[Fact, list[Fact]] = {}
        self._owners: dict[Fact, set[str]] = {}
        self._facts: dict[str, tuple[Fact, ...]] = {}

    def __len__(self) -> int:
        """Count the findings that are followed."""
        return len(self._facts)

    def follow(self, finding: str, facts: Mapping[Fact, str]) -> None:
        """Wait for the facts that would end a finding, each after its time; none if it has ended."""
        self.leave(finding)
        if not facts:
            return
        self._facts[finding] = tuple(facts)
        for fact, after in facts.items():
            owners = self._owners.setdefault(fact, set())
            if not owners and len(fact) > 1:
                self.deeds.setdefault(fact[:2], []).append(fact)
            owners.add(finding)
            self.after[fact] = min(after, self.after.get(fact, after))

    def leave(self, finding: str) -> None:
        """Wait no more for a finding's facts."""
        for fact in self._facts.pop(finding, ()):
            owners = self._owners[fact]
            owners.discard(finding)
            if owners:
                continue
            del self._owners[fact], self.after[fact]
            if len(fact) > 1:
                deeds = self.deeds[fact[:2]]
                deeds.remove(fact)
                if not deeds:
                    del self.deeds[fact[:2]]

    def owners(self, fact: Fact) -> Iterable[str]:
        """Name the findings that wait for a fact."""
        return self._owners.get(fact, ())


def awaited(found: Tally, proven: Mapping[str, str]) -> dict[Fact, str]:
    """Name the facts that a finding still waits for; `proven` is the latest proof known of each, by action or "" for gone.

    An access counts after the last denial of its action, or after what is known of it; a disappearance after the first
    denial of all. What has ended by access waits for nothing.
    """
    facts: dict[Fact, str] = {}
    for case, denials in found.cases.items():
        access, gone = facts_about(case)
        facts[access] = max(denials.last[0], facts.get(access, ""))
        facts[gone] = min(denials.first or "", facts.get(gone, denials.first or ""))
    waiting = {}
    for fact, after in facts.items():
        known = proven.get(fact[1] if len(fact) > 1 else "", "")
        if len(fact) == 1 or known <= after:
            waiting[fact] = max(after, known)
    return waiting if any(len(fact) > 1 for fact in waiting) else {}
