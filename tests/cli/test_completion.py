"""Completion scripts hold what the tables hold."""

import pytest

from rolewatch.cli.commands import COMMANDS, load
from rolewatch.cli.main import CONFIG

SHELLS = ("bash", "zsh", "tcsh")
OPTIONS = [(name, f"--{option.name}") for name in COMMANDS for option in (*load(name).OPTIONS, CONFIG)]
# Calls bash's completion as pressing Tab does at the end of a line.
PRESS_TAB = """
source <(rolewatch completion bash)
COMP_WORDS=({words}) COMP_CWORD=$(({number} - 1)) COMP_LINE="{words}" COMP_POINT=${{#COMP_LINE}}
_shtab_rolewatch
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_hold_every_command_and_option(call, shell):
    """For each shell there is a script, and nothing goes to stderr."""
    status, script, err = call("completion", shell)
    missing = [option for _, option in OPTIONS if option.removeprefix("--") not in script]
    assert (status, [name for name in COMMANDS if name not in script], missing, err) == (0, [], [], "")


COMPLETED = [
    ("rolewatch ''", [*COMMANDS]),
    ("rolewatch sc", ["scan"]),
    ("rolewatch scan --sil", ["--silent-after"]),
    ("rolewatch scan --format a", ["asff"]),
    ("rolewatch scan --severity ''", ["none", "low", "medium", "high", "critical"]),
    ("rolewatch scan --principals service", ["service", "service-role"]),
    ("rolewatch scan --output lo", ["logs"]),
    ("rolewatch scan --ignore ru", ["rules.toml"]),
    ("rolewatch scan --config ru", ["rules.toml"]),
    ("rolewatch scan --dry-run lo", ["logs"]),
    ("rolewatch scan logs ru", ["rules.toml"]),
    ("rolewatch completion z", ["zsh"]),
]


@pytest.mark.parametrize(("words", "expected"), COMPLETED)
def test_bash_completes_words(cli, words, expected):
    """Commands, options, choices, and names of files where a file is wanted."""
    (cli.folder / "rules.toml").touch()
    line = PRESS_TAB.format(words=words, number=len(words.split()))
    done = cli.shell(line)
    assert (sorted(expected), "") == (sorted(done.stdout.split()), done.stderr)


def test_an_option_alone_completes_to_all_options(cli):
    """Those of the command that was typed, and no other."""
    shown = cli.shell(PRESS_TAB.format(words="rolewatch scan --", number=3)).stdout.split()
    assert {"--help", *(option for name, option in OPTIONS if name == "scan")} == set(shown)
