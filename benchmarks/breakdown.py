"""Say where the time of a scan goes: each part's share, in one process, next to gunzip of the same files.

Usage: breakdown.py FOLDER [--no-recovery]. Parts are timed by wrapping the functions that do them, which costs a
little itself; what no wrapper sees (listing, opening files, bookkeeping) is the rest.
"""

import argparse
import gc
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

from rolewatch.cloudtrail import carve, read
from rolewatch.denials.rule import ERROR
from rolewatch.scan import bundle, step
from rolewatch.scan.pool import _batches
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window, deliveries_of

spent: Counter[str] = Counter()


def timed(place: Any, name: str, part: Callable[..., str]) -> None:
    """Wrap a function so that its time counts for a part, named by its arguments."""
    inner = getattr(place, name)

    def outer(*args: Any, **more: Any) -> Any:
        start = perf_counter()
        try:
            return inner(*args, **more)
        finally:
            spent[part(*args)] += perf_counter() - start

    setattr(place, name, outer)


def main() -> None:
    """Read the command line, scan once to warm up and once to measure, print the shares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--no-recovery", action="store_true")
    options = parser.parse_args()
    for place in (read, step):
        timed(place, "inflate", lambda *_: "gunzip")
    timed(carve, "_part", lambda *_: "count records, check the shape")
    timed(
        carve.Carved,
        "spans",
        lambda _, literals: "search for errors" if ERROR in literals else "search for roles and deletions",
    )
    timed(carve.Carved, "escaped", lambda *_: "look for escapes")
    timed(carve.Carved, "stands_alone", lambda *_: "prove that denials stand alone")
    timed(step, "decode_success", lambda *_: "decode proofs of access")
    timed(step, "facts", lambda *_: "name what they prove")
    timed(step, "worth", lambda *_: "decide on errors")
    timed(bundle.Bundle, "take", lambda *_: "bundle small files")
    timed(step.Stepper, "_apply", lambda *_: "keep facts")
    gc.disable()
    deliveries = list(deliveries_of([options.folder], Window(), []))
    for _ in range(2):
        spent.clear()
        stepper = step.Stepper(ScanRequest(recovery=not options.no_recovery))
        start = perf_counter()
        for batch in _batches(deliveries):
            for _ in stepper.step_all((delivery, None) for delivery in batch):
                pass
        whole = perf_counter() - start
    spent["the rest"] = whole - sum(spent.values())
    print("| part | share | of gunzip |\n|---|---|---|")
    for part, seconds in spent.most_common():
        print(f"| {part} | {seconds / whole:.0%} | {seconds / spent['gunzip']:.2f} |")


if __name__ == "__main__":
    main()
