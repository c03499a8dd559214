"""What is in a lake."""

from collections.abc import Iterable, Iterator
from typing import Any

from rolewatch.lake.lake import Lake
from rolewatch.lake.manifest import Part
from rolewatch.lake.parts import spell
from rolewatch.lake.place import GONE


def info(lake: Lake) -> dict[str, Any]:
    """Describe a lake: its days, records and files; what is wrong with files is under `unreadable`."""
    manifest = lake.manifest()
    unreadable: list[tuple[str, str]] = [(name, "this is no file of the lake") for name in lake.strangers()]
    before, lake.tell = lake.tell, lambda name, reason: unreadable.append((name, reason))
    try:
        if lake.place.remote:
            unreadable += _differing(lake, manifest.parts)
        else:
            with lake.readable(manifest.parts):
                pass  # what is wrong was told
        done = len(lake.ledger())
    finally:
        lake.tell = before
    parts = manifest.parts
    firsts = [part.first for part in parts if part.first is not None]
    lasts = [part.last for part in parts if part.last is not None]
    days = sorted({part.day for part in parts})
    return {
        "lake": lake.place.name,
        "revision": manifest.head.revision,
        "records": sum(part.rows for part in parts),
        "first_record": spell(min(firsts, default=None)),
        "last_record": spell(max(lasts, default=None)),
        "days": len(days),
        "files": len(parts),
        "bytes": sum(part.bytes for part in parts),
        "record_bytes": sum(part.record_bytes for part in parts),
        "deliveries": done,
        "retired_files": len(manifest.head.retired),
        "unreadable": [{"file": name, "reason": reason} for name, reason in sorted(unreadable)],
    }


def _differing(lake: Lake, parts: Iterable[Part]) -> Iterator[tuple[str, str]]:
    """Name parts that are not as the manifest says, as far as a listing tells."""
    sizes = {each.name: each.bytes for each in lake.place.files()}
    for part in parts:
        size = sizes.get(part.path)
        if size is None:
            yield part.path, GONE
        elif size != part.bytes:
            yield part.path, f"it has {size:,} bytes, and the manifest says {part.bytes:,}"
