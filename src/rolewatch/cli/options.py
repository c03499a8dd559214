"""Options as data: help, documentation, completion, settings and parsing all come from one table of a command."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.base.settings import Setting


class Option(NamedTuple):
    """One option: `--name` on the command line, `name` in rolewatch.toml, `ROLEWATCH_NAME` in the environment.

    `parse` turns one word into a value, or raises ValueError with what is wrong with it; `many` options may be
    repeated or hold a comma-separated list, and their value is a tuple; in the words of a `whole` one a comma is only a
    sign; a `flag` takes no value; `bare` is the value of one that none of its choices follows.
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
    whole: bool = False
    bare: str = ""


class Positional(NamedTuple):
    """One positional argument; `many` takes one or more, an `optional` one may be left out, a `blank` one empty."""

    name: str
    metavar: str
    help: str
    many: bool = False
    choices: tuple[str, ...] = ()
    file: bool = False
    optional: bool = False
    blank: bool = False


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def add(
    parser: argparse.ArgumentParser, options: Sequence[Option], positionals: Sequence[Positional]
) -> dict[str, argparse.Action]:
    """Add options and positionals to a parser and return them by name.

    Values stay words, None where an option was not typed; whether they make sense is for `values` and `named` to say.
    """
    actions: dict[str, argparse.Action] = {}
    for positional in positionals:
        actions[positional.name] = parser.add_argument(
            positional.name,
            metavar=positional.metavar,
            help=positional.help,
            nargs="*" if positional.many else "?",
        )
    groups: dict[str, argparse._ActionsContainer] = {"options": parser}
    for option in options:
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        kind: dict[str, Any] = {"action": "append", "metavar": option.metavar}
        if option.flag:
            kind = {"action": "append_const", "const": "true"}
        text = help_of(option).replace("%", "%%")
        actions[option.name] = groups[option.group].add_argument(
            f"--{option.name}", dest=option.name, help=text, **kind
        )
    return actions


def typed(
    parser: argparse.ArgumentParser,
    words: Sequence[str],
    positionals: Sequence[Positional],
    options: Sequence[Option] = (),
) -> dict[str, list[str]]:
    """Sort what was typed by option and positional, in any order; all words after `--` are positionals.

    Raises UsageError for an option that does not exist, and for too few or too many words.
    """
    words = _completed(words, options)
    end = words.index("--") if "--" in words else len(words)
    parsed, rest = parser.parse_known_args(words[:end])
    found = vars(parsed)
    # argparse gives a positional what stands together, and leaves the words after a later option in the rest.
    plain = [word for positional in positionals for word in _listed(found.pop(positional.name))]
    for word in rest:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            raise UsageError(f"there is no option {name!r}", remedy=_nearest(name, found, parser.prog))
    # Of `--option=--`, argparse leaves an empty list.
    given = {name: ["--" if word == [] else word for word in value] for name, value in found.items() if value}
    return given | _shared_out([*plain, *rest, *words[end + 1 :]], positionals)


def help_of(option: Option) -> str:
    """Return an option's help with its choices and default."""
    shown = default_of(option)
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    return f"{option.help}{choices}{f' (default: {shown})' if shown else ''}"


def default_of(option: Option) -> str:
    """Return an option's default in words, nothing if it has none."""
    if option.shown or option.default in (None, (), False):
        return option.shown
    return ",".join(option.default) if isinstance(option.default, tuple) else str(option.default)


def values(
    typed: Mapping[str, list[str]], options: Sequence[Option], set_elsewhere: Mapping[str, Setting]
) -> dict[str, Any]:
    """Give the value of each option: as typed, else as in the environment or rolewatch.toml, else its default.

    Raises UsageError that names where a wrong word comes from.
    """
    found: dict[str, Any] = {}
    for option in options:
        words, origin = typed.get(option.name), f"--{option.name}"
        if words is None and option.name in set_elsewhere:
            words, origin = set_elsewhere[option.name]
        found[option.name] = option.default if words is None else _value(option, words, origin)
    return found


def _value(option: Option, words: list[str], origin: str) -> Any:
    if option.many:
        parts = list(words) if option.whole else [part.strip() for word in words for part in word.split(",")]
        if words and not any(parts):
            raise UsageError(f"{origin} is empty")
        return tuple(dict.fromkeys(_parsed(option, part, origin) for part in parts if part))
    if option.flag and words:
        return _switch(words[-1], origin)
    if len(words) > 1:
        raise UsageError(f"{origin} takes one value, not {len(words)}: {', '.join(words)}")
    if not words or not words[0].strip():
        raise UsageError(f"{origin} is empty")
    return _parsed(option, words[0], origin)


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


def _shared_out(words: list[str], positionals: Sequence[Positional]) -> dict[str, list[str]]:
    """Give each positional its words, in order; one that takes many comes last and takes what is left."""
    found: dict[str, list[str]] = {}
    for positional in positionals:
        own = words if positional.many else words[:1]
        if not own and not positional.optional:
            raise UsageError(f"{positional.metavar} is missing: {positional.help}")
        for word in own:
            if not word.strip() and not positional.blank:
                raise UsageError(f"{positional.metavar} is empty")
            if positional.choices and word not in positional.choices:
                raise UsageError(f"{positional.metavar}: {word!r} is none of {', '.join(positional.choices)}")
        found[positional.name], words = own, words[len(own) :]
    if words:
        raise UsageError(f"{words[0]!r} is one word too many")
    return found


def _completed(words: Sequence[str], options: Sequence[Option]) -> list[str]:
    """Write out the values of options that were typed without one."""
    bare = {f"--{option.name}": option for option in options if option.bare}
    found: list[str] = []
    for place, word in enumerate(words):
        if word == "--":
            return [*found, *words[place:]]
        option = bare.get(word)
        alone = option and not set(words[place + 1 : place + 2]).intersection(option.choices)
        found.append(f"{word}={option.bare}" if option and alone else word)
    return found


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _nearest(word: str, names: Mapping[str, Any], command: str) -> str:
    import difflib  # noqa: PLC0415 - only where a word is wrong

    close = difflib.get_close_matches(word, [f"--{name}" for name in names], 1)
    return f"did you mean {close[0]}?" if close else f"`{command} --help` lists them"
