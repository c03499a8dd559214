"""What several actions of `rolewatch aws` have: options that say whose credentials, and where; how they print."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output

_ROLE: Final = re.compile(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)


def role_name(word: str) -> str:
    """Read the name of a role, with its path if it has one; ValueError for anything else."""
    found = word.strip().removeprefix("/")
    if not _ROLE.fullmatch(found):
        raise ValueError(f"{word!r} is no name of a role; write it without account, as in audit/PolicyReader")
    return found


_WHO: Final = "with which credentials"
PROFILE: Final = Option(
    "profile", "the profile of ~/.aws/config", "NAME", shown="that of AWS_PROFILE", group=_WHO
)
ROLE_NAME: Final = Option(
    "role-name", "in other accounts, assume the role of this name", "NAME", role_name, group=_WHO
)
EXTERNAL_ID: Final = Option("external-id", "the external id that these roles ask for", "ID", group=_WHO)
ACCOUNTS: Final = Option(
    "account",
    "policies: only these accounts; doctor: these, instead of the credentials' own",
    "ID",
    words.account,
    default=(),
    many=True,
    group="where",
)
ALL_ACCOUNTS: Final = Option(
    "all-accounts",
    "all accounts of the organization (policies: for --resources, with its control policies)",
    flag=True,
    default=False,
    group="where",
)
REGIONS: Final = Option(
    "region",
    "these regions",
    "NAME",
    words.region,
    default=(),
    many=True,
    shown="that of the profile or AWS_REGION",
    group="where",
)
TRAIL: Final = Option(
    "trail",
    "deploy: a trail that is there already, or new for one of the stack's own; doctor: only this trail",
    "NAME",
    shown="new; doctor: all",
    group="the trail",
)


FORMAT: Final = Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print")  # fmt: skip
PRINT_PERMISSIONS: Final = Option(
    "print-permissions",
    "print the IAM policy that this needs, and ask AWS nothing",
    flag=True,
    default=False,
    group="what to print",
)


def check_role(values: Mapping[str, Any]) -> None:
    """Raise UsageError for options about roles of other accounts that do not go together."""
    if values["all-accounts"] and not values["role-name"]:
        raise UsageError("--all-accounts needs a role in each account", remedy="name it with --role-name")
    if values["external-id"] and not values["role-name"]:
        raise UsageError("--external-id is for --role-name", remedy="name the role")


def put_report(
    report: Mapping[str, Any],
    draw: Callable[..., None],
    out: Output,
    values: Mapping[str, Any],
    environ: Mapping[str, str],
) -> None:
    """Write a report as JSON, or as a table by `draw` (report, stream, Options), as `format` says."""
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help
    from rolewatch.report.output import Options  # noqa: PLC0415 - as above

    if values["format"] == "json":
        out.write(lambda stream: stream.write(dumps(report, indent=1) + "\n"))
    else:
        out.write(lambda stream: draw(report, stream, Options(environ=environ)))


def put_policy(policy: Mapping[str, Any], output: str | None) -> int:
    """Print the IAM policy that an action needs; returns the exit status."""
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help

    with Output(output) as out:
        out.write(lambda stream: stream.write(dumps(policy, indent=2) + "\n"))
    return 0
