"""`rolewatch test`: unit tests of metric filters and alarms, from files."""

from pathlib import Path
from typing import TYPE_CHECKING

from rolewatch.base.errors import UsageError
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import read_template_file
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT

if TYPE_CHECKING:
    from rolewatch.report.replay_trials import Outcome
    from rolewatch.scan.replayed import Ask
    from rolewatch.templates.definitions import Template
    from rolewatch.templates.trials import Trials

FAILED = 1
INVALID = 2  # the exit status where a file, an alarm or a test is invalid; the others were tested
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
    OUTPUT,
)


def run(called: Called) -> int:
    """Run the tests of all files and print what they came to; returns the exit status."""
    values = called.values
    collected = _Collected()
    with Output(values["output"]) as out:
        for name in dict.fromkeys(values["file"]):
            try:
                _run_file(name, collected)
            except UsageError as error:
                collected.tell(str(error))
        for delivery, reason in collected.unreadable:
            complain(f"cannot read {delivery}: {reason}")
        outcomes = collected.outcomes
        if outcomes:
            from rolewatch.report import replay_trials  # noqa: PLC0415 - not needed for --help
            from rolewatch.report.output import Options  # noqa: PLC0415 - as above

            write = replay_trials.write_json if values["format"] == "json" else replay_trials.write_table
            out.write(lambda stream: write(outcomes, stream, Options(environ=called.environ)))
    if collected.errors:
        return INVALID
    if any(outcome.failures for outcome in outcomes):
        return FAILED
    return UNREAD if collected.unreadable else 0


class _Collected:
    """What all files came to; errors and deliveries that cannot be read are told once each."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.errors: set[str] = set()
        self.unreadable: dict[tuple[str, str], None] = {}

    def tell(self, error: str) -> None:
        """Say an error on stderr, once."""
        if error not in self.errors:
            self.errors.add(error)
            complain(error)


def _run_file(name: str, collected: _Collected) -> None:
    """Run the tests of a file; UsageError for what makes the file or its template useless."""
    from rolewatch.report.replay_trials import Outcome  # noqa: PLC0415 - not needed for --help
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - as above
    from rolewatch.scan.trial import Runner, Verdict  # noqa: PLC0415 - as above
    from rolewatch.templates import read_trials  # noqa: PLC0415 - as above
    from rolewatch.templates.trials import WrongTrial  # noqa: PLC0415 - as above

    trials = read_trials(read_template_file(name, "FILE"), name)
    folder = Path(name).parent
    template = _template(trials, folder)
    runner = Runner(template, folder, ScanRequest(), _ask(template))
    for notice in (*template.notices, *runner.errors):
        if notice.level == "error":
            collected.tell(f"{notice.place}: {notice.message}")
    for trial in trials.tests:
        verdict = Verdict(errors=[trial.error]) if isinstance(trial, WrongTrial) else runner.run(trial)
        for error in verdict.errors:
            collected.tell(str(error))
        collected.outcomes.append(Outcome(name, trial.name, trial.place, verdict))
    collected.unreadable |= dict.fromkeys(runner.unreadable)


def _ask(template: "Template") -> "Ask | None":
    """Give what runs the queries of log alarms, if there are any."""
    if not template.log_alarms:
        return None
    from rolewatch.insights.log_runs import ask  # noqa: PLC0415 - its engine takes a while

    return ask


def _template(trials: "Trials", folder: Path) -> "Template":
    """Return what the tests are about; TemplateError for a template that is useless as a whole, or not there."""
    if trials.template is None:
        return trials.alarms
    from rolewatch.templates import TemplateError, read_template  # noqa: PLC0415 - not needed for --help

    path = str(folder / trials.template.text)
    try:
        content = read_template_file(path, "template")
    except UsageError as error:
        raise TemplateError(error.message, trials.template.place, remedy=error.remedy) from None
    return read_template(content, path, parameters=trials.parameters)
