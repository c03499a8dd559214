"""What `check` reads, for tests: a policy that shuts roles out, and how files are checked."""

from datetime import UTC, datetime

from rolewatch.explain.checked import read_checked, read_folder
from rolewatch.explain.checked_read import Wanted
from rolewatch.explain.lockouts import lockouts

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def denying(resource, condition, action="s3:*"):
    """Write a statement that denies everybody something under a condition."""
    return {
        "Sid": "Closed",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }


VPC = {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}


def read(content, name="t.yaml", **wanted):
    """Read the policies of a file, given as text."""
    return read_checked(content.encode(), name, Wanted(**wanted))


def found(read):
    """Check all policies that were read; returns what was found by address."""
    return {each.address: lockouts(each, read.given, NOW) for each in read.subjects}


def of_folder(path, **wanted):
    """Check a folder; returns what was found by resource, and what could not be read."""
    read = read_folder(str(path), Wanted(**wanted))
    return {each.resource: lockouts(each, read.given, NOW) for each in read.subjects}, read


def names(lockouts):
    """Give the names of the roles, without what they all begin with."""
    return {each.role_name.removeprefix("AWSServiceRoleFor") for each in lockouts}
