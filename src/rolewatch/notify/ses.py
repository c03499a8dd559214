"""`ses:FROM?to=ADDRESS,…`: e-mail by SES (SendEmail of its API v2), the message made here as a whole."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from rolewatch.notify import amazon
from rolewatch.notify.mail import address, mail
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import known, nonsense, parsed, region

EXAMPLE: Final = "ses:rolewatch@example.com?to=oncall@example.com,security@example.com&region=us-east-1"
_MOST: Final = 50  # recipients of one message


class Mailer(Target):
    """Addresses that SES sends to."""

    def __init__(self, sender: str, recipients: Sequence[str], where: str | None) -> None:
        super().__init__(f"ses:{sender}?to={','.join(recipients)}{f'&region={where}' if where else ''}")
        self.sender, self.recipients, self.region = sender, tuple(recipients), where

    @cached_property
    def _client(self) -> Any:
        return amazon.client("sesv2", self.region, self.name)

    def deliver(self, notification: Notification) -> None:
        """Send one e-mail to all addresses."""
        content = bytes(mail(notification, self.sender, self.recipients))
        amazon.call(
            self._client.send_email,
            self.name,
            FromEmailAddress=self.sender,
            Destination={"ToAddresses": list(self.recipients)},
            Content={"Raw": {"Data": content}},
        )


def target(url: str, environ: Mapping[str, str]) -> Mailer:
    """Make the target of a URL."""
    del environ
    found = parsed(url, EXAMPLE)
    options = known(found, ("to", "region"), EXAMPLE)
    if found.host:
        raise nonsense("ses", "the sender's address stands right behind ses:", EXAMPLE)
    sender = address(found.path, "the ses URL's sender")
    recipients = [address(each, "the ses URL's to") for each in options.get("to", "").split(",")]
    if len(recipients) > _MOST:
        raise nonsense("ses", f"SES sends to {_MOST} addresses at most", EXAMPLE)
    return Mailer(sender, recipients, region(found, EXAMPLE))
