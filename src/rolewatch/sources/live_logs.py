"""A log group that is followed: `logs://log-group`, by name or ARN (FilterLogEvents)."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from rolewatch.base import aws
from rolewatch.base.clock import moment_of
from rolewatch.base.errors import SourceError
from rolewatch.sources.live import Memory, Told
from rolewatch.sources.live_events import Answer, Event, EventsSource, Look, encoded
from rolewatch.sources.live_time import Time, of_milliseconds
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.window import Window

RATE: Final = 4.0  # requests a second: AWS allows 5 or 10 to all who ask in an account and region
# Late by up to two minutes: seen within 10 seconds; by up to 20 minutes: within one; by two hours and a quarter: within ten.
LOOKS: Final = (
    Look("tip", 10, timedelta(minutes=2)),
    Look("near", 60, timedelta(minutes=20)),
    Look("far", 600, timedelta(hours=2, minutes=15)),
)
_ARN = re.compile(r"arn:[a-z0-9-]+:logs:([a-z0-9-]+):[0-9]{12}:log-group:([.\-_/#A-Za-z0-9]{1,512})(?::\*)?")
_NAME = re.compile(r"([.\-_/#A-Za-z0-9]{1,512})(?:\?region=([a-z0-9-]+))?")


class LogGroup(NamedTuple):
    """A log group; `arn` is None where it was named by its name, then in the region of the settings if that is empty."""

    name: str
    region: str
    arn: str | None


def log_group(word: str) -> LogGroup:
    """Read `logs://…`, a name or an ARN; raises SourceError for what is neither."""
    text = word.removeprefix("logs://")
    found = _ARN.fullmatch(text)
    if found:
        return LogGroup(found[2], found[1], text.removesuffix(":*"))
    named = _NAME.fullmatch(text)
    if not named:
        raise SourceError(
            f"{word}: not a name that a log group can have",
            remedy="write logs://name, logs://name?region=… or logs://arn:aws:logs:REGION:ACCOUNT:log-group:NAME",
        )
    return LogGroup(named[1], named[2] or "", None)


class LogGroupSource(EventsSource):
    """Follows the events of a log group.

    Raises SourceError for a group that does not exist, and CannotDo where AWS refuses to read it.
    """

    def __init__(
        self,
        word: str,
        group: LogGroup,
        memory: Memory,
        told: Told,
        *,
        window: Window,
        looks: Sequence[Look] = LOOKS,
        rate: float = RATE,
        time: Time | None = None,
    ) -> None:
        self._group = group
        self._client = aws.client("logs", region=group.region or None, retry=False)
        trouble = Trouble(word, told, time)
        moment = (time or Time()).now()
        first = trouble.try_first(
            "read",
            lambda: self._request(moment, moment, None, limit=1),
            {
                "ResourceNotFoundException": f"{word}: no such log group in {self._client.meta.region_name}",
                "InvalidParameterException": f"{word}: not a name that a log group can have",
            },
        )
        super().__init__(word, memory, trouble, looks, rate=rate, window=window, first=first, time=time)

    def ask(self, start: datetime, end: datetime | None, token: str | None) -> dict[str, Any]:
        """Ask for one page."""
        return self._request(start, end, token)

    def answer(self, page: dict[str, Any]) -> Answer:
        """Read one page; it may be empty although there are more."""
        return Answer(page.get("events", ()), page.get("nextToken"))

    def mark(self, event: Event) -> str:
        """Return the event's id, which is unique in its log group."""
        return mark_of(self._group.name, event["eventId"])

    def came(self, event: Event) -> float | None:
        """Return when CloudWatch Logs took it in."""
        return of_milliseconds(event.get("ingestionTime"))

    def content(self, events: Sequence[Event]) -> tuple[str, bytes]:
        """Spell events as FilterLogEvents gives them."""
        first = moment_of(events[0]["timestamp"])
        return f"logs://{self._group.name}#{first:%Y-%m-%dT%H:%M:%SZ}", encoded("events", events)

    def _request(
        self, start: datetime, end: datetime | None, token: str | None, **more: Any
    ) -> dict[str, Any]:
        group = self._group
        more |= {"logGroupIdentifier": group.arn} if group.arn else {"logGroupName": group.name}
        if end:
            more["endTime"] = _milliseconds(end)
        if token:
            more["nextToken"] = token
        answer: dict[str, Any] = self._client.filter_log_events(startTime=_milliseconds(start), **more)
        return answer


def mark_of(group: str, event_id: str) -> str:
    """Return the mark of an event of a log group."""
    return f"logs://{group}/{event_id}"


def _milliseconds(moment: datetime) -> int:
    return max(int(moment.timestamp() * 1000), 0)
