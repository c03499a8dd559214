"""`rolewatch scan`: from CloudTrail deliveries to findings."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rolewatch.cli import enriching, words
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.engines import ENGINE, MASTER, check_master, elsewhere
from rolewatch.cli.enriching import BLAME, POLICIES
from rolewatch.cli.inputs import read_file, window_of
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.progress import progress
from rolewatch.cli.shared import OUTPUT, SOURCE, WORK, requested

if TYPE_CHECKING:
    from rolewatch.findings.select import Selection
    from rolewatch.patterns import Pattern

HELP = (
    "Find the resources that AWS services cannot reach, since when and why:\n"
    "scan CloudTrail deliveries for denials of service-linked roles."
)
EXAMPLES = (
    ("rolewatch scan ~/cloudtrail", "a folder of CloudTrail files, of any layout"),
    (
        "rolewatch scan s3://my-trail/AWSLogs --since 2d",
        "the last two days of a trail's bucket; only those days are listed",
    ),
    ("rolewatch scan lookup:// --region us-east-1", "the event history of 90 days, without a trail"),
    ("aws logs filter-log-events --log-group-name trail | rolewatch scan -", "standard input"),
    ("rolewatch scan ~/cloudtrail --format html --output report.html", "one file to open or send"),
    (
        "rolewatch scan ~/cloudtrail --pattern '{ $.errorCode = \"*UnauthorizedOperation\" }'",
        "other records than denials of service-linked roles, grouped the same way",
    ),
    (
        "rolewatch scan ~/cloudtrail --baseline last.json --exit-code 1",
        "in cron or CI: end with 1 if something new is blocked",
    ),
    (
        "rolewatch scan s3://my-trail/AWSLogs --engine spark --master spark://master:7077",
        "by the executors of a Spark cluster",
    ),
)
POSITIONALS = (SOURCE,)
PRINCIPALS = ("slr", "service", "service-role", "all")
SEVERITIES = ("none", "low", "medium", "high", "critical")
FORMATS = ("table", "json", "jsonl", "csv", "html", "ocsf", "asff")
_WHAT, _OUT, _HOW = "what to look for", "what to print", "how to work"
OPTIONS = (
    Option("pattern", "look for records that match this filter pattern of CloudWatch Logs, instead of denials", "PATTERN", group=_WHAT),
    Option("principals", "whom to watch beside service-linked roles; with --pattern all, if not told otherwise", "KIND", default=(), shown="slr", choices=PRINCIPALS, many=True, group=_WHAT),
    Option("authentication", "count failed credentials (ExpiredToken, AuthFailure …) as denials too", flag=True, default=False, group=_WHAT),
    Option("since", "denials from TIME on: ISO 8601 in UTC, or how long ago (2d, 6h)", "TIME", words.moment, group=_WHAT),
    Option("until", "denials before TIME", "TIME", words.moment, group=_WHAT),
    Option("account", "only roles of these accounts", "ID", words.account, default=(), many=True, group=_WHAT),
    Option("region", "only calls in these regions", "NAME", words.region, default=(), many=True, group=_WHAT),
    Option("service", "only these services: config.amazonaws.com, or config for short", "NAME", default=(), many=True, group=_WHAT),
    Option("severity", "only findings of this severity and worse", "LEVEL", choices=SEVERITIES, group=_WHAT),
    Option("no-recovery", "do not look for later successes; quicker, and nothing is ever recovered", flag=True, default=False, group=_WHAT),
    Option("silent-after", "call a finding silent after so long without an attempt", "SPAN", words.span, default=timedelta(days=7), shown="7d", group=_WHAT),
    Option("baseline", "leave out what this earlier report (json or jsonl) already had", "FILE", file=True, group=_WHAT),
    Option("ignore", "leave out what the rules in FILE (TOML) allow, each with a reason and an end date", "FILE", file=True, group=_WHAT),
    POLICIES,
    BLAME,
    Option("format", "how to print", "FORMAT", default="table", choices=FORMATS, group=_OUT),
    OUTPUT,
    Option("exit-code", "end with N if something is blocked or silent, and not harmless", "N", words.status, default=0, shown="0", group=_OUT),
    Option("dry-run", "list what would be read, and read nothing", flag=True, default=False, group=_HOW),
    ENGINE,
    MASTER,
    *WORK,
)  # fmt: skip
OPEN = frozenset(("blocked", "silent"))
IDLE = frozenset(("harmless", "service-not-enabled"))
NOTED = ("table", "html")  # formats that show a report's notes to the reader
MOST_BASELINE, MOST_RULES = 1024**3, 1024**2  # bytes


def run(called: Called) -> int:
    """Scan and print; returns the exit status."""
    values, now = called.values, datetime.now(UTC)
    check_master(values)
    enriching.check(values)
    window = window_of(values, now)
    pattern = _pattern(values["pattern"])
    if values["dry-run"]:
        from rolewatch.cli.dry_run import dry_run  # noqa: PLC0415 - only where asked for

        return dry_run(values["source"], window, form=values["format"], output=values["output"])
    request = requested(
        values,
        window,
        principals=frozenset(("slr", *(values["principals"] or (("all",) if values["pattern"] else ())))),
        pattern=pattern,
        recovery=not values["no-recovery"],
        silent_after=values["silent-after"],
        authentication=values["authentication"],
    )
    selection = _selection(values)
    from rolewatch.sources import deliveries_of  # noqa: PLC0415 - as above

    deliveries_of(
        values["source"], window, []
    )  # a SOURCE that does not exist goes before all that may fail later
    with Output(values["output"]) as out:
        from rolewatch.scan.run import run as scan  # noqa: PLC0415 - as above

        with elsewhere(values) as fold, progress(sys.stderr) as tell:
            report = scan(values["source"], request, now=now, progress=tell, elsewhere=fold)
        if pattern:
            report["notes"].append(
                f"findings are the records that match {pattern.text}, whether or not anything was refused"
            )
        selection.apply(report, now)
        whole = enriching.enriched(report, values, request)
        _tell(report, values["format"])
        from rolewatch.report.formats import FORMATS as WRITERS  # noqa: PLC0415 - as above
        from rolewatch.report.output import Options  # noqa: PLC0415 - as above

        options = Options(environ=called.environ)
        out.write(lambda stream: WRITERS[values["format"]](report, stream, options))
    if values["exit-code"] and any(is_open(finding) for finding in report["findings"]):
        return int(values["exit-code"])
    return 0 if whole and not report["unreadable"] else UNREAD


def _pattern(text: str | None) -> "Pattern | None":
    if text is None:
        return None
    from rolewatch.patterns import compile_pattern  # noqa: PLC0415 - only where asked for

    return compile_pattern(text)


def is_open(finding: Mapping[str, Any]) -> bool:
    """Whether somebody has to look at a finding: blocked or silent, and not known to be without consequence."""
    return finding["status"] in OPEN and finding["verdict"] not in IDLE


def _selection(values: Mapping[str, Any]) -> "Selection":
    from rolewatch.findings.select import Selection, read_baseline, read_rules  # noqa: PLC0415 - not needed for --help

    baseline, rules = values["baseline"], values["ignore"]
    return Selection(
        services=values["service"],
        severity=values["severity"],
        baseline=read_baseline(read_file(baseline, "--baseline", MOST_BASELINE), baseline)
        if baseline
        else None,
        rules=read_rules(read_file(rules, "--ignore", MOST_RULES), rules) if rules else (),
    )


def _tell(report: Mapping[str, Any], form: str) -> None:
    """Name on stderr what could not be read, and the notes where the format has no place for them."""
    for entry in report["unreadable"]:
        complain(f"cannot read {entry['delivery']}: {entry['reason']}")
    for note in report["notes"] if form not in NOTED else ():
        complain(note)
    if not report["totals"]["records"] and not report["unreadable"]:
        complain("no CloudTrail record was read, so the result says nothing")
