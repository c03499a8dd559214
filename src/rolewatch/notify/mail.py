"""A notification as an e-mail: text and HTML, the metric's picture inline, one conversation for one incident."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.notify.headlines import title
from rolewatch.notify.html import html
from rolewatch.notify.notification import Notification
from rolewatch.notify.picture import picture
from rolewatch.notify.words import text

#: Characters of a subject, and of the text: no one reads more, and the findings are in the state.
_SUBJECT: Final = 250
_TEXT: Final = 50_000
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PICTURE: Final = "metric@rolewatch"


def mail(notification: Notification, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Make the e-mail; what is made again of the same notification has the same Message-ID."""
    drawn = picture(notification)
    domain = sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = tuple(Address(addr_spec=each) for each in recipients)
    message["Subject"] = title(notification, _SUBJECT)
    message["Date"] = format_datetime(_moment(notification.time))
    message["Message-ID"] = f"<{_plain(notification.id)}@{domain}>"
    # The conversation's first message is never sent: all that name it belong together, whichever comes first.
    thread = f"<incident.{_digest(notification.dedup_key)}@{domain}>"
    message["In-Reply-To"] = thread
    message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no one's holiday answers it
    message["X-Rolewatch-Kind"] = notification.kind
    # Quoted-printable: what goes on the wire has short lines of ASCII, which every server takes.
    message.set_content(text(notification, limit=_TEXT), cte="quoted-printable")
    page_text = html(notification, _PICTURE if drawn else None)
    message.add_alternative(page_text, subtype="html", cte="quoted-printable")
    if drawn:
        page: Any = message.get_body(("html",))
        page.add_related(
            drawn, "image", "png", cid=f"<{_PICTURE}>", disposition="inline", filename="metric.png"
        )
    return message


def address(word: str, origin: str) -> str:
    """Read an e-mail address; UsageError that names where a wrong one stands."""
    found = word.strip()
    try:
        made = Address(addr_spec=found) if _ADDRESS.fullmatch(found) else None
    except (MessageError, ValueError):
        made = None
    if made is None or made.addr_spec != found:
        raise UsageError(f"{origin}: there is no e-mail address where one has to be", remedy="write it as in team@example.com")  # fmt: skip
    return found


def _plain(name: str) -> str:
    return name if _PLAIN_ID.fullmatch(name) else _digest(name)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _moment(time: str) -> datetime:
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
