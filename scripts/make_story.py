"""Make docs/article.md's pictures and numbers: the article's alarm and ours, replayed over the same three weeks.

The three weeks are examples/deliveries with something ordinary every ten minutes, as in any account where people work: real
records of the examples that report no error, with other times and ids. What the replay says goes between
`<!-- replay NAME -->` and `<!-- /replay -->`; the pictures are the html reports, opened in Chromium.

Usage: make_story.py [--check]; with --check nothing is written, no picture is made, and the exit status is 1 if the page
is out of date.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5

from rolewatch.report.replay_html import write as write_html
from rolewatch.report.replay_story import stories
from rolewatch.scan.replay import replay
from rolewatch.scan.request import ScanRequest
from rolewatch.templates import read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rolewatch.scan.replayed import Replayed

ROOT = Path(__file__).resolve().parent.parent
PAGE, IMAGES = ROOT / "docs" / "article.md", ROOT / "docs" / "images"
BROWSER = shutil.which("chromium") or "/usr/bin/chromium"
TEMPLATES: Final = ("article", "slr-denied")
BEGIN, END, STEP = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 21, tzinfo=UTC), timedelta(minutes=10)
MARKED = re.compile(r"(<!-- replay ([a-z-]+) -->\n).*?(<!-- /replay -->)", re.DOTALL)
DELAY = 300  # seconds
WIDTH = 1100  # pixels


def recorded() -> Iterator[dict[str, Any]]:
    """Yield the records of the examples' trail."""
    for path in sorted((ROOT / "examples" / "deliveries" / "AWSLogs").rglob("*_CloudTrail_*.json.gz")):
        yield from json.loads(gzip.decompress(path.read_bytes()))["Records"]


def weeks() -> list[dict[str, Any]]:
    """Give the records of the examples, and between them something ordinary every ten minutes."""
    records = list(recorded())
    ordinary = [each for each in records if "errorCode" not in each]
    time, number = BEGIN, 0
    while time < END:
        copy = ordinary[number % len(ordinary)] | {
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventID": str(uuid5(NAMESPACE_URL, f"ordinary {number}")),
        }
        records.append(copy)
        time, number = time + STEP, number + 1
    return sorted(records, key=lambda each: each["eventTime"])


def replayed(folder: Path, name: str) -> Replayed:
    """Replay one of the example templates over the deliveries in a folder."""
    path = ROOT / "examples" / f"{name}.template.yaml"
    template = read_template(path.read_bytes(), f"examples/{path.name}")
    return replay([str(folder)], template, ScanRequest(), delay=DELAY, now=END)


def numbers(found: Replayed) -> str:
    """Say in a table what the alarm did."""
    (story,) = stories(found)
    rows = [
        ("times it went to ALARM", f"{story.entries:,}"),
        ("minutes in ALARM", f"{story.seconds // 60:,} of {(found.end - found.start) // 60:,}"),
        ("notifications", f"{story.notifications:,}"),
        (
            "findings that its filter counted",
            f"{len(story.raised) + len(story.meanwhile) + len(story.unraised):,}",
        ),
        ("of which somebody was told", f"{len(story.told):,}"),
        ("which began while it was in ALARM, so that nobody was told", f"{len(story.meanwhile):,}"),
    ]
    return "\n".join(["|  |  |", "|---|---|", *(f"| {what} | {number} |" for what, number in rows)]) + "\n"


def pictures(found: dict[str, Replayed], folder: Path) -> None:
    """Write a picture of each replay: the alarm's graph with its states."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not needed to check

    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for name, each in found.items():
            drawn = io.StringIO()
            write_html(each, drawn)
            file = folder / f"{name}.html"
            file.write_text(drawn.getvalue(), encoding="utf-8")
            page = browser.new_page(viewport={"width": WIDTH, "height": 900})
            page.goto(file.as_uri())
            content = page.screenshot()
            IMAGES.joinpath(f"replay-{name}.png").write_bytes(content)
            print(f"docs/images/replay-{name}.png: {len(content):,} bytes")
        browser.close()


def main() -> None:
    """Read the command line; replay, write or check."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trail").mkdir()
        text = json.dumps({"Records": weeks()}, separators=(",", ":")).encode()
        (folder / "trail" / "weeks.json.gz").write_bytes(gzip.compress(text, mtime=0))
        found = {each: replayed(folder / "trail", each) for each in TEMPLATES}
        old = PAGE.read_text(encoding="utf-8")
        new = MARKED.sub(lambda part: f"{part[1]}{numbers(found[part[2]])}{part[3]}", old)
        if "--check" in sys.argv:
            sys.exit(int(new != old))
        PAGE.write_text(new, encoding="utf-8")
        pictures(found, folder)


if __name__ == "__main__":
    main()
