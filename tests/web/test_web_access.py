"""Who may do what: tokens, sessions, proxies; and what holds for every request."""

import http.client
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import urlencode

import pytest

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.web.access import COOKIE, FAILURES, Proxies
from rolewatch.web.live import Live
from rolewatch.web.tokens import LOOKS, TokenFile, line_of, new_token, token_of, tokens_in

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def some(world):
    """Let one bucket be blocked."""
    world.happen(world.call(5, denied=True))
    return world


def test_a_token_is_known_by_its_digest(tmp_path):
    """The file has names, scopes and digests; only the secret that was printed is accepted, until it ends."""
    secret, token = new_token("alice", "write", NOW + timedelta(days=1))
    path = tmp_path / "tokens"
    path.write_text(f"# who may\n\n{line_of(token)}\n{line_of(new_token('bob', 'read')[1])}\n")
    assert secret not in path.read_text()
    tokens = tokens_in(str(path))
    assert [(each.name, each.scope) for each in tokens] == [("alice", "write"), ("bob", "read")]
    assert token_of(secret, tokens, NOW) == tokens[0]
    assert token_of(secret, tokens, NOW + timedelta(days=1)) is None
    assert token_of(secret[:-1], tokens, NOW) is None
    assert token_of("", tokens, NOW) is None


@pytest.mark.parametrize(
    "line",
    ["alice", "alice all sha256:" + "0" * 64, "alice read md5:00", "alice read sha256:" + "0" * 63, "alice read sha256:" + "0" * 64 + " soon"],
    ids=["name", "scope", "kind", "short", "end"],
)  # fmt: skip
def test_a_line_that_is_no_token(tmp_path, line):
    """What is wrong is named with its line; nothing of the file is used."""
    path = tmp_path / "tokens"
    path.write_text(f"# comment\n{line}\n")
    with pytest.raises(UsageError, match="tokens:2"):
        tokens_in(str(path))


def test_files_without_tokens(tmp_path):
    """A file that is not there, or has no token, is an error: it would shut everybody out."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(CannotDo):
            tokens_in(str(path))
    (tmp_path / "empty").write_text("# nobody\n")
    with pytest.raises(CannotDo, match="no token"):
        tokens_in(str(tmp_path / "empty"))
    with pytest.raises(UsageError):
        new_token("a b", "read")


def test_a_file_of_tokens_is_read_again(tmp_path):
    """Who is added gets in, who is taken out does not, a wrong line costs no other one, and without the file there is nobody."""
    (alice, first), (bob, second) = new_token("alice", "write"), new_token("bob", "read")
    path, passed, said = tmp_path / "tokens", [0.0], []
    path.write_text(f"{line_of(first)}\n")
    tokens = TokenFile(str(path), said.append, lambda: passed[0])

    def now(text):
        path.write_text(text) if text is not None else path.unlink()
        before = tokens()
        passed[0] += LOOKS
        found = tokens()
        assert before != found
        return [each.name for each in found]

    assert now(f"{line_of(first)}\n{line_of(second)}\n") == ["alice", "bob"]
    assert token_of(bob, tokens(), NOW) == second
    assert now(f"what is this\n{line_of(second)}\n") == ["bob"]
    assert token_of(alice, tokens(), NOW) is None
    assert [f"{path}:1: no token" in each for each in said] == [True]
    assert now(None) == []
    passed[0] += LOOKS
    assert tokens() == []
    assert [str(path) in each for each in said[1:]] == [True, True]
    assert now(line_of(first)) == ["alice"]
    assert now("# nobody\n") == []
    assert "nobody gets in" in said[-1]


@pytest.mark.usefixtures("some")
def test_what_was_begun_with_a_token_ends_with_it(serve):
    """When a token is taken back, or gets another scope, its sessions and streams are over."""
    site = serve(open_reading=False)
    site.desk.live = site.app.state.desk.live = Live(site.desk.read, every=0.05, beat=0.05)
    reader, writer = site.login("read"), site.login("write")
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    connection.request("GET", "/api/v1/events", headers={"Cookie": reader})
    stream = connection.getresponse()
    assert stream.status == 200
    assert stream.readline() == b"retry: 3000\n"
    site.tokens = [each for each in site.tokens if each.scope != "read"]
    assert stream.read().strip(b": alive\n") == b""  # to its end
    connection.close()
    assert site.get("/findings", Cookie=reader).status == 303
    assert site.get("/api/v1/findings", scope="read").status == 401
    assert site.get("/findings", Cookie=writer).status == 200
    site.tokens = [each._replace(scope="read") for each in site.tokens]
    assert site.get("/findings", Cookie=writer).status == 303


@pytest.mark.usefixtures("some")
def test_with_tokens_reading_needs_one(serve):
    """Where tokens are given nobody reads without one; a browser is sent to log in, and comes back."""
    site = serve(open_reading=False)
    assert site.get("/api/v1/findings").status == 401
    assert site.get("/api/v1/findings").headers["WWW-Authenticate"] == "Bearer"
    assert site.get("/api/v1/findings", Authorization="Bearer rwt_wrong").status == 401
    assert site.get("/api/v1/findings", scope="read").status == 200
    sent = site.get("/findings?q=b&status=blocked")
    assert (sent.status, sent.headers["Location"]) == (
        303,
        "/login?back=%2Ffindings%3Fq%3Db%26status%3Dblocked",
    )
    assert site.get("/login").status == 200
    cookie = site.login("read")
    assert site.get("/findings", Cookie=cookie).status == 200
    site.ask("POST", "/logout", Cookie=cookie)
    assert site.get("/findings", Cookie=cookie).status == 303
    assert site.get("/static/web.css").status == 200
    assert (site.get("/healthz").status, site.get("/healthz").text) == (200, "ok\n")


@pytest.mark.usefixtures("some")
def test_a_session_ends(serve):
    """After twelve hours somebody has to log in again."""
    now = [datetime.now(UTC)]
    site = serve(open_reading=False, clock=lambda: now[0])
    cookie = site.login("read")
    assert site.get("/findings", Cookie=cookie).status == 200
    now[0] += timedelta(hours=12)
    assert site.get("/findings", Cookie=cookie).status == 303


@pytest.mark.usefixtures("some")
def test_a_session_needs_the_mark_of_its_page(serve):
    """A page of another site cannot use a session: it does not know what goes with each change."""
    site = serve()
    answer = site.ask("POST", "/login", urlencode({"token": site.secrets["write"]}), Content_Type=FORM)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    session = cookie.partition(";")[0]
    one = site.get("/api/v1/findings").json["findings"][0]["id"]
    path = f"/api/v1/findings/{one}/acknowledge"
    assert site.ask("POST", path, {}, Cookie=session).status == 403
    assert site.ask("POST", path, {}, Cookie=session, X_Rolewatch_Csrf="0" * 64).status == 403
    mark = site.get("/findings", Cookie=session).text.partition('name="csrf" content="')[2].partition('"')[0]
    assert (
        site.ask("POST", path, {}, Cookie=session, X_Rolewatch_Csrf=mark, Sec_Fetch_Site="cross-site").status
        == 403
    )
    assert (
        site.ask(
            "POST", path, {}, Cookie=session, X_Rolewatch_Csrf=mark, Origin="https://evil.example"
        ).status
        == 403
    )
    assert (
        site.ask("POST", path, {}, Cookie=session, X_Rolewatch_Csrf=mark, Origin=site.address).status == 200
    )
    assert site.ask("POST", path, {}, Cookie=f"{COOKIE}=made-up", X_Rolewatch_Csrf=mark).status == 401


@pytest.mark.usefixtures("some")
def test_logins_that_fail_are_slowed_down(site):
    """After some wrong tokens even the right one waits; what was typed is not shown again."""
    for _ in range(FAILURES):
        answer = site.ask("POST", "/login", urlencode({"token": "rwt_guess"}), Content_Type=FORM)
        assert answer.status == 403
        assert "rwt_guess" not in answer.text
    answer = site.ask("POST", "/login", urlencode({"token": site.secrets["write"]}), Content_Type=FORM)
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"]
)
@pytest.mark.usefixtures("some")
def test_nobody_is_sent_elsewhere(site, back):
    """After logging in one goes to a page of this server, whatever the address said."""
    form = urlencode({"token": site.secrets["read"], "back": back})
    answer = site.ask("POST", "/login", form, Content_Type=FORM)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


@pytest.mark.usefixtures("some")
def test_a_proxy_is_trusted_by_its_address(serve):
    """The header counts from the addresses that are listed, and from nobody else."""
    near = Proxies([ip_network("127.0.0.0/8")], "X-Forwarded-User")
    far = Proxies([ip_network("10.0.0.0/8")], "X-Forwarded-User")
    trusted, other = serve(open_reading=False, proxies=near), serve(open_reading=False, proxies=far)
    assert trusted.get("/api/v1/findings", X_Forwarded_User="alice").status == 200
    assert trusted.get("/api/v1/findings").status == 401
    assert other.get("/api/v1/findings", X_Forwarded_User="alice").status == 401
    one = trusted.get("/api/v1/findings", X_Forwarded_User="alice").json["findings"][0]["id"]
    path = f"/api/v1/findings/{one}/acknowledge"
    assert trusted.ask("POST", path, {}, X_Forwarded_User="alice").status == 403
    page = trusted.get("/findings", X_Forwarded_User="alice").text
    mark = page.partition('name="csrf" content="')[2].partition('"')[0]
    assert trusted.ask("POST", path, {}, X_Forwarded_User="alice", X_Rolewatch_Csrf=mark).status == 200
    assert trusted.ask("POST", path, {}, X_Forwarded_User="mallory", X_Rolewatch_Csrf=mark).status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("127.0.0.1:8787", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("10.1.2.3", 421), ("", 421), ("[::1]:80", 421)],
    ids=["own", "port", "other", "looks-like", "address", "none", "v6"],
)  # fmt: skip
@pytest.mark.usefixtures("some")
def test_the_server_goes_by_its_names(site, host, status):
    """A name that was made to resolve to this machine is refused, so that no page of another site reads here."""
    assert site.get("/api/v1/findings", Host=host).status == status
    assert site.get("/findings", Host=host).status == status


@pytest.mark.usefixtures("some")
def test_numeric_addresses_are_its_own_where_it_listens_at_all(serve):
    """Where it listens at every address it may be called by any of them, and by the names that were given."""
    site = serve(hosts=("rolewatch.example.com",), numeric=True)
    for host, status in (
        ("10.1.2.3:80", 200),
        ("[fd00::1]", 200),
        ("RoleWatch.example.com", 200),
        ("x.example.com", 421),
    ):
        assert site.get("/findings", Host=host).status == status


@pytest.mark.usefixtures("some")
def test_every_answer_is_guarded(site):
    """Whatever is answered, browsers run nothing but our own files, and nobody frames it."""
    for path in (
        "/findings",
        "/login",
        "/nowhere",
        "/static/app.js",
        "/api/v1/findings",
        "/api/v1/findings?limit=x",
        "/findings.csv",
    ):
        headers = site.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "server" not in {name.lower() for name in headers}


@pytest.mark.usefixtures("some")
def test_bodies_are_bounded(site):
    """A request that is too large is refused before it is read, also one that does not say how large it is."""
    large = b"x" * 300_000
    assert (
        site.ask("POST", "/api/v1/mutes", large, scope="write", Content_Type="application/json").status == 413
    )
    answer = site.ask(
        "POST", "/api/v1/mutes", b'{"reason": 1', scope="write", Content_Type="application/json"
    )
    assert answer.status == 422


@pytest.mark.usefixtures("some")
def test_pages_hold_nothing_inline(site):
    """No page has a script or style of its own in it, which the policy would refuse."""
    one = site.get("/api/v1/findings").json["findings"][0]["id"]
    for path in ("/findings", f"/findings/{one}", "/login", "/mutes", "/audit", "/api/docs", "/nowhere"):
        text = site.get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        for script in text.split("<script")[1:]:
            assert ' src="/static/' in script.partition(">")[0]


@pytest.mark.usefixtures("some")
def test_files_may_be_kept_for_ever(site):
    """A page names its files by a mark of their content; with it they are kept, without it asked for again."""
    page = site.get("/findings").text
    path = page.partition('href="/static/web.css')[2].partition('"')[0]
    assert "immutable" in site.get(f"/static/web.css{path}").headers["Cache-Control"]
    assert site.get("/static/web.css").headers["Cache-Control"] == "no-cache"
    assert site.get("/static/..%2Fapp.py").status == 404
    assert site.get("/static/none.css").status == 404


@pytest.mark.usefixtures("some")
def test_a_bug_is_answered(site, monkeypatch, caplog):
    """What nobody thought of is a page that says what to report, as guarded as any other; the rest is in the log."""
    monkeypatch.setattr(site.desk, "read", lambda _: {}["a secret of the state"])
    for path, kind in (("/findings", "text/html"), ("/api/v1/groups", "application/problem+json")):
        answer = site.get(path)
        assert answer.status == 500
        assert answer.headers["Content-Type"].startswith(kind)
        assert "KeyError" in answer.text
        assert "a secret of the state" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "a secret of the state" in caplog.text
