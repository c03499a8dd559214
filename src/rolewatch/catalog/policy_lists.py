"""How the resources that carry policies are listed, and how each API says that one has no policy.

Commands are the AWS CLI's, as in `policy_kinds.json`; a test holds them, with all their paths, against botocore's models.
Sources: the API references of the services, for codes also botocore's models and the CLI's own answers.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple


class Above(NamedTuple):
    """How that is listed below which the resources of a kind are listed: their command has a gap `{parent}` for each of its `items`."""

    command: str
    items: str


class Listing(NamedTuple):
    """How the resources of one kind are listed in an account.

    `items` is where the answer has the ARN or the name of each:
    a list, and what it is called in an item ("" for the item itself).

    `command` is "" where there is one in each region, whose ARN needs no name. `where` is the only region to ask ("" for each
    region), or "once" where the answer does not depend on it.
    """

    kind: str
    command: str
    items: str
    where: str = ""
    above: Above | None = None


MULTI_REGION: Final = (
    "aws s3control list-multi-region-access-points --region us-west-2 --account-id {account}"
)
ONCE: Final = "once"
LISTINGS: Final = (
    Listing("bucket", "aws s3api list-buckets --max-buckets 1000", "Buckets.Name", ONCE),
    Listing("access-point", "aws s3control list-access-points --account-id {account}", "AccessPointList.AccessPointArn"),
    Listing("multi-region-access-point", MULTI_REGION, "AccessPoints.Alias", "us-west-2"),
    Listing("object-lambda-access-point", "aws s3control list-access-points-for-object-lambda --account-id {account}", "ObjectLambdaAccessPointList.ObjectLambdaAccessPointArn"),
    Listing("directory-bucket", "aws s3api list-directory-buckets", "Buckets.Name"),
    Listing("outposts-bucket", "aws s3control list-regional-buckets --account-id {account} --outpost-id {parent}", "RegionalBucketList.BucketArn", above=Above("aws s3outposts list-outposts-with-s3", "Outposts.OutpostId")),
    Listing("table-bucket", "aws s3tables list-table-buckets", "tableBuckets.arn"),
    Listing("vector-bucket", "aws s3vectors list-vector-buckets", "vectorBuckets.vectorBucketArn"),
    Listing("vault", "aws glacier list-vaults --account-id {account}", "VaultList.VaultARN"),
    Listing("key", "aws kms list-keys", "Keys.KeyArn"),
    Listing("queue", "aws sqs list-queues --max-results 1000", "QueueUrls"),
    Listing("topic", "aws sns list-topics", "Topics.TopicArn"),
    Listing("secret", "aws secretsmanager list-secrets", "SecretList.ARN"),
    Listing("repository", "aws ecr describe-repositories", "repositories.repositoryArn"),
    Listing("public-repository", "aws ecr-public describe-repositories", "repositories.repositoryArn", "us-east-1"),
    Listing("function", "aws lambda list-functions", "Functions.FunctionArn"),
    Listing("layer", "aws lambda list-layer-versions --layer-name {parent}", "LayerVersions.LayerVersionArn", above=Above("aws lambda list-layers", "Layers.LayerName")),
    Listing("file-system", "aws efs describe-file-systems", "FileSystems.FileSystemArn"),
    Listing("backup-vault", "aws backup list-backup-vaults", "BackupVaultList.BackupVaultArn"),
    Listing("endpoint", "aws ec2 describe-vpc-endpoints", "VpcEndpoints.VpcEndpointId"),
    Listing("event-bus", "aws events list-event-buses", "EventBuses.Arn"),
    Listing("schema-registry", "aws schemas list-registries --scope LOCAL", "Registries.RegistryArn"),
    Listing("log-destination", "aws logs describe-destinations", "destinations.arn"),
    Listing("delivery-destination", "aws logs describe-delivery-destinations", "deliveryDestinations.arn"),
    Listing("table", "aws dynamodb list-tables", "TableNames"),
    Listing("stream", "aws kinesis list-streams", "StreamNames"),
    Listing("search-domain", "aws opensearch list-domain-names", "DomainNames.DomainName"),
    Listing("rest-api", "aws apigateway get-rest-apis", "items.id"),
    Listing("lattice-service", "aws vpc-lattice list-services", "items.arn"),
    Listing("artifact-domain", "aws codeartifact list-domains", "domains.arn"),
    Listing("artifact-repository", "aws codeartifact list-repositories", "repositories.arn"),
    Listing("certificate-authority", "aws acm-pca list-certificate-authorities", "CertificateAuthorities.Arn"),
    Listing("data-catalog", "", ""),
    Listing("kafka-cluster", "aws kafka list-clusters-v2", "ClusterInfoList.ClusterArn"),
    Listing("event-data-store", "aws cloudtrail list-event-data-stores", "EventDataStores.EventDataStoreArn"),
    Listing("model-package-group", "aws sagemaker list-model-package-groups", "ModelPackageGroupSummaryList.ModelPackageGroupArn"),
    Listing("redshift-namespace", "aws redshift describe-clusters", "Clusters.ClusterNamespaceArn"),
    Listing("dsql-cluster", "aws dsql list-clusters", "clusters.arn"),
    Listing("email-identity", "aws sesv2 list-email-identities", "EmailIdentities.IdentityName"),
    Listing("role-trust", "aws iam list-roles --path-prefix /aws-service-role/", "Roles.Arn", ONCE),
)  # fmt: skip
"""Left out: what has one policy for all (log groups, the organisation)."""

#: Kind → codes with which the API says that a resource is there and has no policy.
ABSENT: Final[Mapping[str, frozenset[str]]] = {
    "bucket": frozenset(("NoSuchBucketPolicy",)),
    "access-point": frozenset(("NoSuchAccessPointPolicy",)),
    "multi-region-access-point": frozenset(("NoSuchAccessPointPolicy", "NoSuchMultiRegionAccessPointPolicy")),
    "object-lambda-access-point": frozenset(("NoSuchAccessPointPolicy",)),
    "directory-bucket": frozenset(("NoSuchBucketPolicy",)),
    "outposts-bucket": frozenset(("NoSuchBucketPolicy",)),
    "table-bucket": frozenset(("NotFoundException",)),
    "vector-bucket": frozenset(("NoSuchVectorBucketPolicy", "NotFoundException")),
    "vault": frozenset(("ResourceNotFoundException",)),
    "repository": frozenset(("RepositoryPolicyNotFoundException",)),
    "public-repository": frozenset(("RepositoryPolicyNotFoundException",)),
    "function": frozenset(("ResourceNotFoundException",)),
    "layer": frozenset(("ResourceNotFoundException",)),
    "file-system": frozenset(("PolicyNotFound",)),
    "backup-vault": frozenset(("ResourceNotFoundException",)),
    "schema-registry": frozenset(("NotFoundException",)),
    "delivery-destination": frozenset(("ResourceNotFoundException",)),
    "table": frozenset(("PolicyNotFoundException",)),
    "lattice-service": frozenset(("ResourceNotFoundException",)),
    "artifact-domain": frozenset(("ResourceNotFoundException",)),
    "artifact-repository": frozenset(("ResourceNotFoundException",)),
    "certificate-authority": frozenset(("ResourceNotFoundException",)),
    "data-catalog": frozenset(("EntityNotFoundException",)),
    "kafka-cluster": frozenset(("NotFoundException",)),
    "event-data-store": frozenset(("ResourcePolicyNotFoundException",)),
    "model-package-group": frozenset(("ValidationException",)),
    "redshift-namespace": frozenset(("ResourceNotFoundFault",)),
    "dsql-cluster": frozenset(("ResourceNotFoundException",)),
    "organization": frozenset(("ResourcePolicyNotFoundException",)),
}  # fmt: skip


class Part(NamedTuple):
    """Of an answer that may hold more than what was asked for: the list in it, and what the name asked for is called in an item."""

    items: str
    name: str


PARTS: Final[Mapping[str, Part]] = {"log-destination": Part("destinations", "destinationName")}

#: Kinds whose answer is an object with the policies by their names.
BY_NAME: Final = frozenset(("email-identity",))

# Where one code is for both, the message tells them apart: "Function not found: arn:…", "Vault not found for ARN: …".
_MISSING: Final = re.compile(
    r"\b(function|layer version|vault|backup vault|domain|repository|registry|cluster|certificate authority|namespace"
    r"|table bucket|vector bucket|delivery destination|group)\b[^.]{0,300}?\b(not found|does not exist|not exist|could not be found)",
    re.IGNORECASE,
)
_ABOUT_POLICY: Final = re.compile(r"\bpolic(?:y|ies)\b", re.IGNORECASE)
_GONE: Final = re.compile(
    r"NoSuch\w+|\w*NotFound(?:Exception|Fault)?|\w*DoesNotExist|[\w.]*NonExistentQueue|InvalidVpcEndpointId\.NotFound"
)


def missing(kind: str, code: str, message: str) -> Literal["policy", "resource", ""]:
    """Say what an error code tells to be missing: the policy of a resource, or the resource itself; "" for neither."""
    if code in ABSENT.get(kind, ()) and (_ABOUT_POLICY.search(message) or not _MISSING.search(message)):
        return "policy"
    return "resource" if _GONE.fullmatch(code) else ""
