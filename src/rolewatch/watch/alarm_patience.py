"""How long evaluations of alarms wait for what has arrived: until it is committed, but not for ever."""

import time
from datetime import datetime
from typing import Final

SECONDS: Final = 120.0  # that they wait while more arrives than can be read, or a source does not answer …
AT_FIRST: Final = 3600.0  # … and for what there was when the watcher began


class Settled:
    """Knows until when all that had arrived is committed."""

    def __init__(self) -> None:
        self._until: datetime | None = None
        self._since = time.monotonic()

    def settle(self, until: datetime | None) -> None:
        """Note until when it is, as far as sources know."""
        if until and until != self._until:
            self._until = until
            self.restart()

    def restart(self) -> None:
        """Wait as long as at the beginning, since nothing could be committed meanwhile."""
        self._since = time.monotonic()

    def until(self, now: datetime, *, through: bool) -> datetime | None:
        """Give the time until which alarms may be evaluated, None for not yet; `through`: what there was at first is done."""
        if time.monotonic() - self._since > (SECONDS if through else AT_FIRST):
            self._until = now
        return self._until
