"""`smtp://` and `smtps://`: e-mail by a mail server, encrypted unless the URL says that it need not be."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final, NamedTuple

from rolewatch.notify.errors import SendError
from rolewatch.notify.mail import address, mail
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import Url, known, nonsense, parsed, switch

if TYPE_CHECKING:
    import smtplib

    from rolewatch.notify.smtp_client import Watchdog

EXAMPLE: Final = "smtps://USER:PASSWORD@mail.example.com/?from=rolewatch@example.com&to=oncall@example.com"
SECONDS: Final = 30.0  # for each step: to connect, to wait for a reply
WHOLE: Final = 90.0  # seconds for all of it
_SUBMISSION, _RELAY, _TLS = 587, 25, 465  # RFC 6409, RFC 5321, RFC 8314
_CERTIFICATE: Final = "let SSL_CERT_FILE name the authority that issued it"
_NETWORK: Final = "check the address and the network"


_Replies = Mapping[str, tuple[int, bytes]]


class Server(NamedTuple):
    """A mail server: `tls` from the first byte, else `starttls` says that nothing is sent before it is encrypted."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None
    password: str


class Mailer(Target):
    """Addresses that a mail server sends to."""

    def __init__(
        self, server: Server, sender: str, recipients: tuple[str, ...], *, whole: float = WHOLE
    ) -> None:
        scheme = "smtps" if server.tls else "smtp"
        super().__init__(f"{scheme}://{server.host}:{server.port}/?from={sender}&to={','.join(recipients)}")
        self.server, self.sender, self.recipients, self.whole = server, sender, recipients, whole

    def deliver(self, notification: Notification) -> None:
        """Send one e-mail to all addresses."""
        from rolewatch.notify.smtp_client import Watchdog  # noqa: PLC0415 - only where mail is sent

        message = mail(notification, self.sender, self.recipients)
        watchdog = Watchdog(self.whole)
        try:
            with watchdog:
                refused = self._sent(message, watchdog)
        except OSError as error:  # as are those of smtplib and ssl
            if watchdog.late:  # what looks like a reply may be a part of one
                raise SendError(f"{self.name}: no answer (it took too long)", remedy=_NETWORK, passing=True) from None  # fmt: skip
            raise self._failed(error) from None
        if refused:
            raise self._refused({each: code for each, (code, _) in refused.items()})

    def _sent(self, message: EmailMessage, watchdog: "Watchdog") -> "_Replies":
        """Send a message; returns the replies to the addresses that the server did not take."""
        server = self._connected(watchdog)
        try:
            self._encrypted(server)
            if self.server.user is not None:
                server.login(self.server.user, self.server.password)
            refused = server.send_message(message, self.sender, list(self.recipients))
            if watchdog.late:
                raise TimeoutError
        finally:
            # What the server says now changes nothing: the message is sent, or something else is told.
            with suppress(OSError):
                server.quit()
            server.close()
        return refused

    def _connected(self, watchdog: "Watchdog") -> "smtplib.SMTP":
        from rolewatch.notify.smtp_client import Client, TlsClient  # noqa: PLC0415 - as above

        host, port = self.server.host.strip("[]"), self.server.port
        if self.server.tls:
            return TlsClient(watchdog, host, port, SECONDS, ssl.create_default_context())
        return Client(watchdog, host, port, SECONDS)

    def _encrypted(self, server: "smtplib.SMTP") -> None:
        """Encrypt a connection that is not, before anything of the message is said."""
        if self.server.tls:
            return
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif self.server.starttls:
            raise SendError(
                f"{self.name}: the server offers no encryption (STARTTLS)",
                remedy="use smtps://, or add starttls=no if the way to this server is safe",
            )

    def _failed(self, error: OSError) -> SendError:
        """Say what went wrong, and whether it may pass."""
        import smtplib  # noqa: PLC0415 - as above

        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message or "not trusted"
            return SendError(f"{self.name}: its certificate is not accepted: {reason}", remedy=_CERTIFICATE)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return self._refused({each: code for each, (code, _) in error.recipients.items()})
        if isinstance(error, smtplib.SMTPResponseException):
            return self._answered(error.smtp_code)
        if isinstance(error, smtplib.SMTPServerDisconnected):
            return SendError(f"{self.name}: the server hung up", remedy=_NETWORK, passing=True)
        if isinstance(
            error, smtplib.SMTPException
        ):  # of those without a reply, only the ones of `login` are left
            return SendError(f"{self.name}: the server takes no login, or none that is known here", remedy="leave user and password out of the URL")  # fmt: skip
        reason = error.strerror or type(error).__name__
        return SendError(f"{self.name}: no answer ({reason})", remedy=_NETWORK, passing=True)

    def _answered(self, code: int) -> SendError:
        """Say what a reply means: 4xx passes, 5xx does not (RFC 5321 §4.2.1)."""
        passing = 400 <= code < 500 or code <= 0
        remedy = "it is tried again" if passing else "look into the server's log"
        if code in (530, 534, 535, 538):
            remedy = "check user and password"
        return SendError(f"{self.name}: the server answered {code}", remedy=remedy, passing=passing)

    def _refused(self, codes: Mapping[str, int]) -> SendError:
        """Say which addresses were refused; what is tried again has the same Message-ID for those who have it."""
        passing = any(400 <= code < 500 for code in codes.values())
        who = ", ".join(f"{each} ({code})" for each, code in codes.items())
        remedy = "it is tried again" if passing else "check the addresses"
        return SendError(f"{self.name}: the server refused {who}", remedy=remedy, passing=passing)


def target(url: str, environ: Mapping[str, str]) -> Mailer:
    """Make the target of a URL."""
    del environ
    found = parsed(url, EXAMPLE)
    options = known(found, ("from", "to", "starttls"), EXAMPLE)
    if not found.host or found.path not in ("", "/"):
        raise nonsense(found.scheme, "it names no server, or a path behind it", EXAMPLE)
    sender = address(options.get("from", ""), f"the {found.scheme} URL's from")
    recipients = tuple(address(each, f"the {found.scheme} URL's to") for each in options.get("to", "").split(","))  # fmt: skip
    return Mailer(_server(found), sender, recipients)


def _server(found: Url) -> Server:
    tls = found.scheme == "smtps"
    if tls and "starttls" in found.options:
        raise nonsense("smtps", "starttls is for smtp://: smtps:// is encrypted from the first byte", EXAMPLE)
    if (found.user is None) != (found.password is None):
        raise nonsense(found.scheme, "a user comes with a password", EXAMPLE)
    for word in (found.user, found.password):
        if word is not None and (not (word.isascii() and word.isprintable() and word)):
            raise nonsense(found.scheme, "user or password is empty, or holds a sign that is none", EXAMPLE)
    usual = _TLS if tls else _SUBMISSION if found.user is not None else _RELAY
    starttls = switch(found, "starttls", "yes", EXAMPLE)
    return Server(found.host, found.port or usual, tls, starttls, found.user, found.password or "")
