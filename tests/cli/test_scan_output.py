"""`rolewatch scan` as a whole command: what it writes, where, and what earlier decisions leave out."""

import csv
import io
import json
import os
import re
import stat
from pathlib import Path

import deliveries
import pytest

TIME = re.compile(r"in \d+\.\d s")
RULE = '[[rule]]\nresource = "arn:aws:s3:::blind"\nreason = "known since spring"\nuntil = {}\n'


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "html", "ocsf", "asff"])
def test_each_format_has_every_finding(call, form):
    """On stdout and in a file, and nothing on stderr."""
    status, out, err = call("scan", "logs", "--format", form)
    call("scan", "logs", "--format", form, "--output", "out")
    written = Path("out").read_bytes().decode()
    assert (status, err, len(out.splitlines())) == (0, "", len(written.splitlines()))
    names = ("blind", "far", "medium", "back")
    assert [name for name in names if name not in out or name not in written] == []


def test_the_machine_readable_formats_parse(call):
    """Six findings each, json with everything around them."""
    json_, jsonl, csv_ = (call("scan", "logs", "--format", form)[1] for form in ("json", "jsonl", "csv"))
    findings = json.loads(json_)["findings"]
    assert ([json.loads(line) for line in jsonl.splitlines()], 6) == (findings, len(findings))
    rows = list(csv.DictReader(io.StringIO(csv_)))
    assert [row["resource"] for row in rows] == [finding["resource"] for finding in findings]


def test_the_table_is_the_default_and_fits_the_terminal(cli):
    """No line is wider than COLUMNS says, and without a terminal there are no colours."""
    default, table = (
        cli("scan", "logs", *words, COLUMNS="72").stdout for words in ([], ["--format", "table"])
    )
    assert (max(map(len, default.splitlines())) <= 72, "\x1b" in default) == (True, False)
    assert [TIME.sub("", default)] == [TIME.sub("", table)]


def test_output_replaces_a_file_and_keeps_its_mode(cli):
    """The new file is whole, and nothing is left beside it."""
    out = cli.folder / "out.json"
    out.write_text("old " * 100_000)
    out.chmod(0o640)
    before = sorted(cli.folder.iterdir())
    done = cli("scan", "logs", "--format", "json", "--output", "out.json")
    assert (done.returncode, done.stdout, len(json.loads(out.read_text())["findings"])) == (0, "", 6)
    assert (stat.S_IMODE(out.stat().st_mode), sorted(cli.folder.iterdir())) == (0o640, before)


def test_a_new_file_has_the_usual_mode(cli):
    """As the umask says, not as a temporary file has it."""
    cli.shell("umask 027; rolewatch scan logs --output out")
    assert stat.S_IMODE((cli.folder / "out").stat().st_mode) == 0o640


def test_output_through_a_link_writes_what_it_points_to(cli):
    """The link stays a link."""
    (cli.folder / "far").mkdir()
    (cli.folder / "out").symlink_to("far/out")
    cli("scan", "logs", "--output", "out")
    assert ((cli.folder / "out").is_symlink(), (cli.folder / "far" / "out").is_file()) == (True, True)


def test_a_dash_as_output_is_stdout(cli):
    """As it is stdin among the sources."""
    assert cli("scan", "logs", "--format", "jsonl", "--output", "-").stdout.count("\n") == 6


def test_output_to_a_device_or_pipe_is_written_directly(cli):
    """It is not replaced by a file."""
    line = "rolewatch scan logs --format jsonl --output /dev/stdout | wc -l; rolewatch scan logs --output /dev/null; ls -l /dev/null"
    lines = cli.shell(line).stdout.splitlines()
    assert (lines[0].strip(), lines[1][0]) == ("6", "c")


def test_output_to_a_pipe_that_closes_is_no_error(cli):
    """Whoever read it had enough."""
    many = [deliveries.denial(number % 60, resource=f"bucket-{number}") for number in range(400)]
    deliveries.write(cli.folder / "many.json", *many)
    os.mkfifo(cli.folder / "pipe")
    done = cli.shell("head -1 pipe & rolewatch scan many.json --format json --output pipe; echo $?")
    assert (sorted(done.stdout.splitlines()), done.stderr) == (["0", "{"], "")


FAILING = [
    ("missing/out", "No such file or directory"),
    ("logs", "Is a directory"),
    ("logs/story.json.gz/out", "Not a directory"),
    ("/dev/full", "No space left on device"),
    ("x" * 300, "File name too long"),
]


@pytest.mark.parametrize(("place", "reason"), FAILING)
def test_output_that_cannot_be_written_ends_with_4(cli, place, reason):
    """The place is named with the system's reason."""
    done = cli("scan", "logs", "--output", place)
    expected = f"rolewatch: cannot write {place}: {reason} (check --output, and the space on the disk)\n"
    assert (done.returncode, done.stdout, done.stderr) == (4, "", expected)


@pytest.mark.parametrize(
    ("words", "status"),
    [("logs nowhere", 2), ("logs --dry-run --format csv", 2), ("logs --baseline logs/story.json.gz", 2)],
)
def test_a_command_that_fails_leaves_the_old_output(cli, words, status):
    """Old content stays, and nothing is left beside it."""
    out = cli.folder / "out"
    out.write_text("old")
    before = sorted(cli.folder.iterdir())
    done = cli("scan", *words.split(), "--output", "out")
    assert (done.returncode, out.read_text(), sorted(cli.folder.iterdir())) == (status, "old", before)


def test_a_full_disk_leaves_the_old_output(cli):
    """The new file did not fit; the limit on file sizes stands for the disk."""
    out = cli.folder / "out"
    out.write_text("old")
    before = sorted(cli.folder.iterdir())
    done = cli.shell("ulimit -f 1; rolewatch scan logs --format html --output out")
    assert (done.returncode, out.read_text(), sorted(cli.folder.iterdir())) == (4, "old", before)
    assert done.stderr.startswith("rolewatch: cannot write out: File too large")


def test_baseline_leaves_out_what_was_known(here, call, found):
    """By id; what was over then and is open again counts as new. The number left out is told."""
    call("scan", "logs", "--format", "json", "--output", "last.json")
    assert found("logs", "--baseline", "last.json") == []
    deliveries.write(
        here / "logs" / "more.json",
        deliveries.denial(20, resource="new"),
        deliveries.denial(21, resource="back"),
        deliveries.denial(22, resource="blind"),
    )
    assert found("logs", "--baseline", "last.json") == ["back", "new"]
    status, _, err = call("scan", "logs", "--baseline", "last.json", "--format", "jsonl", "--exit-code", "1")
    assert (status, err) == (1, "rolewatch: 5 findings of the baseline (--baseline) left out\n")


def test_the_output_of_the_last_run_can_be_the_baseline_of_this_one(cli):
    """It is read before it is replaced."""
    words = ("scan", "logs", "--format", "json", "--output", "report.json")
    cli(*words)
    assert cli(*words, "--baseline", "report.json", "--exit-code", "1").returncode == 0
    assert json.loads((cli.folder / "report.json").read_text())["findings"] == []


def test_ignore_leaves_out_what_a_rule_allows(cli):
    """Until its last day, and the number left out is told."""
    (cli.folder / "rules.toml").write_text(RULE.format("9999-12-31"))
    done = cli("scan", "logs", "--ignore", "rules.toml", "--format", "jsonl")
    assert ("blind" in done.stdout, done.stderr) == (False, "rolewatch: 1 finding ignored by rule\n")


@pytest.mark.parametrize(("form", "told"), [("table", "stdout"), ("json", "stderr"), ("csv", "stderr")])
def test_an_expired_rule_hides_nothing_and_is_told(cli, form, told):
    """In the table itself, else on stderr, with its reason."""
    (cli.folder / "rules.toml").write_text(RULE.format('"2026-01-31"'))
    done = cli("scan", "logs", "--ignore", "rules.toml", "--format", form, COLUMNS="200")
    note = (
        "rules.toml: rule 1 expired on 2026-01-31 and hides nothing (1 finding would fit): known since spring"
    )
    assert ("arn:aws:s3:::blind" in done.stdout, note in getattr(done, told)) == (True, True)
    assert (done.stderr.count("\n"), done.returncode) == (int(told == "stderr"), 0)


WRONG = [
    ("--baseline missing.json", "--baseline missing.json: No such file or directory"),
    ("--baseline logs", "--baseline logs: Is a directory"),
    ("--baseline text", "text: not a report of rolewatch ("),
    ("--ignore missing.toml", "--ignore missing.toml: No such file or directory"),
    ("--ignore text", "text: Expected '=' after a key"),
    ("--ignore /dev/zero", "--ignore /dev/zero: larger than 1 MiB"),
    ("--baseline=", "--baseline is empty"),
    ("--output=", "--output is empty"),
    ("--config /dev/zero", "/dev/zero: larger than 64 KiB, which no settings file is"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_a_file_of_decisions_has_to_make_sense(call, here, words, message):
    """It is read before any work, and its name is in the message."""
    (here / "text").write_text("no report, no rules")
    status, out, err = call("scan", ".", *words.split())
    assert (status, out, err[: len(message) + 11]) == (2, "", f"rolewatch: {message}")
