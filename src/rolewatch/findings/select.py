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
            wanted = {
                name.lower().removesuffix(".cn").removesuffix(".amazonaws.com") for name in self.services
            }
            findings = self._keep(
                report, "other services (--service)", findings, [_label(f) in wanted for f in findings]
            )
        if self.severity:
            least = LEVELS.index(self.severity)
            kept = [LEVELS.index(finding["severity"]) >= least for finding in findings]
            findings = self._keep(report, f"a severity below {self.severity} (--severity)", findings, kept)
        if self.rules:
            ignored = apply_rules(findings, self.rules, now.date())
            findings = ignored.findings
            report["notes"] += ignored.notes
        if self.baseline is not None:
            new = {id(finding) for finding in new_since(findings, self.baseline)}
            findings = self._keep(
                report, "the baseline (--baseline)", findings, [id(f) in new for f in findings]
            )
        report["findings"] = findings

    def _keep(self, report: dict[str, Any], what: str, findings: list[Any], kept: list[bool]) -> list[Any]:
        left = [finding for finding, keep in zip(findings, kept, strict=True) if keep]
        if len(left) < len(findings):
            report["notes"].append(f"{counted(len(findings) - len(left))} of {what} left out")
        return left


def _label(finding: Mapping[str, Any]) -> str:
    return str(finding["service"] or "").lower().removesuffix(".cn").removesuffix(".amazonaws.com")
