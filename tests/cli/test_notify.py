"""`rolewatch notify test`: each target is tried, a line for each, and the exit status says whether all took it."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SECRET = "s3cr3t-of-the-hook"  # noqa: S105 - made up


@pytest.fixture
def receiver():
    """Serve HTTP on loopback; gives an object with `port`, the `bodies` that arrived and the `status` to answer with."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies, server.status, server.port = [], 200, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hook(receiver):
    """Give the URL of a webhook."""
    return f"webhook+http://{SECRET}@127.0.0.1:{receiver.port}/hook"


@pytest.fixture
def environ(here, receiver, monkeypatch):
    """Let incident tools be the server here."""
    assert here  # where such variables are unset
    for name in ("PAGERDUTY", "OPSGENIE"):
        monkeypatch.setenv(f"ROLEWATCH_{name}_URL", f"http://127.0.0.1:{receiver.port}/{name.lower()}")


def test_each_target_is_tried(call, receiver, hook):
    """Every URL gets its test notification, clearly marked, and its line."""
    status, out, err = call("notify", "test", hook, "exec:true", hook)
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["ok", "ok"]
    (body,) = receiver.bodies
    assert (body["kind"], body["id"][:5], body["dedup_key"][:15]) == ("blocked", "test-", "rolewatch-test-")
    assert "nothing was refused" in body["findings"][0]["explanation"]
    assert SECRET not in out


@pytest.mark.parametrize("kind", ["blocked", "recovered", "reopened", "alarm", "summary"])
def test_kinds(call, receiver, hook, kind):
    """`--kind` chooses what is sent."""
    assert call("notify", "test", hook, "--kind", kind)[0] == 0
    assert [body["kind"] for body in receiver.bodies] == [kind]


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("kind", ["blocked", "alarm", "summary"])
def test_incidents_are_opened_and_resolved(call, receiver, kind):
    """An incident tool gets the resolve after the trigger, under the same key."""
    status, out, _ = call("notify", "test", f"pagerduty://{'R' * 32}", "--kind", kind)
    assert (status, out.endswith("(opened and resolved)\n")) == (0, True)
    assert [body["event_action"] for body in receiver.bodies] == ["trigger", "resolve"]
    assert len({body["dedup_key"] for body in receiver.bodies}) == 1
    assert receiver.bodies[0]["payload"]["summary"].startswith("TEST, nothing is wrong: ")


def test_one_that_fails(call, receiver, hook):
    """What went wrong is told with its remedy, the others are tried nevertheless, and the status is 4."""
    receiver.status = 403
    status, out, err = call("notify", "test", hook, "exec:true", "exec:false")
    lines = out.splitlines()
    assert (status, err, [line.split()[0] for line in lines]) == (4, "", ["failed", "ok", "failed"])
    assert "answered 403 (check the secret or key)" in lines[0]
    assert "exec:false" in lines[2]
    assert SECRET not in out


def test_json(call, receiver, hook):
    """As JSON the same is for machines."""
    receiver.status = 500
    status, out, _ = call("notify", "test", hook, "exec:true", "--format", "json")
    failed, sent = json.loads(out)["targets"]
    assert (status, sent["sent"], sent["error"], failed["sent"]) == (4, True, None, False)
    assert failed["error"].endswith("answered 500")
    assert failed["remedy"] == "it is tried again"


def test_bad_url_before_anything_is_sent(call, receiver, hook):
    """A URL that makes no sense ends it with 2, before anybody is bothered, and without a secret."""
    status, out, err = call("notify", "test", hook, "smtp://me:s3cr3t@mail/?to=x")
    assert (status, out, receiver.bodies) == (2, "", [])
    assert "there is no e-mail address" in err
    assert "s3cr3t" not in err


@pytest.mark.parametrize("words", [("test",), (), ("send", "exec:true")])
def test_wrong_usage(call, words):
    """Without a URL, or another word than test, it says what to do."""
    status, out, err = call("notify", *words)
    assert (status, out) == (2, "")
    assert err


SETTINGS = """
[watch]
notify = ["exec:true watch"]
[notify]
notify = ["{hook}"]
[[route]]
service = "config.amazonaws.com"
to = ["exec:true route", "exec:true watch"]
[actions]
DeniedAlarm = "exec:true ${{WORD}}"
"""


def test_urls_of_the_settings(call, here, monkeypatch, receiver, hook):
    """Without a URL all those of the settings are tried, each once; one that is typed stands alone."""
    monkeypatch.setenv("WORD", "s3cr3t")
    (here / "rolewatch.toml").write_text(SETTINGS.format(hook=hook))
    status, out, err = call("notify", "test")
    assert (status, err, len(out.splitlines()), len(receiver.bodies)) == (0, "", 4, 1)
    assert "s3cr3t" not in out
    for words in (("exec:true ${WORD}",), ("--notify", "exec:true ${WORD}")):
        status, out, _ = call("notify", "test", *words)
        assert (status, len(out.splitlines()), len(receiver.bodies)) == (0, 1, 1)
    monkeypatch.delenv("WORD")
    status, _, err = call("notify", "test")
    assert (status, "WORD is not set" in err) == (2, True)


def test_url_of_the_environment(call, monkeypatch, receiver, hook):
    """A variable names one URL."""
    monkeypatch.setenv("ROLEWATCH_NOTIFY", hook)
    assert call("notify", "test")[0] == 0
    assert len(receiver.bodies) == 1


def test_kind_that_a_target_does_not_take(call):
    """A target that knows nothing of alarms is not bothered with one."""
    status, out, _ = call("notify", "test", "securityhub:", "--kind", "alarm")
    assert (status, out) == (0, "none    securityhub: (takes no alarm notifications)\n")


def test_missing_extra(call, monkeypatch):
    """A missing extra is told for the target that needs it, and the status is 4."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    status, out, _ = call("notify", "test", "json://127.0.0.1/", "exec:true")
    assert (status, [line.split()[0] for line in out.splitlines()]) == (4, ["failed", "ok"])
    assert "rolewatch[notify]" in out


def test_as_a_process(cli, receiver):
    """As users call it, with warnings as errors, Apprise included."""
    done = cli("notify", "test", f"json://127.0.0.1:{receiver.port}/", "exec:true")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok", "ok"]
    assert receiver.bodies[0]["title"].startswith("TEST, nothing is wrong[:]//") is False
    assert receiver.bodies[0]["title"].startswith("TEST, nothing is wrong: ")
