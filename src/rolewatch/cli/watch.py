"""`rolewatch watch`: follow deliveries as they arrive, and tell people what becomes blocked and what recovers."""

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from rolewatch.base.errors import RolewatchError
from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.enriching import BLAME, POLICIES
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.scan import PRINCIPALS
from rolewatch.cli.serve import SERVE_OPTIONS
from rolewatch.cli.shared import WORK
from rolewatch.cli.states import STATE, held
from rolewatch.cli.watch_signals import Ended, Signals

if TYPE_CHECKING:
    from rolewatch.watch.log import Log

HELP = (
    "Follow CloudTrail deliveries as they arrive, keep findings up to date, and tell people:\n"
    "once when a resource becomes blocked, once when it recovers."
)
EXAMPLES = (
    ("rolewatch watch /var/cloudtrail --notify slack://TOKENS", "a folder, and a message to Slack for each new blocked resource"),
    ("rolewatch watch sqs://trail-notices --notify sns:arn:aws:sns:us-east-1:111122223333:oncall", "a queue of S3 event notices"),
    ("rolewatch watch sqs://trail-notices --template alarms.yaml --notify slack://TOKENS", "metric filters and alarms of a CloudFormation template, on the wall clock"),
    ("rolewatch watch s3://my-trail/AWSLogs --once", "for cron: what is new since the last time, then end"),
    ("rolewatch watch sqs://trail-notices --metrics 9464 --log-format json --quiet-alarm 30m", "as a service"),
    ("rolewatch watch sqs://trail-notices --state postgresql://rolewatch@db/rolewatch", "several watchers can share one database"),
)  # fmt: skip
SOURCE = Positional(
    "source",
    "SOURCE",
    "a folder, a file, a glob, - (standard input), s3://bucket/prefix, sqs://queue or logs://log-group",
    many=True,
    file=True,
)
POSITIONALS = (SOURCE._replace(optional=True),)
_WHAT, _TELL, _HOW, _SERVICE = "what to look for", "whom to tell", "how to work", "as a service"
_ALARMS = "alarms of CloudWatch"
OPTIONS = (
    STATE._replace(group=_HOW),
    Option("once", "end when everything that is there is done", flag=True, default=False, group=_HOW),
    Option("lake", "also keep the records in a lake: a folder, or s3://bucket/prefix; needs the extra lake", "DIR", file=True, group=_HOW),
    Option("notify", "tell URL: slack://…, sns:ARN, smtp://…, webhook+https://…, exec:COMMAND …; can be repeated", "URL", default=(), many=True, whole=True, group=_TELL),
    Option("principals", "whom to watch beside service-linked roles", "KIND", default=(), shown="slr", choices=PRINCIPALS, many=True, group=_WHAT),
    Option("authentication", "count failed credentials (ExpiredToken, AuthFailure …) as denials too", flag=True, default=False, group=_WHAT),
    Option("silent-after", "call a finding silent after so long without an attempt", "SPAN", words.span, default=timedelta(days=7), shown="7d", group=_WHAT),
    Option("settle", "say that something recovered only when events so much later have been seen", "SPAN", words.span, default=timedelta(minutes=15), shown="15m", group=_WHAT),
    POLICIES._replace(group=_WHAT),
    BLAME._replace(help="keep the calls that change policies, and name who changed the policy last before a finding began", group=_WHAT),
    Option("template", "also evaluate the metric filters and alarms of a CloudFormation template; can be repeated", "FILE", default=(), many=True, file=True, group=_ALARMS),
    Option("parameter", "the value of a parameter of the templates, AWS::AccountId and AWS::Region among them", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_ALARMS),
    Option("import", "what Fn::ImportValue gives for an exported name", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_ALARMS),
    Option("log-group", "deliveries that are another log group: only filters and log alarms of it see them", "NAME=SOURCE", words.log_group, default=(), many=True, whole=True, group=_ALARMS),
    Option("keep-datapoints", "remember datapoints for so long, and never for less than alarms look back", "SPAN", words.span, default=timedelta(days=15), shown="15d", group=_ALARMS),
    *WORK,
    Option("keep-ended", "forget findings so long after they recovered or were gone; off for never", "SPAN", words.span_or_off, default=None, shown="off", group=_HOW),
    Option("keep-sent", "forget messages so long after they were made, if they were sent", "SPAN", words.span, default=timedelta(days=30), shown="30d", group=_HOW),
    Option("keep-changes", "with --blame: forget changes of policies after so long, but for the last two, and those before a finding", "SPAN", words.span, default=timedelta(days=90), shown="90d", group=_HOW),
    Option("metrics", "serve metrics for Prometheus, /healthz and /readyz at HOST:PORT, without authentication; a PORT alone is of this machine only", "HOST:PORT", words.listening, group=_SERVICE),
    Option("serve", "serve the dashboard and its API at HOST:PORT; a PORT alone is of this machine only", "HOST:PORT", words.listening, group=_SERVICE),
    *(option._replace(group=_SERVICE, help=f"with --serve: {option.help}") for option in SERVE_OPTIONS),
    Option("log-format", "how to write the log on stderr", "FORMAT", default="text", choices=("text", "json"), group=_SERVICE),
    Option("log-level", "how much to write", "LEVEL", default="info", choices=("debug", "info", "warning", "error"), group=_SERVICE),
    Option("quiet-alarm", "raise an alarm when no delivery of a source has arrived for so long; off for never", "SPAN", words.span_or_off, default=timedelta(hours=1), shown="1h", group=_SERVICE),
    Option("late-alarm", "raise an alarm when the newest event is so old when it arrives; off for never", "SPAN", words.span_or_off, default=timedelta(hours=2), shown="2h", group=_SERVICE),
)  # fmt: skip


def run(called: Called) -> int:
    """Watch until it is told to end; returns the exit status."""
    from rolewatch.cli.watching import Watching  # noqa: PLC0415 - not needed for --help
    from rolewatch.watch.log import Log  # noqa: PLC0415 - as above

    log = Log(called.values["log-format"], called.values["log-level"])
    with Signals() as signals, ExitStack() as entered:
        try:
            state = entered.enter_context(held(called))
            watching = Watching(called, state, log)
            signals.meant_for(watching.stop, watching.read_again)
            watching.run()
        except Ended:
            return signals.status
        except Exception as error:
            if called.values["log-format"] == "text":
                raise
            return _told(log, error)
    return signals.status or (0 if signals.ended else watching.status)


def _told(log: "Log", error: Exception) -> int:
    """Say in the log what ends the command; returns the exit status."""
    from rolewatch.cli.main import CANNOT, bug  # noqa: PLC0415 - it imports this file

    if isinstance(error, RolewatchError):
        log.error(error.message, remedy=error.remedy, status=error.exit_code)
        return error.exit_code
    log.error(f"the system refused: {error}" if isinstance(error, OSError) else bug(error), status=CANNOT)
    return CANNOT
