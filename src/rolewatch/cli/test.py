"""`rolewatch test`: unit tests of metric filters and alarms, from files."""

from pathlib import Path
from typing import TYPE_CHECKING

from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import read_file, read_template_file
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain

if TYPE_CHECKING:
    from rolewatch.report.replay_trials import Outcome
    from rolewatch.scan.trial import Runner
    from rolewatch.templates.definitions import Template
    from rolewatch.templates.trials import Trials

FAILED = 1
HELP = (
    "Test the metric filters and alarms of a CloudFormation template:\n"
    "values or records in, the state that each alarm has to be in at a time out."
)
EXAMPLES = (
    ("rolewatch test alarms.test.yaml", "run the tests of one file; status 1 if one fails"),
    ("rolewatch test examples/*.test.yaml --format json", "of several files, for a program to read"),
)
POSITIONALS = (
    Positional("file", "FILE", "a test file (YAML or JSON): alarms or a template, and tests", many=True, file=True),
)  # fmt: skip
_OUT = "what to print"
OPTIONS = (
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group=_OUT),
    Option("output", "write to FILE instead of standard output", "FILE", file=True, group=_OUT),
)
MOST_TESTS = 64 * 1024**2  # bytes of a test file


def run(called: Called) -> int:
    """Run the tests of all files and print what they came to; returns the exit status."""
    values = called.values
    with Output(values["output"]) as out:
        outcomes: list[Outcome] = []
        unreadable: dict[tuple[str, str], None] = {}
        for name in dict.fromkeys(values["file"]):
            outcomes += _run_file(name, unreadable)
        for delivery, reason in unreadable:
            complain(f"cannot read {delivery}: {reason}")
        from rolewatch.report import replay_trials  # noqa: PLC0415 - not needed for --help
        from rolewatch.report.output import Options  # noqa: PLC0415 - as above

        write = replay_trials.write_json if values["format"] == "json" else replay_trials.write_table
        out.write(lambda stream: write(outcomes, stream, Options(environ=called.environ)))
    if any(outcome.failures for outcome in outcomes):
        return FAILED
    return UNREAD if unreadable else 0


def _run_file(name: str, unreadable: dict[tuple[str, str], None]) -> "list[Outcome]":
    """Run the tests of a file; UsageError for what is wrong in it or in its template."""
    from rolewatch.report.replay_trials import Outcome  # noqa: PLC0415 - not needed for --help
    from rolewatch.templates.trials import read_trials  # noqa: PLC0415 - as above

    trials = read_trials(read_file(name, "FILE", MOST_TESTS), name)
    runner = _runner(trials, Path(name).parent)
    outcomes = [Outcome(name, trial, runner.run(trial)) for trial in trials.tests]
    unreadable |= dict.fromkeys(runner.unreadable)
    return outcomes


def _runner(trials: "Trials", folder: Path) -> "Runner":
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - not needed for --help
    from rolewatch.scan.trial import Runner  # noqa: PLC0415 - as above

    return Runner(_template(trials, folder), folder, ScanRequest())


def _template(trials: "Trials", folder: Path) -> "Template":
    """Return what the tests are about; TemplateError for a template with a fault: a test of the rest would prove little."""
    if trials.template is None:
        return trials.alarms
    from rolewatch.templates import TemplateError, read_template  # noqa: PLC0415 - not needed for --help
    from rolewatch.templates.trials import check_names  # noqa: PLC0415 - as above

    path = str(folder / trials.template)
    template = read_template(read_template_file(path, "template"), path, parameters=trials.parameters)
    for notice in template.notices:
        if notice.level == "error":
            raise TemplateError(notice.message, notice.place)
    check_names(trials, template)
    return template
