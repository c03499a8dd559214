"""The Principal and NotPrincipal elements: whom a statement speaks of.

Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "… NotPrincipal"; "Policy evaluation logic", on what a resource-based
policy grants to an account, a role and a session.
"""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from rolewatch.policies.request import Kind, Principal, principal_of
from rolewatch.policies.truth import Truth
from rolewatch.policies.wildcards import like

_IDENTIFIER: Final = ("AROA", "AIDA", "AGPA", "ANPA")
_PART: Final = re.compile(r"[*?]")  # of a principal: AWS takes none in part
UNIQUE_ID: Final = (16, 128)  # characters of such an identifier


class Level(IntEnum):
    """How closely a statement names who asks, the closest last; what an Allow of a resource-based policy is worth depends on it.

    Source: "Policy evaluation logic" on implicit denies, and "Principal" on `*`: boundaries and session policies limit what is
    granted to a role (or to the user whom a federated user comes from), not what is granted to a session, a user, or everyone.
    """

    NOBODY = 0
    ACCOUNT = 1  # the account: its administrators decide further, by identity-based policies
    ROLE = 2
    EVERYONE = 3
    SESSION = 4  # a session, a user, a service, a federated identity: nothing stands between


class Named(NamedTuple):
    """Whether a statement, or one entry of its element, speaks of who asks, and how closely; `hangs_on` what, if it is not known.

    `perhaps` is a closer level than `level`, at which it speaks of who asks if what it hangs on is so.
    """

    truth: Truth
    level: Level
    hangs_on: str = ""
    perhaps: Level = Level.NOBODY


_Match = Callable[[Principal], Named]
_NOBODY: Final = Named(Truth.NO, Level.NOBODY)
_SESSION_NAME: Final = "the name of the role's session"
_SESSION_LEVEL: Final = "whether NotPrincipal has to name the role's session as well"
_FEDERATED_BY: Final = "the user that the federated user comes from"
_CANONICAL: Final = "CanonicalUser"


class Entry(NamedTuple):
    """One principal as it is written: under `AWS`, `Service`, `Federated` or `CanonicalUser`; `match` says whether it is who asks."""

    kind: str
    text: str
    match: _Match


class Principals(NamedTuple):
    """A Principal element, or a NotPrincipal one."""

    entries: tuple[Entry, ...]
    negated: bool

    def names(self, principal: Principal, *, bounded: bool = False) -> Named:
        """Say whether a statement with this element speaks of a principal; a `bounded` one has a permissions boundary."""
        found = [entry.match(principal) for entry in self.entries]
        if not self.negated:
            return found[0] if len(found) == 1 else _closest(found)
        if bounded:  # "will always deny any IAM principal that has a permissions boundary policy attached"
            return _SPOKEN_OF
        # A NotPrincipal leaves out only who is named at each level that AWS may look at: account, role and session.
        certain = {each.level for each in found if each.truth is Truth.YES}
        if Level.EVERYONE in certain or _needed(principal) <= certain:
            return _NOBODY
        unsure = [each for each in found if each.truth is Truth.UNKNOWN]
        if _needed(principal) <= certain | {each.level for each in unsure}:
            return Named(Truth.UNKNOWN, Level.EVERYONE, unsure[0].hangs_on)
        if {Level.ACCOUNT, Level.ROLE} <= certain:
            return Named(Truth.UNKNOWN, Level.EVERYONE, _SESSION_LEVEL)
        return _SPOKEN_OF


def _closest(found: Sequence[Named]) -> Named:
    best = max(found, default=_NOBODY)
    if best.truth is Truth.YES:
        for each in found:
            if each.truth is Truth.UNKNOWN and each.level > max(best.level, best.perhaps):
                best = best._replace(hangs_on=each.hangs_on, perhaps=each.level)
    return best


_SPOKEN_OF: Final = Named(Truth.YES, Level.EVERYONE)


def _needed(principal: Principal) -> set[Level]:
    """Give the levels at which a NotPrincipal has to name a principal to leave it out."""
    if principal.kind in (Kind.SESSION, Kind.ROLE):
        return {Level.ACCOUNT, Level.ROLE, Level.SESSION}
    if principal.kind is Kind.ROOT or not principal.account:
        return {Level.SESSION}
    return {Level.ACCOUNT, Level.SESSION}


def entry_of(kind: str, text: str) -> Entry | None:
    """Read one principal; None if it can be none."""
    if text == "*" and kind in ("AWS", "*"):
        return Entry(kind, text, lambda _: _SPOKEN_OF)
    if kind == "AWS":
        if is_unique_id(text):
            return Entry(kind, text, _by_id(text))
        wanted = None if _PART.search(text) else principal_of(text)
        if wanted is None or wanted.kind not in _BY_KIND:
            return None
        return Entry(kind, text, _BY_KIND[wanted.kind](wanted))
    if kind == "Service":
        return Entry(kind, text, _by_word(Kind.SERVICE, text))
    if kind == "Federated":
        return Entry(kind, text, _by_word(Kind.FEDERATED, text))
    if kind == "CanonicalUser":  # of whom, only S3 knows
        return Entry(kind, text, _canonical)
    return None


def _canonical(asks: Principal) -> Named:
    return Named(Truth.UNKNOWN, Level.ACCOUNT, _CANONICAL) if asks.account else _NOBODY


def is_unique_id(text: str) -> bool:
    """Whether a principal is an identifier, as AWS shows one whose role or user was deleted."""
    return text.startswith(_IDENTIFIER) and UNIQUE_ID[0] <= len(text) <= UNIQUE_ID[1] and text.isalnum()


def _by_id(text: str) -> _Match:
    named = Named(Truth.YES, Level.ROLE if text.startswith("AROA") else Level.SESSION)

    def match(asks: Principal) -> Named:
        # An ARN in a policy becomes an identifier only when what it named is deleted; what has a new one of the same name is another.
        return named if asks.unique_id == text else _NOBODY

    return match


def _by_word(kind: Kind, text: str) -> _Match:
    test = like(text) if kind is Kind.FEDERATED and "*" in text else text.__eq__

    def match(asks: Principal) -> Named:
        return _ITSELF if asks.kind is kind and test(asks.arn) else _NOBODY

    return match


def _account(wanted: Principal) -> _Match:
    def match(asks: Principal) -> Named:
        if asks.account != wanted.account:
            return _NOBODY
        return _ITSELF if asks.kind is Kind.ROOT else _AS_ACCOUNT

    return match


def _role(wanted: Principal) -> _Match:
    # Names of roles are unique within an account, and a session's ARN does not tell its role's path.
    key = (wanted.account, wanted.role)

    def match(asks: Principal) -> Named:
        if (asks.account, asks.role) != key:
            return _NOBODY
        known = asks.kind is Kind.ROLE or asks.role_arn.count("/") > 1
        return _NOBODY if known and asks.role_arn != wanted.arn else _AS_ROLE

    return match


def _session(wanted: Principal) -> _Match:
    key = (wanted.account, wanted.role)

    def match(asks: Principal) -> Named:
        if asks.kind is Kind.ROLE and (asks.account, asks.role) == key:
            return _PERHAPS_SESSION
        return _ITSELF if asks.arn == wanted.arn else _NOBODY

    return match


def _user(wanted: Principal) -> _Match:
    def match(asks: Principal) -> Named:
        if asks.kind is Kind.FEDERATED_USER and asks.account == wanted.account:
            if not asks.federated_by:
                return _PERHAPS_FROM
            return _AS_ROLE if asks.federated_by == wanted.arn else _NOBODY
        return _ITSELF if asks.arn == wanted.arn else _NOBODY

    return match


def _exactly(wanted: Principal) -> _Match:
    def match(asks: Principal) -> Named:
        return _ITSELF if asks.arn == wanted.arn else _NOBODY

    return match


_ITSELF: Final = Named(Truth.YES, Level.SESSION)
_AS_ROLE: Final = Named(Truth.YES, Level.ROLE)
_AS_ACCOUNT: Final = Named(Truth.YES, Level.ACCOUNT)
_PERHAPS_SESSION: Final = Named(Truth.UNKNOWN, Level.SESSION, _SESSION_NAME)
_PERHAPS_FROM: Final = Named(Truth.UNKNOWN, Level.ROLE, _FEDERATED_BY)
_BY_KIND: Final[dict[Kind, Callable[[Principal], _Match]]] = {
    Kind.ROOT: _account,
    Kind.ROLE: _role,
    Kind.USER: _user,
    Kind.SESSION: _session,
    Kind.FEDERATED_USER: _exactly,
}
