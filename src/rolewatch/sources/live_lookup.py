"""Event history that is followed: `lookup://` (LookupEvents), a region each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rolewatch.base import aws
from rolewatch.sources.live import Memory, Told
from rolewatch.sources.live_events import Answer, Event, EventsSource, Look, encoded
from rolewatch.sources.live_time import Time
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.lookup import INTERVAL, PAGE
from rolewatch.sources.window import Window

# Events come into the history within 15 minutes, as a rule within five.
LOOKS: Final = (Look("tip", 60, timedelta(minutes=20)), Look("far", 1200, timedelta(hours=2, minutes=15)))


class LookupSource(EventsSource):
    """Follows the event history of one region; raises CannotDo where AWS refuses to be asked."""

    def __init__(
        self,
        region: str,
        memory: Memory,
        told: Told,
        *,
        window: Window,
        looks: Sequence[Look] = LOOKS,
        rate: float = 1 / INTERVAL,
        time: Time | None = None,
    ) -> None:
        self._client = aws.client("cloudtrail", region=region or None, retry=False)
        word = f"lookup://{self._client.meta.region_name}"
        trouble = Trouble(word, told, time)
        moment = (time or Time()).now()
        first = trouble.try_first("look up events in", lambda: self._request(moment, moment, None, 1), {})
        super().__init__(word, memory, trouble, looks, rate=rate, window=window, first=first, time=time)

    def ask(self, start: datetime, end: datetime | None, token: str | None) -> dict[str, Any]:
        """Ask for one page, the newest events first."""
        return self._request(start, end, token, PAGE)

    def answer(self, page: dict[str, Any]) -> Answer:
        """Read one page."""
        return Answer(page.get("Events", ()), page.get("NextToken"))

    def mark(self, event: Event) -> str:
        """Return the event's id."""
        return f"{self.word}/{event['EventId']}"

    def content(self, events: Sequence[Event]) -> tuple[str, bytes]:
        """Spell events as LookupEvents gives them."""
        return f"{self.word}#{events[0]['EventId']}", encoded("Events", events)

    def _request(
        self, start: datetime, end: datetime | None, token: str | None, number: int
    ) -> dict[str, Any]:
        more: dict[str, Any] = {"EndTime": end} if end else {}
        if token:
            more["NextToken"] = token
        answer: dict[str, Any] = self._client.lookup_events(StartTime=start, MaxResults=number, **more)
        return answer
