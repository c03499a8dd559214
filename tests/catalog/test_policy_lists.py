"""How resources are listed, and what errors say of their policies."""

import pytest

from rolewatch.catalog.policy_kinds import kinds
from rolewatch.catalog.policy_lists import ABSENT, LISTINGS, PARTS, missing


def test_tables_name_kinds():
    """And each kind is listed once."""
    names = {each.kind for each in kinds()}
    listed = [each.kind for each in LISTINGS]
    assert (ABSENT.keys() | PARTS.keys() | set(listed)) <= names
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("of", "code", "message", "expected"),
    [
        ("bucket", "NoSuchBucketPolicy", "The bucket policy does not exist", "policy"),
        ("bucket", "NoSuchBucket", "The specified bucket does not exist", "resource"),
        ("bucket", "AccessDenied", "Access Denied", ""),
        ("function", "ResourceNotFoundException", "The resource you requested does not exist.", "policy"),
        ("function", "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:1:function:f", "resource"),
        ("vault", "ResourceNotFoundException", "Vault not found for ARN: arn:aws:glacier:us-east-1:1:vaults/v", "resource"),
        ("vault", "ResourceNotFoundException", "No vault access policy is set for: arn:aws:glacier:us-east-1:1:vaults/v", "policy"),
        ("backup-vault", "ResourceNotFoundException", "Backup Vault Access Policy not found for vault v", "policy"),
        ("repository", "RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository", "policy"),
        ("repository", "RepositoryNotFoundException", "The repository with name 'r' does not exist", "resource"),
        ("queue", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", "resource"),
        ("queue", "QueueDoesNotExist", "", "resource"),
        ("key", "NotFoundException", "Key 'arn' does not exist", "resource"),
        ("topic", "NotFound", "Topic does not exist", "resource"),
        ("endpoint", "InvalidVpcEndpointId.NotFound", "", "resource"),
        ("role-trust", "NoSuchEntity", "", "resource"),
        ("key", "ThrottlingException", "", ""),
        ("", "AWSOrganizationsNotInUseException", "", ""),
    ],
)  # fmt: skip
def test_what_is_missing(of, code, message, expected):
    """The code tells, and where it tells two things, the message."""
    assert missing(of, code, message) == expected
