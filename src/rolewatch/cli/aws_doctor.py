"""`rolewatch aws doctor`: what would go unseen in an account's own pipeline from CloudTrail to a person; read-only."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli import words
from rolewatch.cli.aws_shared import (
    ACCOUNTS,
    ALL_ACCOUNTS,
    EXTERNAL_ID,
    FORMAT,
    PRINT_PERMISSIONS,
    PROFILE,
    REGIONS,
    ROLE_NAME,
    TRAIL,
    check_role,
    put_policy,
    put_report,
)
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT

PER_SECOND: Final = 10  # calls in an account; the ones to CloudWatch Logs are limited to a few
FAILED: Final = 4  # the exit status where no account could be looked at (DESIGN)
_OUTSIDE: Final = ("account-entered", "unknown")  # of an account that could not be looked at
_WHAT, _OUT = "what to examine", "what to print"
EXAMPLES = (
    ("rolewatch aws doctor --region eu-west-1", "what would go unseen, from the trail to the e-mail"),
    ("rolewatch aws doctor --simulate --exit-code 1", "also try denials of several kinds on it; end with 1 if there is a problem"),
    ("rolewatch aws doctor --log-group CloudTrail/logs --format json", "one log group, for a program"),
    ("rolewatch aws doctor --all-accounts --role-name Auditor", "every account of the organization, through a role there"),
)  # fmt: skip
OPTIONS = (
    ALL_ACCOUNTS,
    ACCOUNTS,
    REGIONS,
    PROFILE,
    ROLE_NAME,
    EXTERNAL_ID,
    TRAIL,
    Option("log-group", "only this log group", "NAME", shown="those that trails deliver to", group=_WHAT),
    Option("simulate", "try denials of several kinds: would the pipeline ring?", flag=True, default=False, group=_WHAT),
    PRINT_PERMISSIONS,
    FORMAT,
    Option("exit-code", "end with N if there is a problem", "N", words.status, default=0, shown="0", group=_OUT),
    OUTPUT,
)  # fmt: skip


def run(called: Called) -> int:
    """Examine, and return the exit status."""
    values = called.values
    check_role(values)
    if values["print-permissions"]:
        return _print_permissions(values)
    from rolewatch.aws.accounts import Access, Accounts  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.doctor import THREADS, Among, examine  # noqa: PLC0415 - as above
    from rolewatch.aws.doctor_collect import Chosen  # noqa: PLC0415 - as above
    from rolewatch.aws.pace import Pace  # noqa: PLC0415 - as above
    from rolewatch.cli.progress import counted  # noqa: PLC0415 - as above
    from rolewatch.report.doctor import write  # noqa: PLC0415 - as above

    if values["role-name"] and not (values["account"] or values["all-accounts"]):
        raise UsageError(
            "--role-name is for other accounts", remedy="name them with --account, or add --all-accounts"
        )
    among = Among(tuple(values["account"]), values["all-accounts"])
    several = among.whole or len(among.ids) > 1
    with Output(values["output"]) as out:
        access = Access(values["profile"], values["role-name"], values["external-id"])
        accounts = Accounts(access, Pace(PER_SECOND * THREADS if several else PER_SECOND))
        regions = values["region"] or ((accounts.region,) if accounts.region else ())
        if not regions:
            raise CannotDo(
                "nothing says which Region to examine", remedy="name it with --region, or set AWS_REGION"
            )
        chosen = Chosen(tuple(regions), values["trail"], values["log-group"])
        with counted(sys.stderr if several else None, "accounts") as tell:
            report = examine(
                accounts, chosen, datetime.now(UTC), simulated=values["simulate"], among=among, tell=tell
            )
        put_report(report, write, out, values, called.environ)
    return _status(report, values["exit-code"])


def _print_permissions(values: Mapping[str, Any]) -> int:
    """Print the policy, without asking AWS anything."""
    from rolewatch.aws.calls import partition_of  # noqa: PLC0415 - as above
    from rolewatch.aws.doctor_setup import permissions  # noqa: PLC0415 - not needed for --help

    found = permissions(
        simulate=values["simulate"],
        role_name=values["role-name"],
        all_accounts=values["all-accounts"],
        partition=partition_of(values["region"]),
    )
    return put_policy(found, values["output"])


def _status(report: Mapping[str, Any], wanted: int) -> int:
    """Name on stderr what could not be looked at; returns the exit status."""
    for each in report["not_seen"]:
        verb = "is denied" if each["why"] == "denied" else "failed"
        where = f"account {each['account']}: " if len(report["accounts"]) > 1 else ""
        complain(f"{where}{each['action']} on {each['about']} {verb}: {each['reason']}")
    outside = {each["account"] for each in report["checks"] if (each["id"], each["status"]) == _OUTSIDE}
    if outside == set(report["accounts"]):
        return FAILED
    if wanted and any(each["status"] == "problem" for each in report["checks"]):
        return wanted
    return UNREAD if report["not_seen"] else 0
