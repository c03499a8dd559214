"""LookupEvents as a source: 90 days of management events without a trail (spec/cloudtrail.md §7)."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rolewatch.base import aws
from rolewatch.sources.delivery import BytesDelivery
from rolewatch.sources.files import Problems
from rolewatch.sources.window import Window

PAGE = 50  # events, the most there is
INTERVAL = 0.5  # seconds between requests: AWS allows two a second per account and region
ATTEMPTS = 7
LONGEST_PAUSE = 30.0  # seconds
_THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
)


class Pace:
    """Keeps requests an interval apart; `clock` and `sleep` count in seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self.sleep = clock, sleep
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may start."""
        pause = self._next - self._clock()
        if pause > 0:
            self.sleep(pause)
        self._next = self._clock() + INTERVAL


def lookup(
    regions: Sequence[str], window: Window, problems: Problems, *, pace: Callable[[], Pace] = Pace
) -> Iterator[BytesDelivery]:
    """Yield a delivery per page of events, newest first, of each region (none given: the window's, or the session's).

    The window's times are passed on; its accounts are not, because a region answers for the caller's account only.
    `pace` makes the pace of one region. Raises CannotDo if the first request fails; a later failure is a problem.
    """
    wanted = (
        [region for region in regions if not window.regions or region in window.regions]
        if regions
        else sorted(window.regions) or [""]
    )
    answered = False
    for region in wanted:
        client = aws.client("cloudtrail", region=region or None, retry=False)
        name = f"lookup://{client.meta.region_name}"
        try:
            for number, page in enumerate(_pages(client, window, pace()), 1):
                answered = True
                if page:
                    yield _delivery(f"{name}#{number}", page)
        except aws.errors() as error:
            if not answered:
                raise aws.cannot(error, f"cannot look up events in {client.meta.region_name}") from error
            problems.append((name, f"looking up events stopped: {aws.describe(error)}"))


def _pages(client: Any, window: Window, pace: Pace) -> Iterator[list[dict[str, Any]]]:
    request: dict[str, Any] = {"MaxResults": PAGE}
    if window.since:
        request["StartTime"] = window.since
    if window.until:
        request["EndTime"] = window.until
    while True:
        page = _ask(client, request, pace)
        yield page.get("Events", [])
        token = page.get("NextToken")
        if not token:
            return
        request["NextToken"] = token


def _ask(client: Any, request: dict[str, Any], pace: Pace) -> dict[str, Any]:
    """Make one request, again after growing pauses where AWS throttles, fails itself or is not reached."""
    for attempt in range(1, ATTEMPTS + 1):
        pace.wait()
        try:
            page: dict[str, Any] = client.lookup_events(**request)
        except aws.errors() as error:
            if attempt == ATTEMPTS or not (aws.code_of(error) in _THROTTLED or aws.is_passing(error)):
                raise
            pace.sleep(min(2.0 ** (attempt - 1), LONGEST_PAUSE))
        else:
            return page
    raise AssertionError("unreachable")


def _delivery(name: str, events: list[dict[str, Any]]) -> BytesDelivery:
    content = json.dumps({"Events": events}, default=str).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return BytesDelivery(
        name=name, identity=f"{name}+{digest}", named=False, size=len(content), remote=False, content=content
    )
