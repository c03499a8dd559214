"""A notification as HTML for e-mail: escaped everywhere, styled inline, and nothing in it is loaded from anywhere."""

from typing import Final

from rolewatch.notify.notification import Notification
from rolewatch.notify.words import Part, told
from rolewatch.report.html_markup import Markup, el, join, text

_FONT: Final = "font-family:Arial,Helvetica,sans-serif"
_CODE: Final = "font-family:Consolas,Menlo,monospace;font-size:13px"
_COLOURS: Final = {
    "blocked": "#b3261e",
    "reopened": "#b3261e",
    "alarm": "#b3261e",
    "recovered": "#1b7f3b",
    "summary": "#5f6368",
}
_STATES: Final = {"OK": "#1b7f3b", "INSUFFICIENT_DATA": "#5f6368"}


def html(notification: Notification, picture: str | None = None) -> str:
    """Write a message as one HTML document in ASCII; `picture` is the Content-ID of the metric's picture."""
    message = told(notification)
    body = [el("h1", message.title, style="font-size:18px;line-height:1.35;margin:0 0 16px")]
    if picture is not None:
        source, described = text(f"cid:{picture}"), text(f"The alarm's metric. {message.title}")
        body.append(Markup(f'<p><img src="{source}" alt="{described}" style="max-width:100%"></p>'))
    body += [_part(part) for part in message.parts]
    body.append(el("p", f"rolewatch, notification {notification.id}", style="color:#5f6368;font-size:12px"))
    colour = _colour(notification)
    card = el("div", *body, style=f"{_FONT};font-size:14px;line-height:1.5;color:#202124;max-width:820px;border-left:4px solid {colour};padding:4px 0 4px 16px")  # fmt: skip
    head = el("head", el("meta", charset="utf-8"), el("title", message.title))
    page = el("html", head, el("body", card, style="margin:16px"), lang="en")
    return f"<!doctype html>\n{page}\n".encode("ascii", "xmlcharrefreplace").decode("ascii")


def _part(part: Part) -> Markup:
    label = el("strong", f"{part.label}:") if part.label else None
    if part.rows:
        return join([el("p", label, style="margin:12px 0 4px"), _table(part.rows)])
    if part.code:
        style = f"{_CODE};background:#f1f3f4;padding:8px 12px;margin:0 0 12px;white-space:pre-wrap;word-break:break-word"
        return join([el("p", label, style="margin:12px 0 4px"), el("pre", Markup("\n".join(map(text, part.lines))), style=style)])  # fmt: skip
    if len(part.lines) == 1:
        return el("p", join([label, text(part.lines[0])], " "), style="margin:0 0 12px;word-break:break-word")
    items = [el("li", each, style="word-break:break-word") for each in part.lines]
    return join([el("p", label, style="margin:12px 0 4px"), el("ul", *items, style="margin:0 0 12px;padding-left:20px")])  # fmt: skip


def _table(rows: tuple[tuple[str, ...], ...]) -> Markup:
    lines = [el("tr", *(_cell(each, first=not at) for at, each in enumerate(row))) for row in rows]
    return el("table", el("tbody", *lines), style="border-collapse:collapse;margin:0 0 12px;font-size:13px")


def _cell(words: str, *, first: bool) -> Markup:
    style = "border-bottom:1px solid #e0e0e0;padding:4px 12px 4px 0;text-align:left;vertical-align:top"
    breaks = "white-space:nowrap" if len(words) <= 20 else "word-break:break-word"
    return el("td", words, style=";".join([*([_CODE] if first else []), style, breaks]))


def _colour(notification: Notification) -> str:
    state = (notification.alarm or {}).get("NewStateValue")
    return _STATES.get(str(state), _COLOURS[notification.kind])
