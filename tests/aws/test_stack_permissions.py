"""The IAM policies that deploy and destroy print: enough for every call that is made, and for what CloudFormation does with them."""

import json

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from deploying import REGION, cloud, cloud_url  # noqa: F401 - fixtures
from pipelines import ALARMS, FUNCTIONS, resolved

from rolewatch.aws import clients, pipeline
from rolewatch.aws.stack_permissions import TYPES, _actions, of_deploy, of_destroy
from rolewatch.base import aws
from rolewatch.catalog.actions import iam_action

MAIL = ("--email", "a@example.com")


def actions(policy):
    """Give all actions of a policy."""
    found = [each["Action"] for each in policy["Statement"]]
    return {action for each in found for action in ([each] if isinstance(each, str) else each)}


def test_every_type_of_the_template_has_a_row():
    """And no other type has."""
    assert TYPES.keys() == {body["Type"] for body in pipeline.document()["Resources"].values()}


@pytest.mark.parametrize("name", TYPES)
def test_actions_are_those_of_the_registry(name):
    """Each action of a type is one that CloudFormation's schema of it names, in a handler for that."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, name).schema["handlers"]
    known = {kind: {each.lower() for each in body.get("permissions", ())} for kind, body in handlers.items()}
    any_of = set().union(*known.values())
    for text in (TYPES[name].make, TYPES[name].read, TYPES[name].remove):
        assert {each.lower() for each in _actions([text])} <= any_of
    removing = {each.lower() for each in _actions([TYPES[name].remove])}
    assert removing & known["delete"]


@pytest.mark.parametrize("alarm", ALARMS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=["no function", "zip", "image"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Trail": "existing", "ExistingLogGroup": "g", "Key": "none"},
        {"Trail": "existing", "Dashboard": "no", "TrailKey": "new"},
        {"TrailKey": "new", "Key": "none", "Subscription3": "email a@example.com"},
        {"Parts": "trail"},
    ],
)
def test_a_type_is_wanted_where_the_template_has_it(alarm, function, more):
    """Whatever the parameters, the policy is for the types that the stack has."""
    values = {"Alarm": alarm, **function, **more}
    types = {name: body["Type"] for name, body in pipeline.document()["Resources"].items()}
    wanted = {name for name, each in TYPES.items() if each.wanted(pipeline.effective(values, {}))}
    assert wanted == {types[name] for name in resolved(values)}


@pytest.fixture
def calls(monkeypatch):
    """Give what is asked of AWS by the command, as IAM actions."""
    made, real = set(), aws.client

    def noted(*words, **more):
        client = real(*words, **more)
        client.meta.events.register(
            "before-call",
            lambda model, **_: made.add(
                iam_action(f"{model.service_model.signing_name}.amazonaws.com", model.name)[0]
            ),
        )
        return client

    monkeypatch.setattr(clients.aws, "client", noted)
    return made


#: What needs no permission, and the actions of CloudWatch as CloudTrail has them.
FREE = {"sts:GetCallerIdentity"}


def needed(calls):
    """Give the actions that were needed, and forget them."""
    found = {each.replace("monitoring:", "cloudwatch:") for each in calls} - FREE
    calls.clear()
    return found


def printed(cloud, *words):
    """Give the actions of the policy that is printed."""
    status, out, err = cloud.run(*words, "--print-permissions")
    assert (status, err) == (0, "")
    return actions(json.loads(out))


def test_what_deploy_and_destroy_ask_is_in_what_they_print(cloud, calls):
    """From nothing to a pipeline, once more, with a trail of somebody else, and down again with its log files."""
    words = ("deploy", *MAIL, "--bucket", "logs-of-mine")
    cloud.json(*words)
    cloud.json("deploy", "--plan", "--retention", "30")
    asked = needed(calls)
    assert {"cloudformation:ExecuteChangeSet", "s3:ListBucket", "cloudwatch:GetDashboard"} <= asked
    assert asked <= printed(cloud, *words)
    cloud.json("destroy", "--yes", "--leave-no-trail", "--delete-logs", "--yes-delete", "logs-of-mine")
    asked = needed(calls)
    assert {"cloudformation:ListStackResources", "s3:DeleteBucket"} <= asked
    assert asked <= printed(cloud, "destroy", "--delete-logs")
    cloud.make_trail("mine")
    words = ("deploy", *MAIL, "--trail", "mine", "--attach-logs")
    cloud.json(*words)
    asked = needed(calls)
    assert "cloudtrail:UpdateTrail" in asked
    assert asked <= printed(cloud, *words)
    cloud.json("destroy", "--yes")
    asked = needed(calls)
    assert "cloudtrail:UpdateTrail" in asked
    assert asked <= printed(cloud, "destroy")


def test_the_last_trail_that_stays(cloud, calls):
    """A stack that shrinks to its trail takes a change set."""
    cloud.json("deploy", *MAIL)
    calls.clear()
    cloud.json("destroy", "--yes")
    asked = needed(calls)
    assert "cloudformation:CreateChangeSet" in asked
    assert asked <= printed(cloud, "destroy")


def test_nothing_is_asked_to_print_it(cloud, monkeypatch):
    """Neither credentials nor a network nor a Region are needed."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_REGION")
    assert "cloudformation:CreateChangeSet" in printed(cloud, "deploy", "--trail", "mine", "--attach-logs")


def test_only_roles_of_the_stack_may_be_touched():
    """Whatever is done to roles is for those that begin with the stack's name, in the partition of the Region."""
    values = pipeline.effective({"OrganizationId": "o-exampleorgid"}, {})
    found = of_deploy("watching", values, attach=True, partition="aws-cn")
    roles = {
        each["Sid"]: each["Resource"]
        for each in found["Statement"]
        if any(action.startswith("iam:") for action in actions({"Statement": [each]}))
    }
    assert roles == {
        "RolesOfTheStack": "arn:aws-cn:iam::*:role/watching*",
        "TrailOfAnOrganization": "arn:aws-cn:iam::*:role/aws-service-role/cloudtrail.amazonaws.com/*",
    }
    assert "iam:PassRole" in found["Statement"][2]["Action"]


def test_less_is_asked_for_less():
    """Without a function, a key or a trail of its own, there is nothing of them in the policy; with a secret, it may be read."""
    small = actions(
        of_deploy("s", pipeline.effective({"Trail": "existing", "Key": "none"}, {}), attach=False)
    )
    assert [
        each for each in small if each.startswith(("lambda:", "kms:", "s3:", "ecr:", "secretsmanager:"))
    ] == []
    assert "cloudtrail:UpdateTrail" not in small
    state = {"FunctionImage": "i", "FunctionState": "{{resolve:secretsmanager:state}}"}
    large = actions(of_deploy("s", pipeline.effective(state, {}), attach=False))
    assert {"ecr:BatchGetImage", "secretsmanager:GetSecretValue", "lambda:CreateFunction"} <= large
    assert "s3:DeleteObjectVersion" not in actions(of_destroy("s", logs=False))
