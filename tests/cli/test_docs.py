"""The documentation of commands and settings says what the tables and the code say."""

import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from rolewatch.base.settings import settings, variable
from rolewatch.cli import options as opts
from rolewatch.cli.commands import COMMANDS, load
from rolewatch.cli.main import CONFIG, parser_of
from rolewatch.findings.ignore import FIELDS, read_rules

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
OPTIONS = [(name, option) for name in COMMANDS for option in (*load(name).OPTIONS, CONFIG)]
ENDS = ("|", ">", "#", "<", ";", "&&")


def text(page):
    """Return a page of the documentation."""
    return (ROOT / "docs" / page).read_text()


def blocks(page, language):
    """Return the code blocks of a page in one language."""
    return [code for found, code in BLOCK.findall(page.read_text()) if found == language]


def commands(page):
    """Return each `rolewatch COMMAND …` that the code blocks of a page tell the reader to type, as words."""
    code = "\n".join(code for language in ("console", "bash") for code in blocks(page, language))
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line.replace("<(", "< ("), comments=True)
        if "rolewatch" in words:
            typed = words[words.index("rolewatch") + 1 :]
            yield typed[: min((typed.index(end) for end in ENDS if end in typed), default=len(typed))]


def test_generated_parts_are_up_to_date():
    """`scripts/update_docs.py` would change nothing."""
    script = [sys.executable, str(ROOT / "scripts" / "update_docs.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_update_docs_writes_what_check_misses(tmp_path):
    """A page that is out of date fails the check, is written once, and then passes."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs").mkdir()
    script = tmp_path / "scripts" / "update_docs.py"
    script.write_bytes((ROOT / "scripts" / "update_docs.py").read_bytes())
    page = tmp_path / "docs" / "commands.md"
    page.write_text("before\n<!-- command scan -->\nold\n<!-- /command -->\nafter\n")
    runs = []
    for words in (["--check"], [], ["--check"], []):
        command = [sys.executable, str(script), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        runs.append((done.returncode, done.stdout))
    late = "docs/commands.md: out of date; run scripts/update_docs.py\n"
    assert runs == [(1, late), (0, "docs/commands.md: new\n"), (0, ""), (0, "")]
    assert re.match(r"before\n<!-- command scan -->\n\n```text\nrolewatch scan ", page.read_text())
    assert page.read_text().endswith("\n<!-- /command -->\nafter\n")


BAR = r"\|"  # within a table


def test_every_option_is_documented():
    """Each one stands in its command's table with its metavar, its key and variable in the other table."""
    page, settings_page = text("commands.md"), text("configuration.md")
    sections = dict(re.findall(r"<!-- command (\w+) -->(.*?)<!-- /command -->", page, re.DOTALL))
    missing = [
        (name, option.name)
        for name, option in OPTIONS
        if f"| `{f'--{option.name} {option.metavar}'.strip().replace('|', BAR)}` |" not in sections[name]
        or f"| `{variable(option.name)}` | `--{option.name}` |" not in settings_page
    ]
    assert (missing, sorted(sections)) == ([], sorted(COMMANDS))


def test_every_exit_status_is_documented():
    """Those of the contract, each with a row of its own."""
    assert re.findall(r"^\| (\d+) \|", text("commands.md"), re.MULTILINE) == ["0", "1", "2", "3", "4", "130"]


def understood(name, words):
    """Return the options that a command was given, each with a value that it takes; its metavar stands for any."""
    command = load(name)
    typed = opts.typed(parser_of(name, command), words, command.POSITIONALS)
    given = [
        option
        for option in (*command.OPTIONS, CONFIG)
        if typed.get(option.name) not in (None, [option.metavar])
    ]
    return opts.values(typed, given, {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documentation_can_be_typed(page):
    """Each command exists, has the options named, and takes their values."""
    for name, *words in commands(page):
        assert (name in COMMANDS and understood(name, words) is not None) or name in (
            "help",
            "--help",
            "--version",
        )


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name in COMMANDS for line, _ in load(name).EXAMPLES]
)
def test_examples_of_help_can_be_typed(name, line):
    """They are commands like any other."""
    own = line.partition("rolewatch ")[2].rstrip(')"')
    command, *words = shlex.split(own)
    assert (name, len(re.findall(" --[a-z]", own))) == (command, len(understood(name, words)))


def test_the_example_of_an_ignore_file_is_one():
    """It can be read, and the keys that a rule can name are all listed."""
    (example,) = blocks(ROOT / "docs" / "commands.md", "toml")
    rules = read_rules(example.encode(), "example")
    assert [date(2026, 12, 31), date(2026, 9, 30)] == [rule.until for rule in rules]
    (listed,) = re.findall(r"A rule names at least one of (.*?),\s+each", text("commands.md"), re.DOTALL)
    assert list(FIELDS) == re.findall(r"`(\w+)`", listed)


def test_the_example_of_a_settings_file_is_one(tmp_path):
    """Its keys exist, and its values are good for their options."""
    (example,) = blocks(ROOT / "docs" / "configuration.md", "toml")
    (tmp_path / "example.toml").write_text(example)
    command = load("scan")
    names = [option.name for option in command.OPTIONS]
    found = settings("scan", names, {}, known={"scan": names}, file=str(tmp_path / "example.toml"))
    values = opts.values({}, command.OPTIONS, found)
    assert (values["region"], values["jobs"], values["no-recovery"]) == (("eu-west-1", "us-east-1"), 4, False)
    assert {"region", "ignore", "severity", "since", "jobs", "principals", "no-recovery"} == found.keys()
