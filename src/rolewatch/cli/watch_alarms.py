"""The alarms that a watcher evaluates: the templates that options name, and what is set about telling of them."""

from collections.abc import Mapping
from typing import Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.inputs import assigned, read_template_file
from rolewatch.cli.watch_targets import Targets
from rolewatch.report.replay_words import place
from rolewatch.sources.live import Told
from rolewatch.templates import combined, read_template
from rolewatch.templates.definitions import Template
from rolewatch.watch.alarm_definitions import Definitions, definitions_of
from rolewatch.watch.alarm_groups import NO_GROUPS, Groups
from rolewatch.watch.alarm_telling import AlarmTeller
from rolewatch.watch.alarms import Alarms

#: Pseudo parameters that say where a template's alarms are, with what `read_template` calls them.
_WHERE: Final = {"AWS::AccountId": "account", "AWS::Region": "region"}
_TOLD: Final = ("error", "warning")


class Templates:
    """The templates of a call, and what keeps their alarms; `invalid` says that AWS would refuse part of one.

    `groups` are the log groups of SOURCEs. Raises TemplateError for a template that is useless as a whole; what else is wrong
    with one is told.
    """

    def __init__(self, called: Called, targets: Targets, told: Told, groups: Groups = NO_GROUPS) -> None:
        definitions = definitions_of(_template(called.values), groups)
        self.invalid = _tell(definitions, told)
        routing = targets.routing
        self._teller = AlarmTeller(routing.routes, routing.actions, targets.addresses, definitions.topics)
        kept = called.values["keep-datapoints"]
        self.alarms = Alarms(definitions, self._teller, told, kept=kept, groups=groups)

    def turn_to(self, targets: Targets) -> None:
        """Tell others from now on."""
        self._teller.turn_to(targets.routing.routes, targets.routing.actions, targets.addresses)


def _template(values: Mapping[str, Any]) -> Template:
    """Read all templates into one."""
    parameters, imports = assigned(values, "parameter"), assigned(values, "import")
    where = {name: _where(name, parameters.pop(word)) for word, name in _WHERE.items() if word in parameters}
    return combined(
        read_template(
            read_template_file(name, "--template"), name,
            parameters=parameters, imports=imports, stack=f"stack-{number}" if number > 1 else "stack", **where,
        )
        for number, name in enumerate(dict.fromkeys(values["template"]), 1)
    )  # fmt: skip


def _where(name: str, word: str) -> str:
    try:
        return words.account(word) if name == "account" else words.region(word)
    except ValueError as error:
        raise UsageError(f"--parameter: {error}") from None


def _tell(definitions: Definitions, told: Told) -> bool:
    """Tell what is wrong with templates; returns whether AWS would refuse any part of them."""
    for notice in dict.fromkeys(definitions.notices):
        if notice.level in _TOLD:
            told(place(notice.place), notice.message)
    return any(notice.level == "error" for notice in definitions.notices)
