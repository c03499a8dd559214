"""The command line from end to end: choose the command, give it its values, turn what happens into an exit status.

Exit statuses (DESIGN "Commands: the contract"): 0 done, 1 found something (where asked for), 2 wrong usage, 3 some
input could not be read, 4 could not do it, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import TextIOWrapper
from typing import NoReturn

from rolewatch import __version__
from rolewatch.base.errors import CannotDo, RolewatchError, UsageError
from rolewatch.cli import options as opts
from rolewatch.cli.commands import COMMANDS, Called, Command, load, set_elsewhere
from rolewatch.cli.output import complain, draw, flush_stdout, say

CANNOT = 4
INTERRUPTED = 130
FINAL = (UsageError.exit_code, INTERRUPTED)  # whatever else goes wrong at the end
CONFIG = opts.Option(
    "config", "read settings from FILE instead of rolewatch.toml", "FILE", group="how to work", file=True
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the rest of the program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, remedy=f"`{self.prog} --help` tells what there is")

    def print_help(self, file: object = None) -> None:
        """Print the help to standard output; argparse itself keeps quiet if that is in vain."""
        del file
        say(self.format_help())


def main(words: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit status; errors are told on stderr in one line."""
    typed = list(sys.argv[1:] if words is None else words)
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal that lacks a character gets its number
        sys.stdout.reconfigure(errors="backslashreplace")
    status = _guarded(lambda: _call(typed, os.environ if environ is None else environ))
    flushed = _guarded(flush_stdout)
    return status if status in FINAL else flushed or status


def parser_of(name: str, command: Command) -> argparse.ArgumentParser:
    """Make the parser of a command."""
    examples = "\n".join(f"  {line}\n      {what}" for line, what in command.EXAMPLES)
    parser = _Parser(
        prog=f"rolewatch {name}",
        usage=usage_of(name, command),
        description=command.HELP,
        epilog=f"examples:\n{examples}",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    opts.add(parser, (*command.OPTIONS, CONFIG), command.POSITIONALS)
    return parser


def usage_of(name: str, command: Command) -> str:
    """Return how a command is typed, in one line."""
    positionals = [
        f"{each.metavar} …" if each.many else f"[{each.metavar}]" if each.optional else each.metavar
        for each in command.POSITIONALS
    ]
    return " ".join([f"rolewatch {name} [OPTION …]", *positionals])


def _guarded(call: Callable[[], int]) -> int:
    """Call and return the exit status; whatever goes wrong is told on stderr."""
    try:
        return call()
    except SystemExit:  # argparse has printed the help
        return 0
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except MemoryError:
        complain("out of memory; scan with fewer --jobs, or a narrower window")
        return CANNOT
    except RolewatchError as error:
        draw(error.drawing())
        complain(str(error))
        return error.exit_code
    except OSError as error:
        complain(str(CannotDo(f"the system refused: {error}")))
        return CANNOT
    except Exception as error:  # noqa: BLE001 - the last resort: say what to report instead of a bare traceback
        complain(bug(error))
        return CANNOT


def _call(words: list[str], environ: Mapping[str, str]) -> int:
    name = words[0] if words else "--help"
    if name == "help" and len(words) > 1:
        name, words = words[1], [words[1], "--help"]
    if name in ("-V", "--version"):
        return say(f"rolewatch {__version__}\n")
    if name in ("-h", "--help", "help"):
        return say(top_parser().format_help())
    if name.startswith("-"):
        raise UsageError(f"{name} stands before the command", remedy="write `rolewatch COMMAND [OPTION …]`")
    if name not in COMMANDS:
        raise UsageError(f"there is no command {name!r}", remedy=_nearest(name, COMMANDS))
    command = load(name)
    typed = opts.typed(parser_of(name, command), words[1:], command.POSITIONALS, command.OPTIONS)
    config = opts.values(typed, (CONFIG,), {})["config"]
    wanted = [option.name for option in command.OPTIONS]
    elsewhere = set_elsewhere(name, wanted, environ, config)
    elsewhere = {
        key: found for key, found in elsewhere.items() if not _means_another(command, key, found.words)
    }
    positionals = {
        each.name: typed[each.name] if each.many else next(iter(typed[each.name]), None)
        for each in command.POSITIONALS
    }
    values = opts.values(typed, command.OPTIONS, elsewhere)
    return command.run(Called(values | positionals | {CONFIG.name: config}, environ, typed.keys()))


def _means_another(command: Command, key: str, words: list[str]) -> bool:
    """Whether a setting for all commands has a choice that only others know: `format = "html"` is not for all."""
    own = next(option for option in command.OPTIONS if option.name == key)
    if not own.choices or own.many or any(word in own.choices for word in words):
        return False
    others = (option for each in COMMANDS for option in load(each).OPTIONS if option.name == key)
    return any(word in option.choices for option in others for word in words)


def _nearest(name: str, names: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only where a word is wrong

    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean `rolewatch {close[0]}`?" if close else "`rolewatch --help` lists them"


def top_parser() -> argparse.ArgumentParser:
    """Make the parser of what stands before a command."""
    listed = "\n".join(f"  {name:12} {what}" for name, what in COMMANDS.items())
    parser = _Parser(
        prog="rolewatch",
        usage="rolewatch COMMAND …",
        description="Finds out which AWS service has gone blind: which resources which service cannot reach, since when, and why.",
        epilog=f"commands:\n{listed}\n\nexamples:\n  rolewatch scan ~/cloudtrail\n  rolewatch scan --help",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="show the version and exit")
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30)


def bug(error: Exception) -> str:
    """Say what went wrong in a way that can be reported."""
    import traceback  # noqa: PLC0415 - only where something goes wrong

    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = ", ".join(
        f"{frame.filename.rpartition('rolewatch/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )
    version = f"rolewatch {__version__}, Python {sys.version.split()[0]}"
    return f"internal error: {type(error).__name__}: {error} (at {where}; {version}); please report this line"
