"""Say where the time of a scan goes: each part's share, in one process, next to gunzip of the same files.

Usage: breakdown.py FOLDER [--no-recovery]. Parts are timed by wrapping the functions that do them, which costs a
little itself; what no wrapper sees (listing, opening files, bookkeeping) is the rest.
"""

import argparse
import gc
from collections import Counter
from time import perf_counter
from typing import Any

from rolewatch.cloudtrail import carve, read
from rolewatch.findings.build import followed
from rolewatch.scan import detect, examine, proofs, step
from rolewatch.scan.pool import Alone, _batches
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window, deliveries_of
from rolewatch.sources.delivery import FileDelivery

spent: Counter[str] = Counter()


inside: list[float] = []  # time of the parts within each part that is running


def timed(place: Any, name: str, part: str) -> None:
    """Wrap a function so that its own time, without that of other parts within, counts for a part."""
    inner = getattr(place, name)

    def outer(*args: Any, **more: Any) -> Any:
        start = perf_counter()
        inside.append(0.0)
        try:
            return inner(*args, **more)
        finally:
            whole = perf_counter() - start
            spent[part] += whole - inside.pop()
            if inside:
                inside[-1] += whole

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
        timed(place, "inflate", "gunzip")
    timed(FileDelivery, "read", "read files")
    timed(carve, "_part", "count records, search, boil down successes")
    timed(carve.Carved, "stands_alone", "prove that records stand alone")
    timed(examine.Examiner, "examine", "decode and name denials and errors")
    timed(step.Stepper, "_apply", "keep what was found")
    timed(proofs.Proofs, "_find", "find what proves recovery")
    timed(proofs.Proofs, "_hold", "prove recovery where it was read")
    gc.disable()
    deliveries = list(deliveries_of([options.folder], Window(), []))
    for _ in range(2):
        spent.clear()
        stepper = detect.Detector(ScanRequest(recovery=not options.no_recovery))
        start = perf_counter()
        for batch in _batches(deliveries):
            for _ in stepper.step_all((delivery, None) for delivery in batch):
                pass
        if not options.no_recovery:
            detect.latest(Alone(stepper), followed(stepper.summary.denials.values()))
        whole = perf_counter() - start
    spent["the rest"] = whole - sum(spent.values())
    print("| part | share | of gunzip |\n|---|---|---|")
    for part, seconds in spent.most_common():
        print(f"| {part} | {seconds / whole:.0%} | {seconds / spent['gunzip']:.2f} |")


if __name__ == "__main__":
    main()
