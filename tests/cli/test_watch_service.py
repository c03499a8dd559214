"""`rolewatch watch` as a service: its end, its log, its probes, settings that are read again, and what systemd hears."""

import http.client
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path

import pytest
from watchers import Daemon, Receiver, write

from rolewatch.cli.watch import _told
from rolewatch.cli.watch_signals import Ended, Signals
from rolewatch.cli.watch_systemd import Supervisor
from rolewatch.store.state import State
from rolewatch.watch.log import Log
from supervising import Systemd

ROUTES = """
[[route]]
service = "config.amazonaws.com"
to = ["{}"]
"""


@pytest.fixture
def receivers():
    """Start two receivers of webhooks."""
    made = Receiver(), Receiver()
    yield made
    for each in made:
        each.close()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(tmp_path, number, status):
    """What was begun is committed, the last line has the sums, and a successor finds nothing left to do."""
    write(tmp_path, "1.json.gz", "b1", "b2")
    with Daemon(tmp_path) as daemon:
        daemon.wait("backlog through", first=True, denials=2)
        write(tmp_path, "2.json.gz", "b3", number=10)
        daemon.wait("notification", kind="blocked")
        daemon.signal(number)
        assert daemon.ended() == status
        last = daemon.lines[-1]
    assert (last["message"], last["deliveries"], last["denials"], last["notifications"]) == (
        "stopped",
        2,
        3,
        2,
    )
    assert (last["blocked"], last["recovered"]) == (3, 0)
    with Daemon(tmp_path, "--once") as daemon:
        assert daemon.ended() == 0
        assert (daemon.lines[-1]["message"], daemon.lines[-1]["deliveries"]) == ("done", 0)


def test_a_second_signal_ends_it_at_once(tmp_path):
    """Whoever does not want to wait for a target that takes its time asks again."""
    (tmp_path / "slow").write_text("#!/bin/sh\necho begun > begun\nexec sleep 25\n")
    (tmp_path / "slow").chmod(0o755)
    os.mkfifo(tmp_path / "begun")
    with Daemon(tmp_path, "--notify", f"exec:{tmp_path}/slow") as daemon:
        daemon.wait("backlog through")
        write(tmp_path, "1.json.gz", "b1")
        daemon.wait("notification", kind="blocked")
        assert (tmp_path / "begun").read_text() == "begun\n"
        daemon.signal(signal.SIGTERM)
        while caught(daemon.process.pid, signal.SIGTERM):
            pass
        assert daemon.process.poll() is None
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == -signal.SIGTERM


def caught(process, number):
    """Whether a process has a handler for a signal."""
    (mask,) = re.findall(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_a_signal_before_there_is_anything_to_end():
    """It ends what is being prepared; one that asks to read settings again asks for nothing yet."""
    before = signal.getsignal(signal.SIGINT)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(Ended):
            os.kill(os.getpid(), signal.SIGINT)
        assert signals.status == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_settings_are_read_again(tmp_path, receivers):
    """Routes as they are now hold from then on; a mistake is told, and the old ones stay."""
    old, new = receivers
    settings = tmp_path / "rolewatch.toml"
    settings.write_text(ROUTES.format(old.url))
    with Daemon(tmp_path) as daemon:
        daemon.wait("backlog through")
        write(tmp_path, "1.json.gz", "b1")
        old.wait(1)
        settings.write_text("[[route]]\nservice = 7\n")
        daemon.signal(signal.SIGHUP)
        line = daemon.wait("settings not read, the old ones stay")
        assert (line["level"], "rolewatch.toml" in line["reason"]) == ("error", True)
        write(tmp_path, "2.json.gz", "b2", number=2)
        old.wait(2)
        settings.write_text(f'notify = "{new.url}"\n[quiet]\ntimes = []\n')
        daemon.signal(signal.SIGHUP)
        assert len(daemon.wait("settings read")["targets"]) == 1
        write(tmp_path, "3.json.gz", "b3", number=3)
        (body,) = new.wait(1)
        assert body["findings"][0]["resource"].endswith("b3")
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    assert len(old.bodies) == 2


def test_metrics_and_probes(tmp_path):
    """A port alone is of this machine only; ready when the backlog is through."""
    write(tmp_path, "1.json.gz", "b1")
    with Daemon(tmp_path, "--metrics", "0") as daemon:
        address = daemon.wait("watching")["metrics"]
        assert address.startswith("127.0.0.1:")
        daemon.wait("backlog through")
        assert ask(address, "/healthz")[0] == 200
        status, body = ask(address, "/readyz")
        assert (status, json.loads(body)["checks"].keys()) == (200, {"state", "backlog", "source trail"})
        status, body = ask(address, "/metrics")
        assert (status, 'rolewatch_denials_total{service="config.amazonaws.com"} 1.0' in body) == (200, True)
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    with Daemon(tmp_path, "--metrics", "192.0.2.1:9464") as daemon:
        assert daemon.ended() == 4
        assert daemon.lines[-1]["message"].startswith("--metrics 192.0.2.1:9464: ")


def ask(address, path):
    """Ask for a page; returns status and body."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def test_what_cannot_be_read_is_the_status_of_one_run(tmp_path):
    """Each delivery is named with its reason, the last line counts them, and the status is 3; the next run is fine."""
    write(tmp_path, "1.json.gz", "b1")
    (tmp_path / "trail" / "bad\x1b.json.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    with Daemon(tmp_path, "--once") as daemon:
        assert daemon.ended() == 3
        failed = [line for line in daemon.lines if line["message"] == "delivery failed"]
        assert [line["name"].rpartition("/")[2] for line in failed] == ["bad\\x1b.json.gz"]
        assert failed[0]["reason"]
        assert (daemon.lines[-1]["failed"], daemon.lines[-1]["deliveries"]) == (1, 2)
    with Daemon(tmp_path, "--once") as daemon:
        assert daemon.ended() == 0


def test_an_error_is_a_line_of_the_log(tmp_path):
    """Also one that ends the command before it has begun."""
    with Daemon(tmp_path, source="nowhere") as daemon:
        assert daemon.ended() == 2
        (line,) = daemon.lines
        assert (line["level"], line["status"], "nowhere" in line["message"]) == ("error", 2, True)


def test_a_second_watcher_is_refused(tmp_path):
    """With status 4 and the name of the first one, which goes on; a database is shared."""
    with Daemon(tmp_path) as first:
        first.wait("backlog through")
        with Daemon(tmp_path) as second:
            assert second.ended() == 4
            (line,) = second.lines
            assert f"is watched already, by process {first.process.pid} on " in line["message"]
        write(tmp_path, "1.json.gz", "b1")
        first.wait("notification", kind="blocked")
        first.signal(signal.SIGTERM)
        assert first.ended() == 0
    with Daemon(tmp_path, "--once") as third:
        assert third.ended() == 0


def test_a_state_of_a_newer_version(tmp_path):
    """It is left alone, and the version named."""
    with Daemon(tmp_path, "--once") as daemon:
        assert daemon.ended() == 0
    state = State(str(tmp_path / "state"))
    state.write(
        lambda connection: connection.exec_driver_sql("UPDATE meta SET value = '99' WHERE name = 'schema'")
    )
    state.close()
    with Daemon(tmp_path) as daemon:
        assert daemon.ended() == 4
        assert "schema 99" in daemon.lines[-1]["message"]


def test_silence_is_told(tmp_path, receivers):
    """A run that finds nothing, an hour after the last delivery, tells so; the next delivery ends it."""
    receiver = receivers[0]
    write(tmp_path, "1.json.gz", "b1")
    words = ("--once", "--notify", receiver.url)
    with Daemon(tmp_path, *words) as daemon:
        assert daemon.ended() == 0
    state = State(str(tmp_path / "state"))
    state.write(
        lambda connection: connection.exec_driver_sql("UPDATE sources SET arrived = arrived - 3700000")
    )
    state.close()
    for _ in range(2):
        with Daemon(tmp_path, *words) as daemon:
            assert daemon.ended() == 0
    write(tmp_path, "2.json.gz", "b1", number=2)
    with Daemon(tmp_path, *words) as daemon:
        assert daemon.ended() == 0
    alarms = [body["alarm"] for body in receiver.bodies if body["kind"] == "alarm"]
    assert [(each["AlarmName"], each["NewStateValue"]) for each in alarms] == [
        ("rolewatch: no deliveries from trail", "ALARM"),
        ("rolewatch: no deliveries from trail", "OK"),
    ]
    keys = [body["dedup_key"] for body in receiver.bodies if body["kind"] == "alarm"]
    assert len(set(keys)) == 1


def test_what_systemd_hears(tmp_path):
    """Ready when it watches, reloading and ready again, stopping at the end."""
    systemd = Systemd(str(tmp_path / "notify"))
    with Daemon(tmp_path, environ={"NOTIFY_SOCKET": systemd.name}) as daemon:
        assert systemd.heard() == {"READY": "1"}
        daemon.wait("backlog through")
        daemon.signal(signal.SIGHUP)
        assert systemd.heard().keys() == {"RELOADING", "MONOTONIC_USEC"}
        assert systemd.heard() == {"READY": "1"}
        daemon.signal(signal.SIGTERM)
        assert systemd.heard() == {"STOPPING": "1"}
        assert daemon.ended() == 0
    systemd.close()


def test_the_watchdog_is_fed_while_the_watcher_goes_on():
    """At half the time that systemd gives; not by another process, and not when the watcher is stuck."""
    systemd = Systemd("\0rolewatch-tests-watchdog")
    environ = {"NOTIFY_SOCKET": "@rolewatch-tests-watchdog", "WATCHDOG_USEC": "20000"}
    alive, stuck = threading.Event(), threading.Event()
    alive.set()
    supervisor = Supervisor(environ, lambda: alive.is_set() or stuck.set())
    supervisor.start()
    assert [systemd.heard() for _ in range(4)] == [{"READY": "1"}, *[{"WATCHDOG": "1"}] * 3]
    alive.clear()
    assert stuck.wait(30)
    supervisor.stop()
    while (heard := systemd.heard()) == {"WATCHDOG": "1"}:
        pass
    assert heard == {"STOPPING": "1"}
    other = Supervisor(environ | {"WATCHDOG_PID": "1"}, lambda: True)
    other.start()
    other.stop()
    assert [systemd.heard(), systemd.heard()] == [{"READY": "1"}, {"STOPPING": "1"}]
    systemd.close()


def test_nobody_wants_to_hear():
    """Without systemd, or with one that is gone, nothing is said and nothing goes wrong."""
    for environ in ({}, {"NOTIFY_SOCKET": "/nowhere/at/all"}):
        supervisor = Supervisor(environ, lambda: True)
        supervisor.start()
        supervisor.reloading()
        supervisor.stop()


def test_a_bug_is_a_line_of_the_log(capsys):
    """With what to report; as text it is left to the command line as a whole."""
    log = Log("json", stream=sys.stderr)
    assert _told(log, ZeroDivisionError("x")) == 4
    assert _told(log, OSError(28, "No space left on device")) == 4
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["message"].startswith("internal error: ZeroDivisionError: x (")
    assert second["message"] == "the system refused: [Errno 28] No space left on device"
    assert first["status"] == second["status"] == 4
