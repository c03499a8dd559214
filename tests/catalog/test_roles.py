"""Known service-linked roles, names of services, security services."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from rolewatch.catalog import roles
from rolewatch.catalog.roles import SECURITY_SERVICES, ServiceRole, role, service_name

ROOT = Path(__file__).resolve().parents[2]
PRINCIPAL = re.compile(r"[a-z0-9][a-z0-9.-]*\.amazonaws\.com")


def test_role_rows_have_their_shape():
    """Each row has a principal, a role name that IAM would take, a grade from A to C, and is found by its own key."""
    rows = roles._roles()
    strange = [
        row
        for key, row in rows.items()
        if key != (row.principal, row.role)
        or not PRINCIPAL.fullmatch(row.principal)
        or not re.fullmatch(r"[\w+=,.@-]{1,64}", row.role)
        or row.grade not in ("A", "B", "C")
    ]
    assert (len(rows) > 250, strange) == (True, [])


def test_role_table_has_no_row_twice():
    """No pair of principal and role is listed twice, and the rows are in order."""
    table = json.loads((ROOT / "src/rolewatch/catalog/data/roles.json").read_text())["roles"]
    keys = [(row[0], row[1]) for row in table]
    assert sorted(set(keys)) == keys


@pytest.mark.parametrize(
    ("principal", "name", "expected"),
    [
        ("config.amazonaws.com", "AWSServiceRoleForConfig", "AWSServiceRoleForConfig"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_team1", "AWSServiceRoleForAutoScaling"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_team_1", "AWSServiceRoleForAutoScaling"),
        ("autoscaling.amazonaws.com.cn", "AWSServiceRoleForAutoScaling", "AWSServiceRoleForAutoScaling"),
        ("s3.data-source.lustre.fsx.amazonaws.com", "AWSServiceRoleForFSxS3Access_fs-0123", "AWSServiceRoleForFSxS3Access"),
        ("accountdiscovery.ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM_AccountDiscovery", "AWSServiceRoleForAmazonSSM_AccountDiscovery"),
        ("rum.amazonaws.com", "AWSServiceRoleForRealUserMonitoring", "AWSServiceRoleForRealUserMonitoring"),
        ("config.amazonaws.com", "AWSServiceRoleForAutoScaling", None),
        ("newservice.amazonaws.com", "AWSServiceRoleForNewService", None),
        ("config.amazonaws.com", "", None),
        ("config.amazonaws.com", "_" * 100_000, None),
    ],
)  # fmt: skip
def test_roles_are_found_with_their_suffix_folded(principal, name, expected):
    """A custom suffix is folded, an exact name goes first, and a role of another principal is not found."""
    found = role(principal, name)
    assert (found and found.role) == expected


def test_a_known_role_says_what_it_is_for():
    """A well-known role carries its policy, its purpose and its grade."""
    expected = ServiceRole(
        "config.amazonaws.com", "AWSServiceRoleForConfig", "AWSConfigServiceRolePolicy", "records the configuration of resources", "A"
    )  # fmt: skip
    assert role("config.amazonaws.com", "AWSServiceRoleForConfig") == expected


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("config.amazonaws.com", "AWS Config"),
        ("guardduty.amazonaws.com", "Amazon GuardDuty"),
        ("malware-protection.guardduty.amazonaws.com", "GuardDuty Malware Protection"),
        ("macie.amazonaws.com", "Amazon Macie"),
        ("inspector2.amazonaws.com", "Amazon Inspector"),
        ("autoscaling.amazonaws.com.cn", "Amazon EC2 Auto Scaling"),
        ("ecs.application-autoscaling.amazonaws.com", "Application Auto Scaling (ecs)"),
        ("newservice.amazonaws.com", "Newservice"),
        ("brand-new.amazonaws.com", "Brand New"),
        ("part.of.sagemaker.amazonaws.com", "Amazon SageMaker (part.of)"),
        ("AWS Internal", "AWS Internal"),
        ("", "unknown"),
        (".amazonaws.com", ".amazonaws.com"),
    ],
)
def test_services_have_names_for_people(principal, name):
    """A known service has its name, a part of one says of which, and any other is named after its principal."""
    assert service_name(principal) == name


def test_a_principal_of_a_thousand_labels_has_a_name():
    """A hostile principal is named, not recursed into."""
    assert service_name("a." * 100_000 + "amazonaws.com").startswith("A (a.")


def test_every_service_of_the_table_is_named_by_hand():
    """No service of a known role falls back to its principal, and no name has stray white space."""
    names = roles._names()
    labels = {principal.removesuffix(".amazonaws.com") for principal, _ in roles._roles()} | {
        principal.removesuffix(".amazonaws.com") for principal in SECURITY_SERVICES
    }
    assert {
        label for label in labels if label not in names and label.rpartition(".")[2] not in names
    } == set()
    assert [name for name in names.values() if name != name.strip() or not name] == []


def test_security_services_are_principals():
    """The services that see are service principals, those that the contract names among them."""
    named = {
        f"{name}.amazonaws.com"
        for name in ("config", "guardduty", "malware-protection.guardduty", "macie", "access-analyzer", "inspector2", "securityhub", "cloudtrail", "trustedadvisor", "detective", "fms", "securitylake")
    }  # fmt: skip
    assert named - SECURITY_SERVICES == set()
    assert [name for name in SECURITY_SERVICES if not PRINCIPAL.fullmatch(name)] == []
    assert {"autoscaling.amazonaws.com", "rds.amazonaws.com"} & SECURITY_SERVICES == set()


def load_script(monkeypatch):
    """Import scripts/refresh_catalog.py, which is no package."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("refresh_catalog", ROOT / "scripts" / "refresh_catalog.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "refresh_catalog", module)
    spec.loader.exec_module(module)
    return module


def test_roles_are_built_from_the_collected_facts(monkeypatch):
    """Grades D and E and links without a principal are left out, placeholders for suffixes are cut, aliases are added."""
    link = {"policy": "P", "grants": ["ec2", "kms"], "grade": "A"}
    links = [
        link | {"principal": "x.amazonaws.com", "role": "AWSServiceRoleForX_<suffix>"},
        link | {"principal": "y.amazonaws.com", "role": "AWSServiceRoleForY", "grade": "D"},
        link | {"principal": None, "role": "AWSServiceRoleForZ"},
        link | {"principal": "rum.amazonaws.com", "role": "AWSServiceRoleForCloudWatchRUM", "grants": []},
        link | {"principal": "health.amazonaws.com", "role": "AWSServiceRoleForHealth_Organizations", "policy": None, "grade": "B"},
    ]  # fmt: skip
    assert load_script(monkeypatch).roles(links)["roles"] == [
        ["health.amazonaws.com", "AWSServiceRoleForHealth", None, "acts on ec2, kms", "B"],
        ["health.amazonaws.com", "AWSServiceRoleForHealth_Organizations", None, "acts on ec2, kms", "B"],
        ["rum.amazonaws.com", "AWSServiceRoleForCloudWatchRUM", "P", "", "A"],
        ["rum.amazonaws.com", "AWSServiceRoleForRealUserMonitoring", "P", "", "A"],
        ["x.amazonaws.com", "AWSServiceRoleForX", "P", "acts on ec2, kms", "A"],
    ]
