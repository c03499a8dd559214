"""Queries with names: kept, named, listed, and taken from a template."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

TEMPLATE = """\
Parameters:
  Code: {Type: String, Default: AccessDenied}
Resources:
  Refused:
    Type: AWS::Logs::QueryDefinition
    Properties:
      Name: team/refused
      QueryString: !Sub |
        # How often access was refused.
        filter errorCode = '${Code}' | stats count(*) as n
  Wrong:
    Type: AWS::Logs::QueryDefinition
    Properties:
      Name: team/wrong
"""
COUNT = "stats count(*) as n"


@pytest.fixture
def counted(call):
    """Give a way to run a query that counts: words in, the number out."""

    def number(*words):
        status, out, err = call("query", *words, "logs", "--format", "json")
        assert (status, err) == (0, "")
        return json.loads(out)["results"][0]["n"]

    return number


def test_a_query_is_kept_and_runs_by_its_name(call, counted, here):
    """Without a SOURCE it is only kept; white space around a name and the sign before it do not matter."""
    path = here / ".config" / "rolewatch" / "rolewatch.toml"
    told = f"rolewatch: @team/all is kept in {path}\n"
    assert call("query", COUNT, "--save", "team/all") == (0, "", told)
    assert path.read_text() == f"[queries]\n\"team/all\" = '{COUNT}'\n"
    assert counted("@team/all") == counted(" @team/all ") == "8"
    assert call("query", COUNT, "--save", "@team/all") == (0, "", told.replace("is kept", "is already"))


def test_kept_and_run_at_once(call):
    """With a SOURCE it is both, and a query that has a name can be kept under another one."""
    status, out, err = call("query", COUNT, "logs", "--save", "all", "--format", "csv")
    assert (status, out, err.count("is kept in")) == (0, "n\n8\n", 1)
    assert call("query", "@all", "--save", "again")[0] == 0
    assert call("query", "@again", "logs", "--format", "csv") == (0, "n\n8\n", "")


def test_an_old_query_is_replaced_only_if_that_is_said(call, counted):
    """Else it ends with 2, nothing is read, and the old one stays."""
    call("query", COUNT, "--save", "all")
    status, out, err = call("query", "stats count(errorCode) as n", "logs", "--save", "all")
    assert (status, out, "(write --replace to put this one in its place)" in err) == (2, "", True)
    assert counted("@all") == "8"
    assert call("query", "stats count(errorCode) as n", "--save", "all", "--replace")[0] == 0
    assert counted("@all") == "6"


def test_the_settings_file_that_is_named(call, here):
    """Queries are kept in it and read from it, and the option goes before the variable."""
    (here / "own.toml").write_text("[queries]\n")
    assert call("query", COUNT, "--save", "all", "--config", "own.toml")[0] == 0
    assert (here / "own.toml").read_text() == f"[queries]\nall = '{COUNT}'\n"
    assert call("query", "@all", "logs", "--config", "own.toml", "--format", "csv")[1] == "n\n8\n"
    assert call("query", "@all", "logs")[0] == 2


def test_a_kept_query_goes_before_one_of_the_library(call, counted):
    """And one of a template before both."""
    Path("t.yaml").write_text(TEMPLATE.split("  Wrong", maxsplit=1)[0])
    assert call("query", COUNT, "--save", "blocked/by-service")[0] == 0
    assert counted("@blocked/by-service") == "8"
    assert call("query", COUNT, "--save", "team/refused")[0] == 0
    assert (counted("@team/refused"), counted("@team/refused", "--template", "t.yaml")) == ("8", "6")


def test_a_template_s_query(call, counted):
    """It has the template's parameters, those typed before the defaults; a definition that is wrong is told."""
    Path("t.yaml").write_text(TEMPLATE)
    status, out, err = call("query", "@team/refused", "logs", "--template", "t.yaml", "--format", "csv")
    assert (status, out) == (0, "n\n6\n")
    assert err.startswith("rolewatch: t.yaml:")
    assert "QueryString" in err
    Path("t.yaml").write_text(TEMPLATE.split("  Wrong", maxsplit=1)[0])
    assert counted("@team/refused", "--template", "t.yaml", "--parameter", "Code=None") == "0"


def test_the_list(call, here):
    """All names with what they answer: a query's first comment, else its words, below where it is kept."""
    (here / "rolewatch.toml").write_text('[queries]\nb = "limit\\n 1"\na = "# Only one.\\nlimit 1"\n')
    Path("t.yaml").write_text(TEMPLATE.split("  Wrong", maxsplit=1)[0])
    status, out, err = call("query", "--list", "--template", "t.yaml")
    blocks = [block.splitlines() for block in out.split("\n\n")]
    assert (status, err) == (0, "")
    assert [block[0] for block in blocks] == ["t.yaml", "rolewatch.toml", "library"]
    assert [line.split(None, 1) for block in blocks[:2] for line in block[1:]] == [
        ["@team/refused", "How often access was refused."],
        ["@a", "Only one."],
        ["@b", "limit 1"],
    ]
    assert blocks[2][1].startswith("  @blocked/by-service")


def test_the_list_in_all_formats(call, here):
    """They hold the same names and queries."""
    (here / "rolewatch.toml").write_text("[queries]\na = 'limit 1'\n")
    out = {
        form: call("query", "--list", "--format", form)[1] for form in ("json", "jsonl", "csv", "cloudwatch")
    }
    queries = json.loads(out["json"])["queries"]
    assert queries[0] == {"name": "a", "from": "rolewatch.toml", "about": "limit 1", "query": "limit 1"}
    assert [json.loads(line) for line in out["jsonl"].splitlines()] == queries
    names = [each["name"] for each in queries]
    assert [row["name"] for row in csv.DictReader(StringIO(out["csv"], newline=""), strict=True)] == names
    found = json.loads(out["cloudwatch"])["queryDefinitions"]
    assert found == [{"name": each["name"], "queryString": each["query"]} for each in queries]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("@blocked/by-servce", "logs"), "there is no query called 'blocked/by-servce' (did you mean @blocked/by-service?)"),
        (("@@@", "logs"), "there is no query called '@@' (`rolewatch query --list` tells what there is)"),
        (("@blocked/by-service",), "SOURCE is missing"),
        ((), "QL is missing"),
        (("limit 1", "--save", "@"), "'@' is no name of a query"),
        (("limit 1", "--save", "a\x1bb"), r"'a\x1bb' is no name of a query"),
        (("limit 1", "--save", "x" * 256), "is no name of a query; write up to 255 characters, such as team/blocked"),
        (("limit 1", "logs", "--replace"), "--replace means nothing without --save"),
        (("limit 1", "--list"), "--list takes no QL"),
        (("@x", "logs", "--template", "none.yaml"), "--template none.yaml: No such file or directory"),
    ],
)  # fmt: skip
def test_wrong_names(call, words, message):
    """It is told in a line, nothing is printed, and the status is 2."""
    status, out, err = call("query", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_query_that_is_wrong_is_not_kept(call, here):
    """It is shown what is wrong, and no file is made."""
    status, out, err = call("query", "stats cuont(*)", "--save", "all")
    assert (status, out, "did you mean count?" in err) == (2, "", True)
    assert not (here / ".config").exists()


def test_hostile_names(call, here):
    """What stands in a settings file of somebody else steers no terminal and starts no formula."""
    (here / "rolewatch.toml").write_text('[queries]\n"\\u001b[2J" = "# =1+1\\nlimit 1"\n"=x" = "limit 1"\n')
    for form in ("table", "json", "csv"):
        status, out, err = call("query", "--list", "--format", form)
        assert (status, err, "\x1b" in out) == (0, "", False)
    assert out.splitlines()[1:3] == [
        r"\x1b[2J,rolewatch.toml,'=1+1,# =1+1\x0alimit 1",
        "'=x,rolewatch.toml,limit 1,limit 1",
    ]
