"""`eventbridge:BUS`: the body as an event of the source `rolewatch`, with a detail-type for each kind."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from rolewatch.notify import amazon
from rolewatch.notify.body import body, bytes_of
from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Kind, Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import known, nonsense, parsed, region

EXAMPLE: Final = "eventbridge:my-bus?region=us-east-1"
SOURCE: Final = "rolewatch"
DETAIL_TYPES: Final[dict[Kind, str]] = {
    "blocked": "Rolewatch Finding Blocked",
    "recovered": "Rolewatch Finding Recovered",
    "reopened": "Rolewatch Finding Reopened",
    "alarm": "Rolewatch Alarm State Change",
    "summary": "Rolewatch Summary",
}
#: Bytes of an entry; time, source, detail-type and the bus's name count, too.
MOST: Final = 256 * 1024 - 2048
_BUS: Final = re.compile(r"(?:arn:aws[a-z-]*:events:([a-z0-9-]{5,32}):[0-9]{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}")  # fmt: skip


class Bus(Target):
    """An event bus, by its name or ARN."""

    def __init__(self, bus: str, where: str | None) -> None:
        super().__init__(f"eventbridge:{bus}{f'?region={where}' if where else ''}")
        self.bus, self.region = bus, where

    @cached_property
    def _client(self) -> Any:
        return amazon.client("events", self.region, self.name)

    def deliver(self, notification: Notification) -> None:
        """Put one event."""
        entry: dict[str, Any] = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[notification.kind],
            "Detail": body(notification, bytes_of(MOST)),
            "EventBusName": self.bus,
        }
        with suppress(ValueError):  # without one, EventBridge takes the time of the call
            entry["Time"] = datetime.fromisoformat(notification.time)
        answer = amazon.call(self._client.put_events, self.name, Entries=[entry])
        if answer.get("FailedEntryCount"):
            code = str(answer["Entries"][0].get("ErrorCode") or "no reason given")
            raise SendError(f"{self.name}: {code}", remedy="check the bus and its policy", passing=amazon.is_passing(code))  # fmt: skip


def target(url: str, environ: Mapping[str, str]) -> Bus:
    """Make the target of a URL; a bus named by its ARN is in the region of that."""
    del environ
    found = parsed(url, EXAMPLE)
    known(found, ("region",), EXAMPLE)
    match = _BUS.fullmatch(found.path)
    where = region(found, EXAMPLE)
    if found.host or not match or ("region" in found.options and match[1]):
        raise nonsense("eventbridge", "it names no event bus, or a region twice", EXAMPLE)
    return Bus(found.path, where or match[1])
