"""`rolewatch check`: policies, templates and plans in; which service-linked roles they would shut out, before they ship, out."""

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT

if TYPE_CHECKING:
    from rolewatch.explain.checked_read import Read, Unread, Wanted
    from rolewatch.explain.lockout_found import Found
    from rolewatch.explain.lockout_owners import Given
    from rolewatch.explain.lockout_roles import Enabled

FOUND: Final = 1
INVALID: Final = 2  # the exit status where a file or a policy in it is invalid; the others were checked
STDIN: Final = "standard input"
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")


def organization(word: str) -> str:
    """Read the id of an organisation, or "none"; ValueError for anything else."""
    if word == "none":
        return ""
    if not _ORGANIZATION.fullmatch(word):
        raise ValueError(f"{word!r} is neither an organization's id (o-…) nor none")
    return word


HELP = (
    "Find which AWS services a resource-based policy would shut out, before it ships:\n"
    "every service-linked role whose own policy lets it at the resource, and that this policy refuses.\n"
    "Exit status 1 if there is one."
)
EXAMPLES = (
    ("rolewatch check policy.json", "a bucket, key, queue, topic, secret or repository policy"),
    ("rolewatch check policy.json --resource arn:aws:s3:::my-bucket", "of a resource that the policy does not name"),
    ("rolewatch check template.yaml --parameter Stage=prod", "every such policy of a CloudFormation template"),
    ("terraform show -json plan.out | rolewatch check -", "of a Terraform plan"),
    ("rolewatch check policies/", "of a folder of collected policies: the whole account's map of lockouts"),
    ("rolewatch check policy.json --only-enabled roles.json", "only the roles that the account has"),
    ("rolewatch check *.json --format sarif --output check.sarif", "for code scanning"),
)  # fmt: skip
POSITIONALS = (
    Positional(
        "file",
        "FILE",
        "a policy (JSON), a CloudFormation template, a Terraform plan (JSON) or a folder of collected policies; - is standard input",
        many=True,
        file=True,
    ),
)
_WHAT, _WHOSE, _OUT = "what to check", "whose resources these are", "what to print"
OPTIONS = (
    Option("resource", "the resource of a policy that does not name it", "ARN", group=_WHAT),
    Option("only-enabled", "only the roles in FILE: what `aws iam list-roles --path-prefix /aws-service-role/` prints, or one a line", "FILE", file=True, group=_WHAT),
    Option("parameter", "the value of a parameter of a template", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    Option("import", "what Fn::ImportValue gives for an exported name", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    Option("strict", "what hangs on unknown facts counts as found, too", flag=True, default=False, group=_WHAT),
    Option("resource-account", "the account of the resources", "ID", words.account, shown="as the policy tells", group=_WHOSE),
    Option("organization", "the organization of that account; none: it is in none", "ID|none", organization, shown="the one that the policy names", group=_WHOSE),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json", "sarif", "github"), group=_OUT),
    OUTPUT,
    Option("exit-code", "end with N if a role would be shut out", "N", words.status, default=FOUND, shown="1", group=_OUT),
)  # fmt: skip


def run(called: Called) -> int:
    """Check all files, and return the exit status."""
    values = called.values
    names = list(dict.fromkeys(values["file"]))
    if values["resource"] and len(names) > 1:
        raise UsageError("--resource is for one FILE", remedy="check the others without it")
    with Output(values["output"]) as out:
        enabled = _enabled(values)
        run = _Run(_wanted(values, enabled), enabled, datetime.now(UTC))
        for name in names:
            run.check(name)
        if run.found or run.unread or run.passed_over or not run.failed:
            out.write(lambda stream: _write(run, values, stream, called.environ))
    return _status(run, values)


class _Run:
    """What all files came to; errors are told on stderr as they happen."""

    def __init__(self, wanted: "Wanted", enabled: "Enabled | None", now: datetime) -> None:
        self._wanted, self.enabled, self._now = wanted, enabled, now
        self.found: list[Found] = []
        self.unread: list[Unread] = []
        self.passed_over: list[Unread] = []
        self.failed = False

    def check(self, name: str) -> None:
        """Check one file or folder."""
        from rolewatch.explain.lockouts import lockouts  # noqa: PLC0415 - not needed for --help

        try:
            read = self._read(name)
        except UsageError as error:
            self.failed = True
            complain(str(error))
            return
        for each in read.unread:
            complain(f"{each.where}: {each.reason}")
        self.unread += read.unread
        self.passed_over += read.passed_over
        self.found += [lockouts(subject, read.given, self._now, self.enabled) for subject in read.subjects]

    def _read(self, name: str) -> "Read":
        from rolewatch.cli.inputs import read_template_file  # noqa: PLC0415 - not needed for --help
        from rolewatch.explain.checked import read_checked, read_folder  # noqa: PLC0415 - as above

        if name == "-":
            return read_checked(sys.stdin.buffer.read() if sys.stdin else b"", STDIN, self._wanted)
        if Path(name).is_dir():
            return read_folder(name, self._wanted)
        return read_checked(read_template_file(name, "FILE"), name, self._wanted)


def _write(run: _Run, values: Mapping[str, Any], stream: Any, environ: Mapping[str, str]) -> None:
    """Write the report in the format that is asked for."""
    from rolewatch.report import lockouts as report  # noqa: PLC0415 - not needed for --help

    unknown = run.enabled.unknown if run.enabled else ()
    made = report.report_of(report.Checked(run.found, run.unread, unknown, run.passed_over))
    match values["format"]:
        case "json":
            report.write_json(made, stream)
        case "sarif":
            from rolewatch.report import sarif  # noqa: PLC0415 - for this format only

            sarif.write(made, stream)
        case "github":
            from rolewatch.report import lockouts_github  # noqa: PLC0415 - as above

            lockouts_github.write(made, stream)
        case _:
            from rolewatch.report import lockouts_table  # noqa: PLC0415 - as above
            from rolewatch.report.output import Options  # noqa: PLC0415 - as above

            lockouts_table.write(made, stream, Options(environ=environ))


def _status(run: _Run, values: Mapping[str, Any]) -> int:
    if run.failed or any(each.invalid for each in run.unread):
        return INVALID
    if any(each.lockouts or (values["strict"] and each.depends) for each in run.found):
        return int(values["exit-code"])
    return UNREAD if run.unread else 0


def _enabled(values: Mapping[str, Any]) -> "Enabled | None":
    from rolewatch.cli.inputs import read_template_file  # noqa: PLC0415 - not needed for --help
    from rolewatch.explain.lockout_roles import read_enabled  # noqa: PLC0415 - as above

    name = values["only-enabled"]
    return read_enabled(read_template_file(name, "--only-enabled"), name) if name else None


def _wanted(values: Mapping[str, Any], enabled: "Enabled | None") -> "Wanted":
    from rolewatch.cli.inputs import assigned  # noqa: PLC0415 - not needed for --help
    from rolewatch.explain.checked_read import Wanted  # noqa: PLC0415 - as above

    return Wanted(
        values["resource"], _given(values, enabled), assigned(values, "parameter"), assigned(values, "import")
    )


def _given(values: Mapping[str, Any], enabled: "Enabled | None") -> "Given":
    """Say what is known of the owner: as typed, else as the list of roles tells."""
    from rolewatch.explain.lockout_owners import Given  # noqa: PLC0415 - not needed for --help

    account, source = values["resource-account"], "--resource-account"
    if account is None and enabled and len(enabled.accounts) == 1:
        account, source = next(iter(enabled.accounts)), "--only-enabled"
    organization_id = values["organization"]
    return Given(account, source, organization_id, "--organization" if organization_id is not None else "")
