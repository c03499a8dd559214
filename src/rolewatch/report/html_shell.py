"""What every HTML page of ours is made into: one document that loads nothing and runs only its own style and script."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from rolewatch.report.html_markup import Markup, el


def document(title: str, *body: Markup, styles: Sequence[str] = ("report.css",)) -> str:
    """Return a whole document. It is ASCII with character references: right in whatever encoding it is stored."""
    style, script = Markup("\n".join(map(_asset, styles))), _asset("report.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{title} \N{EM DASH} rolewatch"),
        el("style", style),
    )
    page = el("html", head, el("body", *body, el("script", script)), lang="en")
    return f"<!doctype html>\n{page}\n".encode("ascii", "xmlcharrefreplace").decode("ascii")


def _policy(style: str, script: str) -> str:
    """Return a policy that lets the page load nothing and run only its own style and script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> Markup:
    """Return a file of our own as it is; it holds ASCII only and nothing that would end its element."""
    return Markup(resources.files("rolewatch.report").joinpath("assets", name).read_text("ascii"))
