"""The commands there are: where each lives and what it does. Nothing of a command is imported until it is called."""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from rolewatch.base.settings import Setting, settings
from rolewatch.cli.options import Option, Positional

UNREAD = 3  # the exit status where a part of the input could not be read (DESIGN)


class Called(NamedTuple):
    """A command as called: the values of its options and positionals by name, the environment, and which options were typed."""

    values: Mapping[str, Any]
    environ: Mapping[str, str]
    typed: Collection[str]


class Command(Protocol):
    """What the module of a command holds."""

    HELP: str
    EXAMPLES: tuple[tuple[str, str], ...]  # (command, what it does)
    POSITIONALS: tuple[Positional, ...]
    OPTIONS: tuple[Option, ...]
    run: Callable[[Called], int]  # returns the exit status


COMMANDS = {
    "scan": "find the resources that AWS services cannot reach",
    "query": "run a Logs Insights query over deliveries or a lake",
    "ingest": "keep deliveries as Parquet, for queries",
    "lake": "describe and look after what was ingested",
    "replay": "replay metric filters and alarms of a template over deliveries",
    "test": "test metric filters and alarms of a template",
    "watch": "follow deliveries, and tell people what becomes blocked",
    "serve": "show what a watcher has found in a browser, and as an API",
    "token": "make an access token for the dashboard and its API",
    "findings": "list, show and mute what a watcher has found",
    "deliveries": "list what a watcher could not read, and read it again",
    "notify": "try out where notifications go",
    "pattern": "try or check a filter pattern of CloudWatch Logs",
    "explain": "say why a role is kept out, and what to change",
    "check": "find which AWS services a policy would shut out, before it ships",
    "policy": "decide a request by the policies around it",
    "aws": "build, examine and remove the pipeline inside AWS, and collect policies",
    "completion": "print the completion script of a shell",
}
"""Name → what `rolewatch --help` says of it; the module has the same name."""


def load(name: str) -> Command:
    """Import a command."""
    return cast("Command", import_module(f"rolewatch.cli.{name}"))


def set_elsewhere(
    name: str, options: Collection[str], environ: Mapping[str, str], file: str | None
) -> dict[str, Setting]:
    """Find what the environment and the settings file say of some options of a command (`base.settings.settings`)."""
    known = {each: [option.name for option in load(each).OPTIONS] for each in COMMANDS}
    return settings(name, options, environ, known=known, file=file)
