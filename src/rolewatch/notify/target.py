"""A URL in, the target that it names out: what notifications are sent to.

What a scheme means is in the module of its transport, which is imported when a URL of it is met. A scheme that is not
ours is left to Apprise.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, Final

from rolewatch.base.errors import UsageError
from rolewatch.notify.admissible import admissible
from rolewatch.notify.notification import KINDS, Kind, Notification
from rolewatch.notify.urls import scheme_of

#: Scheme → the module of this package whose function `target` makes one of its URL.
TRANSPORTS: Final = {
    "eventbridge": "eventbridge",
    "exec": "execute",
    "opsgenie": "opsgenie",
    "pagerduty": "pagerduty",
    "securityhub": "securityhub",
    "ses": "ses",
    "smtp": "smtp",
    "smtps": "smtp",
    "sns": "sns",
    "webhook+http": "webhook",
    "webhook+https": "webhook",
}


class Target(ABC):
    """Something that takes notifications.

    `name` is its URL without any secret, for logs and pages, and the same for the same URL at any time. A notification
    of a kind that is not among `kinds` is none of its business, and is not sent. `incidents` says that what is recovered
    or OK ends there what was opened under the same `dedup_key`.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    incidents: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, notification: Notification) -> None:
        """Send a notification, once; SendError if the target did not take it, UsageError never."""
        if notification.kind in self.kinds:
            self.deliver(admissible(notification))

    @abstractmethod
    def deliver(self, notification: Notification) -> None:
        """Send what may be said; SendError if that fails."""


def target_of(url: str, *, environ: Mapping[str, str]) -> Target:
    """Make the target that a URL names, without reaching for it.

    UsageError for one that makes no sense, which names no part of it that may be a secret; CannotDo where an extra is
    missing.
    """
    scheme = scheme_of(url)
    if not scheme:
        raise UsageError(
            "a notification URL begins with its scheme, and this one has none",
            remedy=f"write, for example, {', '.join(f'{each}:' for each in TRANSPORTS)} or what Apprise speaks, such as slack://",
        )
    module = import_module(f"rolewatch.notify.{TRANSPORTS.get(scheme, 'apprise_target')}")
    made: Target = module.target(url.strip(), environ)
    return made
