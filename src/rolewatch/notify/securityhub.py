"""`securityhub:`: findings in the AWS Security Finding Format, imported into the caller's own account and region.

BatchImportFindings takes findings only for the account and region that it is called in, so that is whose they are; the
account of the role stands in `ProductFields` and in the resources. What was imported before is updated by its Id: a
finding that recovered is archived, one that is reopened becomes active again.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

from rolewatch.base.sanitise import terminal
from rolewatch.notify import amazon
from rolewatch.notify.admissible import Finding, proven_fix
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Kind, Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import known, nonsense, parsed, region
from rolewatch.report import words
from rolewatch.report.asff import security_finding

EXAMPLE: Final = "securityhub:?region=us-east-1"
_BATCH: Final = 100  # findings of one call


class Hub(Target):
    """Security Hub of one account and region; it knows findings, and nothing of alarms."""

    kinds: ClassVar[frozenset[Kind]] = frozenset(("blocked", "recovered", "reopened", "summary"))
    incidents: ClassVar[bool] = True

    def __init__(self, where: str | None) -> None:
        super().__init__(f"securityhub:{f'?region={where}' if where else ''}")
        self.region = where

    @cached_property
    def _client(self) -> Any:
        return amazon.client("securityhub", self.region, self.name)

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        sts = amazon.client("sts", self.region, self.name)
        try:
            answer: Mapping[str, str] = amazon.call(sts.get_caller_identity, self.name)
        finally:
            sts.close()
        return answer

    def deliver(self, notification: Notification) -> None:
        """Import the findings, a hundred a call."""
        client = self._client
        account, partition = self._identity["Account"], self._identity["Arn"].split(":")[1]
        found = [
            imported(finding, notification.time, account, client.meta.region_name, partition)
            for finding in notification.findings
        ]
        for start in range(0, len(found), _BATCH):
            part = found[start : start + _BATCH]
            self._check(amazon.call(client.batch_import_findings, self.name, Findings=part))

    def _check(self, answer: Mapping[str, Any]) -> None:
        failures = answer.get("FailedFindings") or []
        if not failures:
            return
        codes = sorted({str(each.get("ErrorCode")) for each in failures})
        first = terminal(f"{failures[0].get('Id')}: {failures[0].get('ErrorMessage')}", 300)
        raise SendError(
            f"{self.name}: {words.count(len(failures), 'finding')} refused: {', '.join(codes)} ({first})",
            remedy="check that Security Hub is enabled in this account and region",
            passing=all(amazon.is_passing(code) for code in codes),
        )


def imported(finding: Finding, time: str, account: str, where: str, partition: str) -> dict[str, Any]:
    """Return a finding as Security Hub of an account and region takes it; a change is told only if it is proven."""
    made = security_finding(finding, {"generated": time})
    made["AwsAccountId"], made["Region"] = account, where
    made["ProductArn"] = f"arn:{partition}:securityhub:{where}:{account}:product/{account}/default"
    if finding["verdict"] == "fix-your-policy" and finding["status"] not in ("recovered", "gone"):
        made["Remediation"]["Recommendation"]["Text"] = _remedy(finding)
    return made


def _remedy(finding: Finding) -> str:
    fix = proven_fix(finding)
    if fix is None:
        return terminal(
            f"No change is proven yet; the evidence: rolewatch findings show {finding['id']}", 512
        )
    return terminal(f"A proven change of {fix.get('target')}: rolewatch findings show {finding['id']}", 512)


def target(url: str, environ: Mapping[str, str]) -> Hub:
    """Make the target of a URL."""
    del environ
    found = parsed(url, EXAMPLE)
    known(found, ("region",), EXAMPLE)
    if found.host or found.path:
        raise nonsense("securityhub", "nothing but ?region= stands behind it", EXAMPLE)
    return Hub(region(found, EXAMPLE))
