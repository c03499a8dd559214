"""Deliveries in; the successful calls in them that changed policies out. A fold beside that of denials.

Only records are decoded that name such a call. One pass over the bytes has no room for all the names, so it looks for parts of
them that they have in common; what is found so is held against the names themselves.
"""

import json
import re
from functools import cache
from typing import Any, Final

import msgspec

from rolewatch.cloudtrail.carve import HIDING, Buffer, Literals
from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.explain.blame import PolicyChange, changes_of, names_of_changes
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.step import Gathered, Stepper
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery

#: Each name in quotes holds one of these, those of a row are looked for together. A row is slow to look for if its texts have
#: many different rare pairs of letters (`_native.c`): all names in one row take a hundred times as long as these.
PARTS: Final = Literals((
    b"Policy",
    (b"Permission", b'RestApi"'),
    (b'Grant"', b"Domain", b'VaultLock"'),
    (b'"CreateKey"', b'"CreateQueue"', b'"CreateTopic"', b'"CreateRole"', b'"CreateTable"', b'"ReplicateKey"'),
    (b'"SetTopicA', b'"SetQueueA', b'VpcEndpoint"'),
))  # fmt: skip
POLICY: Final = b"olic"  # of `Policy`, `accessPolicies` …


class Changes(Reading):
    """The changes of policies in deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[PolicyChange] = []


class Collected(Gathered):
    """The changes in one delivery."""

    __slots__ = ("changes",)

    def __init__(self, *, proven: bool) -> None:
        super().__init__(proven=proven)
        self.changes: list[PolicyChange] = []


class Collector(Stepper[Collected, Changes]):
    """Collects changes of policies."""

    literals = PARTS

    def __init__(self, request: ScanRequest) -> None:
        super().__init__(Changes(), Limits(request.gunzip_limit, request.gunzip_ratio))
        self._names = _named()

    def begin(self, *, proven: bool) -> Collected:
        """Give an empty place for what a delivery gives."""
        return Collected(proven=proven)

    def examine(self, batch: Batch, gathered: Collected) -> int:
        """Decode the records of a batch that name a call which changes policies; returns how many could not be."""
        exact, unparsable, named = isinstance(batch, Listed), 0, self._names.search
        for start, end, bits in batch.marked:
            raw = batch.text(start, end)
            if not bits & HIDING and ((name := named(raw)) is None or (name[1] and POLICY not in raw)):
                continue
            try:
                found = list(changes_of(_decoded(raw)))
            except (ValueError, RecursionError):
                if not exact:
                    raise Inexact from None  # the delivery is read the exact way instead
                unparsable += 1
                continue
            if found and not batch.stands_alone(start):
                raise Inexact
            gathered.changes += found
        return unparsable

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Add the changes of a delivery."""
        del delivery
        self._summary.changes += gathered.changes


@cache
def _named() -> "re.Pattern[bytes]":
    """Match the name of a call that changes policies; its group is one that does so only if its request holds POLICY."""
    words: dict[bool, list[str]] = {True: [], False: []}
    for name, changes in names_of_changes().items():
        words[all(POLICY.decode() in each.when for each in changes)].append(re.escape(name))
    text = rf'"eventName"\s*:\s*"(?:({"|".join(words[True])})|{"|".join(words[False])})"'
    return re.compile(text.encode())


def _decoded(raw: Buffer) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:  # it takes no half of a character, and no bytes that are no UTF-8
        return json.loads(raw.decode("utf-8", "replace"))
