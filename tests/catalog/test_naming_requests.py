"""The table of request parameters, held against AWS's own models."""

import re
from functools import cache

import pytest
from botocore.loaders import Loader

from rolewatch.catalog.naming import Place, build, service_of, type_takes_policy
from rolewatch.catalog.naming_requests import (
    ANY,
    ID_PREFIXES,
    lines,
    owner_parameter,
    path,
    rows,
    services,
    spell,
)

HERE = Place("aws", "us-east-1", "111122223333")


@cache
def model(service):
    """Load one of botocore's service models."""
    return Loader().load_service_model(service, "service-2")


# Where botocore's name for an API is not the event source's, or a source has several APIs.
MODELS = {
    "access-analyzer": "accessanalyzer",
    "airflow": "mwaa",
    "aoss": "opensearchserverless",
    "apigateway": "apigateway apigatewayv2",
    "aps": "amp",
    "bedrock": "bedrock bedrock-agent bedrock-runtime",
    "dynamodb": "dynamodb dynamodbstreams",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elb elbv2",
    "elasticmapreduce": "emr",
    "es": "es opensearch",
    "monitoring": "cloudwatch",
    "rds": "rds docdb neptune",
    "s3": "s3 s3control",
    "s3express": "s3",
    "ses": "ses sesv2",
    "sso": "sso-admin",
    "states": "stepfunctions",
}


def test_requests_have_their_shape():
    """A row has a source, a parameter and a known type; none is there twice, and forty services are."""
    assert [line for line in lines() if line.type != ANY and type_takes_policy(line.type) is None] == []
    assert [line for line in lines() if not re.fullmatch(r"[a-z0-9-]+", line.source)] == []
    assert [line for line in lines() if not re.fullmatch(r"[A-Za-z0-9.+-]*(\{\})?", line.parameter)] == []
    assert len({(line.source, line.parameter, line.calls) for line in lines()}) == len(lines())
    assert len({line.source for line in lines()}) > 40
    constant = [line for line in lines() if not line.parameter]
    assert [line for line in constant if not line.calls or build(line.type, (), HERE) is None] == []
    assert [kind for kind in ID_PREFIXES.values() if type_takes_policy(kind) is None] == []


# What CloudTrail spells in its own way: EC2's lists (`…Set.items[]`) and S3's bucket.
OWN_SPELLING = re.compile(r"\w+Set|items")


@cache
def members(source):
    """List the members of all input shapes of a service in lower case, and its operations."""
    names, calls = set(), set()
    for name in MODELS.get(source, source).split():
        shapes, seen = model(name)["shapes"], set()
        waiting = [call["input"]["shape"] for call in model(name)["operations"].values() if "input" in call]
        calls |= model(name)["operations"].keys()
        while waiting:
            shape = shapes[waiting.pop()]
            for member, details in shape.get("members", {}).items():
                names |= {member.lower(), details.get("locationName", member).lower()}
                if details["shape"] not in seen:
                    seen.add(details["shape"])
                    waiting.append(details["shape"])
            waiting += [shape[part]["shape"] for part in ("member", "value") if part in shape]
    return names, calls


@pytest.mark.parametrize("source", sorted({line.source for line in lines()}))
def test_parameters_are_members_of_the_api(source):
    """A parameter is a member of an input of its service, and the calls of a row are operations."""
    names, calls = members(source)
    own = {"bucketname"} if source in ("s3", "s3express") else set()
    wrong = [
        step
        for line in lines()
        for step in re.split(r"[.+]", line.parameter.removesuffix("{}"))
        if line.source == source and step and step.lower() not in names | own
        and not (source == "ec2" and OWN_SPELLING.fullmatch(step))
    ]  # fmt: skip
    assert wrong == []
    assert {call for line in lines() if line.source == source for call in line.calls.split()} - calls == set()
    assert owner_parameter(source) in names | {""}


def test_a_call_with_rows_of_its_own_has_only_these():
    """EC2's RunInstances names a launch template and not the subnet that other calls would name."""
    own, other = rows("ec2", "RunInstances"), rows("ec2", "DeleteSubnet")
    assert list(own) == ["launchtemplate"]
    assert ("subnetid" in other, "launchtemplate" in other) == (True, False)
    assert rows("newservice", "Get") == {}


def test_paths():
    """A path is read member by member, without regard to case."""
    assert [path("requestItems{}"), path("instancesSet.items.instanceId")] == [
        ("requestitems", "{}"),
        ("instancesset", "items", "instanceid"),
    ]


def test_services_of_a_source():
    """A source's ARNs may carry another word than its host."""
    assert "cloudwatch" in services("monitoring")
    assert services("streams.newservice") == {"streams.newservice", "newservice"}
    assert (service_of("AWS::CloudWatch::Alarm"), service_of("AWS::Un::Known")) == ("cloudwatch", "")


SPELLED = [
    ("AWS::SQS::Queue", ("https://sqs.cn-north-1.amazonaws.com.cn/444455556666/q",), "sqs:cn-north-1:444455556666:q"),
    ("AWS::SQS::Queue", ("https://vpce-1-a.sqs.us-gov-west-1.vpce.amazonaws.com/444455556666/q",), "sqs:us-gov-west-1:444455556666:q"),
    ("AWS::SQS::Queue", ("https://sqs.us-east-1.amazonaws.com/444455556666/",), None),
    ("AWS::SQS::Queue", ("http://localhost:4566/444455556666/q",), "sqs:us-east-1:444455556666:q"),
    ("AWS::KMS::Key", ("alias/",), None),
    ("AWS::KMS::Key", ("mrk-1234",), "kms:us-east-1:111122223333:key/mrk-1234"),
    ("AWS::S3::Bucket", ("b/../c",), None),
    ("AWS::S3::Bucket", ("b--use1-az4--x-s3",), "s3express:us-east-1:111122223333:bucket/b--use1-az4--x-s3"),
    ("AWS::Lambda::Function", ("f:a", "b"), None),
    ("AWS::SSM::Parameter", ("/",), None),
    (ANY, ("i-1",), "ec2:us-east-1:111122223333:instance/i-1"),
    (ANY, ("fsap-1",), "elasticfilesystem:us-east-1:111122223333:access-point/fsap-1"),
    (ANY, ("nothing",), None),
    (ANY, ("Parameter", "/a/b"), "ssm:us-east-1:111122223333:parameter/a/b"),
    (ANY, ("ManagedInstance", "mi-1"), "ssm:us-east-1:111122223333:managed-instance/mi-1"),
    (ANY, ("OpsItem", "oi-1"), None),
    ("AWS::ECS::Service", ("arn:aws:ecs:us-east-1:1:cluster/c", "s"), "ecs:us-east-1:111122223333:service/c/s"),
    ("AWS::WAFv2::IPSet", ("REGIONAL", "n", "i"), "wafv2:us-east-1:111122223333:regional/ipset/n/i"),
    ("AWS::Un::Known", ("x",), None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "names", "arn"), SPELLED)
def test_spelling(kind, names, arn):
    """A name becomes the ARN of its resource, or nothing if it is no name of that kind."""
    assert (f"arn:aws:{arn}" if arn else None) == spell(kind, names, HERE)
