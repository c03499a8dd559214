"""`pagerduty://ROUTING-KEY`: incidents by PagerDuty's Events API v2; what recovers resolves what was opened.

Apprise speaks PagerDuty, too, but with one line of text and no word of when to come again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rolewatch.notify.body import body, bytes_of
from rolewatch.notify.headlines import services, title
from rolewatch.notify.http_post import Place, post
from rolewatch.notify.incidents import key_of, place, service_key, severity
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import fingerprint, known, nonsense
from rolewatch.notify.words import text
from rolewatch.report.json_text import dumps

EXAMPLE: Final = "pagerduty://ROUTING-KEY"
#: Names the address to post to instead of PagerDuty's own.
VARIABLE: Final = "ROLEWATCH_PAGERDUTY_URL"
REGIONS: Final = {
    "us": "https://events.pagerduty.com/v2/enqueue",
    "eu": "https://events.eu.pagerduty.com/v2/enqueue",
}
_SUMMARY: Final = 1024  # characters
_BODY: Final = 256 * 1024  # bytes; of an event PagerDuty takes 512 KB
_TEXT: Final = 8000  # characters
#: Ours → PagerDuty's.
_SEVERITIES: Final = {"critical": "critical", "high": "error", "medium": "warning", "low": "info", "none": "info"}  # fmt: skip


class Service(Target):
    """A service of PagerDuty, by the key of its integration."""

    incidents: ClassVar[bool] = True

    def __init__(self, name: str, key: str, where: Place) -> None:
        super().__init__(name)
        self._key, self._place = key, where

    def deliver(self, notification: Notification) -> None:
        """Trigger an incident, or resolve it; what does neither, such as a list of what is silent, is not sent."""
        if not (notification.opens or notification.ends):
            return
        event = {"routing_key": self._key} | event_of(notification)
        post(self._place, dumps(event).encode("ascii"), {}, self.name)


def event_of(notification: Notification) -> dict[str, Any]:
    """Write the event, all but its routing key."""
    event: dict[str, Any] = {"event_action": "resolve" if notification.ends else "trigger", "dedup_key": key_of(notification)}  # fmt: skip
    if notification.ends:
        return event
    found = list(notification.findings)
    payload = {
        "summary": title(notification, _SUMMARY),
        "source": services(found) if found else "rolewatch",
        "severity": _SEVERITIES[severity(notification)],
        "timestamp": notification.time,
        "class": notification.kind,
        "group": "rolewatch",
        "custom_details": {
            "text": text(notification, limit=_TEXT),
            "notification": body(notification, bytes_of(_BODY)),
        },
    }
    return event | {"client": "rolewatch", "payload": payload}


def target(url: str, environ: Mapping[str, str]) -> Service:
    """Make the target of a URL."""
    found, key = service_key(url, EXAMPLE)
    options = known(found, ("region",), EXAMPLE)
    where = options.get("region", "us")
    if where not in REGIONS:
        raise nonsense("pagerduty", f"region is {' or '.join(REGIONS)}", EXAMPLE)
    return Service(f"pagerduty://…{fingerprint(url)}", key, place(VARIABLE, environ, REGIONS[where]))
