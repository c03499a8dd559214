"""A mail server on loopback that keeps what it gets, and answers as it is told."""

import asyncio
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    """What arrived: messages as parsed, with their envelopes; `replies` answer RCPT by address, `data` answers DATA."""

    def __init__(self):
        self.messages, self.envelopes, self.logins = [], [], []
        self.replies, self.data, self.password, self.port = {}, "250 OK", "p@ss:word/", 0
        self.silent = False  # whether it never answers QUIT

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server, session, envelope, address, options
    ):
        """Take a recipient, or not."""
        del server, session, options
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802 - as above
        self, server, session, envelope
    ):
        """Keep a message."""
        del server
        if self.data.startswith("250"):
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos), session.ssl is not None))
            self.messages.append(message_from_bytes(envelope.original_content, policy=default))
        return self.data

    async def handle_QUIT(  # noqa: N802 - as above
        self, server, session, envelope
    ):
        """Say goodbye, or nothing."""
        del server, session, envelope
        if self.silent:
            await asyncio.Event().wait()
        return "221 bye"

    def login(self, server, session, envelope, mechanism, data):
        """Let in who knows the password."""
        del server, session, envelope, mechanism
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == self.password, handled=False)


@contextmanager
def mail_server(*, tls=None, starttls=None, auth=False, exclude=()):
    """Serve mail on loopback: `tls` from the first byte, `starttls` on demand (contexts), with login if `auth`, but by `exclude`."""
    box = Mailbox()
    loop = asyncio.new_event_loop()

    def session():
        return SMTP(
            box,
            hostname="mail.test",
            loop=loop,
            tls_context=starttls,
            authenticator=box.login if auth else None,
            auth_require_tls=False,
            auth_exclude_mechanism=exclude,
            timeout=20,
        )

    server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=tls))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:

        async def close():
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            loop.stop()

        asyncio.run_coroutine_threadsafe(close(), loop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
