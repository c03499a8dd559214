"""What a record that is no denial proves: that access was granted, or that a resource is gone."""

import pytest
from trail import ACCOUNT, LEFT_OUT, LINKED, ROLE, SERVICE, SLR, TIME, USER, raw

from rolewatch.catalog.codes import AUTHORIZED_BUT_ABSENT, CODES
from rolewatch.denials.record import decode, decode_success
from rolewatch.denials.rule import Access, Gone, Rule, facts

BUCKET = "arn:aws:s3:::b"
GONE = [Gone(BUCKET, TIME)]
READ = [Access(SLR, "s3:getbucketacl", BUCKET, TIME)]


def proven(rule=None, **fields):
    """Return the facts that a record proves."""
    return sorted(facts(decode(raw(**fields)), rule or Rule()))


@pytest.mark.parametrize(
    "fields", [{}, {"errorCode": None}, {"errorCode": ""}, {"userIdentity": {"type": "Role", "arn": SLR}}]
)
def test_success(fields):
    """A call without an error proves access, by IAM action in lower case."""
    assert proven(**fields) == READ


def test_success_is_compared_by_iam_action():
    """Two calls that need one action prove the same fact."""
    assert proven(eventName="HeadBucket") == [Access(SLR, "s3:listbucket", BUCKET, TIME)]
    assert proven(eventName="HeadBucket") == proven(eventName="ListObjects")


@pytest.mark.parametrize("code", sorted(AUTHORIZED_BUT_ABSENT))
def test_absent_configuration(code):
    """Who is told that a configuration does not exist was allowed to ask for it."""
    assert proven(errorCode=code) == READ


NOTHING = [
    *sorted({row.code for row in CODES}),
    "ThrottlingException",
    "Client.RequestLimitExceeded",
    "SlowDown",
    "InternalError",
    "NoSuchKey",
    "NoSuchUpload",
    "ValidationException",
    "Server.Unavailable",
    "\U0001f512",
]


@pytest.mark.parametrize("code", NOTHING)
def test_errors_that_prove_nothing(code):
    """Refusals, throttling and other errors prove nothing."""
    assert proven(errorCode=code) == []


@pytest.mark.parametrize("time", [None, "", LEFT_OUT, 7])
def test_no_time(time):
    """A record without a time proves nothing, since nothing is later than a denial then."""
    assert proven(eventTime=time) == []
    assert proven(eventTime=time, errorCode="NoSuchBucket") == []


WATCHED = [
    ("slr", LINKED, [SLR]),
    ("slr", ROLE, []),
    ("slr", USER, []),
    ("slr", None, []),
    ("service-role", ROLE, [f"arn:aws:iam::{ACCOUNT}:role/delivery"]),
    ("service", SERVICE, [f"{ACCOUNT} cloudtrail.amazonaws.com"]),
    ("all", USER, [USER["arn"]]),
]


@pytest.mark.parametrize(("kind", "identity", "names"), WATCHED)
def test_whose_success(kind, identity, names):
    """Only a watched principal's success is followed."""
    assert names == [fact[0] for fact in proven(Rule(frozenset((kind,))), userIdentity=identity)]


PEOPLE = [LINKED, ROLE, SERVICE, USER, None]


@pytest.mark.parametrize("identity", PEOPLE)
def test_reported_as_missing(identity):
    """That a bucket does not exist is true whoever is told."""
    assert proven(errorCode="NoSuchBucket", userIdentity=identity) == GONE


@pytest.mark.parametrize("identity", [ROLE, SERVICE, USER, None])
def test_deleted_by_anybody(identity):
    """A deletion counts whoever did it."""
    assert proven(eventName="DeleteBucket", userIdentity=identity) == GONE


def test_deleted_by_a_watched_role():
    """A watched role's own deletion also proves that it was allowed to."""
    assert proven(eventName="DeleteBucket") == [Access(SLR, "s3:deletebucket", BUCKET, TIME), *GONE]


@pytest.mark.parametrize("code", ["AccessDenied", "BucketNotEmpty"])
def test_a_deletion_that_failed(code):
    """A deletion with an error deletes nothing."""
    assert proven(eventName="DeleteBucket", userIdentity=USER, errorCode=code) == []


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-1111-2222-3333-444455556666"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"
KINDS = [
    ("s3", "HeadBucket", {"bucketName": "b"}, "NoSuchBucket", BUCKET),
    ("s3", "HeadBucket", {}, "NoSuchBucket", None),
    ("kms", "DescribeKey", {"keyId": KEY}, "NotFoundException", KEY),
    ("kms", "DeleteAlias", {"aliasName": "alias/x"}, "NotFoundException", None),
    ("sqs", "GetQueueAttributes", {"queueUrl": QUEUE}, "QueueDoesNotExist", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
    ("sqs", "GetQueueAttributes", {"queueUrl": QUEUE}, "AWS.SimpleQueueService.NonExistentQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
    ("sqs", "ListQueues", {}, "QueueDoesNotExist", None),
    ("logs", "DescribeLogStreams", {"logGroupName": "g"}, "ResourceNotFoundException", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"),
    ("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s"}, "ResourceNotFoundException", None),
    ("dynamodb", "DescribeTable", {"tableName": "t"}, "ResourceNotFoundException", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"),
    ("dynamodb", "GetRecords", {"tableName": "t"}, "ResourceNotFoundException", None),
    ("sns", "GetTopicAttributes", {"topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}, "NotFound", f"arn:aws:sns:us-east-1:{ACCOUNT}:t"),
    ("lambda", "GetPolicy20150331v2", {"functionName": "f"}, "ResourceNotFoundException", None),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "parameters", "code", "arn"), KINDS)
def test_kinds_of_missing(source, name, parameters, code, arn):
    """An error tells that the resource is gone only where the resource is what the error is about, and is named."""
    fields = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": parameters}
    assert proven(**fields, errorCode=code, userIdentity=USER) == ([Gone(arn, TIME)] if arn else [])


DELETIONS = [
    ("sqs", "DeleteQueue", {"queueUrl": QUEUE}, f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
    ("logs", "DeleteLogGroup", {"logGroupName": "g"}, f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"),
    ("dynamodb", "DeleteTable", {"tableName": "t"}, f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"),
    ("ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}, None),
    ("s3", "DeleteBucketPolicy", {"bucketName": "b"}, None),
    ("s3", "DeleteBucket", {}, None),
    ("kms", "ScheduleKeyDeletion", {"keyId": KEY}, None),
    ("lambda", "DeleteFunction20150331", {"functionName": "f"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "parameters", "arn"), DELETIONS)
def test_deletions(source, name, parameters, arn):
    """A call that deletes what it names proves that this is gone; a part, a plan, one of many or nothing named does not."""
    fields = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "requestParameters": parameters}
    assert proven(**fields, userIdentity=USER) == ([Gone(arn, TIME)] if arn else [])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"errorCode": "NoSuchBucketPolicy"},
        {"eventName": "DeleteBucket"},
        {"eventSource": None, "eventName": None},
        {"eventTime": 7},
        {"userIdentity": None},
    ],
)
def test_the_few_fields_of_a_success_suffice(fields):
    """Decoding only what proves an access gives the same facts as decoding everything."""
    record = raw(**fields)
    assert facts(decode_success(record), Rule()) == facts(decode(record), Rule())
