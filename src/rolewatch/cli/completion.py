"""`rolewatch completion`: the completion script of a shell, made from the same tables as the help."""

import sys

from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional

HELP = "Print the completion script of a shell."
EXAMPLES = (('eval "$(rolewatch completion bash)"', "complete options and files in this bash"),)
POSITIONALS = (Positional("shell", "SHELL", "bash, zsh or tcsh", choices=("bash", "zsh", "tcsh")),)
OPTIONS: tuple[Option, ...] = ()


def run(called: Called) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415 - only for this

    from rolewatch.cli.main import whole_parser  # noqa: PLC0415 - main imports the commands

    sys.stdout.write(shtab.complete(whole_parser(), shell=called.values["shell"]) + "\n")
    return 0
