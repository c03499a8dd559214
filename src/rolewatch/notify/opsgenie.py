"""`opsgenie://API-KEY`: alerts by Opsgenie's Alert API; what recovers closes what was opened, by its alias."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from rolewatch.notify.headlines import title
from rolewatch.notify.http_post import Place, post
from rolewatch.notify.incidents import key_of, place, service_key, severity
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import fingerprint, known, nonsense
from rolewatch.notify.words import text
from rolewatch.report.json_text import dumps

EXAMPLE: Final = "opsgenie://API-KEY?region=eu"
#: Names the address to post to instead of Opsgenie's own.
VARIABLE: Final = "ROLEWATCH_OPSGENIE_URL"
REGIONS: Final = {
    "us": "https://api.opsgenie.com/v2/alerts",
    "eu": "https://api.eu.opsgenie.com/v2/alerts",
}
_MESSAGE, _DESCRIPTION, _NOTE = 130, 14_000, 20_000  # characters
_PRIORITIES: Final = {"critical": "P1", "high": "P2", "medium": "P3", "low": "P4", "none": "P5"}


class Team(Target):
    """A team of Opsgenie, by the key of its integration."""

    incidents: ClassVar[bool] = True

    def __init__(self, name: str, key: str, where: Place) -> None:
        super().__init__(name)
        self._headers, self._place = {"Authorization": f"GenieKey {key}"}, where

    def deliver(self, notification: Notification) -> None:
        """Create an alert, or close it; what does neither, such as a list of what is silent, is not sent."""
        if not (notification.opens or notification.ends):
            return
        where = self._place
        if notification.ends:
            where = where._replace(target=f"{where.target}/{quote(key_of(notification), safe='')}/close?identifierType=alias")  # fmt: skip
        post(where, dumps(request_of(notification)).encode("ascii"), self._headers, self.name)


def request_of(notification: Notification) -> dict[str, Any]:
    """Write the alert, or the note with which it is closed."""
    if notification.ends:
        return {"source": "rolewatch", "note": text(notification, limit=_NOTE)}
    found = notification.findings
    return {
        "message": title(notification, _MESSAGE),
        "alias": key_of(notification),
        "description": text(notification, limit=_DESCRIPTION),
        "priority": _PRIORITIES[severity(notification)],
        "source": "rolewatch",
        "tags": ["rolewatch", notification.kind],
        "details": {
            "id": notification.id[:200],
            "findings": ", ".join(str(finding["id"])[:64] for finding in found[:20]),
        },
    }


def target(url: str, environ: Mapping[str, str]) -> Team:
    """Make the target of a URL."""
    found, key = service_key(url, EXAMPLE)
    options = known(found, ("region",), EXAMPLE)
    where = options.get("region", "us")
    if where not in REGIONS:
        raise nonsense("opsgenie", f"region is {' or '.join(REGIONS)}", EXAMPLE)
    return Team(f"opsgenie://…{fingerprint(url)}", key, place(VARIABLE, environ, REGIONS[where]))
