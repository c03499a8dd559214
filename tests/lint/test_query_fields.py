"""Fields of queries that no record of CloudTrail has."""

import pytest

from rolewatch.lint.query_fields import unknown_fields


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("errorcode", "errorCode"),
        ("userIdentity.sessionContext.sessionissuer.arn", "userIdentity.sessionContext.sessionIssuer.arn"),
        ("resources.0.arn", "resources.0.ARN"),
        ("something.else", ""),
    ],
)
def test_an_unknown_field_has_a_nearest_one(name, near):
    """The whole name is given, so that it can be pasted; none where nothing is near."""
    assert unknown_fields([tuple(name.split("."))]) == {name: near}


@pytest.mark.parametrize(
    "name",
    ["errorCode", "@timestamp", "@mesage", "requestParameters.anything.0.goes", "resources.1.type", "tlsDetails.new"],
)  # fmt: skip
def test_other_fields_are_let_be(name):
    """Known fields, those below what may hold anything, and the service's own."""
    assert unknown_fields([tuple(name.split("."))]) == {}
