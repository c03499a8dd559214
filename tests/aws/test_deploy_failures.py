"""What goes wrong while a stack is made or changed, and what people are told."""

import boto3
import pytest
from botocore.stub import ANY
from stubbed import (
    ACCOUNT,
    CHANGE_SET,
    DESCRIPTION,
    GROUP,
    MAIL,
    NOW,
    OUTPUTS,
    REGION,
    STACK,
    TRAIL,
    aws,  # noqa: F401 - a fixture
    event,
    of_stack,
)

from rolewatch.aws import change_sets, deploy, existing, pipeline, progress, stacks
from rolewatch.aws.asking import asking
from rolewatch.aws.change_sets import Change
from rolewatch.base.errors import CannotDo
from rolewatch.cli import main


def planned(aws, **more):
    """Plan a deployment."""
    return deploy.plan(aws, deploy.Wanted(endpoints=MAIL), now=NOW, manner=aws.manner, **more)


def resource(action, name, type_, **more):
    """Return a change as CloudFormation has it."""
    return {
        "Type": "Resource",
        "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": type_, **more},
    }


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ExpiredToken", "sign in again"),
        ("AccessDenied", "ask for cloudformation:DescribeStacks"),
        ("Throttling", "wait a minute"),
        ("InvalidClientTokenId", "check AWS_PROFILE"),
        ("ServiceUnavailable", "then run the same command again"),
    ],
)
def test_the_first_request_fails(aws, code, remedy):
    """What was asked for, that nothing was changed and what to do is said of whatever fails at once."""
    aws.fail("cloudformation", "describe_stacks", code, "no")
    with pytest.raises(CannotDo) as told:
        planned(aws)
    assert f"(cloudformation:DescribeStacks): {code}: no; nothing was changed" in told.value.message
    assert remedy in told.value.remedy


def test_no_credentials(aws_environment, monkeypatch, capsys):
    """Without credentials the command says so, and ends with 4."""
    del aws_environment
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert main(["aws", "deploy"]) == 4
    err = capsys.readouterr().err
    assert "Unable to locate credentials; nothing was changed (check AWS_PROFILE" in err


def test_no_region(aws_environment, monkeypatch, capsys):
    """Without a Region the command says how to name one."""
    del aws_environment
    monkeypatch.delenv("AWS_REGION")
    assert main(["aws", "destroy"]) == 4
    assert "no Region is set (name one with --region, or set AWS_REGION)" in capsys.readouterr().err


def test_a_denied_change_set(aws):
    """A denied call in the middle names its action, and that nothing was changed."""
    aws.stack(None)
    aws.trails()
    aws.fail("cloudformation", "create_change_set", "AccessDenied", "User is not authorized to perform: cloudformation:CreateChangeSet")  # fmt: skip
    with pytest.raises(CannotDo) as told:
        planned(aws)
    assert "nothing was changed" in told.value.message
    assert told.value.remedy.startswith("ask for cloudformation:CreateChangeSet, then run the same command again")  # fmt: skip


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("CREATE_FAILED", "rolewatch aws destroy --stack-name rolewatch"),
        ("ROLLBACK_FAILED", "rolewatch aws destroy --stack-name rolewatch"),
        ("DELETE_FAILED", "rolewatch aws destroy --stack-name rolewatch"),
        ("UPDATE_FAILED", "rollback-stack --stack-name rolewatch"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name rolewatch"),
        ("IMPORT_ROLLBACK_FAILED", "the stack's events"),
    ],
)
def test_a_stack_that_is_stuck(aws, status, remedy):
    """A stack in a failed state is not touched; its reason is told, and what to do."""
    aws.stack(status, reason="a bucket is not empty")
    with pytest.raises(CannotDo) as told:
        planned(aws)
    assert f"the stack rolewatch is in {status}: a bucket is not empty; nothing was changed" in str(
        told.value
    )
    assert remedy in told.value.remedy


def test_every_status_is_decided():
    """Whatever statuses CloudFormation has, each is one to create, update, wait for or see to."""
    client = boto3.client("cloudformation", region_name=REGION)
    known = client.meta.service_model.shape_for("StackStatus").enum
    client.close()
    decided = {
        status: stacks.ready(stacks.Stack("s", STACK, status, "", DESCRIPTION, {}, {})).value
        for status in known
    }
    assert {status for status, can in decided.items() if can == "wait"} == {
        status for status in known if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
    }
    assert {status for status, can in decided.items() if can == "stuck"} == {
        status for status in known if status.endswith("_FAILED")
    }


def test_a_stack_that_was_rolled_back_is_made_anew(aws):
    """The empty shell of a failed attempt is deleted, and a stack created in its place."""
    aws.stack("ROLLBACK_COMPLETE")
    aws.trails()
    aws.events(of_stack("ROLLBACK_COMPLETE"))
    aws.answer("cloudformation", "delete_stack", {}, {"StackName": STACK})
    aws.stack("DELETE_COMPLETE")
    aws.change_set()
    found = planned(aws)
    assert (found.ready, found.change_set.id) == (stacks.Ready.RECREATE, CHANGE_SET)


def test_a_plan_leaves_what_was_rolled_back(aws):
    """To look only, the change set is made of a stack with another name, and goes with it; the shell stays."""
    aws.stack("ROLLBACK_COMPLETE")
    aws.trails()
    own = STACK.replace("/rolewatch/", "/rolewatch-plan/")
    expected = {"StackName": "rolewatch-plan", "ChangeSetName": ANY, "ChangeSetType": "CREATE", "TemplateBody": ANY, "Capabilities": ANY, "Parameters": ANY}  # fmt: skip
    aws.answer("cloudformation", "create_change_set", {"Id": CHANGE_SET, "StackId": own}, expected)
    aws.answer(
        "cloudformation", "describe_change_set", {"ChangeSetId": CHANGE_SET, "Status": "CREATE_COMPLETE"}
    )
    found = planned(aws, only_look=True)
    aws.answer("cloudformation", "delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    aws.answer("cloudformation", "delete_stack", {}, {"StackName": own})
    deploy.throw_away(aws, found)


def test_an_operation_under_way_is_waited_for(aws):
    """What an interrupted run began is waited for, with progress, and then gone on from."""
    aws.stack("CREATE_IN_PROGRESS")
    aws.events(of_stack("CREATE_IN_PROGRESS"))
    aws.stack("CREATE_IN_PROGRESS")
    aws.events(of_stack("CREATE_IN_PROGRESS"), event("TrailBucket", "CREATE_COMPLETE"))
    aws.stack("CREATE_COMPLETE")
    aws.events(of_stack("CREATE_IN_PROGRESS"), event("TrailBucket", "CREATE_COMPLETE"), of_stack("CREATE_COMPLETE"))  # fmt: skip
    aws.stack("CREATE_COMPLETE", parameters=[("Trail", "new")])
    aws.trails()
    aws.change_set("UPDATE")
    found = planned(aws)
    assert found.ready is stacks.Ready.UPDATE
    assert aws.told == [progress.At("CREATE_IN_PROGRESS", 1, "TrailBucket create complete")]
    assert aws.slept == [5.0]


@pytest.mark.parametrize("reason", ["The submitted information didn't contain changes. Submit different information to create a change set.", "No updates are to be performed."])  # fmt: skip
def test_no_changes(aws, reason):
    """A change set that fails for want of changes is removed, and there is nothing to be done."""
    aws.stack("UPDATE_COMPLETE", parameters=[("Trail", "new")])
    aws.trails()
    aws.change_set("UPDATE", status="FAILED", reason=reason)
    aws.answer("cloudformation", "delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    found = planned(aws)
    assert found.change_set is None
    assert deploy.execute(aws, found, manner=aws.manner).result == "unchanged"


def test_a_change_set_that_fails(aws):
    """Its reason is told; it goes again, and so does the empty stack that was made for it."""
    aws.stack(None)
    aws.trails()
    aws.change_set(status="FAILED", reason="Template error: no")
    aws.answer("cloudformation", "delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    aws.answer("cloudformation", "delete_stack", {}, {"StackName": STACK})
    with pytest.raises(CannotDo, match="refuses the change set: Template error: no; nothing was changed"):
        planned(aws)


def test_a_change_set_that_takes_its_time(aws):
    """It is looked at again until it is there, and read page by page."""
    aws.stack(None)
    aws.trails()
    aws.answer("cloudformation", "create_change_set", {"Id": CHANGE_SET, "StackId": STACK})
    for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        aws.answer("cloudformation", "describe_change_set", {"ChangeSetId": CHANGE_SET, "Status": status})
    first = resource("Add", "Topic", "AWS::SNS::Topic")
    second = resource(
        "Modify", "LogGroup", "AWS::Logs::LogGroup", PhysicalResourceId="g", Replacement="False",
        Details=[{"Target": {"Attribute": "Properties", "Name": "RetentionInDays"}}],
    )  # fmt: skip
    aws.answer("cloudformation", "describe_change_set", {"ChangeSetId": CHANGE_SET, "Status": "CREATE_COMPLETE", "Changes": [first], "NextToken": "2"})  # fmt: skip
    aws.answer("cloudformation", "describe_change_set", {"ChangeSetId": CHANGE_SET, "Status": "CREATE_COMPLETE", "Changes": [second]}, {"ChangeSetName": CHANGE_SET, "NextToken": "2"})  # fmt: skip
    assert planned(aws).change_set.changes == (
        Change("Add", "Topic", "AWS::SNS::Topic"),
        Change("Modify", "LogGroup", "AWS::Logs::LogGroup", "g", "False", ("RetentionInDays",)),
    )
    assert aws.slept == [3.0, 3.0]


def executed(aws, *, ready=stacks.Ready.CREATE, attached=None):
    """Execute a plan with a change set."""
    found = deploy.Plan(
        "rolewatch",
        None,
        ready,
        change_sets.ChangeSet(CHANGE_SET, STACK, ()),
        pipeline.effective({"Trail": "existing"}, {}),
        attached,
        0,
        ACCOUNT,
    )
    return deploy.execute(aws, found, manner=aws.manner)


FAILED = (
    event("TrailBucket", "CREATE_FAILED", "rolewatch-logs already exists"),
    event("Topic", "CREATE_FAILED", "Resource creation cancelled", "AWS::SNS::Topic"),
    event("NewTrailOfStack", "CREATE_FAILED", "You have reached the maximum: MaximumNumberOfTrailsExceededException", "AWS::CloudTrail::Trail"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("ready", "status", "told"),
    [
        (stacks.Ready.CREATE, "ROLLBACK_COMPLETE", "All of it was taken back; the next run begins anew"),
        (stacks.Ready.UPDATE, "UPDATE_ROLLBACK_COMPLETE", "The stack is again what it was before"),
        (stacks.Ready.UPDATE, "UPDATE_ROLLBACK_FAILED", "The stack is in UPDATE_ROLLBACK_FAILED now"),
    ],
)
def test_resources_that_fail(aws, ready, status, told):
    """Each resource that failed is a sentence with its reason and a remedy, those that were only cancelled are none."""
    aws.events()
    aws.answer("cloudformation", "execute_change_set", {}, {"ChangeSetName": CHANGE_SET})
    aws.stack(status)
    aws.events(*FAILED, of_stack(status))
    with pytest.raises(CannotDo) as error:
        executed(aws, ready=ready)
    said = error.value.message
    assert "TrailBucket (AWS::S3::Bucket) could not be created: rolewatch-logs already exists (something has this name that the stack did not make" in said  # fmt: skip
    assert "five trails are the most in a Region: name one of them with --trail" in said
    assert ("cancelled" in said, "Topic" in said, told in said) == (False, False, True)
    assert ("continue-update-rollback" in error.value.remedy) == (status == "UPDATE_ROLLBACK_FAILED")


def test_a_stack_at_rest_is_looked_at_again(aws):
    """A stack that still looks as before, for a moment after the request, does not count as done."""
    old = of_stack("CREATE_COMPLETE")
    aws.events(old)
    aws.answer("cloudformation", "execute_change_set")
    aws.stack("CREATE_COMPLETE")
    aws.events(old)
    aws.stack("UPDATE_IN_PROGRESS")
    aws.events(old, of_stack("UPDATE_IN_PROGRESS"))
    aws.stack("UPDATE_COMPLETE")
    aws.events(old, of_stack("UPDATE_IN_PROGRESS"), of_stack("UPDATE_COMPLETE"))
    done = executed(aws, ready=stacks.Ready.UPDATE)
    assert (done.result, done.stack.status, aws.slept) == ("updated", "UPDATE_COMPLETE", [5.0, 5.0])


def test_the_trail_is_told_once_its_role_is_known(aws):
    """A role that was just made is not known everywhere at once, so the trail is told again."""
    aws.events()
    aws.answer("cloudformation", "execute_change_set")
    aws.stack("CREATE_COMPLETE", outputs=OUTPUTS)
    aws.events(of_stack("CREATE_COMPLETE"))
    aws.fail("cloudtrail", "update_trail", "InvalidCloudWatchLogsRoleArnException")
    aws.answer("cloudtrail", "update_trail", {}, {"Name": TRAIL.arn, "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": "r" * 20})  # fmt: skip
    done = executed(aws, attached=existing.Attached(TRAIL, "", pending=True))
    assert (done.attached, aws.slept) == (True, [5.0])


def test_the_trail_may_not_be_changed(aws):
    """A call that is denied after the stack was made says so, and that the stack was made."""
    aws.events()
    aws.answer("cloudformation", "execute_change_set")
    aws.stack("CREATE_COMPLETE", outputs=OUTPUTS)
    aws.events(of_stack("CREATE_COMPLETE"))
    aws.fail("cloudtrail", "update_trail", "AccessDeniedException", "no")
    with pytest.raises(CannotDo) as told:
        executed(aws, attached=existing.Attached(TRAIL, "", pending=True))
    assert "(cloudtrail:UpdateTrail): AccessDeniedException: no; done before that: the stack was created" in told.value.message  # fmt: skip
    assert told.value.remedy.startswith("ask for cloudtrail:UpdateTrail")


def test_other_errors_go_their_way():
    """Only errors of boto3 become sentences about AWS."""
    with pytest.raises(ZeroDivisionError), asking("s3:GetObject", "divide"):
        _ = 1 // 0
