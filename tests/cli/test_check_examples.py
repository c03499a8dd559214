"""The examples of `check` do what their README says."""

import json
import re
from pathlib import Path

import pytest
import yaml

from rolewatch.cli.commands import COMMANDS
from rolewatch.cli.main import main

POLICIES = Path(__file__).resolve().parents[2] / "examples" / "policies"


@pytest.mark.parametrize(
    ("name", "locked", "status"),
    [
        ("vpce-only.json", {"config", "macie", "access-analyzer"}, 1),
        ("vpce-only-with-roles.json", set(), 0),
        ("key-without-account.json", {"config", "agentless.inspector2", "malware-protection.guardduty"}, 1),
        ("queue.template.yaml", {"config", "trustedadvisor", "access-analyzer"}, 1),
    ],
)
def test_an_example(capsys, name, locked, status):
    """An example shuts out whom its README names, or nobody."""
    assert main(["check", str(POLICIES / name), "--format", "json"], {}) == status
    report = json.loads(capsys.readouterr().out)
    found = {each["service"].removesuffix(".amazonaws.com") for each in report["lockouts"]}
    assert locked <= found
    assert bool(locked) == bool(found)
    assert f"`{name}`" in POLICIES.joinpath("README.md").read_text()


def test_only_the_roles_of_the_account(capsys):
    """With the account's list of roles, only these are shut out."""
    words = [
        "check",
        str(POLICIES / "vpce-only.json"),
        "--only-enabled",
        str(POLICIES / "roles.json"),
        "--format",
        "json",
    ]
    assert main(words, {}) == 1
    report = json.loads(capsys.readouterr().out)
    assert [each["role_name"] for each in report["lockouts"]] == [
        "AWSServiceRoleForAmazonMacie",
        "AWSServiceRoleForConfig",
    ]
    assert report["checked"][0]["account_from"] == "--only-enabled"


def test_the_hook_of_pre_commit():
    """The hook runs a command that exists, on files that are named like policies and templates, and on no other JSON."""
    (hook,) = yaml.safe_load(POLICIES.parents[1].joinpath(".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == "rolewatch-check"
    program, command = hook["entry"].split()
    assert program == "rolewatch"
    assert command in COMMANDS
    wanted = (
        "policy.json",
        "infra/bucket-policy.json",
        "a/payroll_policies.prod.json",
        "key.policy.json",
        "x/queue.template.yaml",
    )
    assert [name for name in wanted if not re.search(hook["files"], name)] == []
    others = ("package.json", "policymaker.txt", "roles.json", "deployment.yaml", "monopoly.json")
    assert [name for name in others if re.search(hook["files"], name)] == []
