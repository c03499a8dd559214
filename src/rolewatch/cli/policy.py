"""`rolewatch policy evaluate`: a request and the policies around it in; the decision, and which statement makes it, out."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from rolewatch.base.errors import SourceError
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

HELP = (
    "evaluate: decide a request by the policies in a file, as AWS does, without AWS:\n"
    "the decision, the statement that made it, and why each other statement does or does not match."
)
EXAMPLES = (
    ("rolewatch policy evaluate request.json", "a request with its policies, in one file"),
    ("cat request.json | rolewatch policy evaluate - --format json", "for a program to read"),
)
POSITIONALS = (
    Positional("action", "ACTION", "what to do: evaluate", choices=("evaluate",)),
    Positional(
        "file", "FILE", "a JSON file with the request and its policies; - is standard input", file=True
    ),
)
OPTIONS = (
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print"),
)  # fmt: skip


def run(called: Called) -> int:
    """Evaluate a file, and return the exit status."""
    from rolewatch.policies.evaluate import evaluate  # noqa: PLC0415 - not needed for --help
    from rolewatch.policies.question import read_question  # noqa: PLC0415 - as above
    from rolewatch.report.decision import decision_json, decision_text  # noqa: PLC0415 - as above

    name = called.values["file"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    question = read_question(_content(name), "standard input" if name == "-" else name, now)
    decision = evaluate(question.request, question.policies)
    if called.values["format"] == "json":
        from rolewatch.report.json_text import dumps  # noqa: PLC0415 - as above

        return say(dumps(decision_json(decision, question.request), indent=1) + "\n") or 0
    return say(decision_text(decision, question.request)) or 0


def _content(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read() if sys.stdin else b""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}") from None
