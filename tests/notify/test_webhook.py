"""Signed webhooks: what is sent, how a receiver verifies it, which answers pass, and that no secret is ever told."""

import json
import re
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from notices import HOSTILE, about, alarm, finding, hostile

from rolewatch.base.errors import UsageError
from rolewatch.notify import http_post
from rolewatch.notify.errors import SendError
from rolewatch.notify.http_post import Place, seconds
from rolewatch.notify.target import target_of
from rolewatch.notify.webhook import MOST, Webhook, signature

DOCS = Path(__file__).resolve().parents[2] / "docs" / "notifications.md"
SECRET = "s3cr3t-Of-The-Hook"  # noqa: S105 - made up
PLAIN = (False,)
NOW = 1_772_524_800.0


def hook(sink, rest="/hooks/rolewatch", environ=()):
    """Return the target of a server."""
    return target_of(f"webhook+{sink.url.replace('://', f'://{SECRET}@')}{rest}", environ=dict(environ))


def verifier():
    """Return the function of the documentation's snippet."""
    (snippet,) = re.findall(r"```python\n(import hashlib.*?)```", DOCS.read_text(), re.DOTALL)
    names = {}
    exec(compile(snippet, str(DOCS), "exec"), names)  # noqa: S102 - what readers are told to run
    return names["verified"]


def test_body_is_the_notification(http):
    """The body is the notification's JSON, sent as such, with its id in a header and the query kept."""
    hook(http, "/a/b?team=x&insecure=no").send(about(finding(), left_out=2))
    (request,) = http.requests
    assert json.loads(request.body) == about(finding(), left_out=2).body()
    assert (request.path, request.headers["Content-Type"]) == ("/a/b?team=x", "application/json")
    assert (request.headers["Rolewatch-Id"], request.headers["User-Agent"][:10]) == ("n-1", "rolewatch/")


def test_signature_is_what_the_documentation_verifies(http):
    """The snippet of the documentation accepts what was sent, and nothing that was changed, old or signed otherwise."""
    verified = verifier()
    hook(http).send(about(finding()))
    (request,) = http.requests
    stamp = float(request.headers["Rolewatch-Timestamp"])
    assert verified(SECRET, request.headers, request.body, stamp + 1)
    assert not verified(SECRET, request.headers, request.body + b" ", stamp + 1)
    assert not verified(f"{SECRET}x", request.headers, request.body, stamp + 1)
    assert not verified(SECRET, request.headers, request.body, stamp + 301)
    assert not verified(SECRET, request.headers | {"Rolewatch-Timestamp": "1"}, request.body, 2.0)
    assert not verified(SECRET, {}, request.body, stamp + 1)


def test_signature_by_example():
    """HMAC-SHA256 over `timestamp.body`, checked against one made with openssl."""
    # printf '1772524800.{"id":"n"}' | openssl dgst -sha256 -hmac s3cr3t
    expected = "16922421c197333658e527bb8c3fd8137ff3a2bdbba56099d4d429779a566a8f"
    assert signature(b"s3cr3t", "1772524800", b'{"id":"n"}') == expected


def test_time_is_that_of_sending(http):
    """What is sent again is signed anew."""
    times = iter((NOW, NOW + 60))
    target = Webhook("hook", Place(*PLAIN, "127.0.0.1", int(http.port), "/"), b"x", lambda: next(times))
    target.send(about(finding()))
    target.send(about(finding()))
    first, second = http.requests
    assert [int(each.headers["Rolewatch-Timestamp"]) - NOW for each in (first, second)] == [0, 60]
    assert first.headers["Rolewatch-Signature"] != second.headers["Rolewatch-Signature"]
    assert first.body == second.body


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("webhook+http://SECRET@127.0.0.1:PORT/", {}),
        ("webhook+http://name:SECRET@127.0.0.1:PORT/", {}),
        ("webhook+http://127.0.0.1:PORT/?secret-env=HOOK", {"HOOK": SECRET}),
        ("webhook+http://127.0.0.1:PORT/", {"ROLEWATCH_WEBHOOK_SECRET": SECRET}),
    ],
)
def test_places_of_the_secret(http, url, environ):
    """The secret stands in the URL, in a variable that it names, or in the usual one."""
    target_of(url.replace("SECRET", SECRET).replace("PORT", http.port), environ=environ).send(about(finding()))  # fmt: skip
    (request,) = http.requests
    expected = signature(SECRET.encode(), request.headers["Rolewatch-Timestamp"], request.body)
    assert request.headers["Rolewatch-Signature"] == f"sha256={expected}"
    assert (request.path, "Authorization" in request.headers) == ("/", False)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("webhook+https://example.com/", "no secret to sign with"),
        ("webhook+https://example.com/?secret-env=NOT_SET", "takes its secret from NOT_SET"),
        ("webhook+https://s3cr3t@example.com/?secret-env=HOOK", "not both"),
        ("webhook+https://s3cr3t@example.com/?secret-env=a-b", "the name of an environment variable"),
        ("webhook+http://s3cr3t@example.com/", "insecure=yes"),
        ("webhook+http://s3cr3t@example.com/?insecure=maybe", "insecure is yes or no"),
        ("webhook+https://s3cr3t@/x", "host is missing"),
        ("webhook+https:s3cr3t", "names no host"),
        ("webhook+https://s3cr3t@example.com:99999/", "port"),
        ("webhook+https://s3cr3t@example.com/a b", "blank"),
        ("webhook+https://s3cr3t@exa\nmple.com/", "blank"),
        ("webhook+https://s3cr3t@example.com/?a", "NAME=VALUE"),
        ("webhook+https://s3cr3t@example.com/?a=1&a=2", "twice"),
    ],
)
def test_urls_that_make_no_sense(url, what):
    """What is wrong is said, with the remedy and without the secret."""
    with pytest.raises(UsageError) as caught:
        target_of(url, environ={"HOOK": SECRET})
    assert what in str(caught.value)
    assert caught.value.remedy
    assert "s3cr3t" not in str(caught.value)


def test_http_to_other_machines_has_to_be_meant():
    """Without TLS only this machine is reached, unless the URL says otherwise."""
    for url in ("webhook+http://x@localhost/", "webhook+http://x@[::1]:1/", "webhook+http://x@10.0.0.1/?insecure=yes"):  # fmt: skip
        assert target_of(url, environ={})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(http, status):
    """Every 2xx is a success."""
    http.status = status
    hook(http).send(about(finding()))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_answers_that_pass(http, status):
    """Too slow, too early, too many and any fault of the server pass; the time that they ask for is kept."""
    http.status, http.headers = status, {"Retry-After": "17"}
    with pytest.raises(SendError) as caught:
        hook(http).send(about(finding()))
    assert (caught.value.passing, caught.value.retry_after) == (True, 17.0)
    assert str(status) in caught.value.message


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422, 451])
def test_answers_that_do_not_pass(http, status):
    """All other refusals stay what they are, and redirects are not followed."""
    http.status, http.headers = status, {"Location": f"{http.url}/elsewhere", "Retry-After": "17"}
    with pytest.raises(SendError) as caught:
        hook(http).send(about(finding()))
    assert (caught.value.passing, caught.value.retry_after) == (False, None)
    assert caught.value.remedy
    assert len(http.requests) == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, None),
        ("", None),
        ("x", None),
        ("-1", None),
        ("0", 0.0),
        ("120", 120.0),
        ("99999999999999999999", 86_400.0),
        ("Tue, 03 Mar 2026 08:00:30 GMT", 30.0),
        ("Tue, 03 Mar 2026 07:00:00 GMT", 0.0),
        ("Tue, 03 Mar 2099 07:00:00 GMT", 86_400.0),
        ("²", None),
    ],
)
def test_retry_after(word, expected):
    """Seconds and dates are read, within a day; what is neither says nothing."""
    assert seconds(word, NOW) == expected


def test_nobody_listens():
    """A server that is not there passes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SendError, match="no answer") as caught:
        target_of(f"webhook+http://{SECRET}@127.0.0.1:{port}/", environ={}).send(about(finding()))
    assert caught.value.passing
    assert SECRET not in str(caught.value)


@contextmanager
def talking(answer):
    """Serve one connection by a function that gets the socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_server_that_never_ends_is_cut_off():
    """Who answers byte by byte without an end is given up after the whole time."""
    ended = threading.Event()

    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                connection.sendall(b"X")
                if ended.wait(0.02):
                    break
        except OSError:
            pass

    with talking(drip) as port:
        with pytest.raises(SendError, match="took too long") as caught:
            http_post.post(Place(*PLAIN, "127.0.0.1", port, "/"), b"{}", {}, "slow", whole=0.3)
        ended.set()
    assert caught.value.passing


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200])
def test_answers_that_are_no_http(answer):
    """Whatever is answered that is no HTTP passes, and says nothing of what was sent."""

    def answer_once(connection):
        connection.recv(65536)
        connection.sendall(answer)

    with talking(answer_once) as port, pytest.raises(SendError, match="no answer") as caught:
        http_post.post(Place(*PLAIN, "127.0.0.1", port, "/"), b"{}", {}, "odd")
    assert caught.value.passing


def test_tls(https):
    """Over TLS with a certificate that is trusted it arrives."""
    hook(https).send(about(finding()))
    assert len(https.requests) == 1


def test_tls_that_is_not_trusted(https, monkeypatch):
    """A certificate that nobody vouches for ends it, for good."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SendError, match="certificate is not accepted") as caught:
        hook(https).send(about(finding()))
    assert (caught.value.passing, https.requests) == (False, [])


def test_proxy(https, monkeypatch):
    """Through the proxy of the environment the tunnel's other end gets it, and the proxy nothing but the way there."""
    asked = []

    def relay(connection):
        asked.append(connection.recv(65536).decode())
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(https.port))) as other:
            back = threading.Thread(target=lambda: _copied(other, connection))
            back.start()
            _copied(connection, other)
            back.join()

    with talking(relay) as port:
        monkeypatch.setenv("https_proxy", f"http://me:pass%20word@127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        hook(https).send(about(finding()))
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{https.port} HTTP/1.")
    assert "Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk\r\n" in asked[0]
    assert (len(asked), len(https.requests)) == (1, 1)


def _copied(source, sink):
    """Copy from one socket to another, to the end."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://:99999", "://"])
def test_proxy_that_is_none(monkeypatch, proxy):
    """A proxy that cannot be used is named by its variable."""
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(SendError, match="HTTPS_PROXY"):
        target_of(f"webhook+https://{SECRET}@192.0.2.1/", environ={}).send(about(finding()))


def test_headers_are_no_place_for_more_headers(http):
    """An id of an attacker's stays one header."""
    hook(http).send(about(hostile(), id=HOSTILE, dedup_key=HOSTILE))
    (request,) = http.requests
    assert "Bcc" not in request.headers
    assert json.loads(request.body)["kind"] == "blocked"


@pytest.mark.parametrize("char", ["x", "é", "\ud800", "\x1b", '"'])
def test_endless_findings_fit(http, char):
    """Ten million characters, or thousands of findings, become a body of a mebibyte at most that says what is left out."""
    many = [
        hostile(char * 1_000_000, resource=char * 10_000_000),
        *(finding(at, event_ids=["e" * 36] * 1000) for at in range(3000)),
    ]
    hook(http).send(about(*many))
    (request,) = http.requests
    body = json.loads(request.body)
    assert len(request.body) <= MOST
    assert body["shortened"] is True
    assert len(body["findings"]) + body["left_out"] == len(many)
    assert len(request.body) > MOST * 0.9


def test_name_tells_no_secret():
    """The name is the same for the same URL, another for another one, and tells neither secret nor path nor query."""
    urls = [f"webhook+https://{SECRET}@example.com:8443/token-{at}?key=value-{at}" for at in (1, 2)]
    names = [target_of(url, environ={}).name for url in urls]
    assert names[0] != names[1]
    assert names[0] == target_of(urls[0], environ={}).name
    assert re.fullmatch(r"webhook\+https://example\.com:8443/…[0-9a-f]{8}", names[0])


def test_alarm_is_in_the_body(http):
    """An alarm's body has CloudWatch's message."""
    hook(http).send(alarm())
    assert json.loads(http.requests[0].body)["alarm"]["AlarmName"] == "denied"
