"""Reads AWS CLI commands as the CLI would, by botocore's models: which operation, with which parameters."""

import re
import shlex
from functools import cache

import jmespath
from botocore import xform_name
from botocore.loaders import Loader

SERVICES = {"s3api": "s3", "configservice": "config"}  # what the CLI calls otherwise than botocore
GLOBAL = {"--query", "--output", "--region"}


@cache
def model(service):
    """Load one of botocore's service models."""
    return Loader().load_service_model(SERVICES.get(service, service), "service-2")


def operation(service, command):
    """Find the operation of a command: its name and its model."""
    found = [name for name in model(service)["operations"] if xform_name(name, "-") == command]
    assert found, f"{service} has no command {command}"
    return found[0], model(service)["operations"][found[0]]


def inner(command):
    """Take apart what a shell would: the command itself, with those in `$(…)` replaced by a word, and those."""
    found = re.findall(r'"?\$\((aws [^)]*)\)"?', command)
    return [re.sub(r'"?\$\(aws [^)]*\)"?', "INNER", command), *found]


def check(command):
    """Assert that each part of a command names a command of the CLI and its options, all required ones among them."""
    for text in inner(command):
        words = shlex.split(text)
        assert words[0] == "aws", text
        _, found = operation(words[1], words[2])
        options, values = [], {}
        for word in words[3:]:
            if word.startswith("--"):
                options.append(word)
            else:
                values.setdefault(options[-1], []).append(word)
        shape = model(words[1])["shapes"][found["input"]["shape"]] if "input" in found else {"members": {}}
        members = {f"--{xform_name(name, '-')}": name for name in shape["members"]}
        flags = {f"--no-{xform_name(name, '-')}" for name in shape["members"]}
        assert set(options) - set(members) - flags - GLOBAL == set(), text
        needed = {
            name for name in shape.get("required", []) if not shape["members"][name].get("idempotencyToken")
        }
        assert needed - {members.get(option) for option in options} == set(), text
        assert len(options) == len(set(options)), text
        for query in values.get("--query", []):
            jmespath.compile(query)
            _known(query, words[1], found)


def _known(query, service, found):
    """Assert that the first members a query asks for are in the answer."""
    shape = model(service)["shapes"][found["output"]["shape"]]
    first = re.match(r"[A-Za-z]+", query)
    if first:
        assert first[0] in shape["members"], (query, sorted(shape["members"]))
