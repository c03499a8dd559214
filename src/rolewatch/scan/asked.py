"""The window that records have to lie in, asked of records that are decoded in part."""

from typing import Any

from rolewatch.patterns.match_json import Reach
from rolewatch.sources import Window

TIME, REGION, ACCOUNT = ("eventTime",), ("awsRegion",), ("recipientAccountId",)


class Asked:
    """The window of event time, accounts and regions that records have to lie in."""

    def __init__(self, window: Window, reach: Reach) -> None:
        self._since, self._until = window.spelled()
        self._accounts, self._regions = window.accounts, window.regions
        self._account, self._region = reach(ACCOUNT), reach(REGION)

    def admits(self, read: Any, time: str) -> bool:
        """Whether a record lies in it."""
        return (
            (self._since is None or time >= self._since)
            and (self._until is None or time < self._until)
            and (not self._accounts or _among(self._account(read), self._accounts))
            and (not self._regions or _among(self._region(read), self._regions))
        )


def _among(value: Any, names: frozenset[str]) -> bool:
    """Whether a value is one of some names; a list or an object cannot be looked up."""
    return type(value) is str and value in names
