"""What was asked for in time and place, and which days of delivery can hold it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rolewatch.cloudtrail.layout import Layout


@dataclass(frozen=True)
class Window:
    """A request narrowed by event time (`since` included, `until` excluded), accounts and regions; empty means all."""

    since: datetime | None = None
    until: datetime | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    @property
    def narrow(self) -> bool:
        """Whether anything is left out at all."""
        return bool(self.since or self.until or self.accounts or self.regions)

    def spelled(self) -> tuple[str | None, str | None]:
        """Spell the ends as eventTime does, so that they compare as text."""
        since, until = (
            moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
            for moment in (self.since, self.until)
        )
        return since, until

    def days(self) -> tuple[str, str]:
        """Return the first and the last day of delivery, `YYYY-MM-DD`, that can hold an event of the window.

        Folders are days of delivery, and delivery comes after the event, so the last is one day after `until`'s.
        An open end is an end that no day reaches.
        """
        first = _day(self.since) if self.since else "0000-00-00"
        last = _day(self.until, plus=1) if self.until else "9999-99-99"
        return first, last


class Filter:
    """A window made ready to be asked about many names."""

    __slots__ = ("_accounts", "_first", "_last", "_regions", "narrow")

    def __init__(self, window: Window) -> None:
        self.narrow = window.narrow
        self._first, self._last = window.days()
        self._accounts, self._regions = window.accounts, window.regions

    def admits(self, layout: Layout | None) -> bool:
        """Whether a delivery with this layout can hold what was asked for; without a layout it always can."""
        return layout is None or (
            self._first <= layout.day <= self._last
            and (not self._accounts or layout.account in self._accounts)
            and (not self._regions or layout.region in self._regions)
        )


def _day(moment: datetime, plus: int = 0) -> str:
    try:
        return (moment.astimezone(UTC) + timedelta(days=plus)).date().isoformat()
    except OverflowError:  # the calendar's first or last day
        return moment.date().isoformat()
