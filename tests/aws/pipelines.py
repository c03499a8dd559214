"""The pipeline's template as tests look at it: its alarms and filters, and what resources there are for given parameters."""

from functools import cache
from pathlib import Path

from rolewatch.templates import read_template
from rolewatch.templates.document import read_document
from rolewatch.templates.nodes import Mapping, Scalar, Sequence
from rolewatch.templates.references import World
from rolewatch.templates.template import _Reader

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "src" / "rolewatch" / "aws" / "pipeline.template.yaml"
NAME = "pipeline.template.yaml"
ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0c7a4a8e-0000-4000-8000-000000000000"
FUNCTIONS = (
    {},
    {"FunctionBucket": "code", "FunctionCode": "rolewatch.zip", "FunctionState": "postgresql://db/rolewatch"},
    {
        "FunctionImage": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/rolewatch:1",
        "FunctionAccessPoint": f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point/fsap-0123456789abcdef0",
        "FunctionFileSystem": f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:file-system/fs-0123456789abcdef0",
        "FunctionSubnets": "subnet-1,subnet-2",
        "FunctionSecurityGroups": "sg-1",
    },
)
WORLD = World(ACCOUNT, "us-east-1", "watching")
ALARMS = ("metric", "anomaly", "log")


def content():
    """Return the template's bytes."""
    return FILE.read_bytes()


@cache
def document():
    """Read the template's nodes."""
    return read_document(content(), NAME)


def reader(parameters, region="us-east-1"):
    """Read the template with values of its parameters."""
    return _Reader(document(), parameters, {}, World(ACCOUNT, region, "watching"))


def plain(node):
    """Return a resolved node as data."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text


def resolved(parameters, region="us-east-1"):
    """Return what resources a stack with these parameters has, by logical id; every reference has to lead somewhere."""
    read = reader(parameters, region)
    found = {}
    for name, resource in read._resources.items():
        if read._resolver.exists(resource):
            path = f"Resources.{name}.Properties"
            found[name] = plain(read._resolver.resolve(resource.properties, path))
    outputs = read._root.get("Outputs")
    for name, entry in outputs.entries.items():
        condition = entry.value.get("Condition")
        if condition is None or read._resolver.condition(condition.text, condition.start, "Outputs"):
            read._resolver.resolve(entry.value.get("Value"), f"Outputs.{name}")
    return found


def template(**parameters):
    """Read the template's alarms and filters."""
    return read_template(content(), NAME, parameters=parameters, stack="watching")
