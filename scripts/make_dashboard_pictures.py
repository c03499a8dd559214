"""Make the documentation's pictures of the dashboard: the examples as if they happened today, watched, served, opened in Chromium.

Writes docs/images/dashboard-*.png. The records keep their order and their distance; all are moved by whole days, so that the
last one is of yesterday. Times in the pictures are therefore those of the day on which they were made.

Usage: make_dashboard_pictures.py; needs the requirements of `make test`, and Chromium.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSER = shutil.which("chromium") or "/usr/bin/chromium"
LAST: Final = datetime(2026, 3, 20, tzinfo=UTC)  # day of the last record of the examples
TIME: Final = re.compile(rb"2026-(\d\d)-(\d\d)T")
ROLEWATCH: Final = (sys.executable, "-m", "rolewatch")
PLACE: Final = re.compile(r"http://\S+")
#: Picture → page, colours, how high.
PICTURES: Final = (
    ("blind", "/", "light", 800), ("findings", "/findings?status=blocked&status=silent", "dark", 720),
    ("finding", "FINDING", "light", 960),
)  # fmt: skip


def moved(folder: Path) -> Path:
    """Copy the log files of the examples with all times moved to these days."""
    by = datetime.now(UTC).date() - timedelta(days=1) - LAST.date()

    def later(found: re.Match[bytes]) -> bytes:
        day = datetime(2026, int(found[1]), int(found[2]), tzinfo=UTC) + by
        return day.strftime("%Y-%m-%dT").encode()

    target = folder / "logs"
    for file in sorted((ROOT / "examples/deliveries/AWSLogs").rglob("*.json.gz")):
        copy = target / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(gzip.compress(TIME.sub(later, gzip.decompress(file.read_bytes()))))
    return target


def shoot(browser: Browser, address: str) -> None:
    """Take all pictures of a dashboard."""
    asked = browser.new_page()
    listed = asked.request.get(f"{address}/api/v1/findings?limit=100").json()["findings"]
    link = next(f"/findings/{each['id']}" for each in listed if each.get("fix"))
    for name, path, colours, height in PICTURES:
        page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=colours)
        page.goto(address + link if path == "FINDING" else address + path, wait_until="load")
        content = page.screenshot()
        IMAGES.joinpath(f"dashboard-{name}.png").write_bytes(content)
        print(f"docs/images/dashboard-{name}.png: {len(content):,} bytes")
        page.close()


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        logs = str(moved(folder))
        policies = str(ROOT / "examples/explain/policies")
        watch = (
            *ROLEWATCH,
            "watch",
            logs,
            "--once",
            "--state",
            f"{place}/state",
            "--policies",
            policies,
            "--blame",
        )
        subprocess.run([*watch, "--log-level", "error"], check=True)
        subprocess.run(
            [*ROLEWATCH, "ingest", logs, "--lake", f"{place}/lake"], check=True, capture_output=True
        )
        serve = (
            *ROLEWATCH,
            "serve",
            "--state",
            f"{place}/state",
            "--lake",
            f"{place}/lake",
            "--listen",
            "127.0.0.1:0",
        )
        with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
            found = PLACE.search(server.stderr.readline() if server.stderr else "")
            if not found:
                raise SystemExit("the dashboard does not start")
            browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            shoot(browser, found[0])
            browser.close()
            server.terminate()


if __name__ == "__main__":
    main()
