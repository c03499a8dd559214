"""Findings as the watcher has them, and what may happen to them, for the tests of what people are told."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACCOUNT = "111122223333"
PROOF = [{"iam_action": "s3:ListBucket", "event_id": "e-1", "event_time": "2026-03-02T10:00:00Z"}]


def finding(number=1, status="blocked", **fields):
    """Make a finding as `findings/build.py` does: Config is refused on a bucket; one that recovered has its proof."""
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    made = {
        "id": f"{number:016x}",
        "account": ACCOUNT,
        "role_arn": role,
        "role_name": "AWSServiceRoleForConfig",
        "service": "config.amazonaws.com",
        "security_service": True,
        "resource": f"arn:aws:s3:::logs-{number}",
        "resource_type": "AWS::S3::Bucket",
        "actions": {"s3:HeadBucket": {"iam_action": "s3:ListBucket", "denials": 1}},
        "last_denied": "2026-03-01T09:59:00Z",
        "status": status,
        "severity": "high",
        "verdict": "fix-your-policy",
        "cause": {
            "policy_type": "resource-based",
            "kind": "explicit",
            "evidence": "message",
            "policy_arn": None,
        },
    }
    if status == "recovered":
        made["proof"] = PROOF
    return made | fields


STATUSES = st.sampled_from(["blocked", "recovered", "gone", "silent"])
VERDICTS = st.sampled_from(["fix-your-policy", "aws-side", "harmless", "service-not-enabled", "unknown"])
SEVERITIES = st.sampled_from(["none", "low", "medium", "high", "critical"])


class Incidents:
    """The incidents of some lives, as the store has them; `held` are the names that others had to wait for."""

    def __init__(self, lives=()):
        self._open = [life.incident for life in lives if life.incident]
        self.held = set()

    def hold(self, names):
        """Note what is held."""
        self.held.update(names)

    def latest(self, alike, since):
        """Give the latest of a digest."""
        assert alike in self.held
        found = [each for each in self._open if each.alike == alike and each.opened >= since]
        return max(found, key=lambda each: (each.opened, each.key), default=None)

    def members(self, key, most):
        """Count members."""
        assert any(each.key == key and {each.key, each.alike} & self.held for each in self._open)
        return min(most, sum(each.key == key for each in self._open))


class Ledger:
    """What an incident tool makes of messages, commit by commit: an incident ends with its last finding, and never before."""

    def __init__(self):
        self.members, self.opened, self.resolved = {}, {}, set()

    def take(self, notifications):
        """Take the messages of one commit, in any order."""
        resolves = Counter()
        for each in notifications:
            if not each.opens:
                continue
            assert each.dedup_key not in self.resolved
            self.opened.setdefault(each.dedup_key, datetime.fromisoformat(each.time))
            for finding in each.findings:
                if finding["status"] == "blocked":
                    assert finding["id"] not in self.members
                    self.members[finding["id"]] = each.dedup_key
        for each in notifications:
            if each.opens:
                continue
            resolves[each.dedup_key] += 1
            for finding in each.findings:
                if finding["status"] in ("recovered", "gone"):
                    self.members.pop(finding["id"], None)
        over = set(self.opened) - set(self.members.values())
        assert {key for key in resolves if key in self.opened} == over - self.resolved
        self.resolved = over
