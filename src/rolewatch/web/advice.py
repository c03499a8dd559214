"""How to come by the change that ends a finding where the watcher had no policies to find it with."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.explain.explanation import Asked, explain
from rolewatch.explain.incident import incident_of
from rolewatch.store.blind_spots import BLIND
from rolewatch.web.desk import Desk

FOLDER: Final = "policies"  # where commands collect policies …
FILE: Final = "policy.json"  # … and have a changed one


class Advice(NamedTuple):
    """`policies`: which policies would tell, each with `policy`, `resource`, and the `command` that shows it or None.

    `collect` and `explain` are commands: the one collects these policies, the other finds the change by them.
    """

    policies: Sequence[Mapping[str, str | None]]
    collect: str
    explain: str


def advice(desk: Desk, finding: Mapping[str, Any]) -> Advice | None:
    """Say what to do; None where there is a change already, where nothing has to be changed, or where no policy would tell."""
    if finding.get("fix") or finding["status"] not in BLIND:
        return None
    places = explain(incident_of(finding), Asked()).look_at
    if not places:
        return None
    targets = list(dict.fromkeys(str(place["resource"]) for place in places))
    arns = [word for target in targets if target.startswith("arn:") for word in ("--arn", target)]
    collect = ["rolewatch", "aws", "policies", *arns, "--out", FOLDER] if arns else []
    return Advice(places, shlex.join(collect), _explain(desk, finding))


def write_command(desk: Desk, finding: Mapping[str, Any]) -> str:
    """Give the command that writes the changed policy into the file which the commands of a fix put; "" where none of them does.

    Findings do not hold the changed policy, which may be long: it is made again of the policies.
    """
    fix = finding.get("fix") or {}
    file = any(f"file://{FILE}" in command for command in fix.get("commands", ()))
    return _explain(desk, finding, "--write", FILE) if file else ""


def _explain(desk: Desk, finding: Mapping[str, Any], *more: str) -> str:
    state = [] if desk.state.shared else ["--state", desk.state.name]
    return shlex.join(["rolewatch", "explain", finding["id"], "--policies", FOLDER, *state, *more])
