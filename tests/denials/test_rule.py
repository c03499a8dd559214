"""What a record must say to count as a denial, and what the denial then says."""

import pytest
from trail import ACCOUNT, FOREIGN, GUID, LINKED, OTHER, ROLE, SERVICE, SLR, TIME, USER, denied, raw

from rolewatch.catalog.codes import CODES, LISTED_ERRORS
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials, key_of

SLR_ONLY = Rule()
EVERYBODY = Rule(frozenset(("slr", "all")))
WITH_AUTHENTICATION = Rule(authentication=True)


def found(record, rule=SLR_ONLY):
    """Return the denials of a record."""
    return denials(decode(record), record, rule)


def case(record, rule=SLR_ONLY):
    """Return what the only denial of a record is about."""
    (denial,) = found(record, rule)
    return denial.case


@pytest.mark.parametrize("row", CODES, ids=[row.code for row in CODES])
def test_codes(row):
    """Each code of the table is a denial, with EC2's prefixes too; authentication only if asked for."""
    for code in (row.code, f"Client.{row.code}", f"Server.{row.code}"):
        record = denied(errorCode=code)
        assert len(found(record)) == (row.kind != "authentication")
        assert case(record, WITH_AUTHENTICATION).said.code_kind == row.kind
        assert case(record, WITH_AUTHENTICATION).code == code


NO_DENIALS = [
    ("no error", {}),
    ("null", {"errorCode": None}),
    ("empty", {"errorCode": ""}),
    ("a message alone", {"errorCode": None, "errorMessage": "Access Denied"}),
    ("throttling", {"errorCode": "ThrottlingException", "errorMessage": "Rate exceeded"}),
    ("something absent", {"errorCode": "NoSuchBucketPolicy"}),
    ("a look-alike", {"errorCode": "AuthorizationNotFound"}),
    ("another case", {"errorCode": "accessdenied"}),
    ("a code that is no text", {"errorCode": 403}),
    ("an error in the response", {"responseElements": {"nested": {"errorCode": "AccessDenied"}}}),
    ("an error in the request", {"requestParameters": {"bucketName": "b", "errorCode": "AccessDenied"}}),
]


@pytest.mark.parametrize("fields", [row[1] for row in NO_DENIALS], ids=[row[0] for row in NO_DENIALS])
def test_no_denial(fields):
    """Only the record's own error code decides, and only a code that means a refusal."""
    assert found(raw(**fields)) == []


def nested(path, items):
    """Put a list of items where a path says, as a response has it."""
    head, *rest = path
    return items if head == "*" else {head: nested(rest, items) if rest else items[0]}


@pytest.mark.parametrize(
    "row", LISTED_ERRORS, ids=[f"{row.event_source} {row.event_name}" for row in LISTED_ERRORS]
)
def test_listed_errors(row):
    """A response that lists refusals stands for as many denials as it lists, of the record's own time and id."""
    code = min(row.denied)
    items = [
        {row.code_key: code, row.message_key: "refused"},
        {row.code_key: "INTERNAL_ERROR"},
        {row.code_key: code},
    ]
    record = raw(
        eventSource=row.event_source, eventName=row.event_name, responseElements=nested(row.path, items)
    )
    listed = found(record)
    assert [(denial.part, denial.case.code, denial.time, denial.event_id) for denial in listed] == [
        (0, code, TIME, GUID),
        (1, code, TIME, GUID),
    ]
    assert listed[0].identity == bytes.fromhex(GUID.replace("-", "")) != listed[1].identity
    assert [denial.identity for denial in listed] == [denial.identity for denial in found(record)]


MISLEADING = [
    ("another call", {"eventName": "ListMembers", "responseElements": {"failedAccounts": [{"errorCode": "ACCESS_DENIED"}]}}),
    ("another service", {"eventSource": "macie2.amazonaws.com", "responseElements": {"failedAccounts": [{"errorCode": "ACCESS_DENIED"}]}}),
    ("another place", {"responseElements": {"failed": [{"errorCode": "ACCESS_DENIED"}]}}),
    ("deeper", {"responseElements": {"failedAccounts": [{"cause": {"errorCode": "ACCESS_DENIED"}}]}}),
    ("another code", {"responseElements": {"failedAccounts": [{"errorCode": "SUSPENDED"}]}}),
    ("a code that is a list", {"responseElements": {"failedAccounts": [{"errorCode": ["ACCESS_DENIED"]}]}}),
    ("no list", {"responseElements": {"failedAccounts": {"errorCode": "ACCESS_DENIED"}}}),
    ("texts in the list", {"responseElements": {"failedAccounts": ["ACCESS_DENIED"]}}),
    ("a list as response", {"responseElements": [{"errorCode": "ACCESS_DENIED"}]}),
    ("an error of the call itself", {"errorCode": "ThrottlingException", "responseElements": {"failedAccounts": [{"errorCode": "ACCESS_DENIED"}]}}),
]  # fmt: skip


@pytest.mark.parametrize("fields", [row[1] for row in MISLEADING], ids=[row[0] for row in MISLEADING])
def test_errors_listed_elsewhere(fields):
    """An error code elsewhere in a response, or one that is no refusal, is no denial."""
    assert found(raw(**{"eventSource": "inspector2.amazonaws.com", "eventName": "Enable"} | fields)) == []


PRINCIPALS = [
    ("slr", LINKED, True),
    ("slr", ROLE, False),
    ("slr", SERVICE, False),
    ("slr", USER, False),
    ("slr", FOREIGN, False),
    ("slr", None, False),
    ("service", SERVICE, True),
    ("service", ROLE, False),
    ("service-role", ROLE, True),
    ("service-role", SERVICE, False),
    ("all", LINKED, True),
    ("all", ROLE, True),
    ("all", SERVICE, True),
    ("all", USER, True),
    ("all", FOREIGN, True),
    ("all", None, False),
]


@pytest.mark.parametrize(("kind", "identity", "watched"), PRINCIPALS)
def test_principals(kind, identity, watched):
    """Service-linked roles are watched by default, other kinds of principals if asked for."""
    assert len(found(denied(userIdentity=identity), Rule(frozenset((kind,))))) == watched


def test_names():
    """Facts of a role are looked up by its ARN; those of a service, which has none, by account and service."""
    assert key_of(case(denied()).who) == SLR
    assert key_of(case(denied(userIdentity=SERVICE), EVERYBODY).who) == f"{ACCOUNT} cloudtrail.amazonaws.com"


MESSAGE = "User: x is not authorized to perform: {} on resource: {} with an explicit deny in a resource-based policy"
ACTIONS = [
    ("the message says it", {"eventName": "HeadBucket", "errorMessage": MESSAGE.format("s3:ListBucketVersions", "arn:aws:s3:::b")}, ("s3:ListBucketVersions", True)),
    ("the message's own spelling", {"errorMessage": MESSAGE.format("sqs:receivemessage", "arn:aws:s3:::b")}, ("sqs:receivemessage", True)),
    ("the catalogue knows it", {"eventName": "HeadBucket"}, ("s3:ListBucket", True)),
    ("the message's action is none", {"eventName": "HeadBucket", "errorMessage": MESSAGE.format("this", "x")}, ("s3:ListBucket", True)),
    ("a guess from the API's name", {"eventSource": "newthing.amazonaws.com", "eventName": "DoIt"}, ("newthing:DoIt", False)),
    ("neither is there", {"eventSource": None, "eventName": None}, ("unknown:unknown", False)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"), [row[1:] for row in ACTIONS], ids=[row[0] for row in ACTIONS]
)
def test_action(fields, expected):
    """The IAM action is the message's, else the catalogue's, else a guess that is marked as one."""
    it = case(denied(**fields))
    assert expected == (it.action, it.known_action)


@pytest.mark.parametrize(
    ("source", "name", "call"),
    [
        ("s3.amazonaws.com", "HeadBucket", "s3:HeadBucket"),
        ("monitoring.amazonaws.com", "PutMetricData", "monitoring:PutMetricData"),
        ("lambda.amazonaws.com", "GetPolicy20150331v2", "lambda:GetPolicy20150331v2"),
        (None, None, "unknown:unknown"),
    ],
)
def test_call(source, name, call):
    """A call is keyed as the record has it: first part of the event source, and event name."""
    assert call == case(denied(eventSource=source, eventName=name)).call


ENDPOINTS = [
    ("vpce-0123", ACCOUNT, True),
    ("vpce-0123", "777788889999", False),
    ("vpce-0123", None, False),
    ("vpce-0123", "", False),
    (None, ACCOUNT, False),
    ("AWS Internal", ACCOUNT, False),
    ("cloudtrail.amazonaws.com", ACCOUNT, False),
]


@pytest.mark.parametrize(("endpoint", "owner", "ours"), ENDPOINTS)
def test_endpoint(endpoint, owner, ours):
    """A VPC endpoint is the customer's only if its owner is recorded, and is one of the accounts concerned."""
    assert ours == case(denied(vpcEndpointId=endpoint, vpcEndpointAccountId=owner)).endpoint


def test_endpoint_of_the_resource_owner():
    """The resource's account and the account of the record are concerned as well."""
    via = {"vpcEndpointId": "vpce-0123", "vpcEndpointAccountId": OTHER}
    owned = [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b", "accountId": OTHER}]
    assert case(denied(**via, resources=owned)).endpoint
    assert case(denied(**via, recipientAccountId=OTHER)).endpoint
    assert not case(denied(**via)).endpoint


def test_what_the_code_says_of_the_policy():
    """A network activity event tells the type of policy by its code, should its message ever change."""
    said = case(denied(errorCode="VpceAccessDenied", errorMessage="refused")).said
    assert (said.policy_type, said.kind, said.code_kind) == ("vpc-endpoint", None, "vpc-endpoint")


NOISE = [
    ("aws-controltower-logs-111122223333-us-east-1", "Access Denied", "harmless"),
    ("config-bucket-111122223333", "Access Denied", "harmless"),
    (
        "config-bucket-111122223333",
        MESSAGE.format("s3:ListBucket", "arn:aws:s3:::config-bucket-111122223333"),
        None,
    ),
    ("regulated", "Access Denied", None),
]


@pytest.mark.parametrize(("bucket", "message", "known"), NOISE)
def test_known_noise(bucket, message, known):
    """Config asking where its delivery bucket is, without an explicit deny, is known noise; nothing like it is."""
    fields = {"requestParameters": {"bucketName": bucket}, "eventName": "HeadBucket", "errorMessage": message}
    said = case(denied(**fields)).said
    assert (known, known is not None) == (said.known, said.consequence is not None)


LISTED = [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::listed", "accountId": OTHER}]
RESOURCES = [
    ("the message first", {"errorMessage": MESSAGE.format("s3:GetBucketAcl", "arn:aws:s3:::said"), "resources": LISTED}, "arn:aws:s3:::said"),
    ("then the list", {"resources": LISTED}, "arn:aws:s3:::listed"),
    ("then the request", {}, "arn:aws:s3:::b"),
    ("a wildcard is no resource", {"errorMessage": MESSAGE.format("s3:GetBucketAcl", "*"), "resources": LISTED}, "arn:aws:s3:::listed"),
    ("free text is no resource", {"errorMessage": MESSAGE.format("s3:GetBucketAcl", "my bucket")}, "arn:aws:s3:::b"),
    ("a list that names nothing", {"resources": [{"type": "AWS::S3::Bucket"}]}, "arn:aws:s3:::b"),
    ("nothing names one", {"requestParameters": None}, "service:s3.amazonaws.com"),
    ("the role's partition", {"userIdentity": {**LINKED, "sessionContext": {"sessionIssuer": {"arn": SLR.replace("arn:aws:", "arn:aws-cn:")}}}}, "arn:aws-cn:s3:::b"),
    ("the region's partition", {"awsRegion": "us-gov-west-1", "userIdentity": SERVICE}, "arn:aws-us-gov:s3:::b"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "arn"), [row[1:] for row in RESOURCES], ids=[row[0] for row in RESOURCES])
def test_resource(fields, arn):
    """The resource is the message's, else of `resources[]`, else of the request, else the API itself."""
    assert arn == case(denied(**fields), EVERYBODY).resource.arn
