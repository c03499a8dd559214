"""What findings have in common that one change has blocked: they are one incident, whenever each of them is blocked."""

from collections.abc import Hashable, Iterable
from datetime import timedelta
from typing import Any, Final, Protocol

from rolewatch.findings.life import Incident

Finding = dict[str, Any]

#: How long an incident is joined after it was opened: what breaks later must not hide in one that people know.
JOINED: Final = timedelta(hours=24)


class Incidents(Protocol):
    """The incidents that are open, as they were before a commit."""

    def hold(self, names: Iterable[str]) -> None:
        """Wait until nobody else opens, joins or ends incidents of these digests or dedup_keys."""

    def latest(self, alike: str, since: int) -> Incident | None:
        """Give the incident of a digest that was opened last, not before `since` (milliseconds since 1970)."""

    def members(self, key: str, most: int) -> int:
        """Count the findings of an incident, not further than to `most`."""


def likeness(finding: Finding) -> tuple[Hashable, ...]:
    """Give what findings have in common that one change has blocked."""
    return (
        finding["account"],
        finding["role_arn"] or finding["service"],
        finding["verdict"],
        *sorted((key, str(value)) for key, value in finding["cause"].items()),
    )
