"""Where settings are looked for, which one counts, and what is said of those that make no sense."""

from pathlib import Path

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.base.settings import MOST, Setting, place, settings, variable

KNOWN = {"scan": ("since", "format", "dry-run", "account"), "watch": ("since", "state")}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give an empty current folder, and beside it a home."""
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


def write(path, text):
    """Write a settings file; returns its path as text."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def found(command="scan", file=None, **environ):
    """Return what is set for a command."""
    return settings(command, KNOWN[command], environ, known=KNOWN, file=file)


def refused(text):
    """Return what is said of a settings file."""
    write("rolewatch.toml", text)
    with pytest.raises(UsageError) as caught:
        found()
    return str(caught.value)


def test_without_a_file_and_variables_nothing_is_set(home):
    """Then the defaults hold."""
    assert found(HOME=str(home)) == {}


def test_a_table_goes_before_the_top_and_a_variable_before_both(home):
    """Each setting says where it stands."""
    write(
        "rolewatch.toml",
        'since = "1d"\nformat = "csv"\naccount = ["1", "2"]\n[scan]\nformat = "json"\nsince = "2d"',
    )
    expected = {
        "account": Setting(["1", "2"], "rolewatch.toml: account"),
        "format": Setting(["json"], "rolewatch.toml: scan.format"),
        "since": Setting(["3d"], "ROLEWATCH_SINCE"),
    }
    assert expected == found(HOME=str(home), ROLEWATCH_SINCE="3d")


def test_a_table_is_for_its_command_only():
    """The top of the file is for every command that has the option."""
    write("rolewatch.toml", 'since = "1d"\n[scan]\nsince = "2d"\n[watch]\nstate = "s"')
    expected = {
        "since": Setting(["1d"], "rolewatch.toml: since"),
        "state": Setting(["s"], "rolewatch.toml: watch.state"),
    }
    assert (expected, "2d") == (found("watch"), found("scan")["since"].words[0])


def test_an_empty_variable_counts_as_not_set():
    """As for most programs."""
    write("rolewatch.toml", 'since = "1d"')
    assert {"since": Setting(["1d"], "rolewatch.toml: since")} == found(ROLEWATCH_SINCE="")


def test_the_variable_of_an_option_is_its_name_in_capitals():
    """Dashes become underscores."""
    assert variable("dry-run") == "ROLEWATCH_DRY_RUN"


VALUES = [
    ('since = "1d"', ["1d"]),
    ("since = 5", ["5"]),
    ("since = 1.5", ["1.5"]),
    ("since = true", ["true"]),
    ("since = false", ["false"]),
    ("since = 2026-03-01", ["2026-03-01"]),
    ("since = 2026-03-01T10:00:00Z", ["2026-03-01T10:00:00+00:00"]),
    ("since = 10:00:00", ["10:00:00"]),
    ("since = []", []),
    ('since = ["a", 1, [true]]', ["a", "1", "true"]),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_are_spelled_as_they_would_be_typed(text, expected):
    """Numbers, switches, times and lists need no quotes."""
    write("rolewatch.toml", text)
    assert expected == found()["since"].words


REFUSED = [
    ('sinse = "1d"', "rolewatch.toml: nothing is called 'sinse' (did you mean 'since'?)"),
    ("[scan]\ndry_run = true", "rolewatch.toml: [scan]: nothing is called 'dry_run' (did you mean 'dry-run'?)"),
    ('[scan]\nstate = "s"', "rolewatch.toml: [scan]: nothing is called 'state'"),
    ("[scam]", "rolewatch.toml: nothing is called 'scam' (did you mean 'scan'?)"),
    ("[since]", "rolewatch.toml: nothing is called 'since' (did you mean 'since'?)"),
    ("zzz = 1", "rolewatch.toml: nothing is called 'zzz'"),
    ("scan = 1", "rolewatch.toml: scan is the name of a command (write its options under [scan])"),
    ("[[scan]]\nformat = 'json'", "rolewatch.toml: scan is the name of a command (write its options under [scan])"),
    ("[quite]", "rolewatch.toml: nothing is called 'quite' (did you mean 'quiet'?)"),
    ("[[routes]]", "rolewatch.toml: nothing is called 'routes' (did you mean 'route'?)"),
    ("[action]", "rolewatch.toml: nothing is called 'action' (did you mean 'actions'?)"),
    ("route = 'x'", "rolewatch.toml: route is a list of tables (write each route under a line [[route]] of its own)"),
    ("quiet = []", "rolewatch.toml: quiet is a table (write quiet times under [quiet], times = ['22:00-07:00'])"),
    ("queries = 'x'", "rolewatch.toml: queries is a table (write queries under [queries], NAME = 'QUERY')"),
    ("since = [{a = 1}]", "rolewatch.toml: since: a text, a number, true, false or a list of them is wanted here"),
    ("since = ", "rolewatch.toml: Invalid value (at end of document)"),
    ("since = 012", "rolewatch.toml: Expected newline or end of document after a statement (at line 1, column 10)"),
    (b"since = '\xff'", "rolewatch.toml: not UTF-8 (byte 9) (save it as UTF-8)"),
    ("since = '1d'".encode("utf-16"), "rolewatch.toml: not UTF-8 (byte 0) (save it as UTF-8)"),
    ("since = " + "[" * 10_000, "rolewatch.toml: nested too deeply"),
    ("#" * (MOST + 1), "rolewatch.toml: larger than 64 KiB, which no settings file is"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_file_that_makes_no_sense_is_refused(text, reason):
    """The file, the table and the key are named, and the nearest key where one was misspelled."""
    assert reason == refused(text)


def test_tables_about_notifications_are_no_options():
    """What stands in them is for those who notify; each command has to bear them."""
    write(
        "rolewatch.toml",
        "since = '1d'\n[[route]]\nto = 5\n[quiet]\nx = 1\n[rate]\n[actions]\na = 1\n[queries]",
    )
    assert found()["since"].words == ["1d"]


def test_a_byte_order_mark_is_no_fault():
    """Some editors write one."""
    write("rolewatch.toml", b"\xef\xbb\xbfsince = '1d'")
    assert found()["since"].words == ["1d"]


def test_the_nearest_file_counts_and_only_that(home):
    """The current folder goes before XDG_CONFIG_HOME, which goes before ~/.config; what was named goes before all."""
    own = write(home / ".config" / "rolewatch" / "rolewatch.toml", "format = 'own'")
    xdg = write(home / "xdg" / "rolewatch" / "rolewatch.toml", "format = 'xdg'")
    named, typed = write(home / "named.toml", ""), write(home / "typed.toml", "")
    environ = {"HOME": str(home)}
    places = [place(environ)]
    environ["XDG_CONFIG_HOME"] = str(home / "xdg")
    places.append(place(environ))
    write("rolewatch.toml", "")
    places.append(place(environ))
    environ["ROLEWATCH_CONFIG"] = named
    places += [place(environ), place(environ, typed)]
    assert [own, xdg, "rolewatch.toml", named, typed] == places


@pytest.mark.parametrize("xdg", ["", "relative"])
def test_a_relative_xdg_config_home_is_ignored(home, xdg):
    """The specification says so: it would mean another place in each folder."""
    write(f"{xdg}/rolewatch/rolewatch.toml", "")
    own = write(home / ".config" / "rolewatch" / "rolewatch.toml", "")
    assert own == place({"HOME": str(home), "XDG_CONFIG_HOME": xdg})


def test_a_user_without_a_home_has_no_file():
    """Nothing is looked for in the current folder's .config."""
    write(".config/rolewatch/rolewatch.toml", "")
    assert place({}) is None


def test_a_folder_of_that_name_is_no_settings_file(home):
    """Only a file is read unasked."""
    Path("rolewatch.toml").mkdir()
    assert place({"HOME": str(home)}) is None


@pytest.mark.parametrize(
    ("file", "reason"),
    [("missing.toml", "No such file or directory"), (".", "Is a directory"), ("a\0b", "embedded null byte")],
)
def test_a_named_file_has_to_be_there(file, reason):
    """Named on the command line or in ROLEWATCH_CONFIG, a file that cannot be read is an error."""
    messages = []
    for words in ({"file": file}, {"ROLEWATCH_CONFIG": file}):
        with pytest.raises(UsageError) as caught:
            found(**words)
        messages.append(caught.value.message)
    assert [f"{file}: {reason}"] * 2 == messages
