"""What goes wrong while a stack is taken down, and what people are told."""

import pytest
from stubbed import ACCOUNT, DESCRIPTION, NOW, OUTPUTS, REGION, STACK, TRAIL, aws, event  # noqa: F401 - the fixture

from rolewatch.aws import destroy, stacks
from rolewatch.aws.change_sets import Change
from rolewatch.base.errors import CannotDo


def removal(**more):
    """Return a plan to remove a stack."""
    stack = stacks.Stack("rolewatch", STACK, "CREATE_COMPLETE", "", DESCRIPTION, {}, dict(OUTPUTS))
    given = {
        "stack": stack, "removed": (Change("Remove", "Topic", "AWS::SNS::Topic", "t"),), "detached": (), "trail": None,
        "spared": None, "keeps_trail": False, "bucket": "", "deletes_bucket": False, "key": "",
    }  # fmt: skip
    return destroy.Plan(**given | more)


def test_destroy_is_denied_half_way(aws):
    """Where the stack may not be deleted after a trail was changed, both are said."""
    aws.answer("cloudtrail", "update_trail", {}, {"Name": TRAIL.arn, "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""})  # fmt: skip
    aws.events()
    aws.fail("cloudformation", "delete_stack", "AccessDenied", "no")
    with pytest.raises(CannotDo) as told:
        destroy.execute(aws, removal(detached=(TRAIL,)), now=NOW, manner=aws.manner)
    assert "done before that: the trail mine delivers to the stack's log group no more" in told.value.message
    assert told.value.remedy.startswith("ask for cloudformation:DeleteStack")


def test_a_stack_that_cannot_be_deleted(aws):
    """What CloudFormation could not delete is told with its reason, and that a second run goes on."""
    aws.events()
    aws.answer("cloudformation", "delete_stack")
    aws.stack("DELETE_FAILED", reason="The following resource(s) failed to delete: [Topic].")
    aws.events(event("Topic", "DELETE_FAILED", "User is not authorized to perform: SNS:DeleteTopic", "AWS::SNS::Topic"))  # fmt: skip
    with pytest.raises(CannotDo) as told:
        destroy.execute(aws, removal(), now=NOW, manner=aws.manner)
    assert "Topic (AWS::SNS::Topic) could not be deleted: User is not authorized to perform: SNS:DeleteTopic" in told.value.message  # fmt: skip
    assert "It is in DELETE_FAILED now" in told.value.message


def test_a_stack_that_failed_to_go_is_tried_again(aws):
    """DELETE_FAILED is not stuck for destroy: it plans what is left, and deletes again."""
    aws.stack("DELETE_FAILED")
    aws.answer("cloudformation", "list_stack_resources", {"StackResourceSummaries": [
        {"LogicalResourceId": "Topic", "ResourceType": "AWS::SNS::Topic", "ResourceStatus": "DELETE_FAILED", "PhysicalResourceId": "t", "LastUpdatedTimestamp": NOW},
        {"LogicalResourceId": "LogGroup", "ResourceType": "AWS::Logs::LogGroup", "ResourceStatus": "DELETE_COMPLETE", "PhysicalResourceId": "g", "LastUpdatedTimestamp": NOW},
    ]})  # fmt: skip
    found = destroy.plan(aws, destroy.Asked(), manner=aws.manner)
    assert found.removed == (Change("Remove", "Topic", "AWS::SNS::Topic", "t"),)


def test_the_key_is_to_be_deleted_already(aws):
    """A key that an earlier run has scheduled for deletion is no error; the bucket goes."""
    aws.fail("kms", "schedule_key_deletion", "KMSInvalidStateException")
    aws.answer("s3", "get_bucket_tagging", {"TagSet": []})
    aws.answer("s3", "list_object_versions", {})
    aws.answer("s3", "list_multipart_uploads", {})
    aws.answer("s3", "delete_bucket", {}, {"Bucket": "logs"})
    plan = removal(stack=None, removed=(), bucket="logs", deletes_bucket=True, key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")  # fmt: skip
    destroy.execute(aws, plan, now=NOW, manner=aws.manner)


def test_the_last_trail_of_a_stuck_stack(aws):
    """A stack that cannot be updated cannot shrink to its trail; the error says how to remove all of it."""
    stack = removal().stack._replace(status="DELETE_FAILED")
    with pytest.raises(CannotDo, match="cannot shrink to its trail, which is the last one") as told:
        destroy.execute(aws, removal(stack=stack, keeps_trail=True), now=NOW, manner=aws.manner)
    assert told.value.remedy == "--leave-no-trail removes all of it"
