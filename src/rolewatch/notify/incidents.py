"""What the incident tools have in common: how severe an incident is, its key, and where to send."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from rolewatch.base.errors import UsageError
from rolewatch.findings.severity import LEVELS
from rolewatch.notify.http_post import Place
from rolewatch.notify.notification import Notification
from rolewatch.notify.urls import Url, is_loopback, nonsense, parsed

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,128}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/-]{1,200}")


def severity(notification: Notification) -> str:
    """Give the worst severity of a notification's findings; of an alarm, `high`, or `low` if it has no data."""
    if notification.kind == "alarm":
        return "high" if (notification.alarm or {}).get("NewStateValue") == "ALARM" else "low"
    levels = [finding["severity"] for finding in notification.findings if finding["severity"] in LEVELS]
    return max(levels, key=LEVELS.index, default="low")


def key_of(notification: Notification) -> str:
    """Give the incident's key as these tools take it: as it is, or the SHA-256 of one that is long or odd."""
    key = notification.dedup_key
    if _PLAIN.fullmatch(key):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def service_key(url: str, example: str) -> tuple[Url, str]:
    """Take the key out of a URL such as `pagerduty://KEY`, which keeps its upper case."""
    found = parsed(url, example)
    key = found.host
    if found.user is not None or found.port or found.path not in ("", "/") or not _KEY.fullmatch(key):
        raise nonsense(found.scheme, "the key stands right behind the two strokes, and nothing else does", example)  # fmt: skip
    return found, key


def place(variable: str, environ: Mapping[str, str], usual: str) -> Place:
    """Give where to post: at the usual address, or at the one that a variable names; UsageError if that is none."""
    named = environ.get(variable)
    address = named or usual
    example = f"{variable}={usual}"
    try:
        found = parsed(address, example)
    except UsageError as error:
        raise UsageError(f"{variable} holds no address", remedy=f"write {example}") from error
    tls = found.scheme == "https"
    if not found.host or found.user is not None or not (tls or (found.scheme == "http" and is_loopback(found.host))):  # fmt: skip
        raise UsageError(f"{variable} holds no https address", remedy=f"write {example}")
    return Place(tls, found.host, found.port, found.path or "/")
