"""Commands that show how a service sees a resource."""

import re
import shlex

import pytest
from aws_cli import check

from rolewatch.catalog import roles
from rolewatch.catalog.consequences import CONSEQUENCES
from rolewatch.catalog.naming import templates
from rolewatch.catalog.probes import ANY, PROBES, probes_of

BUCKET = "arn:aws:s3:::logs"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/8a6f"


@pytest.mark.parametrize("row", PROBES, ids=lambda row: f"{row.service} {' '.join(row.command.split()[1:3])}")
def test_rows_have_their_shape(row):
    """A row is of a service that has a role, a command of the CLI with all it needs, words for people, and a source."""
    assert row.service in roles.principals()
    assert row.resource_type == ANY or templates(row.resource_type)
    assert set(re.findall(r"<[^>]*>", row.command)) <= {"<arn>", "<name>"}
    assert row.shows
    assert not row.shows.endswith(".")
    assert row.source
    check(row.command.replace("<arn>", KEY).replace("<name>", "logs"))


def test_commands_do_not_change_resources():
    """Commands read, or ask the service to look again."""
    verbs = {row.command.split()[2].split("-")[0] for row in PROBES}
    assert verbs <= {"describe", "get", "list", "search", "select", "validate", "start", "refresh"}
    assert {row.command.split()[2] for row in PROBES if "start" in row.command.split()[2]} == {
        "start-resource-scan"
    }


def test_services_with_a_consequence_can_be_probed():
    """Whoever is told that something stops working can see it from the service's side."""
    assert {row.service for row in CONSEQUENCES} - {row.service for row in PROBES} == set()


@pytest.mark.parametrize(
    ("service", "arn", "commands"),
    [
        ("macie.amazonaws.com", f"{BUCKET}/a.gz", ["describe-buckets"]),
        ("macie.amazonaws.com", KEY, []),
        ("access-analyzer.amazonaws.com", KEY, ["list-findings-v2", "start-resource-scan"]),
        ("trustedadvisor.amazonaws.com", BUCKET, ["describe-trusted-advisor-check-result", "refresh-trusted-advisor-check"]),
        ("trustedadvisor.amazonaws.com", KEY, ["describe-trusted-advisor-checks"]),
        ("autoscaling.amazonaws.com.cn", KEY, ["describe-scaling-activities"]),
        ("config.amazonaws.com", "service:s3.amazonaws.com", ["describe-configuration-recorder-status"]),
        ("new.amazonaws.com", BUCKET, []),
        ("", "", []),
    ],
)  # fmt: skip
def test_probes_are_found_by_service_and_resource(service, arn, commands):
    """Rows for the type of the resource go before those for any; without a resource, only what needs none is there."""
    assert [row.command.split()[2] for row in probes_of(service, arn)] == commands


def test_a_command_asks_the_region_of_the_resource():
    """A resource of a Region is asked for there, by the inner command as well; a bucket names none."""
    command = probes_of("access-analyzer.amazonaws.com", KEY)[0].command
    check(command)
    assert command.count("--region eu-west-1") == 2
    assert "--region" not in probes_of("macie.amazonaws.com", BUCKET)[0].command


@pytest.mark.parametrize(
    "evil", ["f;id", "f$(id)", "f`id`", "f'id", 'f"id', "f|id", "f&id", "f>id", "f\\id", "f id", "f<name>"]
)
def test_a_hostile_name_is_in_no_command(evil):
    """A name with characters of a shell's is left out, with the commands that would need it."""
    for arn in (
        f"arn:aws:lambda:eu-west-1:111122223333:function:{evil}",
        f"arn:aws:sqs:{evil}:111122223333:q",
    ):
        for service in (
            "access-analyzer.amazonaws.com",
            "config.amazonaws.com",
            "resource-explorer-2.amazonaws.com",
        ):
            for row in probes_of(service, arn):
                assert evil not in row.command
                assert shlex.split(row.command)
