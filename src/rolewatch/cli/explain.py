"""`rolewatch explain`: why a role is kept out, which statement does it, and the proven change that lets it in."""

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo, RolewatchError, UsageError
from rolewatch.base.machine import cores
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import PIECE, read_file
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.shared import OUTPUT
from rolewatch.cli.states import STATE, looked_into

if TYPE_CHECKING:
    from rolewatch.explain.encoded import Decoded
    from rolewatch.explain.explanation import Explanation
    from rolewatch.explain.incident import Incident

HELP = (
    "Explain a denial: the verdict, the statement that decides, and the change that lets the role in,\n"
    "proven by evaluating the changed policy. FILE holds records of CloudTrail, a report of `rolewatch scan`\n"
    "or one finding of it; ID is that of a finding of a watcher."
)
EXAMPLES = (
    ("rolewatch explain denied.json --policies policies/", "a record, with the policies that were collected"),
    ("rolewatch explain 1d8648e6a1c1f356 --policies policies/", "a finding of a watcher; its id may be shortened"),
    ("rolewatch explain report.json --finding 1d8648e6 --format json", "one finding of a scan that was written with --format json"),
    ("rolewatch explain denied.json --policies policies/ --write policy.json", "write the changed policy, for the command that is printed"),
    ("rolewatch explain denied.json", "what the message alone tells, and which policy to look at"),
)  # fmt: skip
POSITIONALS = (
    Positional(
        "what",
        "FILE|ID",
        "records, a report or a finding (- is standard input), or the id of a finding",
        file=True,
    ),
)
_WITH = "what to explain it with"
OPTIONS = (
    Option("policies", "the folder of collected policies, a file for each resource, named by its ARN", "DIR", file=True, group=_WITH),
    Option("finding", "which finding of FILE; an id may be shortened", "ID", group=_WITH),
    Option("all-slrs", "let in all service-linked roles of the account, not only this one", flag=True, default=False, group=_WITH),
    Option("decode", "have AWS STS decode EC2's encoded messages, which takes credentials", flag=True, default=False, group=_WITH),
    STATE,
    Option("write", "write the changed policy to FILE, as the printed command wants it", "FILE", file=True, group="what to print"),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print"),
    OUTPUT,
)  # fmt: skip
MOST: Final = 1024**3  # bytes of a report
FAILED: Final = 4  # the exit status where something could not be done (DESIGN)
_ID: Final = re.compile(r"[0-9a-f]{4,16}\Z")
_RECORDS: Final = re.compile(rb'\s*\{\s*"Records"\s*:')


class Found(NamedTuple):
    """Findings to explain, the exit status that reading them came to, and the encoded messages of a finding, by its id."""

    findings: Sequence[Mapping[str, Any]]
    status: int
    encoded: Mapping[str, str] = {}


def run(called: Called) -> int:
    """Explain, and return the exit status."""
    from rolewatch.explain.folder import Folder  # noqa: PLC0415 - not needed for --help
    from rolewatch.explain.incident import incident_of  # noqa: PLC0415 - as above

    values = called.values
    folder = Folder(values["policies"]) if values["policies"] else None
    found = _findings(called)
    _check_write(values, len(found.findings))
    incidents = [incident_of(finding) for finding in found.findings]
    decoded: dict[str, Decoded] = {}
    statuses = {found.status}
    if values["decode"]:
        decoded, status = _decoded(incidents, found.encoded)
        statuses.add(status)
    explained, status = _explained(incidents, folder, decoded, all_slrs=values["all-slrs"])
    statuses.add(status)
    with Output(values["output"]) as out:
        refused = _written_to(values["write"], explained[0]) if values["write"] else None
        text = _text(explained, found.encoded, values)
        out.write(lambda stream: stream.write(text))
    if refused:
        raise refused
    return next((status for status in (FAILED, UNREAD) if status in statuses), 0)


def _check_write(values: Mapping[str, Any], number: int) -> None:
    """Raise UsageError for a --write that cannot be meant."""
    if not values["write"]:
        return
    if values["write"] in ("-", values["output"]):
        raise UsageError("--write names the file for the changed policy alone", remedy="name another file")
    if not values["policies"]:
        raise UsageError(
            "--write needs a change, and --policies to find it", remedy="name the folder with --policies"
        )
    if number > 1:
        raise UsageError(
            f"--write is for one finding, and there are {number}", remedy="choose one with --finding ID"
        )


def _explained(
    incidents: Sequence["Incident"], folder: Any, decoded: Mapping[str, "Decoded"], *, all_slrs: bool
) -> tuple[list["Explanation"], int]:
    """Explain each; one whose policies cannot be read is explained by its message, if there are others."""
    from rolewatch.explain.explanation import Asked, by_message, explain  # noqa: PLC0415 - not needed for --help

    asked = Asked(folder, all_slrs, decoded)
    explained, status = [], 0
    for incident in incidents:
        try:
            explained.append(explain(incident, asked))
        except RolewatchError as error:
            if len(incidents) == 1:
                raise
            complain(str(error))
            explained.append(by_message(incident, f"its policy cannot be read: {error}"))
            status = UNREAD
    return list(_with_neighbours(explained)), status


def _with_neighbours(explained: Sequence["Explanation"]) -> Iterator["Explanation"]:
    """Say of changes of one and the same policy that each is made of the policy as it is without the others."""
    numbers = Counter(each.fix.target for each in explained if each.fix)
    for each in explained:
        others = numbers[each.fix.target] - 1 if each.fix else 0
        note = (
            f"{others} more of these findings {'want' if others > 1 else 'wants'} a change of the same policy: make one, collect the policy "
            "anew and explain again, or let in all service-linked roles of the account at once with --all-slrs"
        )
        yield each._replace(notes=[*each.notes, note]) if others else each


def _text(explained: Sequence["Explanation"], encoded: Mapping[str, str], values: Mapping[str, Any]) -> str:
    from rolewatch.explain.encoded import decode_command  # noqa: PLC0415 - not needed for --help
    from rolewatch.report.explanation import Shown, explanation_json, explanation_text  # noqa: PLC0415 - as above
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - as above

    def shown(found: "Explanation") -> Shown:
        text = encoded.get(found.incident.id)
        command = decode_command(text, _region(found.incident)) if text else None
        return Shown(values["write"], command)

    if values["format"] == "json":
        made = [explanation_json(each, shown(each)) for each in explained]
        return dumps(made[0] if len(made) == 1 else {"explanations": made}, indent=1) + "\n"
    return "\n".join(explanation_text(each, shown(each)) for each in explained)


def _written_to(file: str, found: "Explanation") -> CannotDo | None:
    """Write the changed policy; returns the error if there is none."""
    fix = found.fix
    if fix is None or fix.put_command(file) is None:
        why = found.refused or "it is no policy that has to change"
        return CannotDo(f"nothing is written to {file}: {why}")
    with Output(file) as out:
        out.write(lambda stream: stream.write(fix.file_text()))
    return None


def _decoded(incidents: Sequence["Incident"], encoded: Mapping[str, str]) -> tuple[dict[str, "Decoded"], int]:
    """Have STS decode messages; those that it does not decode are named, and the exit status tells."""
    from rolewatch.explain.encoded import decode  # noqa: PLC0415 - not needed for --help

    found, status = {}, 0
    if not encoded:
        complain("no record has an encoded message to decode")
    for incident in incidents:
        text = encoded.get(incident.id)
        if not text:
            continue
        try:
            found[incident.id] = decode(text, _region(incident))
        except CannotDo as error:
            complain(str(error))
            status = FAILED
    return found, status


def _region(incident: "Incident") -> str | None:
    return incident.regions[0] if incident.regions else None


def _findings(called: Called) -> Found:
    """Find what to explain; UsageError if there is nothing."""
    word = called.values["what"]
    if word != "-" and _ID.match(word) and not Path(word).exists():
        from rolewatch.watch.listing import shown  # noqa: PLC0415 - not needed for --help

        with looked_into(called) as state:
            return Found([shown(state, word, now=datetime.now(UTC))], 0)
    wanted = called.values["finding"]

    def chosen(findings: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        if wanted:
            findings = [finding for finding in findings if str(finding.get("id", "")).startswith(wanted)]
        if not findings:
            what = (
                f"no finding whose id begins with {wanted}"
                if wanted
                else "no denial of a service-linked role"
            )
            raise UsageError(f"{word} holds {what}", remedy="see what `rolewatch scan` finds in it")
        return findings

    content = _stdin() if word == "-" else _report(word)
    written = written_findings(content)
    if written is not None:
        return Found(chosen(written), 0)
    with _readable(word, content) as source:
        return _scanned(source, chosen)


def _report(word: str) -> bytes:
    """Read a file that may hold findings; "" for what holds records, which may be large."""
    path = Path(word)
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            head = file.read(PIECE)
    except OSError:
        return b""  # reading it as records says what is wrong
    return (
        read_file(word, "FILE", MOST) if head.lstrip().startswith(b"{") and not _RECORDS.match(head) else b""
    )


def _stdin() -> bytes:
    return sys.stdin.buffer.read(MOST) if sys.stdin else b""


@contextmanager
def _readable(word: str, content: bytes) -> Iterator[str]:
    """Give a SOURCE: what was read from standard input is there once, and deliveries are read more than once."""
    if word != "-":
        yield word
        return
    with tempfile.TemporaryDirectory(prefix="rolewatch-") as folder:
        place = Path(folder, "standard-input.json")
        place.write_bytes(content)
        yield str(place)


def written_findings(content: bytes) -> Sequence[Mapping[str, Any]] | None:
    """Read findings that are written down as such; None where the file holds something else."""
    if not content.lstrip().startswith(b"{") or _RECORDS.match(content):
        return None
    try:
        found = json.loads(content)
    except RecursionError:
        return None
    except ValueError:
        return _lines_of(content)
    if isinstance(found.get("findings"), list):
        return [each for each in found["findings"] if isinstance(each, dict)]
    return [found] if _is_finding(found) else None


def _lines_of(content: bytes) -> Sequence[Mapping[str, Any]] | None:
    """Read findings that are written a line each."""
    try:
        found = [json.loads(line) for line in content.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return found if found and all(map(_is_finding, found)) else None


def _is_finding(found: object) -> bool:
    return isinstance(found, dict) and {"role_arn", "actions", "resource"} <= found.keys()


def _scanned(
    source: str, chosen: Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]
) -> Found:
    """Find denials in records, and the messages that EC2 has encoded."""
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - not needed for --help
    from rolewatch.scan.run import run as scan  # noqa: PLC0415 - as above

    request = ScanRequest(jobs=cores())
    report = scan([source], request, now=datetime.now(UTC))
    for entry in report["unreadable"]:
        complain(f"cannot read {entry['delivery']}: {entry['reason']}")
    findings = chosen(report["findings"])
    encoded: dict[str, str] = {}
    if any(finding["cause"]["kind"] is None for finding in findings):  # as encoded messages tell none
        encoded = _encoded(findings, source, request)
    return Found(findings, UNREAD if report["unreadable"] else 0, encoded)


def _encoded(findings: Sequence[Mapping[str, Any]], source: str, request: Any) -> dict[str, str]:
    """Find the latest encoded message of each finding."""
    from rolewatch.engines.deliveries import answer  # noqa: PLC0415 - not needed for --help
    from rolewatch.explain.encoded import messages_of  # noqa: PLC0415 - as above

    messages = messages_of(lambda plan, most: answer(plan, [source], request, most=most).rows)
    found = {}
    for finding in findings:
        own = [messages[event] for event in finding["event_ids"] if event in messages]
        if own:
            found[finding["id"]] = own[-1]
    return found
