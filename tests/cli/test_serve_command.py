"""`rolewatch serve`, `rolewatch token` and `watch --serve`: real processes, asked over HTTP."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from rolewatch.cli.main import main

DELIVERIES = "examples/deliveries"
ANYWHERE = "0.0.0.0"  # noqa: S104 - what the tests are about
PLACE = re.compile(r"(?:dashboard at http://|dashboard=)(\S+)")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Have a watcher read the example deliveries."""
    place = str(tmp_path_factory.mktemp("state") / "state")
    assert main(["watch", DELIVERIES, "--once", "--state", place, "--log-level", "error"], environ={}) == 0
    return place


@contextmanager
def running(*words, **environ):
    """Run a command until it says where its dashboard is; give the address. It has to end well when it is asked to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rolewatch", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )
    try:
        said = ""
        while not (found := PLACE.search(said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        yield found[1].replace(ANYWHERE, "127.0.0.1")
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    assert "Traceback" not in rest, rest


def get(address, path, token=None):
    """Read something; returns status and body."""
    for _ in range(100):
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionError:  # it listens before it answers
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("no answer")


@pytest.mark.slow
def test_a_dashboard_of_this_machine(state):
    """Without tokens anybody here may read; a secret that ends in a log is not printed."""
    with running("serve", "--state", state, "--listen", "0") as address:
        status, body = get(address, "/api/v1/findings")
        assert status == 200
        assert json.loads(body)["total"] == 19
        assert get(address, "/findings")[0] == 200


@pytest.mark.slow
def test_tokens_of_a_file(state, tmp_path, capsys):
    """What `token` prints first is accepted by a server that has its second line, in a file, from the environment as well."""
    assert main(["token", "alice", "--scope", "write", "--expires", "1d"]) == 0
    secret, line = capsys.readouterr().out.splitlines()
    (tmp_path / "tokens").write_text(line + "\n")
    with running(
        "serve", "--listen", f"{ANYWHERE}:0", ROLEWATCH_STATE=state, ROLEWATCH_TOKENS=str(tmp_path / "tokens")
    ) as address:
        assert get(address, "/api/v1/findings")[0] == 401
        assert get(address, "/api/v1/findings", secret)[0] == 200


@pytest.mark.slow
def test_a_watcher_with_a_dashboard(tmp_path):
    """One process watches and shows; what is found appears without a second one."""
    with running("watch", DELIVERIES, "--state", str(tmp_path / "state"), "--serve", "0") as address:
        for _ in range(200):
            status, body = get(address, "/api/v1/findings")
            if status == 200 and json.loads(body)["total"] == 19:
                break
            time.sleep(0.05)
        else:
            raise AssertionError((status, body))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["serve", "--listen", f"{ANYWHERE}:0"], 2, "--tokens"),
        (["serve", "--listen", "[::]:0"], 2, "nothing says who may see what"),
        (["watch", DELIVERIES, "--serve", f"{ANYWHERE}:0"], 2, "--tokens"),
        (["serve", "--listen", "TAKEN"], 4, "Address already in use"),
        (["serve", "--listen", "198.51.100.1:0", "--proxy", "10.0.0.0/8"], 4, "198.51.100.1"),
        (["serve", "--proxy", "ten"], 2, "is no address"),
        (["serve", "--tokens", "/nowhere"], 4, "/nowhere"),
        (["serve", "--listen", "here:there"], 2, "listen"),
        (["token", "a b"], 2, "no blanks"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, capsys, words, status, said):
    """An address that others reach needs a way to say who they are; each error names what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        words = [f"127.0.0.1:{other.getsockname()[1]}" if word == "TAKEN" else word for word in words]
        if words[0] != "token":
            words += ["--state", str(tmp_path / "state")]
        assert main(words, environ={}) == status
    assert said in capsys.readouterr().err
