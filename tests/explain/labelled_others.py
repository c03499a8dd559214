"""Labelled denials on queues, topics, secrets, repositories and the like, through VPC endpoints, and such as no policy can change."""

from labelled import (
    BARE,
    DENIES,
    ENDPOINT_DENIES,
    HOME,
    NO_ENDPOINT,
    NO_IDENTITY,
    NO_RESOURCE,
    OTHER,
    Case,
    add,
    allow,
    bucket,
    deny,
    policy,
    role_arn,
)

CONFIG, ANALYZER, INSPECTOR = (role_arn(name) for name in ("config", "access-analyzer", "inspector2"))
SCALING = role_arn("autoscaling")
QUEUE, TOPIC = (f"arn:aws:{kind}:eu-west-1:{HOME}:orders" for kind in ("sqs", "sns"))
FAR_TOPIC = TOPIC.replace(HOME, OTHER)
SECRET = f"arn:aws:secretsmanager:eu-west-1:{HOME}:secret:db/password-a1b2c3"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{HOME}:repository/team/app"
FAR_REPOSITORY = REPOSITORY.replace(HOME, OTHER)
FUNCTION = f"arn:aws:lambda:eu-west-1:{HOME}:function:importer"
FILES = f"arn:aws:elasticfilesystem:eu-west-1:{HOME}:file-system/fs-0123456789abcdef0"
TABLE = f"arn:aws:dynamodb:eu-west-1:{HOME}:table/orders"
BUS = f"arn:aws:events:eu-west-1:{HOME}:event-bus/orders"
VPC_ONLY = {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}}
BY_DENY, BY_ROLE = ("resource-based", "explicit"), ("identity-based", "implicit")
NEW = "/Statement/0/Condition/ArnNotEquals"
MEND = [add(NEW, {"aws:PrincipalArn": CONFIG})]
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
ENDPOINT_ARN = f"arn:aws:ec2:eu-west-1:{HOME}:vpc-endpoint/{ENDPOINT}"
INSTANCE = f"arn:aws:ec2:eu-west-1:{HOME}:instance/i-0123456789abcdef0"
BUCKET, BUCKET_ALL = bucket("exports")
DELIVERY = f"arn:aws:s3:::config-bucket-{HOME}"


def shut(*what, **more):
    """Label a denial by a Deny that leaves the own VPC only."""
    title, role, action, arn, parameters, *commands = what
    held = policy(deny("OnlyOurVpc", f"{action.partition(':')[0]}:*", more.pop("about", arn), VPC_ONLY))
    wrap = more.pop("wrap", lambda found: found)
    return Case(
        title, role, more.pop("call", action), action, arn, DENIES, {arn: wrap(held)}, "fix-your-policy", BY_DENY, "OnlyOurVpc",
        [add(NEW, {"aws:PrincipalArn": role_arn(role)})], parameters=parameters, commands=tuple(commands), **more,
    )  # fmt: skip


def endpoint(title, message, held, decided, patch, **more):
    """Label a denial by the policy of a VPC endpoint."""
    kind = "explicit" if "explicit" in message else "implicit"
    return Case(
        title, "config", "s3:GetBucketPolicy", "s3:GetBucketPolicy", BUCKET, message, held, "fix-your-policy", ("vpc-endpoint", kind),
        decided, patch, parameters={"bucketName": "exports"}, **more,
    )  # fmt: skip


def final(*what, **more):
    """Label a denial that no policy of the customer's can end."""
    title, role, call, verdict, cause, no_fix, message, resource = (
        *what,
        *(NO_IDENTITY, "*")[len(what) - 6 :],
    )
    return Case(
        title, role, call, more.pop("action", call), more.pop("resource", resource), message, more.pop("collected", {BUCKET: policy(deny("X", "s3:*", BUCKET, VPC_ONLY))}),
        verdict, cause, more.pop("decided", None), None, no_fix=no_fix, **more,
    )  # fmt: skip


def only_from(name):
    """Write an endpoint's policy as describe-vpc-endpoints prints it."""
    statements = policy(
        allow("Everything", "*", "*", "*"),
        deny(
            "OnlyTheApp", "s3:*", "*", {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/App"}}
        ),
    )
    return {"VpcEndpoints": [{"VpcEndpointId": name, "PolicyDocument": statements}]}


OTHERS = [
    shut(
        "a queue", "config", "sqs:GetQueueAttributes", QUEUE, {"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/{HOME}/orders"},
        "set-queue-attributes", wrap=lambda held: {"Attributes": {"Policy": str(held).replace("'", '"')}},
    ),
    shut("a topic", "config", "sns:GetTopicAttributes", TOPIC, {"topicArn": TOPIC}, f"set-topic-attributes --topic-arn {TOPIC}"),
    shut(
        "a secret", "access-analyzer", "secretsmanager:GetResourcePolicy", SECRET, {"secretId": SECRET}, "secretsmanager put-resource-policy",
        about="*", wrap=lambda held: {"ARN": SECRET, "ResourcePolicy": str(held).replace("'", '"')},
    ),
    shut("a repository", "inspector2", "ecr:BatchGetImage", REPOSITORY, {"repositoryName": "team/app", "registryId": HOME}, "set-repository-policy", about=None),
    shut("a function", "config", "lambda:GetPolicy", FUNCTION, {"functionName": "importer"}, "--policy file://policy.json", call="lambda:GetPolicy20150331v2"),
    shut("a file system", "config", "elasticfilesystem:DescribeFileSystemPolicy", FILES, {"fileSystemId": "fs-0123456789abcdef0"}, "efs put-file-system-policy"),
    shut("a table", "config", "dynamodb:DescribeTable", TABLE, {"tableName": "orders"}, "dynamodb put-resource-policy"),
    shut("an event bus", "config", "events:DescribeEventBus", BUS, {"name": "orders"}, "events put-permission"),
    Case(
        "a topic of another account", "autoscaling", "sns:Publish", "sns:Publish", FAR_TOPIC, NO_RESOURCE,
        {FAR_TOPIC: policy(allow("Own", {"AWS": f"arn:aws:iam::{OTHER}:root"}, "sns:Publish", FAR_TOPIC))}, "fix-your-policy",
        ("resource-based", "implicit"), "no statement of resource policy allows it",
        [add("/Statement/-", allow("AllowAWSServiceRoleForAutoScaling", {"AWS": SCALING}, "sns:Publish", FAR_TOPIC))],
        parameters={"topicArn": FAR_TOPIC}, owner=OTHER,
    ),
    Case(
        "a repository of another account, whose policy has no Resource", "inspector2", "ecr:BatchGetImage", "ecr:BatchGetImage", FAR_REPOSITORY,
        NO_RESOURCE, {FAR_REPOSITORY: {"policyText": '{"Version": "2008-10-17", "Statement": []}'}}, "fix-your-policy", ("resource-based", "implicit"),
        "no statement of resource policy allows it",
        [add("/Statement/-", {"Sid": "AllowAWSServiceRoleForAmazonInspector2", "Effect": "Allow", "Principal": {"AWS": INSPECTOR}, "Action": "ecr:BatchGetImage"})],
        parameters={"repositoryName": "team/app", "registryId": OTHER}, owner=OTHER,
    ),
    Case(
        "a secret that the role's own policy does not reach", "autoscaling", "secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue", SECRET,
        NO_IDENTITY, {SECRET: {"ARN": SECRET}}, "fix-your-policy", BY_ROLE, "no statement of identity policies allows it",
        [{"op": "replace", "path": "", "value": policy(allow("AllowAWSServiceRoleForAutoScaling", {"AWS": SCALING}, "secretsmanager:GetSecretValue", "*"))}],
        parameters={"secretId": SECRET},
    ),
    Case(
        "a bucket that is not the cause: the message blames the queue", "config", "sqs:GetQueueAttributes", "sqs:GetQueueAttributes", QUEUE, BARE,
        {QUEUE: policy(allow("Own", {"AWS": f"arn:aws:iam::{HOME}:root"}, "sqs:*", QUEUE))}, "fix-your-policy", (None, None), None, None,
        no_fix="would change nothing", evidence="guess", parameters={"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/{HOME}/orders"},
    )._replace(name="a queue whose policy allows it"),
    endpoint(
        "an endpoint's policy denies, and there is one", ENDPOINT_DENIES, {ENDPOINT: only_from(ENDPOINT)}, "OnlyTheApp",
        [{"op": "replace", "path": "/Statement/1/Condition/ArnNotEquals/aws:PrincipalArn", "value": [f"arn:aws:iam::{HOME}:role/App", CONFIG]}],
        commands=(f"modify-vpc-endpoint --vpc-endpoint-id {ENDPOINT} --policy-document file://policy.json --region eu-west-1",),
    ),
    endpoint(
        "an endpoint's policy denies, and the message names it", ENDPOINT_DENIES + f": {ENDPOINT_ARN}",
        {ENDPOINT: only_from(ENDPOINT), "vpce-11111111111111111": only_from("vpce-11111111111111111")}, "OnlyTheApp",
        [{"op": "replace", "path": "/Statement/1/Condition/ArnNotEquals/aws:PrincipalArn", "value": [f"arn:aws:iam::{HOME}:role/App", CONFIG]}],
    ),
    endpoint(
        "an endpoint's policy denies, and two could be it", ENDPOINT_DENIES,
        {ENDPOINT: only_from(ENDPOINT), "vpce-11111111111111111": only_from("vpce-11111111111111111")}, None, None,
        no_fix="several endpoints", evidence="message",
    ),
    endpoint(
        "an endpoint's policy allows nothing", NO_ENDPOINT, {ENDPOINT_ARN: policy(allow("Read", "*", "s3:GetObject", "*"))},
        "no statement of",
        [add("/Statement/-", allow("AllowAWSServiceRoleForConfig", "*", "s3:GetBucketPolicy", BUCKET, {"ArnEquals": {"aws:PrincipalArn": CONFIG}}))],
    )._replace(collected={ENDPOINT_ARN: policy(allow("Read", "*", "s3:GetObject", "*"))}),
    endpoint("an endpoint's policy denies, and none was collected", ENDPOINT_DENIES, {BUCKET: policy()}, None, None, no_fix="holds no policy of", evidence="message"),
    final(
        "an action that the role's own policy lacks, on nothing that takes a policy", "config", "ec2:DescribeFastLaunchImages", "aws-side", BY_ROLE,
        "only AWS can change this",
    )._replace(action="ec2:RunScheduledInstances", call="ec2:RunScheduledInstances", decided="no statement of identity policies"),
    final(
        "an instance takes no policy", "config", "ec2:TerminateInstances", "aws-side", BY_ROLE, "only AWS can change this", resource=INSTANCE,
        decided="no statement of identity policies", parameters={"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}},
    ),
    final(
        "a bare refusal of an action that the role's own policy lacks", "config", "ec2:TerminateInstances", "aws-side", BY_ROLE,
        "only AWS can change this", BARE, INSTANCE, decided="no statement of identity policies", code="Client.UnauthorizedOperation",
        parameters={"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}},
    ),
    final(
        "across accounts the role's own policy has to allow it too", "guardduty", "s3:GetBucketCors", "aws-side", BY_ROLE, "what it lacks no",
        NO_IDENTITY, BUCKET, action="s3:GetBucketCORS", collected={BUCKET: policy(allow("Open", {"AWS": role_arn("guardduty")}, "s3:*", BUCKET_ALL))},
        decided="no statement of identity policies", parameters={"bucketName": "exports"}, owner=OTHER,
    ),
    final(
        "a service control policy cannot bind such a role", "config", "s3:GetBucketPolicy", "unknown", ("service-control", "explicit"), "would change nothing",
        'User: {user} is not authorized to perform: {action} on resource: "{resource}" with an explicit deny in a service control policy', BUCKET,
        collected={BUCKET: policy(deny("Tls", "s3:*", BUCKET_ALL, {"Bool": {"aws:SecureTransport": "false"}}))},
        parameters={"bucketName": "exports"}, evidence="guess",
    ),
    final(
        "Macie is not enabled", "config", "macie2:GetMacieSession", "service-not-enabled", (None, None), "", "Macie is not enabled.", evidence="message",
        code="AccessDeniedException",
    ),
    final(
        "Config's own delivery bucket: harmless", "config", "s3:HeadBucket", "harmless", (None, None), "nothing has to be changed: harmless", BARE,
        DELIVERY, action="s3:ListBucket", parameters={"bucketName": f"config-bucket-{HOME}"}, owner=OTHER,
        collected={DELIVERY: policy(allow("Deliver", {"Service": "config.amazonaws.com"}, "s3:PutObject", f"{DELIVERY}/*"))},
        decided="no statement of resource policy allows it", evidence="message",
    ),
    Case(
        "Config's own delivery bucket, which a statement denies: somebody's decision", "config", "s3:HeadBucket", "s3:ListBucket", DELIVERY, BARE,
        {DELIVERY: policy(deny("OnlyOurVpc", "s3:*", DELIVERY, VPC_ONLY))}, "fix-your-policy", BY_DENY, "OnlyOurVpc", MEND,
        parameters={"bucketName": f"config-bucket-{HOME}"},
    ),
    final(
        "not a delegated administrator", "config", "organizations:ListDelegatedAdministrators", "service-not-enabled", (None, None), "",
        "You don't have permissions to access this resource.", evidence="message", code="AccessDeniedException",
    ),
]  # fmt: skip
