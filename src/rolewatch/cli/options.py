"""Options as data: help, documentation, completion, settings and parsing all come from one table of a command."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rolewatch.base.errors import UsageError
from rolewatch.base.settings import Setting, variable


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--name` on the command line, `name` in rolewatch.toml, `ROLEWATCH_NAME` in the environment.

    `parse` turns one word into a value, or raises ValueError with what is wrong with it; `many` options may be
    repeated or hold a comma-separated list, and their value is a tuple; a `flag` takes no value.
    """

    name: str
    help: str
    metavar: str = ""
    parse: Callable[[str], Any] = str
    default: Any = None
    shown: str = ""  # the default in words, where its value would not tell
    choices: tuple[str, ...] = ()
    many: bool = False
    flag: bool = False
    group: str = "options"
    file: bool = False  # completes to file names


@dataclass(frozen=True, slots=True)
class Positional:
    """One positional argument; `many` takes one or more."""

    name: str
    metavar: str
    help: str
    many: bool = False
    choices: tuple[str, ...] = ()
    file: bool = False


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


def add(
    parser: argparse.ArgumentParser, options: Sequence[Option], positionals: Sequence[Positional]
) -> None:
    """Add options and positionals to a parser; values stay words, None where an option was not typed."""
    for positional in positionals:
        parser.add_argument(
            positional.name,
            metavar=positional.metavar,
            help=positional.help,
            nargs="+" if positional.many else None,
            choices=positional.choices or None,
        )
    groups: dict[str, argparse._ActionsContainer] = {"options": parser}
    for option in options:
        group = groups.get(option.group) or groups.setdefault(
            option.group, parser.add_argument_group(option.group)
        )
        flag, text = f"--{option.name}", help_of(option).replace("%", "%%")
        if option.flag:
            group.add_argument(flag, dest=option.name, action="store_const", const=["true"], help=text)
        else:
            group.add_argument(flag, dest=option.name, action="append", metavar=option.metavar, help=text)


def help_of(option: Option) -> str:
    """Return an option's help with its choices and default."""
    shown = option.shown or (
        ",".join(option.default) if isinstance(option.default, tuple) else str(option.default)
    )
    default = f" (default: {shown})" if option.shown or option.default not in (None, (), False) else ""
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    return f"{option.help}{choices}{default}"


def values(
    typed: Mapping[str, list[str] | None], options: Sequence[Option], set_elsewhere: Mapping[str, Setting]
) -> dict[str, Any]:
    """Give the value of each option: as typed, else as in the environment or rolewatch.toml, else its default.

    Raises UsageError that names where a wrong word comes from.
    """
    found: dict[str, Any] = {}
    for option in options:
        words = typed.get(option.name)
        origin = f"--{option.name}"
        if words is None and option.name in set_elsewhere:
            words, origin = set_elsewhere[option.name]
        found[option.name] = option.default if words is None else _value(option, words, origin)
    return found


def _value(option: Option, words: list[str], origin: str) -> Any:
    if option.flag:
        return _switch(words[-1], origin)
    if not option.many:
        if len(words) > 1:
            raise UsageError(f"{origin} takes one value, not {len(words)}: {', '.join(words)}")
        return _parsed(option, words[0], origin)
    parts = [part.strip() for word in words for part in word.split(",")]
    return tuple(dict.fromkeys(_parsed(option, part, origin) for part in parts if part))


def _parsed(option: Option, word: str, origin: str) -> Any:
    if option.choices and word not in option.choices:
        raise UsageError(f"{origin}: {word!r} is none of {', '.join(option.choices)}")
    try:
        return option.parse(word)
    except ValueError as error:
        raise UsageError(f"{origin}: {error}") from None


def _switch(word: str, origin: str) -> bool:
    if word.lower() in _TRUE + _FALSE:
        return word.lower() in _TRUE
    raise UsageError(f"{origin}: {word!r} is neither true nor false")


def environment_of(options: Sequence[Option]) -> dict[str, str]:
    """Name the environment variable of each option."""
    return {option.name: variable(option.name) for option in options}
