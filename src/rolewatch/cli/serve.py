"""`rolewatch serve`: the dashboard and its API, over what a watcher keeps."""

from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.states import STATE, opened

HELP = (
    "Show what a watcher has found in a browser, and as an API for programs: findings, alarms, queries, coverage.\n"
    "It listens on this machine only, unless tokens say who may see it."
)
EXAMPLES = (
    ("rolewatch serve", "open http://127.0.0.1:8787"),
    ("rolewatch serve --lake lake", "with queries, and the records of each finding"),
    ("rolewatch serve --listen 0.0.0.0:8787 --tokens tokens --host rolewatch.example.com", "for a team, behind something that speaks TLS"),
    ("rolewatch serve --state postgresql://rolewatch@db/rolewatch", "over a shared state"),
)  # fmt: skip
POSITIONALS: tuple[Positional, ...] = ()
_WHO = "who may see it"
SERVE_OPTIONS = (
    Option("tokens", "the access tokens there are, one a line as `rolewatch token` prints it; then reading needs one, too", "FILE", file=True, group=_WHO),
    Option("host", "a name by which it is called, beside its address; can be repeated", "NAME", default=(), many=True, group=_WHO),
    Option("proxy", "trust a proxy at this address (or network) to name who asks; can be repeated", "ADDRESS", words.network, default=(), many=True, group=_WHO),
    Option("proxy-header", "the header in which a trusted proxy names who asks", "NAME", default="X-Forwarded-User", group=_WHO),
)  # fmt: skip
OPTIONS = (
    STATE,
    Option("lake", "records for queries and findings: a folder, or s3://bucket/prefix", "DIR", file=True, group="what to look at"),
    Option("listen", "where to listen", "HOST:PORT", words.listening, default=("127.0.0.1", 8787), shown="127.0.0.1:8787", group="how to work"),
    *SERVE_OPTIONS,
)  # fmt: skip


def run(called: Called) -> int:
    """Serve until it is interrupted."""
    from rolewatch.cli.serving import Serving  # noqa: PLC0415 - not needed for --help

    with opened(called) as state:
        Serving(called, state, called.values["listen"]).run()
    return 0
