"""Who is told what: routes in their order, until one keeps what fits for itself, and targets for what none has kept."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from rolewatch.findings.match import fits
from rolewatch.findings.severity import LEVELS
from rolewatch.notify.notification import Notification

Finding = dict[str, Any]

#: How bad a state of an alarm is. Only its owner knows what it watches, so ALARM is bad, but wakes nobody at quiet times.
_ALARMS: Final[Mapping[str, str]] = {"ALARM": "high"}


class Route(NamedTuple):
    """One route: what it is about, and its targets, none of which means that nobody is told.

    `patterns` as in `findings.match`; `kinds` of notifications, () for all; `severity` is the least; `stop`: it keeps what
    it takes for itself, so that neither the routes behind it nor the default get that.
    """

    to: tuple[str, ...]
    patterns: Mapping[str, str] = {}
    kinds: tuple[str, ...] = ()
    severity: str = LEVELS[0]
    stop: bool = True


class Routes(NamedTuple):
    """Routes in their order, and the targets of what none of them keeps for itself."""

    routes: tuple[Route, ...] = ()
    default: tuple[str, ...] = ()

    def targets(self, notification: Notification) -> tuple[str, ...]:
        """Give the targets of a notification: all those of its findings, or of its alarm by the alarm's account."""
        kind = notification.kind
        if notification.alarm is not None:
            account = {"account": notification.alarm.get("AWSAccountId")}
            return self.targets_of(kind, account, severity_of(notification))
        found = (self.targets_of(kind, each, each["severity"]) for each in notification.findings)
        return tuple(dict.fromkeys(chain.from_iterable(found)))

    def targets_of(self, kind: str, finding: Finding, severity: str) -> tuple[str, ...]:
        """Give the targets of a message about one finding, as `grouping.grouped` asks for them."""
        found: list[str] = []
        for route in self.routes:
            if _takes(route, kind, finding, severity):
                found += route.to
                if route.stop:
                    break
        else:
            found += self.default
        return tuple(dict.fromkeys(found))

    def all_targets(self) -> tuple[str, ...]:
        """Give every target that anything can be told to, each once."""
        return tuple(dict.fromkeys(chain(*(route.to for route in self.routes), self.default)))


def severity_of(notification: Notification) -> str:
    """Give the severity of a notification: the worst of its findings, or what its alarm's state is worth."""
    if notification.alarm is not None:
        return _ALARMS.get(str(notification.alarm.get("NewStateValue")), "low")
    return max(
        (finding["severity"] for finding in notification.findings), key=LEVELS.index, default=LEVELS[0]
    )


def _takes(route: Route, kind: str, finding: Finding, severity: str) -> bool:
    return (
        (not route.kinds or kind in route.kinds)
        and LEVELS.index(severity) >= LEVELS.index(route.severity)
        and fits(route.patterns, finding)
    )
