"""The command line as a whole: help, exit statuses, and what is said when something goes wrong."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rolewatch
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.cli import main
from rolewatch.cli.commands import COMMANDS, load
from rolewatch.cli.main import CONFIG

HEAVY = {
    *("msgspec", "rich", "boto3", "botocore", "obstore", "isal", "deflate", "stringzilla", "shtab"),
    *("asyncio", "inspect", "multiprocessing", "tempfile", "tomllib", "difflib"),
}
WRONG = [
    ("scna", "there is no command 'scna' (did you mean `rolewatch scan`?)"),
    ("", "there is no command '' (`rolewatch --help` lists them)"),
    ("scan ", "SOURCE is empty"),
    ("zzz", "there is no command 'zzz' (`rolewatch --help` lists them)"),
    ("--format json scan", "--format stands before the command (write `rolewatch COMMAND [OPTION …]`)"),
    ("scan", "SOURCE is missing: a file, a folder, a glob, - (standard input), s3://bucket/prefix or lookup://"),
    ("scan x --frmat json", "there is no option '--frmat' (did you mean --format?)"),
    ("scan x --format", "argument --format: expected one argument (`rolewatch scan --help` tells what there is)"),
    ("scan x --format xml", "--format: 'xml' is none of table, json, jsonl, csv, html, ocsf, asff"),
    ("scan x --config a --config b", "--config takes one value, not 2: a, b"),
    ("scan x --config nowhere.toml", "nowhere.toml: No such file or directory (check --config and ROLEWATCH_CONFIG)"),
    ("scan nowhere", "nowhere: no such file or folder"),
    ("scan nowhere*.json", "nowhere*.json: no file or folder matches"),
    ("completion fish", "SHELL: 'fish' is none of bash, zsh, tcsh"),
]  # fmt: skip


@pytest.fixture
def scans(monkeypatch):
    """Replace what `rolewatch scan` does; it is called with what was asked for."""
    run = Mock(return_value=0)
    monkeypatch.setattr("rolewatch.cli.scan.run", run)
    return run


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_wrong_usage_ends_with_2(call, line, message):
    """One line on stderr says what is wrong and what to write; nothing goes to stdout."""
    assert (2, "", f"rolewatch: {message}\n") == call(*line.split(" "))


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"]])
def test_help_lists_every_command(call, words):
    """Without a command there is help too."""
    status, out, err = call(*words)
    shown = dict(re.findall(r"^  ([a-z]+)  +(.+)$", out, re.MULTILINE))
    assert (status, shown, err) == (0, COMMANDS, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_shows_examples(call, name):
    """The help names each option and has examples that begin with the command; `help NAME` is the same."""
    command = load(name)
    _, text, _ = done = call(name, "--help")
    assert [done] * 2 == [call(name, "-h"), call("help", name)]
    assert [option.name for option in command.OPTIONS if f"  --{option.name} " not in text] == []
    assert command.EXAMPLES
    lines = [line for line, _ in command.EXAMPLES]
    assert [line for line in lines if f"\n  {line}\n" not in text or f"rolewatch {name}" not in line] == []


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version_is_that_of_the_package(call, word):
    """One line on stdout."""
    assert (0, f"rolewatch {rolewatch.__version__}\n", "") == call(word)


FAILURES = [
    (SourceError("x: no such bucket"), 2, "x: no such bucket"),
    (CannotDo("no credentials", remedy="sign in"), 4, "no credentials (sign in)"),
    (MemoryError(), 4, "out of memory; scan with fewer --jobs, or a narrower window"),
    (OSError(24, "Too many open files"), 4, "the system refused: [Errno 24] Too many open files"),
    (BrokenPipeError(32, "Broken pipe"), 4, "the system refused: [Errno 32] Broken pipe"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (CannotDo("a name with \x1b[2J and\nlines"), 4, "a name with \\x1b[2J and\\x0alines"),
]


@pytest.mark.parametrize(("error", "expected", "message"), FAILURES)
def test_what_goes_wrong_is_one_line_and_a_status(call, scans, error, expected, message):
    """No traceback, no character that steers the terminal; a pipe that broke inside is not one that was closed."""
    scans.side_effect = error
    assert (expected, "", f"rolewatch: {message}\n") == call("scan", "x")


POOL = [
    *(f"--{option.name}" for option in (*load("scan").OPTIONS, CONFIG)),
    *("", " ", "-", "--", "---", "=", ",", "\0", "\ud800", "\x1b", "*", "[", "%s", "{}", "é", "x", "'", "/dev/null"),
    *("0", "1", "-1", "9" * 5000, "1d", "99999999w", "2026-03-01", "0001-01-01", "4GiB", "all", "json", "low", "us-east-1"),
]  # fmt: skip
WORD = st.sampled_from(POOL) | st.tuples(st.sampled_from(POOL), st.sampled_from(POOL)).map("=".join)


@settings(max_examples=500)
@given(st.lists(WORD, max_size=6), st.sampled_from(["scan", "completion", "help", ""]))
def test_no_words_make_an_internal_error(words, name):
    """Whatever is typed is understood or refused, in one line."""
    out, err = io.StringIO(), io.StringIO()
    with patch("rolewatch.cli.scan.run", return_value=0), redirect_stdout(out), redirect_stderr(err):
        status = main([name, *words], {})
    assert (status, err.getvalue().count("\n")) in ((0, 0), (2, 1)), err.getvalue()


def test_a_message_of_any_length_stays_a_line(call):
    """It is cut where no path could be longer."""
    status, _, err = call("scan", "x", "--since", "9" * 100_000)
    assert (status, err[:20], len(err), err[-2:]) == (2, "rolewatch: --since: ", 6012, "…\n")


def test_an_internal_error_says_what_to_report(call, scans):
    """Class, message, place, versions, in one line to copy."""
    scans.side_effect = RuntimeError("unforeseen")
    status, out, err = call("scan", "x")
    expected = (
        r"rolewatch: internal error: RuntimeError: unforeseen \(at \S+:\d+, \S+:\d+, \S+:\d+; "
        rf"rolewatch {re.escape(rolewatch.__version__)}, Python 3\.\d+\.\S+\); please report this line\n"
    )
    assert (status, out, bool(re.fullmatch(expected, err))) == (4, "", True), err


def test_settings_are_found_for_a_command(call, scans, monkeypatch):
    """What was typed goes before the environment, the file's table, its top and the default."""
    Path("rolewatch.toml").write_text(
        'format = "csv"\nseverity = "low"\njobs = 3\n[scan]\nseverity = "high"\njobs = 4\n'
    )
    monkeypatch.setenv("ROLEWATCH_JOBS", "5")
    call("scan", "x")
    call("scan", "x", "--jobs", "6", "--format=json")
    names = ("format", "severity", "jobs", "exit-code", "source")
    chosen = [tuple(each.args[0].values[name] for name in names) for each in scans.call_args_list]
    assert chosen == [("csv", "high", 5, 0, ["x"]), ("json", "high", 6, 0, ["x"])]


SETTINGS = [
    ('[scan]\nsince = "soon"', "", "rolewatch.toml: scan.since: 'soon' is no time"),
    ("", "soon", "ROLEWATCH_SINCE: 'soon' is no time"),
    ("since = []", "", "rolewatch.toml: since is empty"),
    ("jobs = [1, 2]", "", "rolewatch.toml: jobs takes one value, not 2: 1, 2"),
    ("dry-run = 'perhaps'", "", "rolewatch.toml: dry-run: 'perhaps' is neither true nor false"),
    ("account = 1", "", "rolewatch.toml: account: '1' is no account id"),
]


@pytest.mark.parametrize(("text", "since", "message"), SETTINGS)
def test_a_wrong_setting_is_named_with_its_place(call, monkeypatch, text, since, message):
    """The reader learns which file and key, or which variable, to change."""
    Path("rolewatch.toml").write_text(text)
    monkeypatch.setenv("ROLEWATCH_SINCE", since)
    status, _, err = call("scan", ".")
    assert (status, err[: len(message) + 11]) == (2, f"rolewatch: {message}")


@pytest.mark.parametrize("words", [["--help"], ["scan", "--help"], ["--version"], ["scan"]])
def test_start_up_imports_nothing_heavy(cli, words):
    """Help and errors of usage need no JSON library, no drawing and no AWS."""
    code = (
        "import sys; from rolewatch.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=cli.environ, capture_output=True, text=True, check=True
    )
    imported = {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}
    assert ("rolewatch" in imported, imported & HEAVY) == (True, set())
