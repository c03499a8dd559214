"""What collected policies say of findings, as far as there is time for it within a transaction.

A change that is proven takes a tenth of a second and more to find, so each transaction explains a few findings anew at most; what
was explained is remembered for as long as the policies are. A finding that has to wait is explained when it is looked at again.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from rolewatch.base.errors import RolewatchError
from rolewatch.explain.enrich import Shown, explained, is_open
from rolewatch.explain.explanation import Asked
from rolewatch.explain.folder import Folder
from rolewatch.sources.live import Told
from rolewatch.watch.kept import Explain, Finding

AT_ONCE: Final = 20  # findings that one transaction explains anew
FRESH: Final = 60.0  # seconds for which the folder is taken to be as it was read
_NAME: Final = "policies"


class Explainer:
    """Explains findings by a folder of policies, which may change meanwhile; `shown` writes what decided as JSON."""

    def __init__(
        self, path: str, shown: Shown, told: Told, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._shown, self._told, self._monotonic = path, shown, told, monotonic
        self._asked = Asked(Folder(path))
        self._until = monotonic() + FRESH
        self._known: dict[object, Mapping[str, Any]] = {}
        self._failed: set[str] = set()

    def turn(self) -> Explain:
        """Begin a transaction: what is given explains findings, the first few of those that are new to it."""
        self._refresh()
        left = AT_ONCE

        def explain(finding: Finding) -> None:
            nonlocal left
            if not is_open(finding):
                return
            key = _key(finding)
            if key not in self._known:
                if not left:
                    return
                left -= 1
                self._known[key] = self._of(finding)
            finding |= self._known[key]

        return explain

    def _of(self, finding: Finding) -> Mapping[str, Any]:
        try:
            return explained(finding, self._asked, self._shown)
        except RolewatchError as error:
            if finding["resource"] not in self._failed:  # said once
                self._failed.add(finding["resource"])
                self._told(_NAME, f"cannot explain {finding['resource']}: {error}")
            return {}

    def _refresh(self) -> None:
        if self._monotonic() < self._until:
            return
        self._until = self._monotonic() + FRESH
        self._known = {}
        try:
            self._asked = Asked(Folder(self._path))
        except RolewatchError as error:  # it is being replaced
            self._told(_NAME, str(error))
        else:
            self._failed = set()


def _key(finding: Mapping[str, Any]) -> object:
    """Name what an explanation rests on."""
    return (
        finding["role_arn"],
        finding["resource"],
        tuple(finding["open_actions"]),
        tuple(finding["resource_examples"]),
        finding["verdict"],
        *sorted((name, str(value)) for name, value in finding["cause"].items()),
    )
