"""Which findings of a scan are shown: by service and severity, without what is known or ignored, and what to say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rolewatch.findings.baseline import new_since, read_baseline
from rolewatch.findings.ignore import Rule, apply_rules, counted, read_rules
from rolewatch.findings.severity import LEVELS

__all__ = ["Selection", "read_baseline", "read_rules"]


@dataclass(frozen=True)
class Selection:
    """What was asked for; empty or None means all.

    `services` are principals (`config.amazonaws.com`) or their first part; `severity` is the least one shown;
    `baseline` as `read_baseline` gives it.
    """

    services: Sequence[str] = ()
    severity: str | None = None
    baseline: Mapping[str, str] | None = None
    rules: Sequence[Rule] = ()

    def apply(self, report: dict[str, Any], now: datetime) -> None:
        """Leave findings out of a report, and add to its `notes` how many and why: nothing goes without a word."""
        findings = report["findings"]
        if self.services:
            wanted = {_label(name) for name in self.services}
            left = [finding for finding in findings if _label(finding["service"] or "") in wanted]
            findings = _told(report, "other services (--service)", findings, left)
        if self.severity:
            least = LEVELS.index(self.severity)
            left = [finding for finding in findings if LEVELS.index(finding["severity"]) >= least]
            findings = _told(report, f"a severity below {self.severity} (--severity)", findings, left)
        if self.rules:
            ignored = apply_rules(findings, self.rules, now.date())
            findings = ignored.findings
            report["notes"] += ignored.notes
        if self.baseline is not None:
            left = new_since(findings, self.baseline)
            findings = _told(report, "the baseline (--baseline)", findings, left)
        report["findings"] = findings


def _told(report: dict[str, Any], what: str, findings: list[Any], left: list[Any]) -> list[Any]:
    """Note how many of `findings` are not `left`; returns those that are."""
    if len(left) < len(findings):
        report["notes"].append(f"{counted(len(findings) - len(left))} of {what} left out")
    return left


def _label(service: str) -> str:
    return service.lower().removesuffix(".cn").removesuffix(".amazonaws.com")
