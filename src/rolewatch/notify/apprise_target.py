"""All other URLs: what Apprise speaks, such as Slack, Teams, Discord, Mattermost, Telegram, ntfy and Matrix.

Apprise gets plain text, out of which nothing can be made that a chat would obey: no mention, no link, no markup of its
own. Only whether it was delivered comes back; what Apprise logs may hold tokens, and is never shown.
"""

import logging
import re
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.notify.errors import SendError
from rolewatch.notify.headlines import title
from rolewatch.notify.http_post import PASSING
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import TRANSPORTS, Target
from rolewatch.notify.urls import fingerprint, scheme_of
from rolewatch.notify.words import text

EXTRA: Final = "pip install 'rolewatch[notify]', in a checkout pip install '.[notify]'"
#: Characters of a message: less where the service takes less.
_LONGEST: Final = 3500
_TITLE: Final = 200
#: What a chat could take for a mention, markup or a link → what looks the same and is none.
_OBEYED: Final = {
    "@": "\N{FULLWIDTH COMMERCIAL AT}",
    "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    "`": "'",
    "://": "[:]//",
    "](": "] (",
}
_OBEYED_SIGNS: Final = re.compile("|".join(map(re.escape, sorted(_OBEYED, key=len, reverse=True))))
_MARKDOWN: Final = re.compile(r"[^\w\s]")
_ANSWERED: Final = re.compile(r"\berror=(\d{3})\b|\b(?:status|code)[ :=]+(\d{3})\b")


#: Where the status codes of the call that is being made are collected; Apprise hands it on to its threads.
_codes: Final[ContextVar[list[int] | None]] = ContextVar("rolewatch_apprise_codes", default=None)


class _Answers(logging.Handler):
    """Keeps the status codes that Apprise logs, each for the call that it belongs to, and lets nothing else out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Look for a status code in what is logged."""
        codes = _codes.get()
        if codes is not None:
            codes.extend(int(one or other) for one, other in _ANSWERED.findall(record.getMessage()))


_answers: Final = _Answers(logging.WARNING)


class Service(Target):
    """A service that Apprise speaks to."""

    def __init__(self, name: str, plugin: Any) -> None:
        super().__init__(name)
        self._plugin = plugin

    def deliver(self, notification: Notification) -> None:
        """Let Apprise send it."""
        import apprise  # noqa: PLC0415 - an extra

        sender = apprise.Apprise(asset=self._plugin.asset)
        sender.add(self._plugin)
        headline = harmless(title(notification, _TITLE))
        most = int(self._plugin.body_maxlen) or _LONGEST
        # Where a service has no titles, Apprise puts the title above the text, and some marks around it.
        words = _fitting(notification, most if self._plugin.title_maxlen else most - _escaped(headline) - 10)
        codes: list[int] = []
        token = _codes.set(codes)
        try:
            done = sender.notify(
                body=words or headline,
                title=headline,
                notify_type=getattr(apprise.NotifyType, _type(notification)),
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - a plugin's own fault; its words may hold a token
            raise SendError(f"{self.name}: Apprise failed ({type(error).__name__})", passing=True) from None
        finally:
            _codes.reset(token)
        if not done:
            raise self._failed(codes)

    def _failed(self, codes: list[int]) -> SendError:
        """Say what the service answered, if Apprise told; else it may pass."""
        if not codes:
            return SendError(f"{self.name}: not delivered", remedy="check the URL, the service and the network", passing=True)  # fmt: skip
        code = codes[-1]
        passing = code >= 500 or code in PASSING
        remedy = "it is tried again" if passing else "check the URL's tokens, and the channel it names"
        return SendError(f"{self.name}: the service answered {code}", remedy=remedy, passing=passing)


def _fitting(notification: Notification, room: int) -> str:
    """Write the text so that it fits when Apprise has escaped it for a service that reads Markdown."""
    limit = min(room, _LONGEST)
    while limit > 0:
        words = harmless(text(notification, limit=limit, headline=False))
        if _escaped(words) <= room:
            return words
        limit -= max(_escaped(words) - room, 20)
    return ""


def _escaped(words: str) -> int:
    """Count the characters of a text in which each sign of Markdown has a backslash before it."""
    return len(words) + len(_MARKDOWN.findall(words))


def _type(notification: Notification) -> str:
    """Say what Apprise calls it: FAILURE, SUCCESS, or INFO for what is neither."""
    if notification.ends:
        return "SUCCESS"
    if notification.kind == "summary":
        return "INFO"
    state = (notification.alarm or {}).get("NewStateValue")
    return "INFO" if notification.kind == "alarm" and state != "ALARM" else "FAILURE"


def harmless(words: str) -> str:
    """Return text in which a chat finds nothing to obey."""
    return _OBEYED_SIGNS.sub(lambda found: _OBEYED[found[0]], words)


def target(url: str, environ: Mapping[str, str]) -> Service:
    """Make the target of a URL; CannotDo without the extra, UsageError for what Apprise does not understand."""
    del environ
    scheme, apprise = scheme_of(url), _loaded()
    asset = apprise.AppriseAsset(
        app_id="rolewatch",
        app_desc="rolewatch",
        app_url="",
        # The pictures of its theme are on a foreign host.
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
    )
    asset.http_redirects = False
    plugin = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is None:
        raise _not_understood(
            scheme, {str(each) for each in apprise.manager_plugins.NotificationManager().schemas()}
        )
    return Service(f"{terminal(scheme, 40)}://…{fingerprint(url)}", plugin)


def _loaded() -> Any:
    """Import Apprise with its plugins, and keep what it logs, tokens and all, to ourselves."""
    try:
        import apprise  # noqa: PLC0415 - takes a sixth of a second, and is an extra
        from apprise import manager_plugins  # noqa: PLC0415 - as above
    except ImportError:
        raise CannotDo("this notification URL needs apprise, which is not installed", remedy=EXTRA) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its plugins import is not ours to change
        manager: Any = manager_plugins.NotificationManager
        manager().load_modules()
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(_answers)  # once, however often it is added
    # On its lower levels, what Apprise posts with tells each address.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    return apprise


def _not_understood(scheme: str, known: set[str]) -> UsageError:
    """Say that neither Apprise nor we know what to do with a URL."""
    import difflib  # noqa: PLC0415 - only where something is wrong

    shown = terminal(scheme, 40)
    if scheme in known:
        return UsageError(
            f"the {shown} URL makes no sense to Apprise",
            remedy=f"its documentation says how {shown}:// URLs are written; `apprise --details` lists them",
        )
    close = difflib.get_close_matches(scheme, [*TRANSPORTS, *sorted(known)], 1)
    remedy = f"did you mean {close[0]}?" if close else "docs/notifications.md lists what there is"
    return UsageError(f"nothing is known that takes {shown} URLs", remedy=remedy)
