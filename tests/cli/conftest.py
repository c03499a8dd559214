"""The command as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import deliveries
import pytest

from rolewatch.cli import main

COMMAND = [sys.executable, "-m", "rolewatch"]
SECONDS = 60  # after which a command that hangs is a failure
MACHINES = ("ROLEWATCH_", "AWS_", "XDG_", "FORCE_COLOR", "PYTHON")


class Cli:
    """Runs commands in a folder of their own; `logs` in it holds the story of `deliveries`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith(MACHINES)}
        plain = {"HOME": str(folder), "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "120", "LC_ALL": "C.UTF-8"}
        self.environ = own | plain | {"PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}
        deliveries.write(folder / "logs" / "story.json.gz", *deliveries.story())

    def __call__(self, *words: str | bytes, stdin: bytes = b"", **environ: str):
        """Run a command; returns the finished process, its output as text."""
        done = subprocess.run(
            [*COMMAND, *words], cwd=self.folder, env=self.environ | environ,
            input=stdin, capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def shell(self, line: str, **environ: str):
        """Run a line of bash in which `rolewatch` is the command; returns the finished process, its output as text."""
        function = f'rolewatch() {{ "{sys.executable}" -m rolewatch "$@"; }}\n'
        return subprocess.run(
            ["bash", "-c", function + line], cwd=self.folder, env=self.environ | environ,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def start(self, *words: str, **more):
        """Start a command as the leader of a session of its own."""
        return subprocess.Popen(
            [*COMMAND, *words], cwd=self.folder, env=self.environ, start_new_session=True, **more
        )


@pytest.fixture
def cli(tmp_path):
    """Give a way to run commands in a folder of their own."""
    return Cli(tmp_path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a folder with the story's `logs` the current one, for commands called in this process."""
    for name in list(os.environ):
        if name.startswith(MACHINES[:-1]):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    deliveries.write(tmp_path / "logs" / "story.json.gz", *deliveries.story())
    return tmp_path


@pytest.fixture
def call(here, capsys):  # noqa: ARG001 - the place where it is called
    """Give a way to call a command in this process: words in; status, stdout and stderr out."""

    def called(*words):
        status = main(words)
        return (status, *capsys.readouterr())

    return called


@pytest.fixture
def report(call):
    """Give a way to scan in this process: words in, the report out, which has to come with the exit status."""

    def reported(*words, status=0):
        found, out, err = call("scan", *words, "--format", "json")
        assert status == found, err
        return json.loads(out)

    return reported


@pytest.fixture
def found(report):
    """Give a way to scan in this process: words in, the last parts of the resources' names out, sorted."""

    def names(*words):
        return sorted(finding["resource"].rpartition(":")[2] for finding in report(*words)["findings"])

    return names
