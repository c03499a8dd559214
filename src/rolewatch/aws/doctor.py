"""Credentials in; what would go unseen in an account's set-up, step by step from the trail to the person, out. Nothing is changed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from rolewatch.aws import (
    checks_alarm,
    checks_delivery,
    checks_filter,
    checks_group,
    checks_topic,
    checks_trail,
)
from rolewatch.aws.accounts import Accounts
from rolewatch.aws.checks import Case, Check, Result, ask
from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_collect import Chosen, collect
from rolewatch.aws.doctor_setup import Setup, Unseen
from rolewatch.aws.doctor_simulate import simulate

CHECKS: Final[tuple[Check[Any], ...]] = (
    *checks_trail.CHECKS,
    *checks_delivery.CHECKS,
    *checks_group.CHECKS,
    *checks_filter.CHECKS,
    *checks_alarm.CHECKS,
    *checks_topic.CHECKS,
)
"""All checks, in the article's order."""


def examine(accounts: Accounts, chosen: Chosen, now: datetime, *, simulated: bool = False) -> dict[str, Any]:
    """Look at everything and judge it; the report of `rolewatch aws doctor`, as `report.doctor` takes it.

    Raises CannotDo where the credentials are over, and for a trail that was named and is not there.
    """
    asker = Asker(accounts)
    case = Case(collect(asker, chosen, now))
    trials = simulate(case, asker) if simulated else None
    return report(case, ask(CHECKS, case), trials, asker.unseen)


def judge(setup: Setup) -> list[Result]:
    """Ask all checks of what was found before."""
    return list(ask(CHECKS, Case(setup)))


def report(
    case: Case, results: Iterable[Result], trials: Iterable[Any] | None, unseen: Iterable[Unseen]
) -> dict[str, Any]:
    """Put it together: `checks` by id, each with status, message and fix; `not_seen` the calls that had no answer."""
    setup = case.setup
    found: dict[str, Any] = {
        "account": setup.account,
        "regions": list(setup.regions),
        "checks": [
            {
                "id": each.id,
                "step": each.step,
                "subject": each.verdict.subject,
                "status": each.verdict.status,
                "message": each.verdict.message,
                "fix": each.verdict.fix,
            }
            for each in dict.fromkeys(results)
        ],
        "not_seen": [each._asdict() for each in dict.fromkeys(unseen)],
    }
    if trials is not None:
        found["simulation"] = [each.as_json() for each in trials]
    return found
