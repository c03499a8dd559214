"""Commands as API calls: botocore's models have to know every one that the catalogue has."""

import pytest
from botocore import xform_name
from botocore.session import Session

from rolewatch.aws.calls import action_of, arguments, call_of
from rolewatch.catalog.actions import iam_action
from rolewatch.catalog.naming import service_of, templates
from rolewatch.catalog.policy_kinds import kind, kinds
from rolewatch.catalog.policy_lists import LISTINGS, ONCE

VALUES = {"account": "111122223333", "region": "us-east-1", "dns": "amazonaws.com", "arn": "arn:aws:x:y:z:v", "last": "r",
          "name": "n", "parent": "p", "name2": "2", "name3": "o"}  # fmt: skip
LISTED = [each for each in LISTINGS if each.command]
ABOVE = [each for each in LISTINGS if each.above]
COMMANDS = [
    *(each.command for each in LISTED), *(each.above.command for each in ABOVE), *(each.fetch for each in kinds()),
]  # fmt: skip


@pytest.fixture(scope="module")
def models():
    """Give a way to botocore's models."""
    return Session().get_service_model


def operation_of(model, call):
    """Find the model of a call."""
    (name,) = [name for name in model.operation_names if xform_name(name, "-") == call.operation]
    return model.operation_model(name)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_call(models, command):
    """Botocore knows the operation and each of its parameters, and none that has to be there is missing."""
    call = call_of(command)
    model = models(call.service)
    given = arguments(call, model, VALUES)
    shape = operation_of(model, call).input_shape
    assert set(shape.required_members if shape else ()) <= given.keys()


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda each: each.kind)
def test_every_list_is_in_the_answer(models, listing):
    """Of a kind that there is, with the items where the table says, and the name or ARN in each of them."""
    of = kind(listing.kind)
    if not listing.command:
        assert "{}" not in templates(of.type)[0]
        return
    call = call_of(listing.command)
    items, _, name = listing.items.partition(".")
    held = operation_of(models(call.service), call).output_shape.members[items].member
    assert (held.members[name] if name else held).type_name == "string"
    assert listing.where in ("", ONCE, "us-east-1", "us-west-2")


@pytest.mark.parametrize("listing", ABOVE, ids=lambda each: each.kind)
def test_what_lists_stand_below_is_listed_itself(models, listing):
    """With the names where the table says, which the list below takes."""
    call = call_of(listing.above.command)
    items, _, name = listing.above.items.partition(".")
    held = operation_of(models(call.service), call).output_shape.members[items].member
    assert held.members[name].type_name == "string"
    assert "{parent}" in listing.command


@pytest.mark.parametrize("of", kinds(), ids=lambda each: each.kind)
def test_every_policy_is_in_the_answer(models, of):
    """Where the table of kinds says."""
    call = call_of(of.fetch)
    shape = operation_of(models(call.service), call).output_shape
    for part in of.answer.split("."):
        while shape.type_name == "list":
            shape = shape.member
        shape = shape.value if shape.type_name == "map" else shape.members[part]
    assert shape.type_name in ("string", "map")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_action_is_known(models, command):
    """IAM has the action that a call is said to need."""
    call = call_of(command)
    model = models(call.service)
    own = {service_of(each.type) for each in kinds() if each.fetch == command}
    own |= {
        service_of(kind(each.kind).type) for each in ABOVE if command in (each.command, each.above.command)
    }
    own = own or {""}
    for service in own:
        prefix, _, name = action_of(call, model, service).partition(":")
        assert prefix in (model.signing_name, "s3express", "s3-outposts")
        assert iam_action(f"{prefix}.amazonaws.com", name)[1] or prefix == "apigateway"
