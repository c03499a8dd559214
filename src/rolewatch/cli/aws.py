"""`rolewatch aws`: what is done inside AWS accounts; each action is a module of its own, `aws_ACTION.py`."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Final, Protocol, cast

from rolewatch.base.errors import UsageError
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional


class Action(Protocol):
    """What the module of an action holds. An option that several actions have is one and the same row (`aws_shared.py`)."""

    EXAMPLES: tuple[tuple[str, str], ...]
    OPTIONS: tuple[Option, ...]
    run: Callable[[Called], int]  # returns the exit status


ACTIONS: Final[Mapping[str, str]] = {
    "deploy": "build the pipeline of CloudTrail, CloudWatch and SNS as one stack, or bring it up to date",
    "destroy": "take down what deploy has made; log files, and an account's last trail, stay",
    "doctor": "examine an account's own pipeline, step by step, and say what would go unseen; nothing is changed",
    "policies": "collect the policies that `rolewatch explain`, `scan --policies` and `check` read; nothing is changed",
}
"""Name → what the help says of it."""


def action(name: str) -> Action:
    """Import an action."""
    return cast("Action", import_module(f"rolewatch.cli.aws_{name}"))


def _joined(tables: Iterable[tuple[Option, ...]]) -> tuple[Option, ...]:
    """Join the options of all actions, group by group, each option once."""
    found = {option.name: option for table in tables for option in table}
    groups = dict.fromkeys(option.group for option in found.values())
    return tuple(option for group in groups for option in found.values() if option.group == group)


HELP: Final = "\n".join(f"{name}: {what}." for name, what in ACTIONS.items())
EXAMPLES: Final = tuple(example for name in ACTIONS for example in action(name).EXAMPLES)
POSITIONALS: Final = (
    Positional("action", "ACTION", f"what to do: {' or '.join(ACTIONS)}", choices=tuple(ACTIONS)),
)
OPTIONS: Final = _joined(action(name).OPTIONS for name in ACTIONS)


def run(called: Called) -> int:
    """Do what was asked, and return the exit status."""
    name: str = called.values["action"]
    chosen = action(name)
    own = {"action", "config", *(option.name for option in chosen.OPTIONS)}
    strange = sorted(set(called.typed) - own)
    if strange:
        raise UsageError(f"--{strange[0]} means nothing to aws {name}")
    return chosen.run(called)
