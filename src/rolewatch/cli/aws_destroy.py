"""`rolewatch aws destroy`: takes down what `rolewatch aws deploy` has made, and nothing else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli.aws_shared import FORMAT, PRINT_PERMISSIONS, put_policy
from rolewatch.cli.aws_stacks import PLAN, WHERE, answer, clients_of, counting, waiting
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, draw
from rolewatch.cli.shared import OUTPUT

if TYPE_CHECKING:
    from rolewatch.aws.destroy import Asked, Plan

EXAMPLES = (
    ("rolewatch aws destroy --plan", "what would go, and what would stay"),
    ("rolewatch aws destroy --yes", "without a question; the bucket with the log files stays"),
    (
        "rolewatch aws destroy --yes --delete-logs --yes-delete rolewatch-trailbucket-1abc",
        "the log files, too",
    ),
)
_WHAT, _HOW = "what goes as well", "how to do it"
OPTIONS = (
    *WHERE,
    Option("leave-no-trail", "remove the stack's trail, too, if it is the last one that records management events", flag=True, default=False, group=_WHAT),
    Option("delete-logs", "delete the bucket with the log files, too; its name is asked for", flag=True, default=False, group=_WHAT),
    Option("yes-delete", "for --delete-logs: the bucket's name, where nobody can be asked", "BUCKET", group=_WHAT),
    Option("yes", "do it without a question", flag=True, default=False, group=_HOW),
    PLAN,
    PRINT_PERMISSIONS,
    FORMAT,
    OUTPUT,
)  # fmt: skip
_YES: Final = ("y", "yes")


def run(called: Called) -> int:
    """Take the stack down, or say what that would do, and return the exit status."""
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed for --help

    from rolewatch.aws import destroy  # noqa: PLC0415 - as above
    from rolewatch.cli.aws_told import removed  # noqa: PLC0415 - as above

    values = called.values
    asked = asked_of(values)
    if values["print-permissions"]:
        return _print_permissions(values)
    with Output(values["output"]) as out:
        clients = clients_of(values)
        with waiting() as manner:
            found = destroy.plan(clients, asked, manner=manner)
        if values["plan"]:
            out.write(lambda stream: stream.write(removed(found, asked, values, done=False)))
            return 0
        if not found.nothing:
            _confirm(found, asked, values)
            with waiting(len(found.removed)) as manner, counting("versions deleted") as deleted:
                destroy.execute(clients, found, now=datetime.now(UTC), manner=manner, deleted=deleted)
        out.write(lambda stream: stream.write(removed(found, asked, values, done=True)))
    return 0


def _print_permissions(values: Mapping[str, Any]) -> int:
    """Print the IAM policy that it needs, without asking AWS anything."""
    from rolewatch.aws.calls import partition_of  # noqa: PLC0415 - not needed for --help
    from rolewatch.aws.stack_permissions import of_destroy  # noqa: PLC0415 - as above

    found = of_destroy(
        values["stack-name"], logs=values["delete-logs"], partition=partition_of(values["region"])
    )
    return put_policy(found, values["output"])


def asked_of(values: Mapping[str, Any]) -> "Asked":
    """Read what the options ask for."""
    from rolewatch.aws.destroy import Asked  # noqa: PLC0415 - not needed for --help

    if values["yes-delete"] and not values["delete-logs"]:
        raise UsageError(
            "--yes-delete goes with --delete-logs", remedy="give both, or none to keep the log files"
        )
    return Asked(values["stack-name"], values["leave-no-trail"], values["delete-logs"], values["yes-delete"])


def _confirm(found: "Plan", asked: "Asked", values: Mapping[str, Any]) -> None:
    """Ask on the terminal whether to go on; UsageError for any other answer than yes, and where nobody can be asked."""
    from rolewatch.cli.aws_told import to_be_removed  # noqa: PLC0415 - not needed for --help

    if not values["yes"]:
        draw(to_be_removed(found, asked).rstrip("\n"))
        said = answer("Go on? [y/N] ")
        if said is None:
            raise UsageError(
                "nobody can be asked here whether to go on",
                remedy="write --yes; --plan shows what it would do",
            )
        if said.lower() not in _YES:
            raise UsageError("nothing was changed")
    if found.deletes_bucket and not asked.bucket:
        said = answer(f"Type the name of the bucket ({found.bucket}) to delete all log files in it: ")
        if said is None:
            raise UsageError(
                "--delete-logs needs the bucket's name as well, and nobody can be asked here; nothing was changed",
                remedy=f"write --yes-delete {found.bucket}",
            )
        if said != found.bucket:
            raise UsageError("that is not the bucket's name; nothing was changed")
