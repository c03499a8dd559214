"""What Apprise speaks: that it arrives, that a chat finds nothing to obey, and that no token is ever told."""

import builtins
import json
import logging
import re

import apprise
import pytest
import requests
from notices import HOSTILE, about, alarm, finding, hostile, recovered

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.notify.apprise_target import harmless
from rolewatch.notify.errors import SendError
from rolewatch.notify.target import target_of
from rolewatch.notify.words import text, title

TOKEN = "3ccdd113474722377935511fc85d3dd4"  # noqa: S105 - made up


def chat(sink, scheme="json", rest="/path", login=""):
    """Return the target of a server that Apprise speaks to."""
    return target_of(f"{scheme}://{login}127.0.0.1:{sink.port}{rest}", environ={})


@pytest.mark.parametrize(
    ("notification", "kind"),
    [
        (about(finding()), "failure"),
        (about(finding(), kind="reopened"), "failure"),
        (about(recovered(), kind="recovered"), "success"),
        (about(finding(), kind="summary"), "info"),
        (alarm(), "failure"),
        (alarm("OK"), "success"),
        (alarm("INSUFFICIENT_DATA"), "info"),
    ],
)
def test_title_text_and_type(http, notification, kind):
    """The first line is the title, the rest the text, and its type says how good the news is."""
    chat(http).send(notification)
    sent = json.loads(http.requests[0].body)
    assert (sent["title"], sent["type"]) == (harmless(title(notification)), kind)
    assert sent["message"] == harmless(text(notification, headline=False))


def test_mattermost(http):
    """A chat gets one text in which the title is the beginning."""
    chat(http, "mmost", f"/{TOKEN}").send(about(finding()))
    (request,) = http.requests
    assert request.path == f"/hooks/{TOKEN}"
    assert title(about(finding())) in json.loads(request.body)["text"].replace("\\", "")


def test_ntfy(http):
    """So does ntfy, which has titles."""
    chat(http, "ntfy", "/topic").send(about(recovered(), kind="recovered"))
    sent = json.loads(http.requests[0].body)
    assert (sent["topic"], sent["title"]) == ("topic", title(about(recovered(), kind="recovered")))


@pytest.mark.parametrize(("scheme", "rest"), [("json", "/"), ("mmost", f"/{TOKEN}"), ("ntfy", "/topic"), ("rocket", "/room")])  # fmt: skip
@pytest.mark.parametrize("kind", ["blocked", "summary"])
def test_a_chat_finds_nothing_to_obey(http, scheme, rest, kind):
    """No mention, link, markup or control character of an attacker's reaches a chat as such."""
    target = chat(http, scheme, rest, f"{TOKEN}/{TOKEN}@" if scheme == "rocket" else "")
    http.body = b'{"success": true}'
    target.send(about(hostile(), hostile(), kind=kind))
    sent = json.loads(http.requests[-1].body)
    said = f"{sent.get('title') or ''}{sent.get('message') or sent.get('text')}"
    assert "Bcc: victim" in said
    for obeyed in ("@channel", "@everyone", "<!", "<script", "](http", "https://evil", "`rm`", "\x1b", "\u202e", "\x9b", "\x00"):  # fmt: skip
        assert obeyed not in said


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        f"workflows://prod.example.com:443/{TOKEN}/{TOKEN}",
        "tgram://123456789:abcdefg_hijklmnop/12315544",
    ],
)
def test_chats_on_the_internet_find_nothing_to_obey(monkeypatch, url):
    """Neither do Slack, Discord, Teams and Telegram: looked at in what would be posted to them."""
    posted = []

    def post(*_, data=None, **more):
        posted.append(data if isinstance(data, str) else json.dumps(data or more.get("json")))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"ok"
        return answer

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(requests, "request", post)
    target_of(url, environ={}).send(about(hostile()))
    (said,) = (json.dumps(json.loads(body), ensure_ascii=False) for body in posted)
    assert "Bcc" in said
    for obeyed in ("@channel", "@everyone", "<!", "&lt;!", "<script", "](http", "://evil", "`rm`", "\\u001b", "\u202e"):  # fmt: skip
        assert obeyed not in said


def test_harmless():
    """Signs that are obeyed become others that look alike, and nothing else changes."""
    assert harmless("@here <!here> [a](https://b) `c` arn:aws:s3:::b/* a_b") == (
        "\N{FULLWIDTH COMMERCIAL AT}here \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}!here"
        "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} [a] (https[:]//b) 'c' arn:aws:s3:::b/* a_b"
    )


def test_text_is_as_long_as_the_service_takes(http):
    """What a service cannot take whole is shortened by us, who know what matters, in one message."""
    many = about(*(finding(at) for at in range(200)))
    chat(http, "mmost", f"/{TOKEN}").send(many)
    chat(http, "json").send(many)
    chat(http, "rocket", "/room", f"{TOKEN}/{TOKEN}@").send(many)
    texts = [json.loads(request.body) for request in http.requests]
    assert len(texts) == 3
    assert "rolewatch findings mute" in texts[0]["text"].replace("\\", "")
    assert len(texts[0]["text"]) <= 4000
    assert len(texts[2]["text"]) <= 1000
    assert "rolewatch findings mute" in texts[2]["text"]
    assert len(texts[1]["message"]) <= 3500


def test_endless_names(http):
    """Ten million characters arrive as a short message."""
    chat(http).send(about(hostile("@" * 1_000_000)))
    assert len(http.requests[0].body) < 30_000


@pytest.mark.parametrize(("status", "passing"), [(500, True), (503, True), (429, True), (400, False), (403, False), (404, False)])  # fmt: skip
def test_refusals(http, status, passing):
    """What Apprise says of the answer decides whether it passes."""
    http.status = status
    with pytest.raises(SendError, match=str(status)) as caught:
        chat(http, "mmost", f"/{TOKEN}").send(about(finding()))
    assert caught.value.passing is passing


def test_nobody_there():
    """A service that is not reached passes."""
    with pytest.raises(SendError, match="not delivered") as caught:
        target_of("json://127.0.0.1:1/", environ={}).send(about(finding()))
    assert caught.value.passing


def test_redirects_are_not_followed(http):
    """A redirect is no delivery."""
    http.status, http.headers = 307, {"Location": "/elsewhere"}
    with pytest.raises(SendError):
        chat(http).send(about(finding()))
    assert len(http.requests) == 1


class Kept(logging.Handler):
    """Keeps what reaches it."""

    def __init__(self):
        super().__init__(1)
        self.said = []

    def emit(self, record):
        """Keep a record."""
        self.said.append(record.getMessage())


def test_nothing_is_logged(http, monkeypatch, capfd):
    """What Apprise logs, on any level, with any tokens in it, reaches neither our logs nor the terminal."""
    kept, root = Kept(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", [kept])
    monkeypatch.setattr(root, "level", 1)
    http.status = 404
    with pytest.raises(SendError) as caught:
        chat(http, "json", f"/{TOKEN}?+Authorization={TOKEN}", "me:s3cr3t@").send(about(finding()))
    said = "".join([*capfd.readouterr(), str(caught.value), *kept.said])
    assert [secret for secret in (TOKEN, "s3cr3t") if secret in said] == []


def test_a_plugin_that_fails(http, monkeypatch):
    """A fault of Apprise's is an error that passes, and says only of what kind it was."""

    def fail(*_, **__):
        raise RuntimeError(TOKEN)

    target = chat(http)
    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    with pytest.raises(SendError, match="RuntimeError") as caught:
        target.send(about(finding()))
    assert (caught.value.passing, TOKEN in str(caught.value)) == (True, False)


def test_no_pictures_from_foreign_hosts(http):
    """Apprise's own pictures, which lie on a foreign host, are not referred to."""
    chat(http, "mmost", f"/{TOKEN}?image=yes").send(about(finding()))
    assert b"github" not in http.requests[0].body


def test_without_the_extra(monkeypatch):
    """Without Apprise the error names the extra."""
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "apprise":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(CannotDo, match=r"rolewatch\[notify\]"):
        target_of("slack://a/b/c", environ={})


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("slack://", "makes no sense to Apprise"),
        ("discord://s3cr3t", "makes no sense to Apprise"),
        ("slak://s3cr3t/b/c", "did you mean slack?"),
        ("pagerdty://s3cr3t", "did you mean pagerduty?"),
        ("zzzzzz://s3cr3t", "docs/notifications.md"),
        ("s3cr3t", "begins with its scheme"),
        ("", "begins with its scheme"),
        ("//s3cr3t", "begins with its scheme"),
    ],
)
def test_urls_that_make_no_sense(url, what, capfd):
    """What is wrong is said, with the nearest scheme where one is misspelled, and without the rest."""
    with pytest.raises(UsageError) as caught:
        target_of(url, environ={})
    assert what in str(caught.value)
    assert "s3cr3t" not in str(caught.value) + "".join(capfd.readouterr())


def test_names():
    """A name tells the scheme, and URLs apart, and no part of a token."""
    urls = [f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7F{at}/#general" for at in "QR"]
    names = [target_of(url, environ={}).name for url in urls]
    assert names[0] != names[1]
    assert re.fullmatch(r"slack://…[0-9a-f]{8}", names[0])
    assert HOSTILE  # of which nothing gets into a name: a scheme has letters, digits and +.- only
