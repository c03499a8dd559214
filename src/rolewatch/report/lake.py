"""What was ingested, and what is in a lake, as text for a terminal."""

from collections.abc import Mapping
from typing import Any

from rolewatch.base.sanitise import terminal
from rolewatch.report.words import count, size

_LONGEST = 300  # characters of a name


def ingested(found: Mapping[str, Any]) -> str:
    """Say what became of deliveries."""
    totals = found["totals"]
    again = f", {count(found['duplicates'], 'record')} were there already" if found["duplicates"] else ""
    known = f"; {count(totals['known'], 'delivery')} had been ingested before" if totals["known"] else ""
    return (
        f"{count(found['records_added'], 'record')} added to {terminal(found['lake'], _LONGEST)}{again}.\n"
        f"Read {count(totals['deliveries'], 'delivery')}, {size(totals['bytes'])} of JSON, in {totals['seconds']:.1f} s{known}.\n"
    )


def described(found: Mapping[str, Any]) -> str:
    """Describe a lake."""
    rows = [
        ("lake", found["lake"]),
        ("records", f"{found['records']:,}"),
        ("from", found["first_record"] or "-"),
        ("to", found["last_record"] or "-"),
        ("days", f"{found['days']:,}"),
        ("files", f"{found['files']:,}"),
        ("size", f"{size(found['bytes'])}, of {size(found['record_bytes'])} of JSON"),
        ("deliveries", f"{found['deliveries']:,}"),
        ("files to go", f"{found['retired_files']:,}"),
        *((each["file"], each["reason"]) for each in found["unreadable"]),
    ]
    width = max(len(name) for name, _ in rows if len(name) < 20)
    return "".join(
        f"{terminal(name, _LONGEST):{width}}  {terminal(str(text), _LONGEST)}\n" for name, text in rows
    )
