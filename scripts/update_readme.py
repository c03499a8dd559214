"""Put the demo's real output into the README, between `<!-- demo -->` and `<!-- /demo -->`.

It is longer than a README should be: its first and last parts are shown, and how many lines lie between them.

Usage: update_readme.py [--check]; with --check nothing is written, and the exit status is 1 if the README is out of date.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
REGION = re.compile(r"(?<=<!-- demo -->\n).*?(?=<!-- /demo -->)", re.DOTALL)
COMMAND = ["scan", "examples/deliveries"]
FIRST, LAST = (
    3,
    2,
)  # parts shown, which blank lines set apart: what is blind; what was looked at and what is not visible
PLAIN = {"COLUMNS": "118", "NO_COLOR": "1", "TERM": "dumb"}
# How long it took, and what follows from it, differs from run to run.
TIMES = re.compile(r"\d+(?:\.\d+)?(?= ?(?:ms|s|seconds|[KMG]B/s)\b)")


def demo() -> str:
    """Return the demo's command and its output, shortened, as a Markdown code block."""
    command = [sys.executable, "-m", "rolewatch", *COMMAND]
    environment = os.environ | PLAIN
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    output = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    return "\n".join(["```text", f"$ rolewatch {' '.join(COMMAND)}", shortened(output), "```", ""])


def shortened(output: str) -> str:
    """Return the first and last parts of an output, and between them a line that says how much is left out."""
    parts = output.split("\n\n")
    first, between, last = parts[:FIRST], parts[FIRST:-LAST], parts[-LAST:]
    lines = "\n\n".join(between).count("\n") + 1
    return "\n\n".join([*first, f"[… {lines} lines left out here …]", *last] if between else parts)


def main() -> int:
    """Write or check the README; return the exit status."""
    readme, output = README.read_text(), demo()
    (present,) = REGION.findall(readme)
    if TIMES.sub("0", present) == TIMES.sub("0", output):
        return 0
    if "--check" in sys.argv:
        print("README.md: the demo's output is out of date; run scripts/update_readme.py")
        return 1
    README.write_text(REGION.sub(lambda _: output, readme))
    print("README.md: the demo's output is new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
