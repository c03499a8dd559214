"""`rolewatch completion`: the completion script of a shell, made from the same tables as the help."""

import argparse
from typing import Any

from rolewatch.cli import options as opts
from rolewatch.cli.commands import COMMANDS, Called, load
from rolewatch.cli.main import CONFIG, top_parser
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

HELP = "Print the completion script of a shell."
EXAMPLES = (('eval "$(rolewatch completion bash)"', "complete options and files in this bash"),)
POSITIONALS = (Positional("shell", "SHELL", "bash, zsh or tcsh", choices=("bash", "zsh", "tcsh")),)
OPTIONS: tuple[Option, ...] = ()


def run(called: Called) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415 - only for this

    script = shtab.complete(_whole_parser(shtab.FILE), shell=called.values["shell"])
    return say(f"{script}\n")


def _whole_parser(file: Any) -> argparse.ArgumentParser:
    """Make one parser of all commands; `file` is shtab's mark of what completes to file names."""
    parser = top_parser()
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = load(name)
        options = (*command.OPTIONS, CONFIG)
        actions: Any = opts.add(commands.add_parser(name, help=what), options, command.POSITIONALS)
        entries: tuple[Option | Positional, ...] = (*options, *command.POSITIONALS)
        for entry in entries:
            actions[entry.name].choices = entry.choices or None
            if entry.file:
                actions[entry.name].complete = file
    return parser
