"""What lint knows of CloudTrail's fields is true of real records."""

import gzip
import json
from pathlib import Path

import pytest

from rolewatch.lint.examined import examined
from rolewatch.lint.trail import FIELDS
from rolewatch.patterns import compile_pattern
from rolewatch.patterns.syntax import ANY

ROOT = Path(__file__).resolve().parents[2]
KINDS = {bool: "boolean", dict: "object", list: "list", type(None): "null", str: "text", int: "number"}


def records(node):
    """Yield the records in a parsed file, whatever is around them."""
    if isinstance(node, dict) and {"eventVersion", "eventTime"} <= node.keys():
        yield node
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from records(item)


def real():
    """Yield the real records of the repository and those of its examples."""
    files = [
        *(ROOT / "tests" / "data" / "real").rglob("*.json*"),
        *(ROOT / "examples" / "deliveries").rglob("*.json.gz"),
    ]
    for file in files:
        content = file.read_bytes()
        yield from records(json.loads(gzip.decompress(content) if file.suffix == ".gz" else content))


def reached(record, path):
    """Return a list of what a path leads to: one value or none, or as many as a list has."""
    nodes = [record]
    for name in path:
        if name is ANY:
            nodes = [item for node in nodes if isinstance(node, list) for item in node]
        else:
            nodes = [node[name] for node in nodes if isinstance(node, dict) and name in node]
    return nodes


@pytest.fixture(scope="module")
def everything():
    """Return all real records."""
    found = list(real())
    assert len(found) > 500
    return found


def shown(path):
    """Write a path, with a star for any element."""
    return ".".join("*" if step is ANY else step for step in path)


@pytest.mark.parametrize("path", FIELDS, ids=shown)
def test_kinds(everything, path):
    """A field holds values of the kinds that are known of it, and is there where it always is."""
    field = FIELDS[path]
    found = [node for record in everything for node in reached(record, path)]
    assert {KINDS[type(node)] for node in found} <= field.kinds
    if field.always:
        assert len(found) == len(everything)


def test_no_key_is_unknown(everything):
    """Every key of a record, of who made the call and of a resource is known, so that any other is misspelled."""
    top = {(key,) for record in everything for key in record}
    who = {("userIdentity", key) for record in everything for key in record["userIdentity"]}
    resources = [item for record in everything for item in record.get("resources") or ()]
    what = {("resources", ANY, key) for item in resources for key in item}
    assert what
    assert (top | who | what) - FIELDS.keys() == set()


ABOUT = [
    ("{ $.errorCode = AccessDenied }", True),
    ("{ $.eventNam = ConsoleLogin && $.eventSource = x }", True),
    ("{ $.userIdentity.type = Root }", True),
    ("{ $.errorMessage = x }", False),
    ("{ $.errorCode = E1 && $.service = x }", False),
    ("{ $.level = ERROR }", False),
    ("{ $.resources[0].arn = x }", True),
    ("{ $.resources[0].name = x }", False),
    ("{ $.resources.limits.cpu = 5 }", False),
    ("{ $.resources[0].ARN = x && $.service = x }", False),
]


@pytest.mark.parametrize(("pattern", "expected"), ABOUT)
def test_which_patterns_are_about_a_trail(pattern, expected):
    """A pattern is about CloudTrail if all its fields are CloudTrail's, or are nearly spelled like that."""
    assert examined(compile_pattern(pattern)).about_trail is expected
