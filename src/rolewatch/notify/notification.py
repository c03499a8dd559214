"""What is told: one notification, made once when a change is committed, and sent to every target until that has it."""

from typing import Any, Final, Literal, Self

import msgspec

Kind = Literal["blocked", "recovered", "reopened", "alarm", "summary"]
KINDS: Final[tuple[Kind, ...]] = ("blocked", "recovered", "reopened", "alarm", "summary")


class Notification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One message, the same for all targets.

    `id` is stable: what is sent again after a crash has the same. `dedup_key` is that of the incident: what resolves one
    has the key of what opened it. `time` is when it was decided (ISO 8601, UTC). `findings` are as in a scan's report,
    worst first; one that recovered has `proof`: a list of {"iam_action", "event_id", "event_time"}, one for each action that
    was denied. `alarm` is the message that CloudWatch sends to SNS; `datapoints` of an alarm are what its picture shows,
    [{"timestamp", "value"}], `threshold` likewise. `left_out` counts findings of a summary that it does not list. `reason`
    names the decision.
    """

    id: str
    kind: Kind
    dedup_key: str
    time: str
    findings: tuple[dict[str, Any], ...] = ()
    alarm: dict[str, Any] | None = None
    datapoints: tuple[dict[str, Any], ...] = ()
    threshold: float | None = None
    left_out: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a recovery that nothing proves: it would be an all-clear that nobody can check."""
        if self.kind == "recovered" and not all(finding.get("proof") for finding in self.findings):
            raise ValueError("a recovered finding needs the event that proves it")

    @property
    def opens(self) -> bool:
        """Whether it opens an incident under its key, or keeps it open: a summary does that tells of what is blocked."""
        if self.kind == "alarm":
            return not self.ends
        blocked = any(finding["status"] == "blocked" for finding in self.findings)
        return self.kind in ("blocked", "reopened") or (self.kind == "summary" and blocked)

    @property
    def ends(self) -> bool:
        """Whether it ends what was opened under its key; an alarm that knows nothing is no good news.

        A summary does that tells of nothing but resources which do not exist any more.
        """
        if self.kind == "alarm":
            return (self.alarm or {}).get("NewStateValue") == "OK"
        if self.kind == "summary":
            return bool(self.findings) and all(finding["status"] == "gone" for finding in self.findings)
        return self.kind == "recovered"

    def encode(self) -> bytes:
        """Write it as JSON, to be kept in the outbox."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote."""
        return msgspec.json.decode(data, type=cls)

    def body(self) -> dict[str, Any]:
        """Give the body of machine formats (DESIGN: id, kind, dedup_key, findings), with the alarm where it is one."""
        body: dict[str, Any] = {
            "id": self.id, "kind": self.kind, "dedup_key": self.dedup_key, "time": self.time, "findings": list(self.findings),
        }  # fmt: skip
        if self.alarm is not None:
            body["alarm"] = self.alarm
        if self.left_out:
            body["left_out"] = self.left_out
        return body
