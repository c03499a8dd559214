"""What AWS lets the known roles do: the table, its look-up, and how it is built."""

import json
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rolewatch.catalog import role_policies, roles
from rolewatch.catalog.role_policies import policies_date, policy_of, roles_with_policies

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "src" / "rolewatch" / "catalog" / "data" / "role_policies.json"
ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


@pytest.mark.parametrize("role", roles_with_policies(), ids=lambda role: role.role)
def test_policies_have_the_shape_of_identity_policies(role):
    """A policy has a version, a date and statements with an effect, actions and resources, and no principal."""
    policy = policy_of(role.principal, role.role)
    assert (policy.name, policy.document["Version"]) == (role.policy, "2012-10-17")
    assert int(policy.version.removeprefix("v")) > 0
    assert "2014" < policy.date <= policies_date()
    assert policy.statements
    for statement in policy.statements:
        assert statement["Effect"] in ("Allow", "Deny")
        assert set(statement) <= ELEMENTS
        assert ("Action" in statement) + ("NotAction" in statement) == 1
        assert ("Resource" in statement) + ("NotResource" in statement) == 1


def test_every_role_has_its_policy_but_those_that_aws_withdrew():
    """The only known roles without a policy are those whose policy the table of roles says is withdrawn."""
    without = {role.role for role in roles.known_roles()} - {role.role for role in roles_with_policies()}
    assert without == {role.role for role in roles.known_roles() if role.policy is None}


def test_the_table_has_no_policy_that_no_role_carries():
    """Each policy of the table is some role's, and is there once."""
    names = [row[0] for row in json.loads(DATA.read_text())["policies"]]
    assert sorted(set(names)) == names
    assert set(names) == {role.policy for role in roles.known_roles() if role.policy}


@pytest.mark.parametrize(
    ("principal", "role", "policy"),
    [
        ("config.amazonaws.com", "AWSServiceRoleForConfig", "AWSConfigServiceRolePolicy"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_team1", "AutoScalingServiceRolePolicy"),
        ("autoscaling.amazonaws.com.cn", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy"),
        ("worklink.amazonaws.com", "AWSServiceRoleForAmazonWorkLink", None),
        ("new.amazonaws.com", "AWSServiceRoleForNew", None),
    ],
)
def test_policies_are_found_as_roles_are(principal, role, policy):
    """Custom suffixes and China's principals are folded; a withdrawn policy and an unknown role have none."""
    found = policy_of(principal, role)
    assert (found and found.name) == policy


def test_a_partition_has_its_own_arns():
    """In another partition a policy names that partition's resources, and nothing else differs."""
    principal, role = "macie.amazonaws.com", "AWSServiceRoleForAmazonMacie"
    usual, china = policy_of(principal, role), policy_of(principal, role, partition="aws-cn")
    text, other = json.dumps(usual.document), json.dumps(china.document)
    assert '"arn:aws:' in text
    assert '"arn:aws:' not in other
    assert other.replace('"arn:aws-cn:', '"arn:aws:') == text


def test_a_partition_that_is_none_has_no_policy():
    """What cannot be a partition is not written into a policy."""
    assert policy_of("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie", partition='aws","x":"') is None


def test_table_is_small_and_loads_quickly():
    """The table stays under 1 MB, is read within 50 ms, and so are all policies together, best of five."""
    times = []
    for _ in range(5):
        for cached in (role_policies._table, role_policies._rows, role_policies._policy, roles_with_policies):
            cached.cache_clear()
        start = time.perf_counter()
        found = [policy_of(role.principal, role.role) for role in roles_with_policies()]
        times.append(time.perf_counter() - start)
    assert (DATA.stat().st_size < 1_000_000, min(times) < 0.05, None in found) == (True, True, False)


def load_script(monkeypatch):
    """Import scripts/catalog_policies.py, which is no package."""
    spec = spec_from_file_location("catalog_policies", ROOT / "scripts" / "catalog_policies.py")
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "catalog_policies", module)
    spec.loader.exec_module(module)
    return module


PUBLISHED = {
    "P": {
        "Path": "/aws-service-role/",
        "DefaultVersionId": "v3",
        "UpdateDate": "2026-01-02T03:04:05+00:00",
        "Document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}},
    },
    "Customer": {"Path": "/", "DefaultVersionId": "v1", "UpdateDate": "2026-01-02", "Document": {}},
}  # fmt: skip


def test_policies_are_built_from_what_is_published(monkeypatch):
    """A single statement becomes a list, policies that no role carries are left out, and each has a line of its own."""
    script = load_script(monkeypatch)
    table = script.role_policies([["x", "R", "P"], ["y", "S", None], ["z", "T", "P"]], PUBLISHED)
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    assert table["policies"] == [
        ["P", "v3", "2026-01-02", {"Version": "2012-10-17", "Statement": [statement]}]
    ]
    text = script.written(table)
    assert json.loads(text) == table
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize(("policy", "error"), [("Missing", KeyError), ("Customer", ValueError)])
def test_a_policy_that_is_no_role_s_own_is_an_error(monkeypatch, policy, error):
    """A policy that is not published, or that any role of a customer's could carry, stops the refresh."""
    with pytest.raises(error, match=policy):
        load_script(monkeypatch).role_policies([["x", "R", policy]], PUBLISHED)


@pytest.mark.slow
def test_table_is_what_the_packages_give():
    """The committed table is what scripts/refresh_catalog.py makes of the installed packages."""
    command = [sys.executable, str(ROOT / "scripts" / "refresh_catalog.py"), "policies", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "role_policies.json is as the packages give it\n"), (
        done.stderr
    )
