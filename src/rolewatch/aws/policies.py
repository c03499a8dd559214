"""What to collect in; a folder of policies, and a report of what was collected, what was not and why, out.

Calls run on several threads. A file is written as soon as its answer is there, so a run that ends early loses nothing, and the next
one goes on.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

from rolewatch.aws.accounts import Accounts
from rolewatch.aws.policy_fetch import Asker, Fetcher, Over, Row
from rolewatch.aws.policy_kept import Kept
from rolewatch.aws.policy_lists import Listed, Lists, regions_of
from rolewatch.aws.policy_organization import Organization
from rolewatch.aws.policy_roles import Roles
from rolewatch.aws.policy_targets import Target, Wanted
from rolewatch.catalog.policy_lists import LISTINGS, Listing

_T = TypeVar("_T")
_R = TypeVar("_R")
Tell = Callable[[int, int], None]  # how many things are done, of how many that are known so far
NOT_COLLECTED: Final = ("denied", "failed", "gone")


class Scope(NamedTuple):
    """Which accounts are looked through as a whole (none: only what is wanted), where, and for which kinds.

    `surroundings`: also the organisation and the service-linked roles of the accounts; `all_accounts`: the accounts are all of the
    organisation's, and its control policies are collected too.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    surroundings: bool = False
    all_accounts: bool = False

    @property
    def listings(self) -> tuple[Listing, ...]:
        """What is listed in each account."""
        return tuple(each for each in LISTINGS if not self.kinds or each.kind in self.kinds)


def collect(
    wanted: Wanted, scope: Scope, accounts: Accounts, kept: Kept, *, threads: int, tell: Tell | None
) -> dict[str, Any]:
    """Collect, and return the report; CannotDo where the folder cannot be written."""
    run = _Run(accounts, kept, threads, tell)
    run.collect(wanted, scope)
    kept.join_roles()
    return run.report()


class _Run:
    def __init__(self, accounts: Accounts, kept: Kept, threads: int, tell: Tell | None) -> None:
        self._accounts, self._kept, self._threads, self._tell = accounts, kept, threads, tell
        asker = Asker(accounts)
        self._fetcher, self._roles = Fetcher(asker, kept), Roles(asker, kept)
        self._lists = Lists(asker, accounts)
        self._organization = Organization(asker, kept, accounts.caller.account)
        self._rows: list[Row] = []
        self._done = self._known = 0
        self._lock = threading.Lock()
        self.stopped: str | None = None

    def collect(self, wanted: Wanted, scope: Scope) -> None:
        """Go through all there is, step by step: each step knows what the next one has to ask for."""
        whole = self._whole(scope)
        targets = dict.fromkeys((*wanted.targets, *self._listed(wanted, scope, whole)))
        if scope.surroundings:
            self._rows += self._each(lambda _: self._organization.describe(), [None])
            owners = sorted({*whole, *wanted.accounts})
            self._rows += self._each(self._roles.listed, owners)
        fetched = self._each(lambda target: (target, self._fetcher.fetch(target)), list(targets))
        for _, rows in fetched:
            self._rows += rows
        self._managed(
            [
                target
                for target, rows in fetched
                if target.kind.kind == "role-trust" and rows[0].status not in NOT_COLLECTED
            ]
        )
        if (
            scope.all_accounts
        ):  # one after the other: AWS Organizations allows few calls, and levels are shared
            for account in whole:
                self._rows += self._each(self._organization.control_policies, [account])

    def report(self) -> dict[str, Any]:
        """Make the report."""
        rows = sorted(set(self._rows), key=lambda row: (row.account, row.resource, row.policy))
        totals = Counter(row.status for row in rows)
        entries = [row._asdict() for row in rows]
        return {
            "folder": str(self._kept.path),
            "caller": self._accounts.caller.arn,
            "collected": [each for each in entries if each["status"] not in NOT_COLLECTED],
            "not_collected": [each for each in entries if each["status"] in NOT_COLLECTED],
            "totals": {
                each: totals[each] for each in ("collected", "absent", "kept", "gone", "denied", "failed")
            },
            "not_asked": self._known - self._done,
            "stopped": self.stopped,
        }

    def _whole(self, scope: Scope) -> Sequence[str]:
        """Say which accounts are looked through."""
        if not scope.all_accounts:
            return scope.accounts
        found: list[str] = []
        for listed, row in self._each(lambda _: self._organization.accounts(), [None]):
            found += listed
            self._rows += [row] if row else []
        return [each for each in found if not scope.accounts or each in scope.accounts]

    def _listed(self, wanted: Wanted, scope: Scope, whole: Sequence[str]) -> Iterable[Target]:
        asked = [
            (listing, account, region)
            for account in whole
            for listing in scope.listings
            for region in regions_of(listing, scope.regions)
        ]
        endpoints = next(each for each in LISTINGS if each.kind == "endpoint")
        asked += [(endpoints, place.account, place.region) for place in wanted.endpoints]
        found: list[Listed] = self._each(lambda each: self._lists.listed(*each), list(dict.fromkeys(asked)))
        self._rows += [each.row for each in found if each.row]
        return [target for each in found for target in each.targets]

    def _managed(self, roles: Sequence[Target]) -> None:
        """Collect the managed policies of roles, each once, whichever account it is read in."""
        found = self._each(lambda role: (role, *self._roles.attached(role)), roles)
        self._rows += [row for _, _, row in found if row]
        arns: dict[str, str] = {}
        for role, policies, _ in found:
            for arn in policies:
                arns.setdefault(arn, role.account)
        self._rows += self._each(lambda item: self._roles.managed(*item), list(arns.items()))

    def _each(self, do: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
        """Do something with each item, on all threads; what is left when the credentials end is left out.

        Raises what one of them raises, and starts no further one then.
        """
        self._known += len(items)
        found: list[_R] = []
        with ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(self._one, do, item) for item in items if self.stopped is None]
            try:
                for future in futures:
                    found += future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return found

    def _one(self, do: Callable[[_T], _R], item: _T) -> list[_R]:
        if self.stopped is not None:
            return []
        try:
            found = do(item)
        except Over as error:
            self.stopped = f"the credentials do not hold any longer: {error}"
            return []
        with self._lock:
            self._done += 1
            if self._tell:
                self._tell(self._done, self._known)
        return [found]
