"""Two corpora of policies: ordinary ones, about which `check` has nothing to say, and ones that shut roles out."""

import json
from pathlib import Path

import pytest

from rolewatch.cli.main import main

HERE = Path(__file__).parent
ORDINARY = sorted(HERE.joinpath("ordinary").glob("*.json"))
EXPECTED = json.loads(HERE.joinpath("locking", "expected.json").read_text())


def checked(capsys, file, *options):
    """Check a file and return exit status and report."""
    status = main(["check", str(file), "--format", "json", *options], {})
    out, err = capsys.readouterr()
    assert err == ""
    return status, json.loads(out)


def services(listed):
    """Give the services of lockouts, without their domain."""
    return {each["service"].removesuffix(".amazonaws.com") for each in listed}


def test_there_are_enough():
    """Each corpus has more than 25 policies, and each ordinary one has a source."""
    sources = HERE.joinpath("ordinary", "README.md").read_text()
    assert len(ORDINARY) >= 40
    assert len(EXPECTED) >= 40
    assert [file.name for file in ORDINARY if f"| {file.name} |" not in sources] == []


@pytest.mark.parametrize("file", ORDINARY, ids=lambda file: file.stem)
def test_an_ordinary_policy(capsys, file):
    """An ordinary policy is checked, and nobody is shut out, for certain or perhaps."""
    status, report = checked(capsys, file)
    assert (report["lockouts"], report["depends"], report["notes"], status) == ([], [], [], 0)
    assert len(report["checked"]) == 1


@pytest.mark.parametrize("file", ORDINARY, ids=lambda file: file.stem)
def test_an_ordinary_policy_in_a_known_account(capsys, file):
    """An ordinary policy is as silent where account and organization are known, and even what depends counts."""
    known = ("--resource-account", "111122223333", "--organization", "o-a1b2c3d4e5", "--strict")
    status, report = checked(capsys, file, *known)
    assert (report["lockouts"], report["depends"], status) == ([], [], 0)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_locking_policy(capsys, monkeypatch, name):
    """A policy that shuts roles out: exactly the services that it has to are found, by the right statement, with the mistakes named."""
    monkeypatch.chdir(HERE / "locking")
    expected = EXPECTED[name]
    status, report = checked(capsys, f"{name}.json", *expected["options"])
    locked, depends = services(report["lockouts"]), services(report["depends"])
    assert set(expected["locked"]) <= locked
    assert bool(expected["locked"]) == bool(locked)
    assert set(expected["depends"]) <= depends
    assert not set(expected["not_locked"]) & (locked | depends)
    assert status == (1 if expected["locked"] else 0)
    found = [*report["lockouts"], *report["depends"]]
    assert {each["statement"]["sid"] for each in found} == {expected["sid"]}
    if expected["notes"]:
        assert {note["rule"] for note in report["notes"]} == set(expected["notes"])


@pytest.mark.parametrize("name", [name for name, row in EXPECTED.items() if row["locked"] and row["sid"]])
def test_the_same_policy_with_the_roles_exempt(capsys, monkeypatch, tmp_path, name):
    """With the service-linked roles exempt by aws:PrincipalArn in each Deny, the same policy shuts nobody out."""
    monkeypatch.chdir(HERE / "locking")
    policy = json.loads(Path(f"{name}.json").read_text())
    partition = "aws-cn" if name == "china" else "aws"
    exempt = f"arn:{partition}:iam::*:role/aws-service-role/*"
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            if "NotPrincipal" in statement:
                del statement["NotPrincipal"]
                statement["Principal"] = "*"
            block = statement.setdefault("Condition", {})
            block.setdefault("StringNotLike", {}).setdefault("aws:PrincipalArn", [])
            listed = block["StringNotLike"]["aws:PrincipalArn"]
            block["StringNotLike"]["aws:PrincipalArn"] = [
                *([listed] if isinstance(listed, str) else listed),
                exempt,
            ]
    repaired = tmp_path / "policy.json"
    repaired.write_text(json.dumps(policy))
    status, report = checked(capsys, repaired, *EXPECTED[name]["options"])
    assert (services(report["lockouts"]), services(report["depends"]), status) == (set(), set(), 0)
