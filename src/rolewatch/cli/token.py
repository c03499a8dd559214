"""`rolewatch token`: make an access token for the dashboard and its API."""

from datetime import UTC, datetime, timedelta

from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

HELP = (
    "Make an access token for `rolewatch serve`. The first line is the secret, for who is to use it: it is kept nowhere.\n"
    "The second is a line for the file that `serve --tokens FILE` reads; it holds no secret."
)
EXAMPLES = (
    ("rolewatch token alice --scope write", "for somebody who mutes findings as well"),
    ("rolewatch token grafana --expires 90d", "for a program that reads, for 90 days"),
)
POSITIONALS = (Positional("name", "NAME", "whose it is; the audit log says so"),)
OPTIONS = (
    Option("scope", "what it allows: to read, or to write as well", "SCOPE", default="read", choices=("read", "write"), group="what it is for"),
    Option("expires", "when it ends, as an ISO time or a span (90d)", "TIME", words.moment, shown="never", group="what it is for"),
)  # fmt: skip


def run(called: Called) -> int:
    """Print a new token."""
    from rolewatch.web.tokens import line_of, new_token  # noqa: PLC0415 - not needed for --help

    until = called.values["expires"]
    if isinstance(until, timedelta):
        until = datetime.now(UTC) + until
    secret, token = new_token(called.values["name"], called.values["scope"], until)
    return say(f"{secret}\n{line_of(token)}\n")
