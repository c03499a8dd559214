"""What is new since an earlier report (`--baseline`)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from rolewatch.base.errors import UsageError

Finding = dict[str, Any]
OVER = frozenset(("recovered", "gone"))
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Known(msgspec.Struct):
    id: str
    status: str = "blocked"


class _Report(msgspec.Struct):
    findings: list[_Known]


def read_baseline(content: bytes, name: str) -> dict[str, str]:
    """Read finding id → status from an earlier report: json, or jsonl (a finding a line).

    Raises UsageError that names the file if it is neither.
    """
    try:
        known = msgspec.json.decode(content, type=_Report).findings
    except _UNREADABLE as error:
        try:
            known = msgspec.json.Decoder(_Known).decode_lines(content)
        except _UNREADABLE:
            raise UsageError(
                f"{name}: not a report of rolewatch ({error})",
                remedy="give what `rolewatch scan --format json` wrote",
            ) from None
    return {finding.id: finding.status for finding in known}


def new_since(findings: Iterable[Finding], known: Mapping[str, str]) -> list[Finding]:
    """Keep the findings that `known` does not have, and those that were over then and are open again."""
    return [
        finding
        for finding in findings
        if finding["id"] not in known or (known[finding["id"]] in OVER and finding["status"] not in OVER)
    ]
