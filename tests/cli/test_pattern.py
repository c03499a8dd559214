"""`rolewatch pattern test`: messages from anywhere, answers as TestMetricFilter gives them."""

import io
import json

import pytest

from rolewatch.cli.main import main

EVENTS = [{"errorCode": "AccessDenied", "n": 1e3}, {"errorCode": "Throttling"}, {}]


def told(capsys, *words):
    """Run `pattern test` and return exit status, standard output and stderr."""
    status = main(["pattern", "test", *words], {})
    return status, *capsys.readouterr()


def test_json(capsys, tmp_path):
    """Elements of an array are messages, objects as they are written; numbers count from 1."""
    file = tmp_path / "events.json"
    file.write_text(
        '[ {"errorCode": "AccessDenied", "n": 1e3}, "{\\"errorCode\\":\\"x\\"}", "AccessDenied" ]'
    )
    status, out, _ = told(capsys, "--format", "json", "--", "{ $.n = 1000 }", str(file))
    assert status == 0
    assert json.loads(out) == {
        "matches": [
            {
                "eventNumber": 1,
                "eventMessage": '{"errorCode": "AccessDenied", "n": 1e3}',
                "extractedValues": {},
            }
        ]
    }


def test_a_log_file_of_a_trail(capsys, tmp_path):
    """A file of CloudTrail is a list of messages, too."""
    file = tmp_path / "trail.json"
    file.write_text(json.dumps({"Records": EVENTS}))
    assert told(capsys, "{ $.errorCode = Throttling }", str(file))[:2] == (0, '     2  {"errorCode": "Throttling"}\n1 of 3 messages matches\n')  # fmt: skip


def test_lines_from_standard_input(capsys, monkeypatch):
    """Without a file, each line of standard input is a message; extracted values stand below it."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a 404\nb 200\n\n")))
    status, out, _ = told(capsys, "[host, status = 4*]")
    assert (status, out) == (
        0,
        "     1  a 404\n        $host = a\n        $status = 404\n1 of 3 messages matches\n",
    )


@pytest.mark.parametrize(("pattern", "expected"), [("", 0), (" ", 0), ("-x", 0), ("zzz", 1)])
def test_exit_status(capsys, tmp_path, pattern, expected):
    """1 says that nothing matched; the empty pattern matches everything, and one may begin with a dash."""
    file = tmp_path / "lines.txt"
    file.write_text("hello\n")
    assert told(capsys, "--", pattern, str(file))[0] == expected


def test_a_pattern_that_is_none(capsys, tmp_path):
    """An error is told in the service's words, with a caret below the place."""
    status, out, err = told(capsys, "{ $.a = a:b }", str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert err.startswith("{ $.a = a:b }\n         ^\n")
    assert "Invalid character(s) in term ':'" in err


BAD = [("x.json", b"[1]", "element 1 is neither"), ("x.json", b"{}", ""), ("x.json", b"[", "no array"), ("x.json", b"\xff", "no array")]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "told_so"), BAD[:1] + BAD[2:])
def test_messages_that_are_none(capsys, tmp_path, name, content, told_so):
    """A file that holds no messages is named with what it should hold."""
    file = tmp_path / name
    file.write_bytes(content)
    status, _, err = told(capsys, "x", str(file))
    assert status == 2
    assert name in err
    assert told_so in err


@pytest.mark.parametrize("option", ["--exit-code=3", "--parameter=A=b", "--import=A=b"])
def test_options_of_lint(capsys, option):
    """An option that only lint has is refused where it is typed, with what to do."""
    status, out, err = told(capsys, "x", option)
    assert (status, out) == (2, "")
    assert f"{option.partition('=')[0]} is an option of `pattern lint`" in err
    assert "leave it out" in err


def test_options_of_lint_that_are_set(capsys, tmp_path, monkeypatch):
    """What the environment or a settings file says for lint, and for other commands, does no harm."""
    file = tmp_path / "lines.txt"
    file.write_text("x\n")
    monkeypatch.chdir(tmp_path)
    words = ["pattern", "test", "x", str(file)]
    assert main(words, {"ROLEWATCH_EXIT_CODE": "3"}) == 0
    (tmp_path / "rolewatch.toml").write_text('exit-code = 3\n[pattern]\nparameter = ["A=b"]\n')
    assert main(words, {}) == 0
    assert main([*words, "--import", "A=b"], {}) == 2
    assert "--import is an option" in capsys.readouterr().err


def test_a_pattern_that_is_too_long(capsys):
    """AWS repeats it in its message, of which the terminal gets what fits, with the reason."""
    err = told(capsys, "x" * 50_000)[2]
    assert len(err) < 1000
    assert err.endswith("Member must have length less than or equal to 1024\n")


def test_a_file_that_does_not_exist(capsys, tmp_path):
    """It is named, and the status is that of a SOURCE that does not exist."""
    assert told(capsys, "x", str(tmp_path / "none"))[0] == 2


def test_hostile_messages(capsys, tmp_path):
    """Nothing that a message holds reaches the terminal as it is."""
    file = tmp_path / "lines.txt"
    file.write_bytes(b"\x1b[31mred \x9b\xe2\x80\xae\n")
    out = told(capsys, "[a, b]", str(file))[1]
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_format_of_another_command(capsys, tmp_path):
    """A format that is set for all commands is none for one that does not have it; a wrong one is an error."""
    file = tmp_path / "lines.txt"
    file.write_text("x\n")
    words = ["pattern", "test", "x", str(file)]
    assert main(words, {"ROLEWATCH_FORMAT": "html"}) == 0
    assert main(words, {"ROLEWATCH_FORMAT": "json"}) == 0
    assert main(words, {"ROLEWATCH_FORMAT": "xml"}) == 2
    out, err = capsys.readouterr()
    assert out.startswith("     1  x\n1 of 1 message matches\n{")
    assert "'xml' is none of table, json" in err
