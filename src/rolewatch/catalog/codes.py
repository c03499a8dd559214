"""What an error code says: a refusal and of which class, proof of access, or that the resource is gone.

Sources: research of peers §4 (its numbers are of services that model the code in botocore 1.44.5), spec/cloudtrail.md
§8; for S3 the "List of error codes" of its API reference. Codes are compared case-sensitively, as CloudTrail's filters do.
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Code(NamedTuple):
    """One spelling of a refusal, as records carry it without EC2's prefixes."""

    code: str
    kind: str  # "authorization" | "dependency" | "vpc-endpoint" | "not-enabled" | "authentication"
    source: str


# Order within a kind is by name. `models` are botocore's service models; `records` are published CloudTrail records.
CODES = (
    Code("AccessDenied", "authorization", "models: s3, cloudfront; records of s3, iam, sts, organizations, lambda …"),
    Code("AccessDeniedByMetaException", "authorization", "models: socialmessaging"),
    Code("AccessDeniedException", "authorization", "models: 258 services; records of kms, bedrock"),
    Code("AccessDeniedFault", "authorization", "models: dms"),
    Code("AccessForbidden", "authorization", "models: sagemaker-featurestore-runtime"),
    Code("AuthorizationError", "authorization", "models: sns"),
    Code("AuthorizationErrorException", "authorization", "models: discovery"),
    Code("AuthorizationException", "authorization", "models: license-manager"),
    Code("ForbiddenError", "authorization", "models: wickr"),
    Code("ForbiddenException", "authorization", "models: 28 services, chime, appmesh, aiops …"),
    Code("InsufficientPermissionsException", "authorization", "models: config, ds"),
    Code("InsufficientPrivilegesException", "authorization", "models: elasticbeanstalk"),
    Code("NotAuthorized", "authorization", "AWS API references, Common errors"),
    Code("NotAuthorizedException", "authorization", "models: 9 services, cognito, kinesisvideo, pi"),
    Code("OperationNotPermitted", "authorization", "models: elb, elbv2"),
    Code("OperationNotPermittedException", "authorization", "models: cloudtrail, ram, appstream, discovery"),
    Code("OperationNotPermittedFault", "authorization", "models: swf"),
    Code("UnauthorizedAccess", "authorization", "spec/cloudtrail.md §8.3; no model has it"),
    Code("UnauthorizedClientException", "authorization", "models: chime, sso-oidc"),
    Code("UnauthorizedError", "authorization", "models: wickr"),
    Code("UnauthorizedException", "authorization", "models: 28 services, apigateway, amplify, appsync …"),
    Code("UnauthorizedOperation", "authorization", "models: mgh, redshift; records of ec2, with and without `Client.`"),
    Code("UnauthorizedOperationException", "authorization", "models: workdocs"),
    Code("UnauthorizedResourceAccessException", "authorization", "models: workdocs"),
    Code("AccessDeniedForDependencyException", "dependency", "models: organizations, shield"),
    Code("AccessToClusterDenied", "dependency", "models: redshift"),
    Code("AccessToSnapshotDenied", "dependency", "models: redshift"),
    Code("ChannelInsufficientPermission", "dependency", "models: cloudtrail-data"),
    Code("CloudHsmAccessDeniedException", "dependency", "models: cloudhsmv2"),
    Code("DependencyAccessDeniedException", "dependency", "models: service-quotas"),
    Code("DependentServiceAccessDenied", "dependency", "models: redshift"),
    Code("EC2AccessDeniedException", "dependency", "models: lambda"),
    Code("EncryptionKeyAccessDeniedException", "dependency", "models: codecommit"),
    Code("IamRoleMissingPermissions", "dependency", "models: rds"),
    Code("InsufficientDependencyServiceAccessPermissionException", "dependency", "models: cloudtrail"),
    Code("InsufficientIAMAccessPermissionException", "dependency", "models: cloudtrail"),
    Code("KMSAccessDenied", "dependency", "models: sns"),
    Code("KMSAccessDeniedException", "dependency", "models: lambda, kinesis"),
    Code("KMSAccessDeniedFault", "dependency", "models: dms"),
    Code("KmsAccessDenied", "dependency", "models: sqs"),
    Code("KmsAccessDeniedException", "dependency", "models: stepfunctions, cloudwatch"),
    Code("LoadUrlAccessDeniedException", "dependency", "models: neptunedata"),
    Code("LogDestinationPermissionException", "dependency", "models: network-firewall"),
    Code("OpsItemAccessDeniedException", "dependency", "models: ssm"),
    Code("OrganizationAccessDeniedException", "dependency", "models: config"),
    Code("S3AccessDeniedFault", "dependency", "models: dms"),
    Code("SNSNoAuthorization", "dependency", "models: rds, redshift, docdb, neptune"),
    Code("SNSNoAuthorizationFault", "dependency", "models: dms"),
    Code("VpceAccessDenied", "vpc-endpoint", "CloudTrail user guide, network activity events"),
    Code("InvalidAccessException", "not-enabled", "models: securityhub; records of accounts not subscribed to it"),
    Code("AuthFailure", "authentication", "records of ec2, `Client.AuthFailure`"),
    Code("ExpiredToken", "authentication", "records of panther's and osdctl's tests"),
    Code("ExpiredTokenException", "authentication", "models: sts; AWS API references, Common errors"),
    Code("Forbidden", "authentication", "records of panther's and osdctl's tests"),
    Code("IncompleteSignature", "authentication", "AWS API references, Common errors"),
    Code("InvalidClientTokenId", "authentication", "records of panther's and osdctl's tests"),
    Code("OptInRequired", "authentication", "AWS API references, Common errors"),
    Code("RequestExpired", "authentication", "AWS API references, Common errors"),
    Code("SignatureDoesNotMatch", "authentication", "records of panther's and osdctl's tests"),
    Code("UnrecognizedClientException", "authentication", "AWS API references, Common errors"),
)  # fmt: skip
_KINDS = {row.code: row.kind for row in CODES}

# A code that AWS adds tomorrow (peers §4.3; run there against all candidate codes of botocore 1.44.5: no wrong hit).
_LIKELY = re.compile(
    r".*AccessDenied.*|.*Unauthorized.*|NotAuthorized.*|(Access)?Forbidden.*|Authorization(Error|ErrorException|Exception)"
    r"|.*NoAuthorization(Fault)?|Insufficient(Privileges|.*Permission).*|OperationNotPermitted.*|Access\w+Denied"
)
# Whatever such a code contains, it is about existence or rate, not about permission.
_NEVER = re.compile(
    r"(NoSuch|Throttl).*|.*(NotFound|AlreadyExists|QuotaExceeded|LimitExceeded|NotExist)(Fault|Exception|Error)?"
)


@lru_cache(maxsize=1024)
def classify(code: str) -> str | None:
    """Return the class of a refusal, None where a code is none; EC2's `Client.` and `Server.` are folded.

    The table decides, then the form of the code; "authentication" is returned as well, callers leave it off by default.
    """
    prefix, dot, rest = code.partition(".")
    if dot and prefix in ("Client", "Server"):
        code = rest
    kind = _KINDS.get(code)
    if kind:
        return kind
    return "authorization" if _LIKELY.fullmatch(code) and not _NEVER.fullmatch(code) else None


# S3 checks authorization first: who is told that a configuration does not exist was allowed to ask for it.
AUTHORIZED_BUT_ABSENT = frozenset(
    (
        "MetadataConfigurationNotFound",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchConfiguration",  # analytics, inventory, metrics and Intelligent-Tiering
        "NoSuchLifecycleConfiguration",
        "NoSuchObjectLockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NoSuchTagSetError",
        "NoSuchWebsiteConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    )
)

# Calls of which a denial means that something does not start, as findings key them. KMS is in it for encrypted volumes:
# the role of Auto Scaling, Spot or a node group that may not use the key launches nothing.
LAUNCHES = frozenset(
    (
        "ec2:CreateFleet",
        "ec2:RequestSpotFleet",
        "ec2:RequestSpotInstances",
        "ec2:RunInstances",
        "ec2:RunScheduledInstances",
        "ec2:StartInstances",
        "ecs:RunTask",
        "ecs:StartTask",
        "kms:CreateGrant",
        "kms:GenerateDataKeyWithoutPlaintext",
    )
)


class Gone(NamedTuple):
    """An error that says that the named resource does not exist, as long as what it names is what the record is about."""

    event_source: str
    code: str
    kind: str = ""  # what the code is about, as it stands in the resource's ARN; "" where the service has one kind only
    but: frozenset[str] = frozenset()  # calls in which the same code is about something else


# Left out, because the same code also says that a part or a policy of an existing resource is missing: lambda (GetPolicy
# of a function without a policy, an alias that does not exist), iam, backup, glue, eks, events, es.
GONE = (
    Gone("cloudtrail.amazonaws.com", "TrailNotFoundException"),
    Gone("codecommit.amazonaws.com", "RepositoryDoesNotExistException"),
    Gone("dynamodb.amazonaws.com", "ResourceNotFoundException", ":table/", frozenset(("DescribeStream", "GetRecords", "GetShardIterator"))),
    Gone("dynamodb.amazonaws.com", "TableNotFoundException", ":table/"),
    Gone("ec2.amazonaws.com", "InvalidAMIID.NotFound", ":image/"),
    Gone("ec2.amazonaws.com", "InvalidAllocationID.NotFound", ":elastic-ip/"),
    Gone("ec2.amazonaws.com", "InvalidGroup.NotFound", ":security-group/"),
    Gone("ec2.amazonaws.com", "InvalidInstanceID.NotFound", ":instance/"),
    Gone("ec2.amazonaws.com", "InvalidKeyPair.NotFound", ":key-pair/"),
    Gone("ec2.amazonaws.com", "InvalidLaunchTemplateId.NotFound", ":launch-template/"),
    Gone("ec2.amazonaws.com", "InvalidNetworkInterfaceID.NotFound", ":network-interface/"),
    Gone("ec2.amazonaws.com", "InvalidRouteTableID.NotFound", ":route-table/"),
    Gone("ec2.amazonaws.com", "InvalidSecurityGroupID.NotFound", ":security-group/"),
    Gone("ec2.amazonaws.com", "InvalidSnapshot.NotFound", ":snapshot/"),
    Gone("ec2.amazonaws.com", "InvalidSubnetID.NotFound", ":subnet/"),
    Gone("ec2.amazonaws.com", "InvalidVolume.NotFound", ":volume/"),
    Gone("ec2.amazonaws.com", "InvalidVpcEndpointId.NotFound", ":vpc-endpoint/"),
    Gone("ec2.amazonaws.com", "InvalidVpcID.NotFound", ":vpc/"),
    Gone("ecr.amazonaws.com", "RepositoryNotFoundException"),
    Gone("ecr-public.amazonaws.com", "RepositoryNotFoundException"),
    Gone("ecs.amazonaws.com", "ClusterNotFoundException", ":cluster/"),
    Gone("elasticfilesystem.amazonaws.com", "FileSystemNotFound", ":file-system/"),
    Gone("elasticloadbalancing.amazonaws.com", "LoadBalancerNotFound", ":loadbalancer/"),
    Gone("elasticloadbalancing.amazonaws.com", "TargetGroupNotFound", ":targetgroup/"),
    Gone("firehose.amazonaws.com", "ResourceNotFoundException"),
    Gone("kinesis.amazonaws.com", "ResourceNotFoundException", ":stream/", frozenset(("DeregisterStreamConsumer", "DescribeStreamConsumer", "SubscribeToShard"))),
    Gone("kms.amazonaws.com", "NotFoundException", "", frozenset(("DeleteAlias", "RetireGrant", "RevokeGrant", "UpdateAlias"))),
    Gone("logs.amazonaws.com", "ResourceNotFoundException", ":log-group:", frozenset(("DeleteLogStream", "DeleteMetricFilter", "DeleteRetentionPolicy", "DeleteSubscriptionFilter", "GetLogEvents", "PutLogEvents"))),
    Gone("rds.amazonaws.com", "DBClusterNotFoundFault", ":cluster:"),
    Gone("rds.amazonaws.com", "DBInstanceNotFound", ":db:"),
    Gone("rds.amazonaws.com", "DBInstanceNotFoundFault", ":db:"),
    Gone("redshift.amazonaws.com", "ClusterNotFound", ":cluster:"),
    Gone("s3.amazonaws.com", "NoSuchBucket"),
    Gone("secretsmanager.amazonaws.com", "ResourceNotFoundException", "", frozenset(("BatchGetSecretValue", "GetSecretValue"))),
    Gone("sns.amazonaws.com", "NotFound", "", frozenset(("ConfirmSubscription", "GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"))),
    Gone("sqs.amazonaws.com", "AWS.SimpleQueueService.NonExistentQueue"),
    Gone("sqs.amazonaws.com", "QueueDoesNotExist"),
    Gone("ssm.amazonaws.com", "ParameterNotFound", ":parameter/"),
    Gone("states.amazonaws.com", "StateMachineDoesNotExist", ":stateMachine:"),
)  # fmt: skip
_GONE = {(row.event_source, row.code): row for row in GONE}


def means_gone(event_source: str, code: str, event_name: str = "", resource: str = "") -> bool:
    """Whether an error says that the resource itself does not exist.

    `event_name` and `resource` (an ARN) rule out errors about something else; without them the code alone decides.
    """
    prefix, _, rest = code.partition(".")
    row = _GONE.get((event_source, rest if prefix in ("Client", "Server") else code))
    return row is not None and event_name not in row.but and (not resource or row.kind in resource)


# Calls that delete what they name. Left out: kms ScheduleKeyDeletion (7 to 30 days, can be cancelled), secretsmanager
# DeleteSecret (a recovery window, unless forced), lambda DeleteFunction (with a qualifier it deletes one version), ec2
# TerminateInstances (names many instances, of which only the first would count; who asks for one then is told NotFound).
DELETES = frozenset(
    (f"{service}.amazonaws.com", name)
    for service, names in {
        "cloudtrail": "DeleteTrail",
        "codecommit": "DeleteRepository",
        "dynamodb": "DeleteTable",
        "ec2": "DeleteLaunchTemplate DeleteNetworkInterface DeleteSecurityGroup DeleteSnapshot DeleteSubnet DeleteVolume DeleteVpc",
        "ecr": "DeleteRepository",
        "ecr-public": "DeleteRepository",
        "ecs": "DeleteCluster",
        "eks": "DeleteCluster",
        "elasticfilesystem": "DeleteFileSystem",
        "elasticloadbalancing": "DeleteLoadBalancer DeleteTargetGroup",
        "es": "DeleteDomain DeleteElasticsearchDomain",
        "firehose": "DeleteDeliveryStream",
        "kinesis": "DeleteStream",
        "logs": "DeleteLogGroup",
        "rds": "DeleteDBCluster DeleteDBInstance",
        "redshift": "DeleteCluster",
        "s3": "DeleteBucket",
        "sns": "DeleteTopic",
        "sqs": "DeleteQueue",
        "ssm": "DeleteParameter",
        "states": "DeleteStateMachine",
    }.items()
    for name in names.split()
)
DELETE_NEEDLES = (b'"Delete',)  # one of these is in every record of a call in DELETES, unless it is escaped


class Listed(NamedTuple):
    """A response that lists refusals itself: where, under which keys, and which codes are refusals."""

    event_source: str
    event_name: str
    path: tuple[str, ...]  # from responseElements; "*" stands for the items of a list
    code_key: str  # ends in `rrorCode`, the literal that a scan searches for
    message_key: str | None
    resource_key: str | None
    denied: frozenset[str]
    source: str


# Only calls that write: CloudTrail leaves responseElements out for the rest. Codes are from the models' enumerations.
LISTED_ERRORS = (
    Listed("inspector2.amazonaws.com", "Disable", ("failedAccounts", "*"), "errorCode", "errorMessage", None, frozenset(("ACCESS_DENIED",)), "botocore 1.44.5, inspector2 Disable"),
    Listed("inspector2.amazonaws.com", "Enable", ("failedAccounts", "*"), "errorCode", "errorMessage", None, frozenset(("ACCESS_DENIED",)), "botocore 1.44.5, inspector2 Enable"),
    Listed("securityhub.amazonaws.com", "BatchUpdateStandardsControlAssociations", ("UnprocessedAssociationUpdates", "*"), "ErrorCode", "ErrorReason", None, frozenset(("ACCESS_DENIED",)), "botocore 1.44.5, securityhub BatchUpdateStandardsControlAssociations"),
)  # fmt: skip
