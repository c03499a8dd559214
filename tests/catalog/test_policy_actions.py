"""Which actions each kind of policy decides on: the shape of the table, and what must and must not be in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from rolewatch.catalog.policy_actions import policy_actions
from rolewatch.catalog.policy_kinds import kinds

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_what_the_script_makes():
    """The committed table is what scripts/catalog_policy_actions.py makes of the installed package."""
    command = [sys.executable, str(ROOT / "scripts" / "catalog_policy_actions.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("kind", [kind.kind for kind in kinds() if kind.kind != "endpoint"])
def test_every_kind(kind):
    """Every kind of policy but those of endpoints decides on actions of its prefixes, by part of the resource."""
    prefixes = next(each.prefixes for each in kinds() if each.kind == kind)
    found = policy_actions(kind)
    assert found
    for names in found.values():
        assert names == tuple(sorted(set(names)))
        assert all(name.partition(":")[0] in prefixes for name in names)


@pytest.mark.parametrize(
    ("kind", "part", "action"),
    [
        ("bucket", "", "s3:GetBucketAcl"),
        ("bucket", "", "s3:ListBucket"),
        ("bucket", "/*", "s3:GetObject"),
        ("key", "", "kms:CreateGrant"),
        ("key", "", "kms:Decrypt"),
        ("queue", "", "sqs:GetQueueAttributes"),
        ("topic", "", "sns:Publish"),
        ("secret", "", "secretsmanager:GetSecretValue"),
        ("repository", "", "ecr:BatchGetImage"),
        ("file-system", "", "elasticfilesystem:Backup"),
        ("table", "/index/*", "dynamodb:Query"),
        ("vector-bucket", "/index/*", "s3vectors:GetVectors"),
    ],
)
def test_what_is_there(kind, part, action):
    """An action is with the part of the resource that it is about."""
    assert action in policy_actions(kind)[part]


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("bucket", "s3:ListAllMyBuckets"),
        ("bucket", "s3:GetAccountPublicAccessBlock"),
        ("bucket", "s3:CreateBucket"),
        ("bucket", "s3:DescribeJob"),
        ("key", "kms:ListKeys"),
        ("queue", "sqs:CreateQueue"),
        ("topic", "sns:ListTopics"),
        ("repository", "ecr:GetAuthorizationToken"),
        ("public-repository", "ecr-public:CreateRepository"),
    ],
)
def test_what_is_not_there(kind, action):
    """An action that is about no resource of the kind, or that makes one, is not decided by such a policy."""
    assert all(action not in names for names in policy_actions(kind).values())
