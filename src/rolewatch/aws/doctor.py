"""Credentials and accounts in; what would go unseen in each one's set-up, step by step from the trail to the person, out.

Nothing is changed. Accounts are looked at one by one, on several threads, and judged together: the trail of an organization is in one
account, and records the others.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, NamedTuple

from rolewatch.aws import (
    checks_alarm,
    checks_delivery,
    checks_filter,
    checks_group,
    checks_topic,
    checks_trail,
)
from rolewatch.aws.accounts import Accounts, active
from rolewatch.aws.checks import Case, Check, Result, Verdict, ask
from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_collect import Chosen, collect
from rolewatch.aws.doctor_organization import shared
from rolewatch.aws.doctor_setup import ACCOUNTS, Setup, Unseen
from rolewatch.aws.doctor_simulate import simulate
from rolewatch.base.errors import CannotDo

CHECKS: Final[tuple[Check[Any], ...]] = (
    *checks_trail.CHECKS,
    *checks_delivery.CHECKS,
    *checks_group.CHECKS,
    *checks_filter.CHECKS,
    *checks_alarm.CHECKS,
    *checks_topic.CHECKS,
)
"""All checks, in the article's order."""
ENTERED: Final = (
    "account-entered"  # the check of whether an account could be looked at, where a role is assumed
)
THREADS: Final = 8
Tell = Callable[[int, int], None]  # how many accounts are done, of how many


class Among(NamedTuple):
    """Which accounts are examined: `ids`, of the organization's if it is `whole`; without either, that of the credentials."""

    ids: tuple[str, ...] = ()
    whole: bool = False


OWN: Final = Among()


class Looked(NamedTuple):
    """What was found in an account; `setup` is None where it could not be entered."""

    account: str
    setup: Setup | None
    trials: Sequence[Any] | None
    asker: Asker


def examine(
    accounts: Accounts,
    chosen: Chosen,
    now: datetime,
    *,
    simulated: bool = False,
    among: Among = OWN,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Look at everything and judge it; the report of `rolewatch aws doctor`, as `report.doctor` takes it.

    Raises CannotDo where the credentials are over, where an organization's accounts cannot be listed, and for a trail that was named
    and is nowhere.
    """
    names = _accounts(accounts, among)
    chosen = chosen._replace(several=len(names) > 1)
    looked = _each(accounts, chosen, now, names, simulated=simulated, tell=tell)
    setups = {each.account: each.setup for each in looked if each.setup is not None}
    joined = shared(setups, {each.account: each.asker for each in looked}, whole=among.whole)
    if chosen.several:
        _refuse_nowhere(chosen, list(joined.values()))
    found = [
        (each, [*_entered(accounts, each), *(judge(joined[each.account]) if each.setup is not None else ())])
        for each in looked
    ]
    return _report(accounts.caller.account, chosen, found, simulated=simulated)


def judge(setup: Setup) -> list[Result]:
    """Ask all checks of what was found before."""
    return list(ask(CHECKS, Case(setup)))


def _accounts(accounts: Accounts, among: Among) -> list[str]:
    """List the accounts to examine, the caller's first, the others in order."""
    own = accounts.caller.account
    ids: Iterable[str] = among.ids or (own,)
    if among.whole:
        answer = Asker(accounts).all_of(ACCOUNTS, None, "the organization")
        if isinstance(answer, Unseen):
            raise CannotDo(
                f"cannot list the accounts of the organization ({answer.action}): {answer.reason}",
                remedy="take credentials of its management account or of a delegated administrator, or name accounts with --account",
            )
        ids = [each for each in active(answer) if not among.ids or each in among.ids]
        if not ids:
            raise CannotDo(
                "none of these accounts is an active one of the organization",
                remedy="see `aws organizations list-accounts`",
            )
    return sorted(dict.fromkeys(ids), key=lambda each: (each != own, each))


def _each(
    accounts: Accounts,
    chosen: Chosen,
    now: datetime,
    names: Sequence[str],
    *,
    simulated: bool,
    tell: Tell | None,
) -> list[Looked]:
    """Look at each account, several at a time; what one of them raises ends it all."""
    found: list[Looked] = []
    with ThreadPoolExecutor(min(THREADS, len(names))) as pool:
        futures = [pool.submit(_look, accounts, name, chosen, now, simulated=simulated) for name in names]
        try:
            for future in futures:
                found.append(future.result())
                if tell:
                    tell(len(found), len(names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _look(accounts: Accounts, account: str, chosen: Chosen, now: datetime, *, simulated: bool) -> Looked:
    asker = Asker(accounts, account)
    if not asker.enter():
        return Looked(account, None, None, asker)
    setup = collect(asker, chosen, now)
    trials = simulate(Case(setup), asker) if simulated else None
    if account != accounts.caller.account:
        accounts.leave(account)
    return Looked(account, setup, trials, asker)


def _refuse_nowhere(chosen: Chosen, setups: Sequence[Setup]) -> None:
    """Raise CannotDo where what was named is in none of several accounts that could be looked at."""
    where = " or ".join(chosen.regions)
    if chosen.trail and setups and not any(each.trails for each in setups):
        raise CannotDo(
            f"no trail {chosen.trail} records {where} in any of these accounts",
            remedy="leave out --trail for all trails",
        )
    if chosen.log_group and setups and not any(each.groups for each in setups):
        raise CannotDo(
            f"there is no log group {chosen.log_group} in {where} in any of these accounts",
            remedy="leave out --log-group for those that trails deliver to",
        )


def _entered(accounts: Accounts, looked: Looked) -> Iterator[Result]:
    """Say of an account that is not the caller's whether it could be looked at."""
    if looked.account == accounts.caller.account:
        return
    if looked.setup is not None:
        verdict = Verdict("ok", looked.account, f"Account {looked.account} was entered.")
        yield Result(ENTERED, "account", verdict)
        return
    unseen = looked.asker.unseen[0]
    role = unseen.about.partition(":role/")[2]
    verdict = Verdict(
        "unknown",
        looked.account,
        f"Nothing is known of account {looked.account}, which could not be entered: {unseen.action} on {unseen.about} "
        f"{'is denied' if unseen.why == 'denied' else 'failed'} ({unseen.reason})",
        shlex.join(("rolewatch", "aws", "doctor", "--print-permissions", "--role-name", role))
        if role and unseen.why == "denied"
        else None,
    )
    yield Result(ENTERED, "account", verdict)


def _report(
    caller: str, chosen: Chosen, found: Sequence[tuple[Looked, Sequence[Result]]], *, simulated: bool
) -> dict[str, Any]:
    """Put it together: `checks` by id, each with account, status, message and fix; `not_seen` the calls that had no answer."""
    made: dict[str, Any] = {
        "account": caller,
        "accounts": [looked.account for looked, _ in found],
        "regions": list(chosen.regions),
        "checks": [
            {
                "id": each.id,
                "account": looked.account,
                "step": each.step,
                "subject": each.verdict.subject,
                "status": each.verdict.status,
                "message": each.verdict.message,
                "fix": each.verdict.fix,
            }
            for looked, results in found
            for each in dict.fromkeys(results)
        ],
        "not_seen": [
            {"account": looked.account, **each._asdict()}
            for looked, _ in found
            for each in dict.fromkeys(looked.asker.unseen)
        ],
    }
    if simulated:
        made["simulation"] = [
            {"account": looked.account, **each.as_json()}
            for looked, _ in found
            for each in looked.trials or ()
        ]
    return made
