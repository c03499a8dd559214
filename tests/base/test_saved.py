"""Queries kept in rolewatch.toml: found, added and replaced, with all else in the file left as it is."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.base.saved import save_query, saved_queries, with_query
from rolewatch.base.settings import MOST, settings

FILE = """\
# For all commands.
format = "csv"   # spreadsheets

[queries] # mine
# the first
"team/x" = \"\"\"
filter a = 1
[scan] # is no header here
\"\"\"   # keep me
b = 'limit 1'

# About scans.
[scan]
jobs = 1
"""
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.text("'\"\\\n\r\t#[]x= ", max_size=12)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give an empty current folder, and beside it a home."""
    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


@pytest.fixture
def environ(home):
    """Give the environment of that home."""
    return {"HOME": str(home)}


def test_without_a_file_there_are_none(environ):
    """Nor is there a place."""
    assert saved_queries(environ) == ({}, None)


def test_the_first_one_makes_the_user_s_file(environ, home):
    """It is made with its folder, and only its owner can read it."""
    path = home / ".config" / "rolewatch" / "rolewatch.toml"
    assert save_query("a/b", "limit 1", environ) == (str(path), True)
    assert path.read_text() == "[queries]\n\"a/b\" = 'limit 1'\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert saved_queries(environ) == ({"a/b": "limit 1"}, str(path))


def test_a_new_one_stands_behind_the_others(environ):
    """The file that is read is the one that is changed, and nothing else in it."""
    Path("rolewatch.toml").write_text(FILE)
    assert save_query("c", "limit 2", environ) == ("rolewatch.toml", True)
    assert Path("rolewatch.toml").read_text() == FILE.replace("'limit 1'\n", "'limit 1'\nc = 'limit 2'\n")


def test_a_query_is_replaced_where_it_stands(environ):
    """With its comment behind it, and only if that is asked for."""
    Path("rolewatch.toml").write_text(FILE)
    with pytest.raises(UsageError, match=r"another query called 'team/x' .*--replace"):
        save_query("team/x", "limit 9", environ)
    assert Path("rolewatch.toml").read_text() == FILE
    save_query("team/x", "limit 9", environ, replace=True)
    start, end = FILE.index('"""'), FILE.rindex('"""') + 3
    assert Path("rolewatch.toml").read_text() == f"{FILE[:start]}'limit 9'{FILE[end:]}"


def test_the_same_once_more_changes_nothing(environ):
    """It needs no word, and the file is not written."""
    Path("rolewatch.toml").write_text(FILE)
    Path("rolewatch.toml").chmod(0o400)
    assert save_query("b", "limit 1", environ) == ("rolewatch.toml", False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[queries]\nn = 'q'\n"),
        ("jobs = 1", "jobs = 1\n\n[queries]\nn = 'q'\n"),
        ("jobs = 1\n", "jobs = 1\n\n[queries]\nn = 'q'\n"),
        ("[queries]", "[queries]\nn = 'q'\n"),
        ("[queries]\n\n\n[scan]\n", "[queries]\nn = 'q'\n\n\n[scan]\n"),
        ("[ \"queries\" ]\na = 'x'", "[ \"queries\" ]\na = 'x'\nn = 'q'\n"),
        ("[scan]\r\njobs = 1\r\n", "[scan]\r\njobs = 1\r\n\r\n[queries]\r\nn = 'q'\r\n"),
        ("queries.a = 'x'\n[scan]\n", "queries.n = 'q'\nqueries.a = 'x'\n[scan]\n"),
        ('queries.n = "x" # n\n', "queries.n = 'q' # n\n"),
        ("queries = {n = 'x'}\n", "queries = {n = 'q'}\n"),
        ("\ufeffjobs = 1\n", "\ufeffjobs = 1\n\n[queries]\nn = 'q'\n"),
        ("[queries]\n'n' = '''\nx\n'''''\n", "[queries]\n'n' = 'q'\n"),
        ('[queries]\nm = "a\\"[b"\n"n" = "x"\n', '[queries]\nm = "a\\"[b"\n"n" = \'q\'\n'),
    ],
)  # fmt: skip
def test_files_of_all_kinds(before, after):
    """A table that is there is used, in whatever way it is written, and lines end as they do there."""
    assert with_query(before, "n", "q", "f") == after


def test_a_table_that_cannot_grow():
    """It is told what to do instead."""
    with pytest.raises(UsageError, match=r"cannot be changed \(write them below a line \[queries\]\)"):
        with_query("queries = {a = 'x'}\n", "n", "q", "f")


@given(st.dictionaries(TEXTS, TEXTS, max_size=4), TEXTS, TEXTS, st.sampled_from(["\n", "\r\n"]))
def test_texts_are_kept_to_the_letter(others, name, text, end):
    """Whatever stands in the name, the text or the queries that are there; a line's end is one character in TOML."""
    content = f"jobs = 1 # [queries]{end}"
    kept = {}
    for key, value in [*others.items(), (name, text)]:
        content, kept = with_query(content, key, value, "f"), kept | {key: value}
        assert tomllib.loads(content) == {"jobs": 1, "queries": kept}
    assert content.startswith(f"jobs = 1 # [queries]{end}")


def test_a_file_is_replaced_as_a_whole(environ):
    """A link leads to the new one, its mode stays, and nothing is left beside it."""
    Path("real").mkdir()
    Path("real/own.toml").write_text("jobs = 1\n")
    Path("real/own.toml").chmod(0o640)
    Path("rolewatch.toml").symlink_to("real/own.toml")
    save_query("n", "q", environ)
    assert (Path("rolewatch.toml").is_symlink(), [path.name for path in Path("real").iterdir()]) == (
        True,
        ["own.toml"],
    )
    assert Path("real/own.toml").stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written(environ, home):
    """A folder in the file's place, and a folder that takes no file."""
    (home / ".config").write_text("")
    with pytest.raises(CannotDo, match=r"cannot write .*rolewatch\.toml"):
        save_query("n", "q", environ)
    with pytest.raises(UsageError, match="/dev/null is no file in which a query could be kept"):
        save_query("n", "q", environ, "/dev/null")


def test_a_file_has_a_size(environ):
    """What would not be read again is not written."""
    Path("rolewatch.toml").write_text("")
    with pytest.raises(UsageError, match="larger than 64 KiB"):
        save_query("n", "x" * MOST, environ)
    assert Path("rolewatch.toml").read_text() == ""


@pytest.mark.parametrize("text", ["[queries]\na = 1\n", "[queries]\na.b = 'x'\n"])
def test_a_query_is_a_text(environ, text):
    """Anything else is named with its place."""
    Path("rolewatch.toml").write_text(text)
    with pytest.raises(UsageError, match=r"rolewatch.toml: queries.a: a query is a text in quotes"):
        saved_queries(environ)


def test_settings_let_the_table_be(environ):
    """It is no command's; `queries` without a table is an error."""
    known = {"scan": ("jobs",)}
    Path("rolewatch.toml").write_text(FILE.replace("format", "jobs"))
    assert settings("scan", ("jobs",), environ, known=known)["jobs"].words == ["1"]
    Path("rolewatch.toml").write_text("queries = 'x'\n")
    with pytest.raises(UsageError, match="queries is a table"):
        settings("scan", ("jobs",), environ, known=known)
