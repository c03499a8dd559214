"""The examples of how rolewatch is run as a service: what they call exists, and they ask for no more than they need."""

import json
import re
import shlex
import tomllib
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from rolewatch.base.settings import variable
from rolewatch.cli import options as opts
from rolewatch.cli.commands import load
from rolewatch.cli.main import parser_of
from rolewatch.notify.routing import routing_of
from rolewatch.watch.feed import Feed
from rolewatch.watch.health import Pulse
from rolewatch.watch.telemetry import Telemetry
from rolewatch.watch.telemetry_census import NOTHING

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples" / "deploy"
HARDENED = {
    "DynamicUser": "yes", "StateDirectory": "rolewatch", "UMask": "0077", "CapabilityBoundingSet": "", "AmbientCapabilities": "",
    "NoNewPrivileges": "yes", "PrivateDevices": "yes", "PrivateTmp": "yes", "PrivateUsers": "yes", "ProtectHome": "yes",
    "ProtectSystem": "strict", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "MemoryDenyWriteExecute": "yes", "LockPersonality": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "SystemCallArchitectures": "native",
}  # fmt: skip


def understood(words):
    """Give the values of a command line of rolewatch, as the command itself reads it."""
    name, *rest = words
    command = load(name)
    typed = opts.typed(parser_of(name, command), rest, command.POSITIONALS, command.OPTIONS)
    return name, typed, opts.values(typed, command.OPTIONS, {})


@pytest.fixture(scope="module")
def service():
    """Read the section of the unit that says how the service is run; of a key that comes twice, the last."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string((DEPLOY / "rolewatch.service").read_text())
    assert parser.sections() == ["Unit", "Service", "Install"]
    return dict(parser["Service"])


def test_what_the_unit_runs(service):
    """Its command line is one that rolewatch takes, its variables are those of options, and it is told when to read again."""
    program, *words = shlex.split(service["ExecStart"])
    name, typed, values = understood(words)
    assert (program, name) == ("/usr/local/lib/rolewatch/bin/rolewatch", "watch")
    assert typed["source"] == ["sqs://trail-notices"]
    assert values["metrics"] == ("127.0.0.1", 9464)
    variables = dict(word.split("=", 1) for word in shlex.split(service["Environment"]))
    known = {variable(option.name) for option in load("watch").OPTIONS} | {"ROLEWATCH_CONFIG"}
    assert variables.keys() <= known
    assert variables["ROLEWATCH_STATE"] == "%S/rolewatch"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["Type"], int(service["WatchdogSec"]) > 0) == ("notify", True)
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2")


def test_what_the_unit_may_do(service):
    """No more than use the network and its own state."""
    assert {name: service.get(name) for name in HARDENED} == HARDENED


@pytest.fixture(scope="module")
def container():
    """Read the instructions of the container file: (name, rest) each."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def test_what_the_container_runs(container):
    """A command line that rolewatch takes, not as root, with a probe of its health at the port where that is."""
    last = {name: rest for name, rest in container if name != "RUN"}
    words = [*json.loads(last["ENTRYPOINT"]), *json.loads(last["CMD"])]
    name, _, values = understood(words[1:])
    assert (words[0], name, values["metrics"]) == ("rolewatch", "watch", ("0.0.0.0", 9464))  # noqa: S104 - in there
    assert last["USER"] == "10001:10001"
    assert last["EXPOSE"] == "9464"
    probe = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    assert probe[:2] == ["python", "-c"]
    assert "('127.0.0.1', 9464" in probe[2]
    compile(probe[2], "probe", "exec")
    variables = dict(word.split("=", 1) for word in shlex.split(last["ENV"]))
    known = {variable(option.name) for option in load("watch").OPTIONS}
    assert {each for each in variables if each.startswith("ROLEWATCH_")} <= known
    made = [rest for name, rest in container if name == "RUN" and "--mode 0700" in rest]
    assert [rest for rest in made if rest.endswith(last["VOLUME"])]


def test_what_the_container_copies(container):
    """Everything is there, and what is installed is pinned with its hash."""
    copied = [rest.split()[:-1] for name, rest in container if name == "COPY" and "--from" not in rest]
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []
    installs = [rest for name, rest in container if name == "RUN" and "pip install" in rest]
    assert "--require-hashes --requirement requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]


def pins(path):
    """Give the pinned version of each package of a lock file, and how many hashes it has."""
    found = {}
    for block in re.split(r"\n(?=[a-z])", path.read_text()):
        name = re.match(r"([a-z0-9._-]+)==([^ ;\\]+)([^\\]*)", block)
        if name:
            found[name[1], name[3].strip()] = (name[2], block.count("--hash=sha256:"))
    return found


def test_what_the_container_installs():
    """The very versions that the tests run with, each with hashes, for all extras but Spark and charts; and no host is named."""
    lock, tested = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    assert len(lock) > 30
    assert {key: version for key, (version, _) in lock.items()}.items() <= {key: version for key, (version, _) in tested.items()}.items()  # fmt: skip
    assert all(number for _, number in lock.values())
    assert "://" not in (DEPLOY / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for name in ("aws", "lake", "notify", "postgres") for each in extras[name])]  # fmt: skip
    names = {re.match(r"[a-z0-9-]+", each)[0] for each in wanted}
    assert names <= {name for name, _ in lock}


def test_the_settings_are_settings():
    """Routes, quiet times and the rate make sense; secrets come from the environment."""
    environ = {
        "SLACK_TOKENS": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "PAGERDUTY_KEY": "0123456789abcdef",
    }
    routing = routing_of(environ, str(DEPLOY / "rolewatch.toml"), ["slack://${SLACK_TOKENS}/#security"])
    assert len(routing.routes.routes) == 2
    assert routing.routes.targets_of("alarm", {"account": ""}, "high")[0].startswith("pagerduty://")
    assert len(routing.routes.targets_of("alarm", {"account": ""}, "high")) == 2


def test_the_rules_name_metrics_that_there_are():
    """Each expression asks for what the watcher measures, with labels that it has."""
    telemetry = Telemetry(Feed([], lambda *_: None), Pulse(), lambda: NOTHING, lambda: datetime.now(UTC))
    there = {
        name for family in telemetry.registry.collect() for name in (family.name, f"{family.name}_total")
    }
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"rolewatch_\w+", rule["expr"])}
    assert asked
    assert asked <= there
    assert all(rule["annotations"]["summary"] for rule in rules)
