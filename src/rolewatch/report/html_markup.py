"""HTML that escapes by construction: whatever is not made here is text, and text is shown, never obeyed."""

import html
import re
from collections.abc import Iterable
from typing import Final

from rolewatch.base.sanitise import terminal
from rolewatch.report import words

_VOID: Final = frozenset({"br", "input", "meta", "wbr"})
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_ACCOUNT: Final = re.compile("[0-9]{12}")
_ARN: Final = re.compile(r"((?:arn:[^:]*:[^:]*:[^:]*:[^:]*|service):)(.+)", re.DOTALL)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return a value as text: what would steer a terminal or a reader's eye is visible, what HTML reads is escaped."""
    return Markup(html.escape(terminal(str(value))))


def el(name: str, /, *content: str | None, **attributes: str | int | None) -> Markup:
    """Return an element; content that is no Markup is escaped, None is left out.

    An attribute's underscores become hyphens (`class_` is `class`); True is an attribute without a value, False
    and None are none at all.
    """
    opened = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{opened}>")
    inner = "".join(part if isinstance(part, Markup) else text(part) for part in content if part is not None)
    return Markup(f"<{name}{opened}>{inner}</{name}>")


def join(parts: Iterable[str | None], between: str = "") -> Markup:
    """Return the parts as one piece; what is no Markup is escaped, empty parts are left out."""
    kept = (part if isinstance(part, Markup) else text(part) for part in parts if part)
    return Markup(text(between).join(kept))


def instant(time: str | None) -> Markup:
    """Return an ISO time as a `time` element a person can read; what is no such time, as it is."""
    shown = words.moment(time)
    return el("time", shown, datetime=time) if time and _INSTANT.fullmatch(time) else text(shown)


def account(name: str) -> Markup:
    """Return an account's twelve digits so that a narrow column may set them in lines; what is none, as it is."""
    if not _ACCOUNT.fullmatch(name):
        return text(name)
    return Markup("<wbr>".join(name[at : at + 2] for at in range(0, 12, 2)))


def resource(arn: str) -> Markup:
    """Return an ARN with its name in the foreground: everything before the resource part steps back."""
    match = _ARN.fullmatch(arn)
    if not match:
        return el("span", arn, class_="name")
    return join([el("span", match[1], class_="arn"), el("span", match[2], class_="name")])


def _attribute(key: str, value: str | int | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
