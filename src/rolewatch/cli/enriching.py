"""What policies and deliveries tell of findings beside the denials themselves: options, and what they do to a report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli.options import Option
from rolewatch.cli.output import complain

if TYPE_CHECKING:
    from rolewatch.cli.commands import Called
    from rolewatch.explain.blame import History
    from rolewatch.explain.explanation import Explanation
    from rolewatch.plan import Plan
    from rolewatch.scan.request import ScanRequest

_GROUP: Final = "why it is blocked"
POLICIES: Final = Option(
    "policies",
    "explain findings by the policies that were collected in DIR, and find the change that ends each",
    "DIR",
    file=True,
    group=_GROUP,
)
BLAME: Final = Option(
    "blame",
    "name who changed the policy last before it began; reads the deliveries once more",
    flag=True,
    default=False,
    group=_GROUP,
)


def check(values: Mapping[str, Any]) -> None:
    """Raise UsageError for what cannot be done, before anything is read."""
    if values["blame"] and "-" in values["source"]:
        raise UsageError(
            "--blame reads the deliveries twice, and standard input is there once",
            remedy="name a file or folder",
        )


def enriched(report: Mapping[str, Any], values: Mapping[str, Any], request: "ScanRequest") -> bool:
    """Enrich the findings of a report, if that is asked for; says whether all that was needed could be read."""
    if not (values["policies"] or values["blame"]):
        return True
    from rolewatch.explain.enrich import Enriching, enrich  # noqa: PLC0415 - only where asked for
    from rolewatch.explain.explanation import Asked  # noqa: PLC0415 - as above
    from rolewatch.explain.folder import Folder  # noqa: PLC0415 - as above

    asked = Asked(Folder(values["policies"])) if values["policies"] else None
    history = _history(values["source"], request) if values["blame"] and report["findings"] else None
    failed = enrich(report["findings"], Enriching(asked, history, shown))
    for resource, reason in failed:
        complain(f"cannot explain {resource}: {reason}")
    return not failed


def shown(found: "Explanation") -> dict[str, Any] | None:
    """Write what decided, as `rolewatch explain` does."""
    from rolewatch.report.decision import deciding_json  # noqa: PLC0415 - as above

    return deciding_json(found.deciding, found.request) if found.deciding and found.request else None


def _history(sources: Sequence[str], request: "ScanRequest") -> "History":
    """Ask the deliveries for changes of policies."""
    from rolewatch.engines.deliveries import answer  # noqa: PLC0415 - only where asked for
    from rolewatch.explain.blame import history_of  # noqa: PLC0415 - as above

    def ask(plan: "Plan", most: int) -> Sequence[Sequence[Any]]:
        return answer(plan, sources, request, most=most).rows

    return history_of(ask)


def blamed(finding: dict[str, Any], called: "Called", place: str) -> None:
    """Put into a finding who changed its policy last, by the records of a lake; where that knows nobody, what is there stays."""
    from rolewatch.base.machine import cores  # noqa: PLC0415 - only where asked for
    from rolewatch.cli.lakes import lake_of  # noqa: PLC0415 - as above
    from rolewatch.engines.lake import answer_lake  # noqa: PLC0415 - as above
    from rolewatch.explain.blame import history_of  # noqa: PLC0415 - as above
    from rolewatch.sources import Window  # noqa: PLC0415 - as above

    lake = lake_of(called, place)

    def ask(plan: "Plan", most: int) -> Sequence[Sequence[Any]]:
        found = answer_lake(plan, lake, Window(), most=most, threads=cores(), doubtful=lambda _: False)
        return found.rows

    blame = history_of(ask).blame(finding["resource"], finding["first_denied"])
    finding["blame"] = blame.to_json() if blame else finding.get("blame")
