"""`rolewatch aws policies`: the policies that `rolewatch explain` and `rolewatch check` need, collected into a folder; read-only."""

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

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
    check_role,
    put_policy,
    put_report,
)
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT
from rolewatch.cli.states import STATE, looked_into

if TYPE_CHECKING:
    from rolewatch.aws.accounts import Accounts
    from rolewatch.aws.policies import Scope
    from rolewatch.aws.policy_targets import Wanted

FAILED: Final = 4  # the exit status where it could not go on (DESIGN)
MOST: Final = 1024**3  # bytes of a report
MOST_THREADS: Final = 64
STATUSES: Final = ("blocked", "silent")  # of a watcher's findings that something is to be changed for
_PAGE: Final = 1000
_NOBODY: Final = "000000000000"  # stands for the caller's account where nobody has asked who that is
_ARN: Final = re.compile(r"arn:(aws[a-z-]*):")


def threads(word: str) -> int:
    """Read a number of threads, 1 to 64."""
    try:
        found = words.positive(word)
    except ValueError:
        found = 0
    if not 1 <= found <= MOST_THREADS:
        raise ValueError(f"{word!r} is no number of threads; write 1 to {MOST_THREADS}")
    return found


def kind_name(word: str) -> str:
    """Read the word of a kind that can be listed."""
    from rolewatch.catalog.policy_lists import LISTINGS  # noqa: PLC0415 - not needed for --help

    names = [each.kind for each in LISTINGS]
    if word not in names:
        raise ValueError(f"{word!r} is none of {', '.join(names)}")
    return word


EXAMPLES = (
    ("rolewatch aws policies --out policies/", "the policies behind the findings of a watcher"),
    ("rolewatch aws policies --findings findings.json --out policies/", "those behind the findings of a scan"),
    ("rolewatch aws policies --resources --region us-east-1,eu-west-1 --out policies/", "all policies of an account"),
    ("rolewatch aws policies --findings findings.json --role-name PolicyReader --out policies/", "in each account, through a role there"),
    ("rolewatch aws policies --findings findings.json --print-permissions", "the IAM policy that this needs"),
)  # fmt: skip
_WHAT, _HOW = "what to collect", "how to work"
OPTIONS = (
    Option("out", "the folder for the policies; what is there and young enough is kept", "DIR", file=True, group=_WHAT),
    Option("findings", "the resources of the findings in FILE, as `scan --format json` prints them (- is standard input)", "FILE", file=True, group=_WHAT),
    STATE._replace(help="the resources of a watcher's findings, where nothing else is named: a folder, or postgresql://user@host/database", group=_WHAT),
    Option("arn", "the resource of this ARN", "ARN", default=(), many=True, group=_WHAT),
    Option("resources", "all resources with policies in the account, or in those of --account", flag=True, default=False, group=_WHAT),
    Option("kind", "for --resources: only these kinds: bucket, key, queue, topic, secret …", "KIND", kind_name, default=(), many=True, group=_WHAT),
    ALL_ACCOUNTS,
    ACCOUNTS,
    REGIONS,
    PROFILE,
    ROLE_NAME,
    EXTERNAL_ID,
    Option("max-age", "collect anew what is older", "SPAN", words.span, default=timedelta(days=1), shown="1d", group=_HOW),
    Option("threads", "number of calls at a time", "N", threads, default=8, group=_HOW),
    Option("rate", "number of calls a second, at most", "N", words.positive, default=20, group=_HOW),
    PRINT_PERMISSIONS,
    FORMAT,
    OUTPUT,
)  # fmt: skip


def run(called: Called) -> int:
    """Collect, and return the exit status."""
    values = called.values
    _check(values)
    if values["print-permissions"]:
        named = any(values[name] for name in ("findings", "arn", "resources")) or "state" in called.typed
        return _print_permissions(values, _findings(called) if named else (), named=named)
    findings = _findings(called)
    from rolewatch.aws.accounts import Access, Accounts  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.pace import Pace  # noqa: PLC0415 - as above
    from rolewatch.aws.policies import collect  # noqa: PLC0415 - as above
    from rolewatch.aws.policy_kept import Kept  # noqa: PLC0415 - as above
    from rolewatch.cli.progress import counted  # noqa: PLC0415 - as above
    from rolewatch.report.collected import write  # noqa: PLC0415 - as above

    with Output(values["output"]) as out:
        kept = Kept(values["out"], max_age=values["max-age"], now=lambda: datetime.now(UTC))
        access = Access(values["profile"], values["role-name"], values["external-id"])
        pace, region = Pace(values["rate"]), _region(values, findings)
        accounts = Accounts(access, pace, region=region, threads=values["threads"])
        wanted = _wanted(values, findings, accounts.caller.account)
        scope = _scope(values, accounts, findings)
        with counted(sys.stderr, "policies and lists") as tell:
            report = collect(wanted, scope, accounts, kept, threads=values["threads"], tell=tell)
        put_report(report, write, out, values, called.environ)
    return _status(report)


def _check(values: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go together."""
    if not values["out"] and not values["print-permissions"]:
        raise UsageError("--out is missing", remedy="name the folder for the policies: --out policies/")
    for name in ("kind", "all-accounts"):
        if values[name] and not values["resources"]:
            raise UsageError(f"--{name} is for --resources", remedy="add --resources, or leave it out")
    check_role(values)


def _findings(called: Called) -> Sequence[Mapping[str, Any]] | None:
    """Read the findings that are asked for; None where none are."""
    values = called.values
    if values["findings"]:
        return _read(values["findings"])
    if values["arn"] or values["resources"]:
        return None
    from rolewatch.store.finding_lists import Wanted  # noqa: PLC0415 - not needed for --help
    from rolewatch.watch.listing import listed  # noqa: PLC0415 - as above

    found: list[Mapping[str, Any]] = []
    after: str | None = None
    with looked_into(called) as state:
        while True:
            page = listed(state, Wanted(STATUSES), after=after, number=_PAGE, now=datetime.now(UTC))
            found += page["findings"]
            after = page["next"]
            if after is None:
                return found


def _read(word: str) -> Sequence[Mapping[str, Any]]:
    """Read a report, findings as a list, a line each, or one; UsageError for anything else."""
    from rolewatch.cli.explain import written_findings  # noqa: PLC0415 - not needed for --help
    from rolewatch.cli.inputs import read_file  # noqa: PLC0415 - as above

    content = (
        (sys.stdin.buffer.read(MOST) if sys.stdin else b"")
        if word == "-"
        else read_file(word, "--findings", MOST)
    )
    found = written_findings(content)
    if found is None:
        raise UsageError(
            f"--findings {word} holds no findings",
            remedy="give what `rolewatch scan --format json` or `rolewatch findings list --format json` prints",
        )
    return found


def _region(values: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None) -> str | None:
    """Say in which region to ask for what is in none, where profile and environment tell none: the first that is named."""
    if values["region"]:
        return str(values["region"][0])
    targets = _wanted(values, findings, _NOBODY).targets
    return next((target.region for target in targets if target.region), None)


def _wanted(values: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None, caller: str) -> "Wanted":
    """List what findings and ARNs name."""
    from rolewatch.aws.policy_targets import Wanted, of_arns, of_findings  # noqa: PLC0415 - not needed for --help

    found = of_findings(findings or (), caller=caller, accounts=values["account"])
    named = of_arns(values["arn"], caller=caller)
    return Wanted((*found.targets, *named.targets), found.endpoints)


def _scope(
    values: Mapping[str, Any], accounts: "Accounts", findings: Sequence[Mapping[str, Any]] | None
) -> "Scope":
    """Say which accounts and regions are looked through; CannotDo where no region is known."""
    from rolewatch.aws.policies import Scope  # noqa: PLC0415 - not needed for --help

    regions = values["region"] or ((accounts.region,) if accounts.region else ())
    whole = (values["account"] or (accounts.caller.account,)) if values["resources"] else ()
    if whole and not regions:
        raise CannotDo(
            "nothing says which region to look through", remedy="name it with --region, or set AWS_REGION"
        )
    return Scope(
        values["account"] if values["all-accounts"] else tuple(whole),
        tuple(regions),
        values["kind"],
        surroundings=bool(values["resources"] or findings is not None),
        all_accounts=values["all-accounts"],
    )


def _print_permissions(
    values: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None, *, named: bool
) -> int:
    """Print the policy, without asking AWS anything; where nothing is named, the one for any findings."""
    from rolewatch.aws.calls import partition_of  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.policies import Scope  # noqa: PLC0415 - as above
    from rolewatch.aws.policy_permissions import permissions  # noqa: PLC0415 - as above

    whole = (_NOBODY,) if values["resources"] else ()
    scope = Scope(
        whole, (), values["kind"], surroundings=bool(whole or findings is not None), all_accounts=values["all-accounts"]
    )  # fmt: skip
    wanted = _wanted(values, findings, _NOBODY)
    partitions = {match[1] for target in wanted.targets if (match := _ARN.match(target.arn))}
    partition = partitions.pop() if len(partitions) == 1 else partition_of(values["region"])
    found = permissions(wanted if named else None, scope, role_name=values["role-name"], partition=partition)
    return put_policy(found, values["output"])


def _status(report: Mapping[str, Any]) -> int:
    """Complain of what ended the run; returns the exit status."""
    if report["stopped"]:
        complain(
            str(
                CannotDo(
                    report["stopped"],
                    remedy="sign in again and run the same command: it goes on with what is missing",
                )
            )
        )
        return FAILED
    return UNREAD if report["totals"]["denied"] or report["totals"]["failed"] else 0
