"""What stops working when a service is refused: a table of what AWS documents, each row with its source.

Two kinds of rows. `stated`: the page says what follows from a refusal. Otherwise the page says what the role needs the
access for, and that this stops is concluded. Where the table has nothing, say who would be refused what, and no more.
"""

from functools import cache
from typing import Final, NamedTuple

from rolewatch.catalog.policy_kinds import kind_of_type

ANY: Final = "*"


class Consequence(NamedTuple):
    """What follows when a service is refused on a type of resource, or actions of a prefix; "*" stands for any."""

    service: str
    resource_type: str
    text: str
    source: str
    prefix: str = ANY  # IAM prefix of the action
    stated: bool = True


CONSEQUENCES: Final = (
    Consequence(
        "access-analyzer.amazonaws.com",
        ANY,
        "IAM Access Analyzer cannot analyze the resource; instead of findings about who has access to it, there is an error "
        "finding (ACCESS_DENIED).",
        "IAM user guide, IAM Access Analyzer error findings",
    ),
    Consequence(
        "agentless.inspector2.amazonaws.com",
        "AWS::KMS::Key",
        "Amazon Inspector cannot scan instances whose volumes are encrypted with this key without an agent; their coverage "
        "says ACCESS_DENIED_TO_ENCRYPTION_KEY.",
        "Amazon Inspector API reference, ScanStatus; user guide, Service-linked role permissions for Amazon Inspector "
        "agentless scans",
    ),
    Consequence(
        "apidestinations.events.amazonaws.com",
        "AWS::SecretsManager::Secret",
        "Amazon EventBridge cannot read the credentials in this secret, so API destinations that use the connection get no "
        "events.",
        "Amazon EventBridge user guide, Service-linked role for API destinations; Connections for HTTP endpoint targets",
        stated=False,
    ),
    Consequence(
        "auditmanager.amazonaws.com",
        ANY,
        "AWS Audit Manager cannot collect evidence from this resource.",
        "AWS Audit Manager user guide, Using service-linked roles for AWS Audit Manager",
        stated=False,
    ),
    Consequence(
        "autoscaling.amazonaws.com",
        "AWS::KMS::Key",
        "Auto Scaling groups cannot launch instances whose volumes are encrypted with this key "
        "(Client.InternalError: Client error on launch).",
        "Amazon EC2 Auto Scaling user guide, Required AWS KMS key policy for use with encrypted volumes; "
        "Troubleshoot instance launch failures",
    ),
    Consequence(
        "autoscaling.amazonaws.com",
        "AWS::SNS::Topic",
        "Auto Scaling groups cannot tell this topic of launches and terminations.",
        "Amazon EC2 Auto Scaling user guide, Service-linked roles for Amazon EC2 Auto Scaling; Amazon SNS notification "
        "options",
        stated=False,
    ),
    Consequence(
        "backup.amazonaws.com",
        "AWS::Backup::BackupVault",
        "AWS Backup cannot copy backups into this vault.",
        "AWS Backup developer guide, Using roles to back up and copy",
        stated=False,
    ),
    Consequence(
        "cloudtrail.amazonaws.com",
        ANY,
        "AWS CloudTrail cannot keep organization trails and event data stores in step with the accounts of the organization.",
        "AWS CloudTrail user guide, Using service-linked roles for CloudTrail",
        prefix="organizations",
        stated=False,
    ),
    Consequence(
        "config-conforms.amazonaws.com",
        "AWS::S3::Bucket",
        "AWS Config cannot deploy conformance packs whose template or artifacts are in this bucket.",
        "AWS Config developer guide, Prerequisites for Conformance Packs",
        stated=False,
    ),
    Consequence(
        "config.amazonaws.com",
        "AWS::S3::Bucket",
        "AWS Config may not record changes of this bucket, nor notify of them.",
        "AWS Config developer guide, Managing permissions for S3 bucket recording",
    ),
    Consequence(
        "config.amazonaws.com",
        ANY,
        "AWS Config cannot get the details that it needs to record the configuration of this resource.",
        "AWS Config developer guide, Permissions for the IAM Role Assigned to AWS Config",
        stated=False,
    ),
    Consequence(
        "detective.amazonaws.com",
        ANY,
        "Amazon Detective cannot read which accounts the organization has.",
        "Amazon Detective administration guide, Using service-linked roles for Detective",
        prefix="organizations",
        stated=False,
    ),
    Consequence(
        "ec2fastlaunch.amazonaws.com",
        "AWS::KMS::Key",
        "EC2 Fast Launch cannot prepare snapshots of images that are encrypted with this key.",
        "Amazon EC2 user guide, Service-linked role for EC2 Fast Launch, access to customer managed keys",
        stated=False,
    ),
    Consequence(
        "ec2fleet.amazonaws.com",
        "AWS::KMS::Key",
        "EC2 Fleet cannot launch instances of encrypted images or snapshots that use this key.",
        "Amazon EC2 user guide, EC2 Fleet prerequisites, grant access to customer managed keys",
    ),
    Consequence(
        "fms.amazonaws.com",
        ANY,
        "AWS Firewall Manager cannot apply its policies to this resource, or tell whether it complies.",
        "AWS Firewall Manager developer guide, Using service-linked roles for Firewall Manager",
        stated=False,
    ),
    Consequence(
        "guardduty.amazonaws.com",
        "AWS::S3::Bucket",
        "Amazon GuardDuty cannot retrieve what it tells of this bucket in findings, such as whether it is public.",
        "Amazon GuardDuty user guide, Service-linked role permissions for GuardDuty",
        stated=False,
    ),
    Consequence(
        "inspector2.amazonaws.com",
        "AWS::ECR::Repository",
        "Amazon Inspector cannot scan the images in this repository; their coverage says ACCESS_DENIED.",
        "Amazon Inspector API reference, ScanStatus",
    ),
    Consequence(
        "inspector2.amazonaws.com",
        "AWS::Lambda::Function",
        "Amazon Inspector cannot scan this function; its coverage says ACCESS_DENIED.",
        "Amazon Inspector API reference, ScanStatus",
    ),
    Consequence(
        "lakeformation.amazonaws.com",
        "AWS::S3::Bucket",
        "Services that read through AWS Lake Formation, such as Amazon Athena, get no data from locations in this bucket "
        "that are registered with the service-linked role.",
        "AWS Lake Formation developer guide, Using service-linked roles for Lake Formation",
        stated=False,
    ),
    Consequence(
        "macie.amazonaws.com",
        "AWS::S3::Bucket",
        "Amazon Macie cannot monitor this bucket's security or look for sensitive data in it, wholly or in part.",
        "Amazon Macie user guide, Allowing Macie to access S3 buckets and objects",
    ),
    Consequence(
        "malware-protection.guardduty.amazonaws.com",
        "AWS::KMS::Key",
        "GuardDuty Malware Protection skips volumes that are encrypted with this key.",
        "Amazon GuardDuty user guide, Understanding CloudWatch Logs and reasons for skipping resources during Malware "
        "Protection for EC2 scan; API reference, ScanStatusReason",
    ),
    Consequence(
        "pullthroughcache.ecr.amazonaws.com",
        "AWS::SecretsManager::Secret",
        "Amazon ECR cannot pull from the upstream registry whose credentials are in this secret.",
        "Amazon ECR user guide, Amazon ECR service-linked role for pull through cache",
        stated=False,
    ),
    Consequence(
        "rds.amazonaws.com",
        "AWS::SecretsManager::Secret",
        "Amazon RDS cannot rotate the master user password in this secret.",
        "Amazon RDS user guide, Password management with Amazon RDS and AWS Secrets Manager",
        stated=False,
    ),
    Consequence(
        "replication.dynamodb.amazonaws.com",
        "AWS::DynamoDB::Table",
        "Replicas cannot be added to this global table, or deleted from it.",
        "Amazon DynamoDB API reference, PutResourcePolicy; developer guide, Considerations for resource-based policies",
    ),
    Consequence(
        "replication.ecr.amazonaws.com",
        "AWS::ECR::Repository",
        "Amazon ECR cannot replicate images into this repository.",
        "Amazon ECR user guide, Amazon ECR service-linked role for replication",
        stated=False,
    ),
    Consequence(
        "resource-explorer-2.amazonaws.com",
        ANY,
        "AWS Resource Explorer cannot index this resource, so that searches do not find it or find it out of date.",
        "AWS Resource Explorer user guide, Using service-linked roles for Resource Explorer",
        stated=False,
    ),
    Consequence(
        "s3.data-source.lustre.fsx.amazonaws.com",
        "AWS::S3::Bucket",
        "Amazon FSx for Lustre cannot import from this bucket, or export to it.",
        "Amazon FSx for Lustre user guide, Using service-linked roles for Amazon FSx; Linking your file system to an "
        "Amazon S3 bucket",
        stated=False,
    ),
    Consequence(
        "s3.data-source.lustre.fsx.amazonaws.com",
        "AWS::KMS::Key",
        "Amazon FSx for Lustre cannot import or export objects that are encrypted with this key.",
        "Amazon FSx for Lustre user guide, Working with server-side encrypted Amazon S3 buckets",
    ),
    Consequence(
        "securityhub.amazonaws.com",
        ANY,
        "AWS Security Hub cannot set up or run the checks that need this.",
        "AWS Security Hub user guide, Using service-linked roles for Security Hub CSPM",
        stated=False,
    ),
    Consequence(
        "securitylake.amazonaws.com",
        ANY,
        "Amazon Security Lake cannot collect the data of sources that need this.",
        "Amazon Security Lake user guide, Service-linked role (SLR) permissions for Security Lake",
        stated=False,
    ),
    Consequence(
        "spot.amazonaws.com",
        "AWS::KMS::Key",
        "Amazon EC2 cannot launch Spot Instances of encrypted images or snapshots that use this key.",
        "Amazon EC2 user guide, Service-linked role for Spot Instance requests, grant access to customer managed keys",
    ),
    Consequence(
        "spotfleet.amazonaws.com",
        "AWS::KMS::Key",
        "Spot Fleets cannot launch instances of encrypted images or snapshots that use this key.",
        "Amazon EC2 user guide, Service-linked role for Spot Fleet, grant access to customer managed keys",
    ),
    Consequence(
        "trustedadvisor.amazonaws.com",
        "AWS::S3::Bucket",
        "AWS Trusted Advisor cannot check the permissions of this bucket, and shows it in red.",
        "AWS Support user guide, AWS Trusted Advisor check reference, Amazon S3 Bucket Permissions",
    ),
    Consequence(
        "trustedadvisor.amazonaws.com",
        ANY,
        "AWS Trusted Advisor cannot check this resource.",
        "AWS Support user guide, Using service-linked roles for Trusted Advisor",
        stated=False,
    ),
)


@cache
def _table() -> dict[tuple[str, str, str], Consequence]:
    return {(row.service, row.resource_type, row.prefix): row for row in CONSEQUENCES}


def consequence_of(service: str, resource_type: str = ANY, action: str = "") -> Consequence | None:
    """Look up what follows when a service principal is refused an action on a resource of a type; None if not documented.

    A row for the type goes before one for any, a row for the action's prefix before one for any. A part counts as what
    carries its policy (an object as its bucket).
    """
    service, prefix = service.removesuffix(".cn"), action.partition(":")[0].lower()
    kind = kind_of_type(resource_type)
    types = dict.fromkeys((resource_type, kind.type if kind else resource_type, ANY))
    keys = ((service, each, part) for each in types for part in (prefix, ANY) if part)
    return next((found for key in keys if (found := _table().get(key))), None)
