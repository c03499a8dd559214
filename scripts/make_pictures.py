"""Make the documentation's pictures of the html report: examples/deliveries, scanned, drawn, opened in Chromium.

Writes docs/images/report.png (light) and report-dark.png: 1280 pixels wide, from the top to below the matrix and the
timeline. Time is fixed, so that a picture changes only if the report does; fonts are those of the machine.

Usage: make_pictures.py; needs the requirements of `make test`, and Chromium.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from playwright.sync_api import sync_playwright

from rolewatch.report.html import write
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PICTURES: Final[dict[Literal["light", "dark"], str]] = {"light": "report.png", "dark": "report-dark.png"}
BROWSER = shutil.which("chromium") or "/usr/bin/chromium"
WIDTH, MARGIN = 1280, 16  # pixels
LAST_PART = "section:has(> #timeline-title)"  # ends level with the matrix beside it
NOW = datetime(2026, 3, 20, 22, 30, tzinfo=UTC)  # a little after the last record of the examples
SECONDS = 0.1


def page() -> str:
    """Return the html report of the examples, as of a fixed time."""
    os.chdir(ROOT)
    report = run(["examples/deliveries"], ScanRequest(), now=NOW)
    report["totals"]["seconds"] = SECONDS
    drawn = io.StringIO()
    write(report, drawn)
    return drawn.getvalue()


def picture(page: Page) -> bytes:
    """Return the interesting part of an open report as PNG."""
    box = page.locator(LAST_PART).bounding_box()
    if box is None:
        raise SystemExit(
            f"the report has no {LAST_PART}: say in {Path(__file__).name} where the picture ends"
        )
    height = round(box["y"] + box["height"]) + MARGIN
    return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})


def main() -> None:
    """Write both pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        file.write_text(page(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for scheme, name in PICTURES.items():
            opened = browser.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme=scheme)
            opened.goto(file.as_uri())
            content = picture(opened)
            IMAGES.joinpath(name).write_bytes(content)
            print(f"docs/images/{name}: {len(content):,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
