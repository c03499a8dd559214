"""An account, a region and a kind in; the targets of that kind that are there, out."""

from collections.abc import Iterator
from typing import NamedTuple

from rolewatch.aws.accounts import Accounts
from rolewatch.aws.calls import Call, call_of
from rolewatch.aws.policy_fetch import Asker, Row, failures
from rolewatch.aws.policy_targets import Target, target_of
from rolewatch.catalog.naming import Place, build, service_of
from rolewatch.catalog.policy_kinds import PolicyKind, kind
from rolewatch.catalog.policy_lists import ONCE, Listing


class Listed(NamedTuple):
    """What there is; the row says what went wrong, if anything."""

    targets: tuple[Target, ...]
    row: Row | None = None


class Lists:
    """Lists resources."""

    def __init__(self, asker: Asker, accounts: Accounts) -> None:
        self._asker, self._accounts = asker, accounts

    def listed(self, listing: Listing, account: str, region: str) -> Listed:
        """List the resources of a kind in an account and region; an empty region is that of the credentials."""
        of = kind_of_listing(listing)
        where = Place(self._accounts.caller.partition, region, account)
        if not listing.command:
            return Listed(tuple(_targets(of, [""], where)))
        steps = [(listing.above.command, listing.above.items)] if listing.above else []
        found = [""]  # what the next step is asked for
        for command, items in (*steps, (listing.command, listing.items)):
            call = call_of(command)
            if region and not self._accounts.offers(call.service, region):
                return Listed(())
            try:
                found = [name for each in found for name in self._names(call, items, (account, region), each)]
            except failures() as error:
                what = f"list for {of.name.removesuffix('y')}ies"
                answer, action = self._asker.answer_of(
                    error, call, (account, region), kind="", arn=account, service=service_of(of.type)
                )
                status = "failed" if answer.status in ("gone", "absent") else answer.status
                return Listed((), Row(account, what, account, region, status, answer.reason, action))
        return Listed(tuple(_targets(of, found, where)))

    def _names(self, call: Call, items: str, place: tuple[str, str], parent: str) -> Iterator[str]:
        """Yield the names or ARNs in all pages of a call."""
        listed, _, name = items.partition(".")
        for page in self._asker.pages(call, place, {"account": place[0], "parent": parent}):
            yield from (str(item[name] if name else item) for item in page.get(listed) or ())


def regions_of(listing: Listing, regions: tuple[str, ...]) -> tuple[str, ...]:
    """Say in which of the regions a listing is asked for; "" is the credentials' own."""
    if listing.where == ONCE:
        return ("",)
    return (listing.where,) if listing.where else regions


def kind_of_listing(listing: Listing) -> PolicyKind:
    """Give the kind that is listed."""
    found = kind(listing.kind)
    if found is None:
        raise LookupError(f"policy_kinds.json has no {listing.kind}")
    return found


def _targets(of: PolicyKind, found: list[str], where: Place) -> Iterator[Target]:
    for word in found:
        name = word.rpartition("/")[2] if "://" in word else word  # a queue's URL
        names = (name,) if name else ()
        arn = name if name.startswith("arn:") else build(of.type, names, where)
        target = target_of(arn, where.account, where.region) if arn else None
        if target:
            yield target
