"""`rolewatch pattern lint`: a pattern or a template on the command line, advice on standard output."""

import json
from pathlib import Path

import pytest

from rolewatch.cli.main import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ARTICLE = str(EXAMPLES / "article.template.yaml")
TEMPLATE = """\
Parameters:
  Name: {Type: String}
Resources:
  F:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !ImportValue group
      FilterPattern: '{ $.eventName = ConsoleLogin }'
      MetricTransformations:
        - {MetricNamespace: N, MetricName: !Ref Name, MetricValue: "1"}
"""


def told(capsys, *words):
    """Run `pattern lint` and return exit status, standard output and stderr."""
    status = main(["pattern", "lint", *words], {})
    return status, *capsys.readouterr()


def test_a_pattern(capsys):
    """The place is drawn below the pattern, then come the reason, the old line and the corrected one."""
    status, out, err = told(capsys, "ERROR ?WARN")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == ["error  ignored-optional", "  ERROR ?WARN", "        ^^^^^"]
    assert out.splitlines()[-4:] == ["  - ERROR ?WARN", "  + ?ERROR ?WARN", "", "1 error"]


def test_a_long_pattern(capsys):
    """Of a long pattern the surroundings of the place are drawn, with carets below the very characters."""
    pattern = f'{{ {" || ".join(f"($.eventName = Name{number})" for number in range(20))} || $.a != "x" }}'
    lines = told(capsys, pattern)[1].splitlines()
    drawing, carets = lines[1:3]
    assert drawing[carets.index("^") : carets.rindex("^") + 1] == '$.a != "x"'


def test_json(capsys):
    """Every piece of advice is an object with rule, severity, message, place and fix."""
    status, out, _ = told(capsys, "--format", "json", "--", "-DEBUG a-b")
    (advice,) = json.loads(out)["advice"]
    assert status == 0
    assert advice.pop("message").startswith("`-` inside of a word")
    assert advice == {
        "rule": "split-word",
        "severity": "error",
        "place": {"file": None, "line": None, "column": None, "path": None, "start": 7, "end": 10},
        "fix": '-DEBUG "a-b"',
    }


def test_nothing_to_advise(capsys):
    """A pattern without fault is praised in few words, and is an empty list in JSON."""
    assert told(capsys, "ERROR") == (0, "nothing to advise\n", "")
    assert json.loads(told(capsys, "ERROR", "--format", "json")[1]) == {"advice": []}


def test_a_template(capsys):
    """Advice on a template names the file, the line and the column."""
    status, out, _ = told(capsys, ARTICLE)
    assert status == 0
    assert f"{ARTICLE}:37:11  error  default-counts-others\n" in out
    assert "\n  - DefaultValue: 1\n  + DefaultValue: 0\n" in out
    advice = json.loads(told(capsys, ARTICLE, "--format", "json")[1])["advice"]
    (default,) = [each for each in advice if each["rule"] == "default-counts-others"]
    assert default["place"] == {
        "file": ARTICLE,
        "line": 37,
        "column": 11,
        "path": "Resources.DeniedFilter.Properties.MetricTransformations[0].DefaultValue",
        "start": None,
        "end": None,
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a-b"], 0),
        (["a-b", "--exit-code", "1"], 1),
        (["a", "--exit-code", "1"], 0),
        ([ARTICLE, "--exit-code", "7"], 7),
        ([str(EXAMPLES / "slr-denied.template.yaml"), "--exit-code", "7"], 0),
    ],
)
def test_exit_status(capsys, words, expected):
    """Advice is no failure, unless it is to be one."""
    assert told(capsys, *words)[0] == expected


def test_parameters_and_imports(capsys, tmp_path):
    """A template's parameters and imports are given by name."""
    file = tmp_path / "x.yaml"
    file.write_text(TEMPLATE)
    status, out, _ = told(capsys, str(file), "--parameter", "Name=M", "--import", "group=trail")
    assert (status, "N/M" in out) == (0, True)
    assert told(capsys, str(file))[0] == 2


def test_a_pattern_that_is_none(capsys):
    """It is refused in the service's words, with a caret below the place; standard output has the right one."""
    status, out, err = told(capsys, "{ $.a = a:b }")
    assert status == 2
    assert out.startswith("error  unquoted-special\n  { $.a = a:b }\n           ^\n")
    assert out.endswith('\n  - { $.a = a:b }\n  + { $.a = "a:b" }\n\n1 error\n')
    assert err.startswith("{ $.a = a:b }\n         ^\n")
    assert "Invalid character(s) in term ':'" in err


@pytest.mark.parametrize(
    ("pattern", "rule", "fix"),
    [("{ $.a == b }", "refused", "{ $.a = b }"), ("%a(b)%", "refused", None), ("a/b", "unquoted-special", '"a/b"')],
)  # fmt: skip
def test_a_pattern_that_is_none_in_json(capsys, pattern, rule, fix):
    """In JSON it is advice like any other, and the status is that of a refusal, whatever --exit-code says."""
    status, out, err = told(capsys, pattern, "--format", "json", "--exit-code", "1")
    (advice,) = json.loads(out)["advice"]
    assert status == 2
    assert (advice["rule"], advice["severity"], advice["fix"]) == (rule, "error", fix)
    assert advice["place"]["start"] is not None
    assert err.count("\n") == 3


def test_a_pattern_of_any_length(capsys):
    """AWS repeats a pattern that is too long: as a whole in JSON, on the terminal as far as it fits."""
    pattern = "x" * 50_000
    status, out, err = told(capsys, pattern, "--format", "json")
    (advice,) = json.loads(out)["advice"]
    assert status == 2
    assert advice["message"].startswith(f"1 validation error detected: Value '{pattern}' at 'filterPattern'")
    assert len(err) < 1000
    assert err.endswith("Member must have length less than or equal to 1024\n")
    out = told(capsys, pattern)[1]
    assert len(out) < 1000
    assert "length less than or equal to 1024\n" in out


def test_a_template_that_is_none(capsys, tmp_path):
    """It is refused with the line and a caret below the column."""
    file = tmp_path / "x.yaml"
    file.write_text("Resources:\n  A: {Type: [}\n")
    status, out, err = told(capsys, str(file))
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert lines[1].strip() == "^"
    assert str(file) in lines[2]


def test_a_template_that_ends_too_soon(capsys, tmp_path):
    """Behind the last line there is nothing to draw; the place is told in words."""
    file = tmp_path / "x.yaml"
    file.write_text("Resources:\n  A: [1\n")
    status, out, err = told(capsys, str(file))
    assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_a_resource_that_aws_would_refuse(capsys, tmp_path):
    """The rest of the template is linted, the place is drawn, and the status is that of an invalid template."""
    file = tmp_path / "x.yaml"
    file.write_text(
        TEMPLATE.replace("{ $.eventName = ConsoleLogin }", "{ $.a = a:b }")
        .replace("!Ref Name", "M")
        .replace("!ImportValue group", "g")
        .replace("Parameters:\n  Name: {Type: String}\n", "")
    )
    status, out, _ = told(capsys, str(file), "--exit-code", "5")
    assert status == 2
    assert out.splitlines() == [
        f"{file}:6:32  error  unquoted-special",
        "  { $.a = a:b }",
        "           ^",
        "  Invalid character(s) in term ':'. A value with other characters than letters, digits, `_`, `.` and",
        "  `*` stands in double quotes.",
        "  - { $.a = a:b }",
        '  + { $.a = "a:b" }',
        "",
        "1 error",
    ]


def test_messages_are_not_linted(capsys, tmp_path):
    """A file of messages is for `pattern test`."""
    status, _, err = told(capsys, "ERROR", str(tmp_path / "messages.txt"))
    assert status == 2
    assert "pattern test" in err


@pytest.mark.parametrize("name", ["none.yaml", "none.yml", "none.json", "none.template"])
def test_a_template_that_does_not_exist(capsys, tmp_path, name):
    """A word with a template's ending is one, and is missed."""
    assert told(capsys, str(tmp_path / name))[0] == 2


def test_hostile_text(capsys):
    """Nothing that a pattern holds reaches the terminal as it is."""
    out = told(capsys, '{ $.a != "\x1b[31m\u202e" }')[1]
    assert "missing-field" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
