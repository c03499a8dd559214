"""The files that pages load: styles and scripts of our own, and the libraries of charts, which vl-convert brings along."""

import hashlib
import threading
from functools import cache
from importlib import resources
from typing import Final

CHARTS: Final = "charts.js"  # Vega, Vega-Lite and Vega-Embed in one
_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_LOCK: Final = threading.Lock()


@cache
def files() -> dict[str, bytes]:
    """Read all files, by name; the style of the written report is the base of that of pages."""
    found = {
        file.name: file.read_bytes() for file in resources.files("rolewatch.web").joinpath("static").iterdir()
    }
    found["report.css"] = resources.files("rolewatch.report").joinpath("assets", "report.css").read_bytes()
    return found


@cache
def mark() -> str:
    """Digest all files, in a few letters."""
    digest = hashlib.sha256()
    for name, content in sorted(files().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def charts() -> bytes:
    """Make the libraries of charts, once, which takes a second or two."""
    with _LOCK:
        return _charts()


@cache
def _charts() -> bytes:
    import vl_convert  # noqa: PLC0415 - only where a page draws

    return vl_convert.javascript_bundle().encode()  # type: ignore[call-arg]  # its stub lacks a default


def found(name: str) -> tuple[bytes, str] | None:
    """Give the content of a file and its media type; None if there is none of that name."""
    kind = _KINDS.get(name.rpartition(".")[2])
    content = charts() if name == CHARTS else files().get(name)
    return None if content is None or kind is None else (content, kind)
