"""`rolewatch aws doctor`: what would go unseen in an account's own pipeline from CloudTrail to a person; read-only."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rolewatch.base.errors import CannotDo
from rolewatch.cli import words
from rolewatch.cli.aws_shared import PROFILE, REGIONS, TRAIL, put_policy, put_report
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT

PER_SECOND: Final = 10  # calls; the ones to CloudWatch Logs are limited to a few
_WHAT, _OUT = "what to examine", "what to print"
EXAMPLES = (
    ("rolewatch aws doctor --region eu-west-1", "what would go unseen, from the trail to the e-mail"),
    ("rolewatch aws doctor --simulate --exit-code 1", "also try denials of several kinds on it; end with 1 if there is a problem"),
    ("rolewatch aws doctor --log-group CloudTrail/logs --format json", "one log group, for a program"),
)  # fmt: skip
OPTIONS = (
    REGIONS,
    PROFILE,
    TRAIL,
    Option("log-group", "only this log group", "NAME", shown="those that trails deliver to", group=_WHAT),
    Option("simulate", "try denials of several kinds: would the pipeline ring?", flag=True, default=False, group=_WHAT),
    Option("print-permissions", "print the IAM policy that this needs, and collect nothing", flag=True, default=False, group=_OUT),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group=_OUT),
    Option("exit-code", "end with N if there is a problem", "N", words.status, default=0, shown="0", group=_OUT),
    OUTPUT,
)  # fmt: skip


def run(called: Called) -> int:
    """Examine, and return the exit status."""
    values = called.values
    if values["print-permissions"]:
        return _print_permissions(values)
    from rolewatch.aws.accounts import Access, Accounts  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.doctor import examine  # noqa: PLC0415 - as above
    from rolewatch.aws.doctor_collect import Chosen  # noqa: PLC0415 - as above
    from rolewatch.aws.pace import Pace  # noqa: PLC0415 - as above
    from rolewatch.report.doctor import write  # noqa: PLC0415 - as above

    with Output(values["output"]) as out:
        accounts = Accounts(Access(values["profile"]), Pace(PER_SECOND))
        regions = values["region"] or ((accounts.region,) if accounts.region else ())
        if not regions:
            raise CannotDo(
                "nothing says which Region to examine", remedy="name it with --region, or set AWS_REGION"
            )
        chosen = Chosen(tuple(regions), values["trail"], values["log-group"])
        report = examine(accounts, chosen, datetime.now(UTC), simulated=values["simulate"])
        put_report(report, write, out, values, called.environ)
    return _status(report, values["exit-code"])


def _print_permissions(values: Mapping[str, Any]) -> int:
    """Print the policy, without asking AWS anything."""
    from rolewatch.aws.doctor_setup import permissions  # noqa: PLC0415 - not needed for --help

    return put_policy(permissions(simulate=values["simulate"]), values["output"])


def _status(report: Mapping[str, Any], wanted: int) -> int:
    """Name on stderr what could not be looked at; returns the exit status."""
    for each in report["not_seen"]:
        verb = "is denied" if each["why"] == "denied" else "failed"
        complain(f"{each['action']} on {each['about']} {verb}: {each['reason']}")
    if wanted and any(each["status"] == "problem" for each in report["checks"]):
        return wanted
    return UNREAD if report["not_seen"] else 0
