"""Whatever the bytes: a template or an error of ours, soon, and nothing else."""

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from template_texts import ALARM, FILTER, alarm, template

from rolewatch.templates import TemplateError, read_template, read_trials
from rolewatch.templates.document import read_document
from rolewatch.templates.nodes import Scalar, Sequence
from rolewatch.templates.spans import offset_in

GOOD = template(
    "Parameters:\n  P: {Type: String, Default: '1'}\nMappings: {M: {a: {b: c}}}\nConditions:\n  C: !Equals [!Ref P, '1']\n",
    F=FILTER,
    A=alarm(AlarmActions="[!Ref T, !Sub '${T}']", DatapointsToAlarm="!If [C, 1, 2]"),
    T="Type: AWS::SNS::Topic\nCondition: C\n",
).decode()
TRIALS = """\
alarms: [{AlarmName: a, Namespace: N, MetricName: M, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold}]
tests:
  - name: t
    interval: 1m
    metrics: [{namespace: N, name: M, values: "0 _ 1x3"}]
    initial_state: {a: OK}
    expect: [{alarm: a, at: 5m, state: ALARM}]
"""
PIECES = ["!Ref ", "!Sub ", "!If [", "!GetAtt ", "${", "}", "]", "[", "{", "'", '"', "|", ">", "-", ":", "\n", "  ", "&x ", "*x", "<<: ", "? ", "#", "null", "~", "Ref",
          "Fn::", "Properties", "\t", "\x00", "\u2028", "\ud7ff", "9" * 30, "!!binary ", "%", "---\n", "P", "T", "A", "Condition: C", "Type"]  # fmt: skip


def attempt(read, content):
    """Read, and let only an error of ours pass."""
    try:
        read(content, "x")
    except TemplateError as error:
        wrong = error.place.line < 1 or error.place.column < 1
    else:
        wrong = False
    assert not wrong


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes(content):
    """Bytes that mean nothing are an error with a place."""
    attempt(read_template, content)
    attempt(read_trials, content)


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_files(seed):
    """A good file with something cut out, doubled or put in is read, or an error with a place."""
    rng = random.Random(seed)
    for read, good in ((read_template, GOOD), (read_trials, TRIALS)):
        text = good
        for _ in range(rng.randrange(1, 5)):
            at, size = rng.randrange(len(text) + 1), rng.randrange(12)
            piece = rng.choice([rng.choice(PIECES), text[at : at + size * 3], ""])
            text = text[:at] + piece + text[at + rng.choice([0, 0, size]) :]
        attempt(read, text.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["Ref", "P", "A", "AWS::Region", "${A}", "x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Ref", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::GetAtt", "Fn::Cidr", "Fn::ImportValue",
                         "Fn::Base64", "Fn::GetAZs", "Fn::Equals", "Fn::And", "Fn::Not", "Condition", "Type", "Properties", "Default", *ALARM]),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(JSON, JSON, JSON)
def test_any_values(first, second, third):
    """Values of any shape anywhere in a template are a notice or an error with a place."""
    properties = {name: first if name in ("Period", "Dimensions") else value for name, value in ALARM.items()}
    resources = {
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {**properties, "AlarmActions": second, "AlarmName": third}},
        "B": {"Type": "AWS::Logs::MetricFilter", "Condition": "C", "Properties": {"FilterPattern": first, "LogGroupName": second, "MetricTransformations": [third]}},
        "C": {"Type": "AWS::CloudWatch::Alarm", "Properties": {**ALARM, "Metrics": first}},
        "D": {"Type": "AWS::SNS::Topic", "Properties": second},
        "E": first,
    }  # fmt: skip
    whole = {
        "Parameters": {"P": third},
        "Conditions": {"C": second},
        "Mappings": {"M": first},
        "Resources": resources,
    }
    attempt(read_template, json.dumps(whole).encode())
    attempt(read_template, json.dumps({"Resources": resources}).encode())
    attempt(
        read_template, json.dumps({"MetricAlarms": [first, properties], "metricFilters": second}).encode()
    )
    attempt(read_trials, json.dumps({"alarms": [properties], "tests": [first, {"metrics": second}]}).encode())


STYLED = st.lists(
    st.sampled_from(["a", "b c", " ", "  ", "''", "'", '\\"', "\\n", "\\u0061", "\\x41", "\\\n  ", "\n  ", "\n\n  ", "\n   ", "\t", ":", "#", "ż", "😀"]),
    max_size=10,
).map("".join)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(
        ["{}", "'{}'", '"{}"', "|\n  {}", ">\n  {}", "|-\n  {}", ">+\n  {}", "!Sub '{}'", "&a >-\n  {}"]
    ),
    STYLED,
)
def test_places_within_texts(style, text):
    """A character of a text is found where it is written: it stands there itself, or as an escape or a line break."""
    try:
        document = read_document(f"k: {style.replace('{}', text)}\n".encode(), "x")
    except TemplateError:
        return
    node = document.root.get("k")
    while not isinstance(node, Scalar):
        node = node.items[0] if isinstance(node, Sequence) else next(iter(node.entries.values())).value
    for position, character in enumerate(node.text if node.text.strip() else ""):
        offset = offset_in(document.source.text, node, position)
        assert node.start <= offset < node.end + 1
        written = document.source.text[offset]
        assert written in (character, "\\") or (character in " \n" and written in " \t\n"), (
            position,
            offset,
        )


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab{}$. =&\"'\\\n\t😀ż"), max_size=30))
def test_places_within_json(text):
    """The same in JSON, whose escapes are known."""
    written = json.dumps({"k": text})
    document = read_document(written.encode(), "x")
    node = document.root.get("k")
    for position, character in enumerate(text):
        offset = offset_in(written, node, position)
        before = json.dumps(text[:position])[1:-1]
        assert offset == node.start + 1 + len(before), character
