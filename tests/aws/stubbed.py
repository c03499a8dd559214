"""Answers of AWS by botocore's Stubber, for tests of what goes wrong."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from rolewatch.aws import pipeline
from rolewatch.aws.clients import Manner
from rolewatch.aws.trails import Trail

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
ACCOUNT, REGION = "123456789012", "us-east-1"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/rolewatch/11111111-0000-4000-8000-000000000000"
CHANGE_SET = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/rolewatch-20261128-093000/1"
DESCRIPTION = "rolewatch pipeline: one notification"
MAIL = (pipeline.Endpoint("email", "a@example.com"),)


class Stubbed:
    """Clients of one account whose answers are given in order; `slept` are the pauses that were made."""

    region = REGION
    partition = "aws"

    def __init__(self):
        self._stubs = {}
        self.slept = []
        self.told = []
        self.manner = Manner(self.slept.append, self.told.append)

    def __getattr__(self, service):
        if service not in ("cloudformation", "cloudtrail", "s3", "kms", "sts", "logs", "cloudwatch", "sns"):
            raise AttributeError(service)
        return self._stub(service).client

    def _stub(self, service):
        if service not in self._stubs:
            client = boto3.client(
                service,
                region_name=REGION,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106 - made up
            )
            self._stubs[service] = Stubber(client)
            self._stubs[service].activate()
        return self._stubs[service]

    def answer(self, service, operation, response=None, expected=None):
        """Answer the next request of a service."""
        self._stub(service).add_response(operation, response or {}, expected)

    def fail(self, service, operation, code, message="", status=400):
        """Fail the next request of a service."""
        self._stub(service).add_client_error(operation, code, message, status)

    def done(self):
        """Make sure that all was asked for."""
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()
            stub.client.close()

    # What is often answered

    def stack(self, status, *, description=DESCRIPTION, reason="", parameters=(), outputs=()):
        """Answer DescribeStacks; without a status, there is none."""
        if status is None:
            self.fail("cloudformation", "describe_stacks", "ValidationError", "Stack with id rolewatch does not exist")  # fmt: skip
            return
        found = {
            "StackName": "rolewatch",
            "StackId": STACK,
            "StackStatus": status,
            "CreationTime": NOW,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs],
        }
        if description:
            found["Description"] = description
        if reason:
            found["StackStatusReason"] = reason
        self.answer("cloudformation", "describe_stacks", {"Stacks": [found]})

    def trails(self, *found):
        """Answer DescribeTrails."""
        self.answer("cloudtrail", "describe_trails", {"trailList": list(found)})

    def change_set(self, kind="CREATE", *, status="CREATE_COMPLETE", reason="", changes=()):
        """Answer CreateChangeSet and DescribeChangeSet."""
        expected = {
            "StackName": "rolewatch", "ChangeSetName": "rolewatch-20261128-093000", "ChangeSetType": kind,
            "TemplateBody": pipeline.template(), "Capabilities": ["CAPABILITY_IAM"], "Parameters": ANY,
        }  # fmt: skip
        self.answer("cloudformation", "create_change_set", {"Id": CHANGE_SET, "StackId": STACK}, expected)
        found = {"ChangeSetId": CHANGE_SET, "Status": status, "Changes": list(changes)}
        if reason:
            found["StatusReason"] = reason
        self.answer("cloudformation", "describe_change_set", found)

    def events(self, *found):
        """Answer DescribeStackEvents, newest first."""
        events = [
            {
                "StackId": STACK,
                "StackName": "rolewatch",
                "EventId": str(number),
                "Timestamp": NOW,
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": type_,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
            for number, (name, physical, type_, status, reason) in enumerate(found)
        ]
        self.answer("cloudformation", "describe_stack_events", {"StackEvents": events[::-1]})


TRAIL = Trail("mine", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/mine", REGION, True, False, "b", "", True, True)  # noqa: FBT003 # fmt: skip
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:rolewatch/cloudtrail:*"
OUTPUTS = [("LogGroup", "rolewatch/cloudtrail"), ("LogGroupArn", GROUP), ("TrailRoleArn", "r" * 20)]


@pytest.fixture
def aws(aws_environment):
    """Give clients that answer as they are told, and make sure that all answers were wanted."""
    del aws_environment
    made = Stubbed()
    yield made
    made.done()


def event(name, status, reason="", type_="AWS::S3::Bucket"):
    """Return an event of a resource."""
    return name, f"{name}-1", type_, status, reason


def of_stack(status):
    """Return an event of the stack itself."""
    return "rolewatch", STACK, "AWS::CloudFormation::Stack", status, ""
