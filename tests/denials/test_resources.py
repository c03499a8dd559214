"""Which resource a record is about, and that every source spells it the same."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.catalog.naming_requests import lines
from rolewatch.denials.resources import (
    Asked,
    Resource,
    listed_resource,
    named_resource,
    requested_resource,
    takes_policy,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
CASES = [
    line.split(" ", 2)
    for line in Path(__file__).with_name("requests.txt").read_text().splitlines()
    if not line.startswith("#")
]


def find(source, message=None, resources=None, request=None, **more):
    """Find the resource of a call in us-east-1."""
    record = {"event_name": "Call", "region": "us-east-1", "account": ACCOUNT, "partition": "aws"} | more
    asked = Asked(event_source=f"{source}.amazonaws.com", **record)
    found = named_resource(asked, message, resources) if message else None
    if not found and resources:
        found = listed_resource(asked.event_source, resources)
    return found or requested_resource(asked, request)


def entry(arn, kind=None, owner=None):
    """Make an entry of `resources[]` with what CloudTrail gives of it."""
    given = {"ARN": arn, "type": kind, "accountId": owner}
    return {key: value for key, value in given.items() if value}


@pytest.mark.parametrize(("source", "call", "case"), CASES, ids=[f"{row[0]}-{row[1]}" for row in CASES])
def test_requests(source, call, case):
    """A request names its resource by the parameter that its service uses for it."""
    parameters, _, expected = case.partition(" -> ")
    folded, _, original = expected.partition(" <- ")
    arn, kind = folded.split(" ")
    got = find(source, request=json.loads(parameters), event_name=call)
    found_in = "service" if arn.startswith("service:") else "request"
    assert (arn, kind, original or arn, found_in) == (got.arn, got.type, got.original, got.source)


def test_every_service_of_the_table_has_a_case():
    """No service is in the table of request parameters without a labelled case."""
    assert {line.source for line in lines()} - {row[0] for row in CASES} == set()


BUCKET, OBJECT = "AWS::S3::Bucket", "AWS::S3::Object"
POINT = "arn:aws:s3:us-west-2:111122223333:accesspoint/finance"
KEY = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALIAS = "arn:aws:kms:us-east-1:444455556666:alias/app"
ROLE = "arn:aws:iam::444455556666:role/team/audit"
# source, message, resources → resource
MESSAGES = [
    ("s3", "arn:aws:s3:::b", None, ("arn:aws:s3:::b", BUCKET, None, "arn:aws:s3:::b")),
    ("s3", 'arn:aws:s3:::b/a key/with "quotes" * and ?', None, ("arn:aws:s3:::b", BUCKET, None, 'arn:aws:s3:::b/a key/with "quotes" * and ?')),
    ("s3", "arn:aws:s3:::b/*", None, ("arn:aws:s3:::b", BUCKET, None, "arn:aws:s3:::b/*")),
    ("s3", "arn:aws:s3:::b", [entry("arn:aws:s3:::b", BUCKET, OTHER)], ("arn:aws:s3:::b", BUCKET, OTHER, "arn:aws:s3:::b")),
    ("s3", "arn:aws:s3:::b", [entry("arn:aws:s3:::c", BUCKET, OTHER)], ("arn:aws:s3:::b", BUCKET, None, "arn:aws:s3:::b")),
    ("s3", f"{POINT}/object/a/b", None, (POINT, "AWS::S3::AccessPoint", ACCOUNT, f"{POINT}/object/a/b")),
    ("s3", "arn:aws:s3::111122223333:accesspoint/m.mrap/object/a", None, ("arn:aws:s3::111122223333:accesspoint/m.mrap", "AWS::S3::MultiRegionAccessPoint", ACCOUNT, "arn:aws:s3::111122223333:accesspoint/m.mrap/object/a")),
    ("s3", "arn:aws:s3:::accesspoint/key", None, ("arn:aws:s3:::accesspoint", BUCKET, None, "arn:aws:s3:::accesspoint/key")),
    ("s3", "arn:aws-cn:s3:::b/k", None, ("arn:aws-cn:s3:::b", BUCKET, None, "arn:aws-cn:s3:::b/k")),
    ("kms", KEY, None, (KEY, "AWS::KMS::Key", OTHER, KEY)),
    ("kms", ALIAS, None, (ALIAS, "AWS::KMS::Alias", OTHER, ALIAS)),
    ("kms", ALIAS, [entry(KEY, "AWS::KMS::Key", OTHER)], (KEY, "AWS::KMS::Key", OTHER, ALIAS)),
    ("iam", "user pentester", None, ("arn:aws:iam::111122223333:user/pentester", "AWS::IAM::User", ACCOUNT, "arn:aws:iam::111122223333:user/pentester")),
    ("iam", "role audit", None, ("arn:aws:iam::111122223333:role/audit", "AWS::IAM::Role", ACCOUNT, "arn:aws:iam::111122223333:role/audit")),
    ("iam", "instance profile web", None, ("arn:aws:iam::111122223333:instance-profile/web", "AWS::IAM::InstanceProfile", ACCOUNT, "arn:aws:iam::111122223333:instance-profile/web")),
    ("iam", "policy arn:aws:iam::aws:policy/ReadOnlyAccess", None, ("arn:aws:iam::aws:policy/ReadOnlyAccess", "AWS::IAM::ManagedPolicy", None, "arn:aws:iam::aws:policy/ReadOnlyAccess")),
    ("iam", ROLE, None, ("arn:aws:iam::444455556666:role/audit", "AWS::IAM::Role", OTHER, ROLE)),
    ("sts", ROLE, None, (ROLE, "AWS::IAM::Role", OTHER, ROLE)),
    ("sqs", "https://sqs.eu-west-1.amazonaws.com/444455556666/jobs", None, ("arn:aws:sqs:eu-west-1:444455556666:jobs", "AWS::SQS::Queue", OTHER, "arn:aws:sqs:eu-west-1:444455556666:jobs")),
    ("logs", "arn:aws:logs:us-east-1:111122223333:log-group:/app:*", None, ("arn:aws:logs:us-east-1:111122223333:log-group:/app", "AWS::Logs::LogGroup", ACCOUNT, "arn:aws:logs:us-east-1:111122223333:log-group:/app:*")),
    ("logs", "arn:aws:logs:us-east-1:111122223333:log-group:/app:log-stream:a/b", None, ("arn:aws:logs:us-east-1:111122223333:log-group:/app", "AWS::Logs::LogGroup", ACCOUNT, "arn:aws:logs:us-east-1:111122223333:log-group:/app:log-stream:a/b")),
    ("newservice", "arn:aws:newservice:us-east-1:111122223333:widget/w", [entry("arn:aws:newservice:us-east-1:111122223333:widget/w", "AWS::NewService::Widget")], ("arn:aws:newservice:us-east-1:111122223333:widget/w", "AWS::newservice::widget", ACCOUNT, "arn:aws:newservice:us-east-1:111122223333:widget/w")),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message", "resources", "expected"), MESSAGES)
def test_messages(source, message, resources, expected):
    """The message's resource comes first; `resources[]` adds the owner, and the key behind an alias."""
    assert Resource(*expected, "message") == find(
        source, message, resources, {"bucketName": "x", "keyId": "y"}
    )


NOT_RESOURCES = [
    ("s3", "*"),
    ("s3", "arn:aws:s3:::*"),
    ("s3", "arn:aws:s3:::b?/k"),
    ("s3", "arn:aws:s3:::"),
    ("s3", "my example widget"),
    ("s3", "user pentester"),
    ("s3", "arn:aws:s3:::" + "b" * 2048),
    ("s3", "arn:aws:s3:::b\x00"),
    ("s3", "arn:aws:s3:::b \u202e"),
    ("s3", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
    ("s3", "arn:aws:execute-api:us-east-1:********3333:abc/prod"),
    ("s3", "arn:AWS:s3:::b"),
    ("s3", "arn:aws:s3:::payroll-exp..."),
    ("s3", "arn:"),
    ("s3", "arn:aws"),
    ("s3", "arn:aws:s3"),
    ("s3", "arn:aws:s3:::b" + "/k" * 3000),
]


@pytest.mark.parametrize(("source", "message"), NOT_RESOURCES)
def test_what_is_no_resource(source, message):
    """A wildcard, free text, and what is too long or unprintable is passed over for the next source, and the next."""
    listed, request = [entry("arn:aws:s3:::listed", BUCKET)], {"bucketName": "asked"}
    assert [
        (found.arn, found.source)
        for found in (
            find(source, message, listed, request),
            find(source, message, [entry(message)], request),
            find(source, message, [], {"bucketName": message}),
        )
    ] == [
        ("arn:aws:s3:::listed", "resources"),
        ("arn:aws:s3:::asked", "request"),
        ("service:s3.amazonaws.com", "service"),
    ]


MORE = [
    ("iam", "pentester", "service:iam.amazonaws.com"),
    ("iam", "user *", "service:iam.amazonaws.com"),
    ("sqs", "https://sqs.us-east-1.amazonaws.com/", "service:sqs.amazonaws.com"),
    ("logs", "arn:aws:logs:us-east-1:111122223333:log-group::log-stream:", "service:logs.amazonaws.com"),
    ("apigateway", "arn:aws:apigateway:us-east-1::/restapis", "service:apigateway.amazonaws.com"),
    ("macie2", None, "service:macie2.amazonaws.com"),
]


@pytest.mark.parametrize(("source", "message", "arn"), MORE)
def test_nothing_named(source, message, arn):
    """Where nothing names a resource, the API that was called is the resource."""
    assert Resource(arn, "AWS::Service", None, arn, "service") == find(source, message)


FILE_SYSTEM = "arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-1"
PARAMETER = "arn:aws:ssm:us-east-1:111122223333:parameter/a"
INSTANCE = "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
LISTED = [
    ("s3", [entry("arn:aws:s3:::b", BUCKET, OTHER)], ("arn:aws:s3:::b", BUCKET, OTHER, "arn:aws:s3:::b")),
    ("s3", [entry("arn:aws:s3:::b/k", OBJECT), entry("arn:aws:s3:::b", BUCKET, OTHER)], ("arn:aws:s3:::b", BUCKET, OTHER, "arn:aws:s3:::b/k")),
    ("s3", [entry("arn:aws:s3:::b", BUCKET, OTHER), entry("arn:aws:s3:::b/k", OBJECT)], ("arn:aws:s3:::b", BUCKET, OTHER, "arn:aws:s3:::b/k")),
    ("s3", [{"ARNPrefix": "arn:aws:s3:::b/", "type": OBJECT}, entry("arn:aws:s3:::b", BUCKET, OTHER)], ("arn:aws:s3:::b", BUCKET, OTHER, "arn:aws:s3:::b")),
    ("s3", [entry("arn:aws:s3:::b", BUCKET, OTHER), entry(POINT, "AWS::S3::AccessPoint", ACCOUNT)], (POINT, "AWS::S3::AccessPoint", ACCOUNT, POINT)),
    ("s3", [entry(KEY, "AWS::KMS::Key"), entry("arn:aws:s3:::b")], ("arn:aws:s3:::b", BUCKET, None, "arn:aws:s3:::b")),
    ("kms", [entry(ALIAS), entry(KEY, "AWS::KMS::Key")], (KEY, "AWS::KMS::Key", OTHER, KEY)),
    ("elasticfilesystem", [entry(FILE_SYSTEM.replace("file-system/fs", "access-point/fsap")), entry(FILE_SYSTEM)], (FILE_SYSTEM, "AWS::EFS::FileSystem", ACCOUNT, FILE_SYSTEM)),
    ("ssm", [entry(PARAMETER, None, ACCOUNT), entry(f"{PARAMETER}b", None, ACCOUNT)], (PARAMETER, "AWS::SSM::Parameter", ACCOUNT, PARAMETER)),
    ("ssm", [entry(INSTANCE, None, ACCOUNT), entry(PARAMETER.replace("parameter/a", "managed-instance-inventory/i-1"))], (INSTANCE, "AWS::EC2::Instance", ACCOUNT, INSTANCE)),
    ("ssm", [entry(INSTANCE, None, ACCOUNT)], (INSTANCE, "AWS::EC2::Instance", ACCOUNT, INSTANCE)),
    ("sts", [entry(ROLE, "AWS::IAM::Role", OTHER)], (ROLE, "AWS::IAM::Role", OTHER, ROLE)),
    ("newservice", [entry("arn:aws:newservice:us-east-1::w", "AWS::NewService::Widget", OTHER)], ("arn:aws:newservice:us-east-1::w", "AWS::NewService::Widget", OTHER, "arn:aws:newservice:us-east-1::w")),
    ("s3", [entry("arn:aws:s3:::b", BUCKET, "anonymous")], ("arn:aws:s3:::b", BUCKET, None, "arn:aws:s3:::b")),
]  # fmt: skip


@pytest.mark.parametrize(("source", "resources", "expected"), LISTED)
def test_listed(source, resources, expected):
    """Of several entries that one counts which the called service owns and which carries the policy."""
    assert Resource(*expected, "resources") == find(source, resources=resources)


# One resource, as a message, an entry of `resources[]` and requests may spell it.
SPELLINGS = [
    ("s3", "arn:aws:s3:::b/k", ["arn:aws:s3:::b"], [{"bucketName": "b"}, {"bucketName": "b", "key": "k"}]),
    ("kms", KEY.replace(OTHER, ACCOUNT), [KEY.replace(OTHER, ACCOUNT)], [{"keyId": KEY[-36:]}, {"keyId": KEY.replace(OTHER, ACCOUNT)}]),
    ("sqs", "arn:aws:sqs:us-east-1:111122223333:jobs", [], [{"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/jobs"}, {"queueUrl": "https://queue.amazonaws.com/111122223333/jobs"}, {"queueName": "jobs"}]),
    ("logs", "arn:aws:logs:us-east-1:111122223333:log-group:/a:*", ["arn:aws:logs:us-east-1:111122223333:log-group:/a:log-stream:s"], [{"logGroupName": "/a"}, {"logGroupIdentifier": "arn:aws:logs:us-east-1:111122223333:log-group:/a"}, {"resourceArn": "arn:aws:logs:us-east-1:111122223333:log-group:/a:*"}]),
    ("lambda", "arn:aws:lambda:us-east-1:111122223333:function:f", ["arn:aws:lambda:us-east-1:111122223333:function:f:7"], [{"functionName": "f"}, {"functionName": "f:prod"}, {"functionName": "111122223333:function:f"}, {"functionName": "function:f"}, {"functionName": "arn:aws:lambda:us-east-1:111122223333:function:f:prod"}, {"functionName": "f", "qualifier": "$LATEST"}]),
    ("dynamodb", "arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i", ["arn:aws:dynamodb:us-east-1:111122223333:table/t"], [{"tableName": "t"}, {"tableName": "t", "indexName": "i"}, {"streamArn": "arn:aws:dynamodb:us-east-1:111122223333:table/t/stream/2026"}, {"requestItems": {"t": {}}}]),
    ("iam", "arn:aws:iam::111122223333:role/team/r", ["arn:aws:iam::111122223333:role/r"], [{"roleName": "r"}]),
    ("iam", "role r", ["arn:aws:iam::111122223333:role/team/r"], [{"roleName": "r", "policyName": "p"}]),
    ("ssm", "arn:aws:ssm:us-east-1:111122223333:parameter/a/b", [], []),
    ("sns", "arn:aws:sns:us-east-1:111122223333:t", ["arn:aws:sns:us-east-1:111122223333:t:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"], [{"topicArn": "arn:aws:sns:us-east-1:111122223333:t"}]),
    ("ec2", "arn:aws:ec2:us-east-1:111122223333:snapshot/snap-1", ["arn:aws:ec2:us-east-1::snapshot/snap-1"], [{"snapshotId": "snap-1"}, {"snapshotSet": {"items": [{"snapshotId": "snap-1"}]}}]),
    ("autoscaling", "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:*:autoScalingGroupName/web", ["arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:930d940e:autoScalingGroupName/web"], [{"autoScalingGroupName": "web"}]),
    ("events", "arn:aws:events:us-east-1:111122223333:rule/default/r", ["arn:aws:events:us-east-1:111122223333:rule/r"], [{"rule": "r"}, {"rule": "r", "eventBusName": "default"}]),
    ("rds", "arn:aws:rds:us-east-1:111122223333:db:orders", [], [{"dBInstanceIdentifier": "Orders"}]),
    ("cloudformation", "arn:aws:cloudformation:us-east-1:111122223333:stack/s/*", ["arn:aws:cloudformation:us-east-1:111122223333:stack/s/8a6f"], [{"stackName": "s"}]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message", "listed", "requests"), SPELLINGS)
def test_one_resource_has_one_name(source, message, listed, requests):
    """A denial and a success of one resource meet under one ARN, or recovery would never be noticed."""
    names = [find(source, message).arn]
    names += [find(source, resources=[entry(arn)]).arn for arn in listed]
    names += [find(source, request=request).arn for request in requests]
    assert {names[0]} == set(names)


def test_place_of_what_is_named_without_one():
    """A name gets the partition, region and account of the call."""
    place = {"partition": "aws-us-gov", "region": "us-gov-west-1", "account": OTHER}
    assert find("kms", request={"keyId": "1234"}, **place) == Resource(
        f"arn:aws-us-gov:kms:us-gov-west-1:{OTHER}:key/1234", "AWS::KMS::Key", OTHER,
        f"arn:aws-us-gov:kms:us-gov-west-1:{OTHER}:key/1234", "request",
    )  # fmt: skip


def test_host_of_china():
    """The event source of China's partition means the same service."""
    asked = Asked("s3.amazonaws.com.cn", "GetBucketAcl", "cn-north-1", ACCOUNT, "aws-cn")
    got = requested_resource(asked, {"bucketName": "b"})
    assert got.arn == "arn:aws-cn:s3:::b"


TAKES = [
    ("AWS::S3::Bucket", "arn:aws:s3:::b", True),
    ("AWS::KMS::Key", KEY, True),
    ("AWS::KMS::Alias", ALIAS, True),
    ("AWS::Glue::Catalog", "arn:aws:glue:us-east-1:111122223333:catalog", True),
    ("AWS::Events::EventBus", "arn:aws:events:us-east-1:111122223333:event-bus/b", True),
    ("AWS::EFS::FileSystem", FILE_SYSTEM, True),
    ("AWS::Service", "service:macie2.amazonaws.com", False),
    ("AWS::EC2::Instance", INSTANCE, False),
    ("AWS::IAM::Role", ROLE, False),
    ("AWS::RDS::DBInstance", "arn:aws:rds:us-east-1:111122223333:db:orders", False),
    ("AWS::ApiGateway::RestApi", "arn:aws:apigateway:us-east-1::/restapis/a", False),
    ("AWS::newservice::widget", "arn:aws:newservice:us-east-1:111122223333:widget/w", False),
    ("", "arn:aws:sqs:us-east-1:111122223333:jobs", True),
    ("Custom::Unknown", "arn:aws:s3:::b/k", True),
    ("Custom::Unknown", INSTANCE, False),
    ("", "", False),
    ("", "*", False),
]


@pytest.mark.parametrize(("kind", "arn", "expected"), TAKES)
def test_what_takes_a_policy(kind, arn, expected):
    """A kind takes a policy if some API sets one that could allow a call; an unknown type is told by its ARN."""
    assert expected is takes_policy(kind, arn)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["arn:aws:s3:::b/k", "arn:", "i-1", "alias/", "f:", "https://a/123456789012/q", "*"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(["bucketName", "key", "keyId", "queueUrl", "functionName", "instancesSet", "items", "instanceId", "ARN", "accountId", "type", "requestItems"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip
SOURCES = st.sampled_from(sorted({line.source for line in lines()})) | st.text(max_size=20)


@settings(deadline=None)  # the first example loads the tables
@given(SOURCES, st.text(max_size=12), st.none() | st.text(), st.none() | st.lists(JSON, max_size=4), JSON)
def test_never_fails(source, call, message, resources, request):
    """Whatever a record holds, it has a resource, and that is either usable or the API."""
    got = find(source, message, resources, request, event_name=call, region=call, account=call)
    assert isinstance(hash(got), int)
    assert got.source == "service" or (
        got.arn.startswith("arn:aws") and got.arn.isprintable() and not {" ", "*", "?"} & set(got.arn)
    )


def test_absurd_sizes():
    """Endless hosts, names, lists and maps give the API, in its time and with a name of bounded length."""
    huge = "x" * 1_000_000
    deep = {"bucketName": [[huge]] * 1000, "instancesSet": {"items": [{}] * 100_000}, huge: huge}
    many = [{"ARN": f"arn:aws:s3:::{huge}"}] * 100_000
    got = find(huge, huge, many, deep | {str(n): n for n in range(100_000)}, event_name=huge, region=huge)
    assert (got.source, len(got.arn) < 200) == ("service", True)
    assert find("s3", request={"bucketName": 10**5000}).source == "service"
    nested = ["i-1"]
    for _ in range(5000):
        nested = [nested]
    assert find("ec2", request={"instanceId": nested}).source == "service"
