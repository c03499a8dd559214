"""YAML and JSON as CloudFormation takes them, with the place of what it does not take."""

import json

import pytest
import yaml
from template_texts import alarm, read, template, told

from rolewatch.templates import TemplateError, yaml_nodes
from rolewatch.templates.document import read_document
from rolewatch.templates.nodes import Mapping, Scalar, Sequence


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _both_parsers(request, monkeypatch):
    """Run a test with the parser in C, and with the one that stands in for it where that is not installed."""
    monkeypatch.setattr(yaml_nodes, "_LOADER", getattr(yaml, request.param))


def plain(node):
    """Give what nodes say, without their places."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {name: plain(entry.value) for name, entry in node.entries.items()}


def parsed(text):
    """Read a document."""
    return read_document(text.encode() if isinstance(text, str) else text, "d").root


MEANS = [
    ("a: 1\nb: [x, 'y', \"z\"]\n", {"a": "1", "b": ["x", "y", "z"]}),
    ("a:\nb: ~\nc: null\nd: ''\n", {"a": None, "b": None, "c": None, "d": ""}),
    ("a: 2012-10-17\nb: 012\nc: yes\n", {"a": "2012-10-17", "b": "012", "c": "yes"}),
    ("a: !Ref x\nb: !GetAtt x.y\nc: !If [a, !Ref b, c]\nd: !Condition e\n",
     {"a": {"Ref": "x"}, "b": {"Fn::GetAtt": "x.y"}, "c": {"Fn::If": ["a", {"Ref": "b"}, "c"]}, "d": {"Condition": "e"}}),
    ("a: !!str 1\nb: ! x\n", {"a": "1", "b": "x"}),
    ("a: &x {k: v}\nb: *x\nc: [*x]\n", {"a": {"k": "v"}, "b": {"k": "v"}, "c": [{"k": "v"}]}),
    ("{a: b, c: [1, 2]}", {"a": "b", "c": ["1", "2"]}),
    ('{"a": 1,}', {"a": "1"}),
    ("\ufeffa: b\n", {"a": "b"}),
    ("--- \na: b\n...\n", {"a": "b"}),
    ('{"a": [1, -2.5e3, true, null, "\\ud83d\\ude00\\/\\n"]}', {"a": ["1", "-2.5e3", "true", None, "\U0001f600/\n"]}),
    ('\ufeff\n{\t"a":\t{},\r\n\t"b": [] }\n', {"a": {}, "b": []}),
    ('{"a": "\\ud800"}', {"a": "\ud800"}),
    ('{"' + "k" * 2000 + '": "v"}', {"k" * 2000: "v"}),
]  # fmt: skip


@pytest.mark.usefixtures("_both_parsers")
@pytest.mark.parametrize(("text", "meaning"), MEANS)
def test_means(text, meaning):
    """Texts stay as they are written, short forms become long ones, aliases are followed."""
    assert plain(parsed(text)) == meaning


def test_json_and_yaml_agree():
    """What is dumped as JSON is read alike as JSON and as YAML."""
    value = {"a": ["x\ny", "ż", {"b": "c: d", "#": "e"}, [], {}, "'\"\\"], "f": "1"}
    text = json.dumps(value)
    assert plain(parsed(text)) == plain(parsed(f"# YAML\n{text}")) == value


WRONG = [
    ("", 1, 1, "the file is empty"),
    (" \n\n", 1, 1, "the file is empty"),
    ("# nothing\n", 1, 1, "the file is empty"),
    (b"a: b\nc: \xff\n", 2, 4, "not UTF-8"),
    (b"x" * (16 * 1024 * 1024 + 1), 1, 1, "larger than 16 MiB"),
    (b"x" * (4 * 1024 * 1024 + 1), 1, 1, "larger than 4 MiB, which no YAML file should be"),
    ("[a]", 1, 1, "a mapping with keys is wanted, this is a list"),
    ("text", 1, 1, "a mapping with keys is wanted, this is a text"),
    ("a: b\nc: [1,\n", 3, 1, "Template format error: YAML not well-formed."),
    ("a: 'x\n", 2, 1, "Template format error: YAML not well-formed."),
    ("a: b\n  c: d\n", 2, 4, "Template format error: YAML not well-formed."),
    ("a: \x07\n", 1, 4, "Template format error: YAML not well-formed."),
    ("a: b\n\tc: d\n", 2, 1, "Template format error: YAML not well-formed."),
    ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, "the key 'c' stands here twice, first in line 3, column 3"),
    ('{"a": 1,\n "a": 2}', 2, 2, "the key 'a' stands here twice, first in line 1, column 2"),
    ("a: &x {k: v}\nb:\n  <<: *x\n", 3, 3, "YAML merge keys (<<) are not supported by CloudFormation"),
    ("? [a]\n: b\n", 1, 3, "a key has to be a text"),
    ("a: !!binary aGk=\n", 1, 4, "CloudFormation does not support the YAML tag !!binary"),
    ("a: !!python/object:os.system x\n", 1, 4, "CloudFormation does not support the YAML tag !!python/object:os.system"),
    ("a: b\n---\nc: d\n", 2, 1, "a second document begins here"),
    ("a: *x\n", 1, 4, "the alias *x stands for nothing that ends before it"),
    ("a: &x [*x]\n", 1, 8, "the alias *x stands for nothing that ends before it"),
    ("a: " + "[" * 200 + "]" * 200, 1, 103, "nested more than 100 levels deep"),
    ("a: " + "[" * 100_000, 1, 1003, "Template format error: YAML not well-formed. exceeded maximum nesting depth"),
    ('{"a": ' + "[" * 100_000, 1, 106, "nested more than 100 levels deep"),
    ('{"a" 1}', 1, 6, "Template format error: JSON not well-formed: a colon is wanted here"),
    ('{"a": 1,]}', 1, 9, "Template format error: JSON not well-formed: a key in double quotes is wanted here"),
    ('{"a": [1 "b": 2}', 1, 10, "Template format error: JSON not well-formed: a comma or ']' is wanted here"),
    ('{"a": "x\ty"', 1, 7, "Template format error: JSON not well-formed: a text that ends is wanted here"),
    ('{"a": "\\x"}]', 1, 8, "Template format error: JSON not well-formed: an escape of JSON is wanted here"),
    ('{"a": 01}]', 1, 8, "Template format error: JSON not well-formed: a comma or '}' is wanted here"),
    ('{"a": 1}\n]', 2, 1, "Template format error: JSON not well-formed: the end of the file is wanted here"),
    ("{a: [}", 1, 2, "Template format error: JSON not well-formed: a key in double quotes is wanted here"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG)
def test_wrong(text, line, column, message):
    """What is no template in form is refused, with line and column."""
    with pytest.raises(TemplateError) as caught:
        parsed(text)
    place = caught.value.place
    assert (place.line, place.column, caught.value.text[: len(message)]) == (line, column, message)
    assert str(caught.value).startswith(f"d:{line}:{column}: {message}")
    assert caught.value.exit_code == 2


def test_tabs_have_a_remedy():
    """A file that is indented with tabs is told so."""
    with pytest.raises(TemplateError) as caught:
        parsed("a:\n\tb: c\n")
    assert caught.value.remedy == "YAML is indented with spaces, not tabs"


@pytest.mark.usefixtures("_both_parsers")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Resources: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)), 6),
        ("a: &a [[[[[[[[[[x]]]]]]]]]]\n" + "".join(f"{b}: &{b} [[[[[[[[[[*{a}]]]]]]]]]]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)), 10),
    ],
    ids=["wide", "deep"],
)  # fmt: skip
def test_bombs(text, line):
    """Aliases of aliases of aliases are refused before they are followed."""
    with pytest.raises(TemplateError, match=r"1,000,000 values|100 levels") as caught:
        parsed(text)
    assert caught.value.place.line == line


def test_aliases_are_told():
    """CloudFormation itself takes no aliases, so that is a warning."""
    text = template(A=alarm(OKActions="&x [arn:x]", AlarmActions="*x")).decode()
    found = read(text)
    assert found.alarms[0].actions.alarm == found.alarms[0].actions.ok == ("arn:x",)
    ((line, column, message),) = told(found, "warning")
    assert (line, column) == (13, 21)
    assert "YAML aliases are not allowed in CloudFormation templates" in message


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks(line_break):
    """Lines are counted with every kind of line break."""
    text = template(A=alarm(Period="x")).decode().replace("\n", line_break)
    assert [(line, column) for line, column, _ in told(read(text))] == [(8, 15)]


def test_places_in_json():
    """A template in JSON has the same places, tabs and all."""
    properties = '{"LogGroupName": "l",\n\t"FilterPattern": "{ $.a = \\"\\u0061\\ud83d\\ude00\\" == 1 }", "MetricTransformations": []}'
    text = f'{{\n"Resources": {{"F": {{"Type": "AWS::Logs::MetricFilter", "Properties": {properties}}}}}}}'
    ((line, column, _),) = told(read(text))
    assert (line, column) == (3, text.split("\n")[2].index("== 1") + 1)


def test_nodes_are_places():
    """A node knows where it begins."""
    document = read_document(b"a:\n  - {b: !Sub 'x'}\n", "d")
    (item,) = document.root.get("a").items
    assert isinstance(item, Mapping)
    call = item.get("b")
    assert document.source.place(call.start, "p") == ("d", 2, 9, "p")
    assert document.source.text[call.get("Fn::Sub").start] == "'"
