"""A service, a kind of resource and the actions it would be refused in; what stops working, in words, out."""

from collections.abc import Sequence
from typing import NamedTuple

from rolewatch.base.wording import some
from rolewatch.catalog.consequences import consequence_of
from rolewatch.catalog.policy_kinds import PolicyKind


class Told(NamedTuple):
    """What stops working, and the page that says so; without a page it is only said who would be refused what.

    `stated`: the page says what follows from a refusal; else it says what the access is for, and that this stops is concluded.
    """

    text: str
    source: str | None
    stated: bool = False


def told(service: str, name: str, kind: PolicyKind, actions: Sequence[str]) -> Told:
    """Say what stops working for a service."""
    for action in actions:
        found = consequence_of(service, kind.type, action)
        if found:
            return Told(found.text, found.source, found.stated)
    return Told(f"{name} would be refused {some(actions)}.", None)
