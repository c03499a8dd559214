"""A scan from end to end: sources and a request in, the report (DESIGN's JSON) out."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rolewatch import __version__
from rolewatch.findings.build import Known, build, followed
from rolewatch.scan.detect import Detector, latest
from rolewatch.scan.pool import Fold, Tell, fold
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.summary import Summary
from rolewatch.sources import deliveries_of


def run(
    sources: Sequence[str],
    options: ScanRequest,
    *,
    now: datetime,
    progress: Tell | None = None,
    elsewhere: Fold | None = None,
) -> dict[str, Any]:
    """Scan the sources and return the report; `elsewhere` folds the deliveries on other machines.

    Raises SourceError for a SOURCE that does not exist and CannotDo for what stops the whole scan; deliveries that
    cannot be read are listed under `unreadable` and stop nothing. `now` is the end of an open window.
    """
    started = time.monotonic()
    problems: list[tuple[str, str]] = []
    listed = deliveries_of(sources, options.window, problems)

    make = partial(Detector, options)
    with without_collector(), (elsewhere or fold)(listed, make, options.jobs, progress) as crew:
        summary = crew.summary
        facts = latest(crew, followed(summary.denials.values())) if options.recovery else {}
        summary.unreadable += problems
        last_seen = _last_seen(summary, options)
        known = Known(summary.copies, summary.examples, facts, last_seen, options.silent_after)
        findings = build(summary.denials.values(), known)
    totals: dict[str, Any] = dict(summary.totals())
    totals["seconds"] = round(time.monotonic() - started, 3)
    return {
        "findings": findings,
        "totals": totals,
        "skipped": _listing(summary.skipped),
        "unreadable": _listing(summary.unreadable),
        "coverage": summary.coverage.report(records=totals["records"], window=options.window),
        "generated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": __version__,
        "sources": list(sources),
        "notes": [],
    }


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the cyclic garbage collector off: records are trees without cycles, and collecting costs a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _last_seen(summary: Summary, options: ScanRequest) -> dict[str, str]:
    """Give the last record seen of each account, no later than the end of what was asked for."""
    last_seen, until = summary.coverage.last_seen(), options.window.until
    if until is None:
        return last_seen
    end = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {account: min(last, end) for account, last in last_seen.items()}


def _listing(rows: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"delivery": name, "reason": reason} for name, reason in sorted(rows)]
