"""E-mail by a mail server: what arrives, encrypted or not, and what its replies mean."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from email.utils import parseaddr

import pytest
from mail_server import mail_server
from notices import HOSTILE, about, alarm, finding, hostile, recovered
from sending import refused
from sinks import server_context

from rolewatch.notify.errors import SendError
from rolewatch.notify.html import html
from rolewatch.notify.mail import mail
from rolewatch.notify.smtp import Mailer, Server
from rolewatch.notify.target import target_of
from rolewatch.notify.words import text, title

FROM, TO = "rolewatch@example.com", "oncall@example.com"
PASSWORD = "p@ss:word/"  # noqa: S105 - made up
LOGIN = "me%40corp:p%40ss%3Aword%2F@"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def mailbox():
    """Serve mail without encryption."""
    with mail_server() as box:
        yield box


def plain(box, rest="&starttls=no", to=TO):
    """Return the target of a server that is not encrypted."""
    return target_of(f"smtp://127.0.0.1:{box.port}/?from={FROM}&to={to}{rest}", environ={})


def parts(message):
    """Return the text and the HTML of a message."""
    return [message.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n") for kind in ("plain", "html")]  # fmt: skip


@pytest.mark.parametrize(
    "notification",
    [
        about(finding()),
        about(*map(finding, range(30))),
        about(recovered(), kind="recovered"),
        alarm(points=0),
    ],
)
def test_mail_arrives(mailbox, notification):
    """An e-mail has the first line as subject, and text and HTML of the message."""
    plain(mailbox, to=f"{TO},b@example.com").send(notification)
    (message,), (envelope,) = mailbox.messages, mailbox.envelopes
    assert message["Subject"] == title(notification)
    assert parts(message) == [text(notification), html(notification).rstrip("\n")]
    assert envelope[:2] == (FROM, [TO, "b@example.com"])
    assert [parseaddr(message[name])[1] for name in ("From", "To")] == [FROM, TO]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.isoformat() == "2026-03-03T08:00:00+00:00"


def test_one_incident_is_one_conversation(mailbox):
    """Messages of one incident refer to the same thread, those of others to another; ids follow from the notification's."""
    target = plain(mailbox)
    for notification in (
        about(finding(), id="a"),
        about(recovered(), id="b", kind="recovered"),
        about(finding(), id="c", dedup_key="other"),
        about(finding(), id="a"),
        about(finding(), id="bad\r\nX: y"),
    ):
        target.send(notification)
    threads = [message["References"] for message in mailbox.messages]
    ids = [message["Message-ID"] for message in mailbox.messages]
    assert (threads[0] == threads[1] == threads[3], threads[0] != threads[2]) == (True, True)
    assert [message["In-Reply-To"] for message in mailbox.messages] == threads
    assert (ids[:2], ids[0] == ids[3]) == (["<a@example.com>", "<b@example.com>"], True)
    assert mailbox.messages[4]["X"] is None


def test_alarm_has_its_picture(mailbox):
    """The metric of an alarm is drawn and shown inline, by its Content-ID, and nothing else is attached."""
    plain(mailbox).send(alarm())
    (message,) = mailbox.messages
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content().startswith(PNG)
    assert picture["Content-Disposition"].startswith("inline")
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in message.get_body(("html",)).get_content()
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


def test_headers_cannot_be_injected(mailbox):
    """Whatever names and ids hold, there are no headers but ours, and the message can be read."""
    ours = {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Rolewatch-Kind",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    plain(mailbox).send(about(hostile(), id=HOSTILE, dedup_key=HOSTILE, time=HOSTILE))
    plain(mailbox).send(alarm(said={"AlarmName": HOSTILE}, id=HOSTILE))
    for message in mailbox.messages:
        assert set(message.keys()) == ours
        assert "\n" not in message["Subject"]


def test_endless_message_is_cut(mailbox):
    """Ten million characters become an e-mail of a usual size."""
    plain(mailbox).send(about(hostile("é" * 10_000_000)))
    assert len(bytes(mailbox.messages[0])) < 200_000


def test_smtps(trusted):
    """A server that is encrypted from the first byte gets login and message."""
    with mail_server(tls=server_context(trusted), auth=True) as box:
        target_of(f"smtps://{LOGIN}127.0.0.1:{box.port}/?from={FROM}&to={TO}", environ={}).send(about(finding()))  # fmt: skip
    assert (len(box.messages), box.logins) == (1, [("me@corp", PASSWORD)])


@pytest.mark.parametrize("rest", ["", "&starttls=yes", "&starttls=no"])
def test_starttls_is_used_where_it_is_offered(trusted, rest):
    """Before login and message the connection is encrypted, whether that is required or not."""
    with mail_server(starttls=server_context(trusted), auth=True) as box:
        url = f"smtp://{LOGIN}127.0.0.1:{box.port}/?from={FROM}&to={TO}{rest}"
        target_of(url, environ={}).send(about(finding()))
    assert (box.envelopes[0][2], len(box.logins)) == (True, 1)


def test_without_starttls_nothing_is_said(mailbox):
    """Where a server offers no encryption, neither password nor message is sent, unless that was allowed."""
    url = f"smtp://{LOGIN}127.0.0.1:{mailbox.port}/?from={FROM}&to={TO}"
    with pytest.raises(SendError, match="STARTTLS") as caught:
        target_of(url, environ={}).send(about(finding()))
    assert (caught.value.passing, mailbox.messages, mailbox.logins) == (False, [], [])
    assert "starttls=no" in caught.value.remedy


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_certificate_that_is_not_trusted(certificate, scheme):
    """A certificate that nobody vouches for ends it, for good."""
    context = server_context(certificate)
    with mail_server(**{"tls" if scheme == "smtps" else "starttls": context}) as box:
        with pytest.raises(SendError, match="certificate is not accepted") as caught:
            target_of(f"{scheme}://127.0.0.1:{box.port}/?from={FROM}&to={TO}", environ={}).send(about(finding()))  # fmt: skip
        assert (caught.value.passing, box.messages) == (False, [])


def test_wrong_password(trusted):
    """A login that is refused is final, and names no password."""
    with mail_server(tls=server_context(trusted), auth=True) as box:
        box.password = "another"  # noqa: S105 - made up
        with pytest.raises(SendError, match="answered 535") as caught:
            target_of(f"smtps://{LOGIN}127.0.0.1:{box.port}/?from={FROM}&to={TO}", environ={}).send(about(finding()))  # fmt: skip
    assert (caught.value.passing, caught.value.remedy) == (False, "check user and password")
    assert PASSWORD not in str(caught.value)


def test_login_where_there_is_none():
    """A server without a way to log in that is known says so, for good."""
    with mail_server(exclude=("LOGIN", "PLAIN")) as box:
        url = f"smtp://{LOGIN}127.0.0.1:{box.port}/?from={FROM}&to={TO}&starttls=no"
        with pytest.raises(SendError, match="takes no login") as caught:
            target_of(url, environ={}).send(about(finding()))
    assert (caught.value.passing, box.messages) == (False, [])


@pytest.mark.parametrize(("reply", "passing"), [("451 busy", True), ("452 full", True), ("554 spam", False)])
def test_replies_to_the_message(mailbox, reply, passing):
    """4xx passes, 5xx does not."""
    mailbox.data = reply
    with pytest.raises(SendError, match=reply[:3]) as caught:
        plain(mailbox).send(about(finding()))
    assert caught.value.passing is passing


@pytest.mark.parametrize(("reply", "passing"), [("450 later", True), ("550 unknown", False)])
@pytest.mark.parametrize("to", [TO, f"{TO},b@example.com"])
def test_recipients_that_are_refused(mailbox, reply, passing, to):
    """An address that is refused is named, whether others have got the message or not."""
    mailbox.replies[TO] = reply
    with pytest.raises(SendError, match=f"refused {TO} \\({reply[:3]}\\)") as caught:
        plain(mailbox, to=to).send(about(finding()))
    assert caught.value.passing is passing
    assert [rcpt for _, rcpt, _ in mailbox.envelopes] == ([["b@example.com"]] if "," in to else [])


def test_nobody_there(mailbox):
    """A server that is not there, or hangs up, passes."""
    target = target_of(f"smtp://127.0.0.1:1/?from={FROM}&to={TO}", environ={})
    with pytest.raises(SendError, match="no answer") as caught:
        target.send(about(finding()))
    assert caught.value.passing
    mailbox.data = "421 closing"
    with pytest.raises(SendError) as caught:
        plain(mailbox).send(about(finding()))
    assert caught.value.passing


@contextmanager
def dripping(start, drops):
    """Serve what begins to answer, and goes on byte by byte, each long before a timeout; yields the port."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(start)
                while not ended.wait(0.02):
                    connection.sendall(drops)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


GO_ON = b"220 mail.test\r\n250 OK\r\n250 OK\r\n250 OK\r\n354 go on\r\n"
SLOW = [
    (False, b"", b"2"),  # the greeting has no end
    (False, b"220 mail.test\r\n", b"250-X\r\n"),  # nor has the list of what it can
    (False, GO_ON, b"5"),  # cut off, it looks like a refusal
    (False, GO_ON, b"250"),  # or as if the message had been taken
    (True, b"\x16\x03\x03\x10\x00", b"\x02"),  # a TLS handshake
]


@pytest.mark.parametrize(("tls", "start", "drops"), SLOW)
def test_a_server_that_never_ends_is_cut_off(tls, start, drops):
    """Who answers byte by byte is given up after the whole time, wherever in the conversation; the message is tried again."""
    with dripping(start, drops) as port:
        server = Server("127.0.0.1", port, tls=tls, starttls=False, user=None, password="")
        began = time.monotonic()
        with pytest.raises(SendError, match="took too long") as caught:
            Mailer(server, FROM, (TO,), whole=0.3).send(about(finding()))
        assert 0.3 <= time.monotonic() - began < 20
    assert caught.value.passing


def test_a_server_that_takes_the_message_and_never_says_goodbye(mailbox):
    """What it says after it has the message changes nothing: it is sent, and not sent again."""
    mailbox.silent = True
    server = Server("127.0.0.1", mailbox.port, tls=False, starttls=False, user=None, password="")
    began = time.monotonic()
    Mailer(server, FROM, (TO,), whole=1.0).send(about(finding()))
    assert len(mailbox.messages) == 1
    assert 1.0 <= time.monotonic() - began < 20


def test_tls_where_there_is_none(mailbox, trusted):
    """smtps:// to a server that speaks in clear is told as such."""
    assert trusted
    with pytest.raises(SendError, match="no answer"):
        target_of(f"smtps://127.0.0.1:{mailbox.port}/?from={FROM}&to={TO}", environ={}).send(about(finding()))  # fmt: skip


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("smtp://u:s3cr3t@mail/?to=a@example.com", "from: there is no e-mail address"),
        ("smtp://u:s3cr3t@mail/?from=a@example.com", "to: there is no e-mail address"),
        ("smtp://u:s3cr3t@mail/?from=a@example.com&to=b@example.com,", "to: there is no e-mail address"),
        ("smtp://u:s3cr3t@mail/?from=a@b%0d%0aBcc:c@d&to=b@c", "from: there is no e-mail address"),
        ("smtp://u:s3cr3t@mail/?from=a@b.c&to=b@c.d&cc=c@d.e", "its options are from, starttls, to"),
        ("smtp://u:s3cr3t@mail/inbox?from=a@b.c&to=b@c.d", "a path behind it"),
        ("smtp://mail?from=a..b@b.c&to=b@c.d", "from: there is no e-mail address"),
        ("smtp://mail?from=a@b.c&to=b@-.", "to: there is no e-mail address"),
        ("smtp://?from=a@b.c&to=b@c.d", "host is missing"),
        ("smtp:mail?from=a@b.c&to=b@c.d", "names no server"),
        ("smtp://s3cr3t@mail?from=a@b.c&to=b@c.d", "a user comes with a password"),
        ("smtp://u:@mail?from=a@b.c&to=b@c.d", "user or password is empty"),
        ("smtp://u:s3cr3t%0dx@mail?from=a@b.c&to=b@c.d", "a sign that is none"),
        ("smtp://u:s3cr3t@mail?from=a@b.c&to=b@c.d&starttls=perhaps", "starttls is yes or no"),
        ("smtps://u:s3cr3t@mail?from=a@b.c&to=b@c.d&starttls=no", "encrypted from the first byte"),
    ],
)
def test_urls_that_make_no_sense(url, what):
    """What is wrong is said, with the remedy and without the password."""
    refused(url, what)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("smtps://u:s3cr3t@mail/?from=a@b.c&to=b@c.d,e@f.g", "smtps://mail:465/?from=a@b.c&to=b@c.d,e@f.g"),
        ("smtp://u:s3cr3t@mail?from=a@b.c&to=b@c.d", "smtp://mail:587/?from=a@b.c&to=b@c.d"),
        ("smtp://mail?from=a@b.c&to=b@c.d", "smtp://mail:25/?from=a@b.c&to=b@c.d"),
        ("SMTP://[::1]:2525?from=a@b.c&to=b@c.d", "smtp://[::1]:2525/?from=a@b.c&to=b@c.d"),
    ],
)
def test_names(url, name):
    """The name has the server's usual port, and neither user nor password."""
    assert target_of(url, environ={}).name == name


def test_lines_on_the_wire_are_short_and_ascii():
    """Whatever is told, each line has 998 bytes of ASCII at most (RFC 5322 §2.1.1)."""
    for notification in (about(hostile("é" * 5000)), about(*map(finding, range(40))), alarm(said={"AlarmName": "é" * 300})):  # fmt: skip
        content = bytes(mail(notification, FROM, [TO]))
        assert content.isascii()
        assert max(map(len, content.split(b"\r\n"))) <= 998


def test_the_same_notification_makes_the_same_message():
    """All but the boundaries of a message follows from the notification."""
    first, second = (mail(about(finding()), FROM, [TO]) for _ in range(2))
    assert dict(first.items()) | {"Content-Type": ""} == dict(second.items()) | {"Content-Type": ""}
    assert parts(first) == parts(second)
