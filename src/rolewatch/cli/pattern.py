"""`rolewatch pattern`: filter patterns of CloudWatch Logs, tried out without CloudWatch (`test`), and checked (`lint`)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import SourceError, UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import Called
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_MATCH = 1
LINT_ONLY = ("exit-code", "parameter", "import")
HELP = (
    "test: try a filter pattern of CloudWatch Logs on messages, as TestMetricFilter does:\n"
    "which of them match, and what a space-delimited pattern extracts.\n"
    "lint: what is wrong with a pattern, or with the metric filters and alarms of a template:\n"
    "each with a sentence why, and the corrected line."
)
EXAMPLES = (
    ("rolewatch pattern test '{ $.errorCode = \"AccessDenied*\" }' events.json", "a JSON array of messages, or one a line"),
    ("tail -n 100 access.log | rolewatch pattern test '[ip, user, ..., status = 4*, bytes]'", "messages from standard input"),
    ("rolewatch pattern test --format json -- '-DEBUG ?ERROR ?WARN' app.log", "a pattern that begins with a dash comes after --"),
    ("rolewatch pattern lint '{ $.errorCode = AccessDenied }'", "what a pattern misses, and a better one"),
    ("rolewatch pattern lint alarms.yaml --parameter Stage=prod --exit-code 1", "check a template; end with 1 if there is advice"),
)  # fmt: skip
POSITIONALS = (
    Positional("action", "ACTION", "what to do: test or lint", choices=("test", "lint")),
    Positional(
        "pattern",
        "PATTERN",
        "a filter pattern; an empty one matches everything. For lint also a CloudFormation template: a file that exists, "
        "or a name that ends in .yaml, .yml, .json or .template",
        blank=True,
        file=True,
    ),
    Positional(
        "file",
        "FILE",
        "for test: messages, one a line, or a .json file with an array of strings or objects; - or nothing is standard input",
        optional=True,
        file=True,
    ),
)
_OUT, _WHAT = "what to print", "what to lint"
OPTIONS = (
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group=_OUT),
    Option("exit-code", "for lint: end with N if there is any advice", "N", words.status, default=0, shown="0", group=_OUT),
    Option("parameter", "the value of a parameter of the template", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    Option("import", "what Fn::ImportValue gives for an exported name", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
)  # fmt: skip


def run(called: Called) -> int:
    """Test or lint, and return the exit status."""
    if called.values["action"] == "lint":
        from rolewatch.cli.pattern_lint import lint  # noqa: PLC0415 - not needed for --help

        return lint(called.values)
    return _test(called)


def _test(called: Called) -> int:
    """Try the pattern on messages; 1 if none matches."""
    from rolewatch.cli.pattern_lint import shortened  # noqa: PLC0415 - not needed for --help
    from rolewatch.patterns import PatternError, compile_pattern  # noqa: PLC0415 - as above

    _refuse_options_of_lint(called)
    try:
        pattern = compile_pattern(called.values["pattern"])
    except PatternError as error:
        raise shortened(error) from None
    messages = _messages(called.values["file"])
    found = [(number, message, pattern.match(message)) for number, message in enumerate(messages, 1)]
    matches = [
        {"eventNumber": number, "eventMessage": message, "extractedValues": dict(values)}
        for number, message, values in found
        if values is not None
    ]
    status = 0 if matches else NO_MATCH
    if called.values["format"] == "json":
        from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help

        return say(dumps({"matches": matches}, indent=1) + "\n") or status
    return say(_table(matches, len(messages))) or status


def _refuse_options_of_lint(called: Called) -> None:
    """Raise UsageError for an option of `pattern lint` that was typed; one that is set for all commands does no harm."""
    for name in LINT_ONLY:
        if name in called.typed:
            raise UsageError(
                f"--{name} is an option of `pattern lint`: `pattern test` tries a pattern on messages",
                remedy="leave it out, or write `rolewatch pattern lint`",
            )


def _table(matches: "Sequence[dict[str, Any]]", total: int) -> str:
    """List the messages that match, with what was extracted below each."""
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - not needed for --help

    lines = []
    for match in matches:
        lines.append(f"{match['eventNumber']:>6}  {terminal(match['eventMessage'], 400)}")
        lines += [
            f"        {terminal(name, 100)} = {terminal(value, 300)}"
            for name, value in match["extractedValues"].items()
        ]
    number = "1 message" if total == 1 else f"{total:,} messages"
    verb = "matches" if total == 1 or len(matches) == 1 else "match"
    return "\n".join([*lines, f"{len(matches):,} of {number} {verb}", ""])


def _messages(file: str | None) -> list[str]:
    """Read messages; UsageError for a .json file that is no array of strings or objects."""
    if file in (None, "-"):
        content = sys.stdin.buffer.read() if sys.stdin else b""
        return content.decode("utf-8", "replace").splitlines()
    try:
        content = Path(str(file)).read_bytes()
    except OSError as error:
        raise SourceError(f"{file}: {error.strerror or error}") from None
    if not str(file).endswith(".json"):
        return content.decode("utf-8", "replace").splitlines()
    return _listed(content, str(file))


def _listed(content: bytes, name: str) -> list[str]:
    """Read an array of messages; an object is a message as it is written there."""
    import msgspec  # noqa: PLC0415 - only for this

    remedy = "give an array of strings or objects, or a file with a message a line that is not called .json"
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        if content.lstrip().startswith(b"{"):
            items = msgspec.json.decode(content, type=dict[str, msgspec.Raw]).get(
                "Records", msgspec.Raw(b"{}")
            )
            content = bytes(items)
        raws = msgspec.json.decode(content, type=list[msgspec.Raw])
        messages = []
        for number, raw in enumerate(map(bytes, raws), 1):
            if raw[:1] not in (b'"', b"{"):
                raise UsageError(f"{name}: element {number} is neither a string nor an object", remedy=remedy)
            messages.append(raw.decode() if raw[:1] == b"{" else msgspec.json.decode(raw, type=str))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} holds no array of messages: {error}", remedy=remedy) from None
    return messages
