"""The command line from end to end: choose the command, give it its values, turn what happens into an exit status.

Exit statuses (DESIGN "Commands: the contract"): 0 done, 1 found something (where asked for), 2 wrong usage, 3 some
input could not be read, 4 could not do it, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from rolewatch import __version__
from rolewatch.base.errors import RolewatchError, UsageError
from rolewatch.base.settings import settings
from rolewatch.cli import options as opts
from rolewatch.cli.commands import COMMANDS, Called, Command, load

INTERRUPTED = 130
_CONFIG = opts.Option(
    "config", "read settings from FILE instead of rolewatch.toml", metavar="FILE", file=True
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the rest of the program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, remedy=f"`{self.prog} --help` tells what there is")


def main(words: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit status; errors are told on stderr in one line."""
    try:
        return _call(
            list(sys.argv[1:] if words is None else words), os.environ if environ is None else environ
        )
    except RolewatchError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0
    except MemoryError:
        complain("out of memory; scan with fewer --jobs, or a narrower window")
        return 4
    except Exception as error:  # noqa: BLE001 - the last resort: say what to report instead of a bare traceback
        return _report_bug(error)
    finally:
        try:
            sys.stdout.flush()
        except (BrokenPipeError, ValueError, AttributeError):
            _drop_output()


def parser_of(name: str, command: Command, *, add_help: bool = True) -> argparse.ArgumentParser:
    """Make the parser of a command; without `--help` where it becomes part of another one."""
    examples = "\n".join(f"  {line}\n      {what}" for line, what in command.EXAMPLES)
    parser = _Parser(
        prog=f"rolewatch {name}",
        usage=" ".join(
            [
                f"rolewatch {name} [OPTION …]",
                *(f"{p.metavar}{' …' if p.many else ''}" for p in command.POSITIONALS),
            ]
        ),
        description=command.HELP,
        epilog=f"examples:\n{examples}",
        formatter_class=_formatter,
        allow_abbrev=False,
        add_help=add_help,
    )
    opts.add(parser, (*command.OPTIONS, _CONFIG), command.POSITIONALS)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """Make one parser of everything, for completion scripts."""
    parser = _top()
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, what in COMMANDS.items():
        commands.add_parser(name, help=what, parents=[parser_of(name, load(name), add_help=False)])
    return parser


def complain(text: str) -> None:
    """Say something on stderr, whatever it holds."""
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - only where something goes wrong

    try:
        sys.stderr.write(f"rolewatch: {terminal(text)}\n")
    except (OSError, ValueError, AttributeError):
        return  # nobody listens


def _call(words: list[str], environ: Mapping[str, str]) -> int:
    name = words[0] if words else "--help"
    if name in ("-h", "--help", "help", "--version", "-V"):
        _top().parse_args(["--version"] if name in ("--version", "-V") else ["--help"])
    if name not in COMMANDS:
        raise UsageError(f"there is no command {name!r}", remedy=_nearest(name))
    command = load(name)
    parser = parser_of(name, command)
    typed = vars(parser.parse_intermixed_args(words[1:]))
    wanted = [option.name for option in command.OPTIONS]
    known = {each: [option.name for option in load(each).OPTIONS] for each in COMMANDS}
    file = (typed.pop("config") or [None])[-1]
    values = opts.values(typed, command.OPTIONS, settings(name, wanted, environ, known=known, file=file))
    positionals = {positional.name: typed[positional.name] for positional in command.POSITIONALS}
    return command.run(Called({**values, **positionals}, environ))


def _nearest(name: str) -> str:
    import difflib  # noqa: PLC0415 - only where a word is wrong

    close = difflib.get_close_matches(name, COMMANDS, 1)
    return f"did you mean `rolewatch {close[0]}`?" if close else "`rolewatch --help` lists them"


def _top() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12} {what}" for name, what in COMMANDS.items())
    parser = _Parser(
        prog="rolewatch",
        usage="rolewatch COMMAND …",
        description="Finds out which AWS service has gone blind: which resources which service cannot reach, since when, and why.",
        epilog=f"commands:\n{listed}\n\nexamples:\n  rolewatch scan ~/cloudtrail\n  rolewatch scan --help",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="version", version=f"rolewatch {__version__}")
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30)


def _drop_output() -> None:
    """Send what is still to be written nowhere: whoever read it has gone, which is no error."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:
        return


def _report_bug(error: Exception) -> int:
    import traceback  # noqa: PLC0415 - only where something goes wrong

    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = ", ".join(
        f"{frame.filename.rpartition('rolewatch/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )
    complain(
        f"internal error: {type(error).__name__}: {error} (at {where}; rolewatch {__version__}, Python {sys.version.split()[0]}); "
        "please report this line"
    )
    return 4
