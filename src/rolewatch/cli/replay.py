"""`rolewatch replay`: from a CloudFormation template and CloudTrail deliveries to what its alarms would have done."""

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import assigned, read_template_file, window_of
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.progress import progress
from rolewatch.cli.shared import OUTPUT, SOURCE, WORK, requested, windowing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolewatch.scan.replayed import Ask, Replayed
    from rolewatch.templates.definitions import Template

INVALID = 2  # the exit status where a part of the template is invalid, and the rest was replayed
HELP = (
    "Replay the metric filters and alarms of a CloudFormation template over CloudTrail deliveries:\n"
    "when they would have rung, why, for which findings, and what nobody would have been told of."
)
EXAMPLES = (
    ("rolewatch replay alarms.yaml ~/cloudtrail", "what the template's alarms would have done"),
    ("rolewatch replay alarms.yaml s3://my-trail/AWSLogs --since 30d --format html --output replay.html", "the last 30 days as one page with graphs"),
    ("rolewatch replay alarms.yaml ~/cloudtrail --parameter Threshold=5", "with another parameter than the template's default"),
    ("rolewatch replay filters.json ~/cloudtrail --with alarms.json", "what an account has now, as describe-metric-filters and describe-alarms print it"),
    ("rolewatch replay alarms.yaml ~/cloudtrail --delay 0m --exit-code 1", "as if events arrived at once; end with 1 if an alarm would have rung"),
)  # fmt: skip
POSITIONALS = (
    Positional(
        "template",
        "TEMPLATE",
        "a CloudFormation template (YAML or JSON), or what describe-metric-filters or describe-alarms printed",
        file=True,
    ),
    SOURCE._replace(optional=True),
)
FORMATS = ("table", "json", "html")
MOST_DELAY = timedelta(days=14)  # CloudWatch takes no older data
_DELAYS = "5m, or 0m for none"


def delay(text: str) -> timedelta:
    """Read a delay: whole minutes, as the metrics of filters have one datapoint a minute."""
    found = words.span(text, _DELAYS)
    if found % timedelta(minutes=1):
        raise ValueError(f"{text!r} is no whole number of minutes; write {_DELAYS}")
    if found > MOST_DELAY:
        raise ValueError(f"{text!r} is more than {MOST_DELAY.days} days, and CloudWatch takes no older data")
    return found


_WHAT, _OUT = "what to replay", "what to print"
OPTIONS = (
    Option("delay", "how much later than it happens an event reaches the alarms, in whole minutes", "SPAN", delay, default=timedelta(minutes=5), shown="5m", group=_WHAT),
    Option("log-group", "deliveries that are another log group: only filters of that LogGroupName see them", "NAME=SOURCE", words.log_group, default=(), many=True, whole=True, group=_WHAT),
    Option("with", "further templates, which count as one with the first", "FILE", default=(), many=True, file=True, group=_WHAT),
    Option("parameter", "the value of a parameter of the template", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    Option("import", "what Fn::ImportValue gives for an exported name", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    *windowing(_WHAT),
    Option("format", "how to print", "FORMAT", default="table", choices=FORMATS, group=_OUT),
    OUTPUT,
    Option("exit-code", "end with N if an alarm was ever in ALARM", "N", words.status, default=0, shown="0", group=_OUT),
    *WORK,
)  # fmt: skip


def run(called: Called) -> int:
    """Replay and print; returns the exit status."""
    values, now = called.values, datetime.now(UTC)
    window = window_of(values, now)
    template = _template(values)

    request = requested(values, window)
    from rolewatch.sources import deliveries_of  # noqa: PLC0415 - not needed for --help

    groups: dict[str, list[str]] = {}
    for name, source in values["log-group"]:
        groups.setdefault(name, []).append(source)
    if not values["source"] and not groups:
        raise UsageError("SOURCE is missing: what the template is replayed over")
    for sources in (values["source"], *groups.values()):
        deliveries_of(sources, window, [])  # one that does not exist goes before all that may fail later
    with Output(values["output"]) as out:
        from rolewatch.scan.replay import replay  # noqa: PLC0415 - as above

        seconds = int(values["delay"].total_seconds())
        with progress(sys.stderr) as tell:
            replayed = replay(
                values["source"], template, request,
                delay=seconds, now=now, groups=groups, ask=_ask(template, values), progress=tell,
            )  # fmt: skip
        _tell(replayed)
        from rolewatch.report.output import Options  # noqa: PLC0415 - as above
        from rolewatch.report.replay import FORMATS as WRITERS  # noqa: PLC0415 - as above

        options = Options(environ=called.environ)
        out.write(lambda stream: WRITERS[values["format"]](replayed, stream, options))
    return _status(replayed, values["exit-code"])


def _template(values: "Mapping[str, Any]") -> "Template":
    """Read all templates into one; TemplateError for one that is useless as a whole."""
    from rolewatch.templates import combined, read_template  # noqa: PLC0415 - not needed for --help

    # What AWS::AccountId and AWS::Region stand for, where only one is looked at.
    only = {name: values[name][0] for name in ("account", "region") if len(values[name]) == 1}
    parameters, imports = assigned(values, "parameter"), assigned(values, "import")
    names = list(dict.fromkeys((values["template"], *values["with"])))
    templates = [
        read_template(
            read_template_file(name), name,
            parameters=parameters, imports=imports, stack=f"stack-{number}" if number > 1 else "stack", **only,
        )
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    return _told_apart(combined(templates))


def _ask(template: "Template", values: "Mapping[str, Any]") -> "Ask | None":
    """Give what runs the queries of log alarms, if there are any."""
    if not template.log_alarms:
        return None
    sources = [*values["source"], *(source for _, source in values["log-group"])]
    if "-" in sources:
        raise UsageError(
            "log alarms cannot be replayed over standard input, which can be read only once",
            remedy="write it to a file, and give that",
        )
    from rolewatch.insights.log_runs import ask  # noqa: PLC0415 - its engine takes a while

    return ask


def _told_apart(template: "Template") -> "Template":
    """Give filters different ids: those of two templates, or of two log groups, may be called the same."""
    used: Counter[str] = Counter()
    filters = []
    for each in template.filters:
        used[each.logical_id] += 1
        number = used[each.logical_id]
        filters.append(each._replace(logical_id=f"{each.logical_id}-{number}") if number > 1 else each)
    return template._replace(filters=tuple(filters))


def _status(replayed: "Replayed", wanted: int) -> int:
    from rolewatch.alarms.history import State  # noqa: PLC0415 - not needed for --help

    if any(notice.level == "error" for notice in (*replayed.template.notices, *replayed.notices)):
        return INVALID
    rang = any(
        State.ALARM in (history.initial, *(change.after for change in history.transitions))
        for history in replayed.histories
    )
    if wanted and rang:
        return wanted
    return UNREAD if replayed.unreadable else 0


def _tell(replayed: "Replayed") -> None:
    """Name on stderr what could not be read, and what is invalid in the template with its place."""
    from rolewatch.report.replay_words import place, why_nothing  # noqa: PLC0415 - not needed for --help

    for name, reason in replayed.unreadable:
        complain(f"cannot read {name}: {reason}")
    for notice in dict.fromkeys((*replayed.template.notices, *replayed.notices)):
        if notice.level == "error":
            complain(f"{place(notice.place)}: {notice.message}")
    if replayed.nothing and not replayed.unreadable:
        complain(f"{why_nothing(replayed)}, so the result says nothing")
