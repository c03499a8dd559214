"""How to see a service's blindness from its own side, and confirm that a change helped: AWS CLI commands by service.

Words in capitals are for the reader to fill in. Commands that start something (`start-resource-scan`) ask the service to
look again; none changes a resource.
"""

import re
from typing import Final, NamedTuple

from rolewatch.catalog.naming import named, names_in
from rolewatch.catalog.policy_kinds import kind_of_type

ANY: Final = "*"
_GAP = re.compile(r"<(arn|name)>")
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)  # means nothing to a shell, to JSON or to SQL, quoted or not


class Probe(NamedTuple):
    """A command of a service, for resources of a type or for any ("*"); <arn> and <name> stand for the resource."""

    service: str
    resource_type: str
    command: str
    shows: str
    source: str


class Command(NamedTuple):
    """A command to run, quoted for a shell, what its answer shows, and where that is documented."""

    command: str
    shows: str
    source: str


_ANALYZER = '"$(aws accessanalyzer list-analyzers --type ACCOUNT --query analyzers[0].arn --output text)"'
_DETECTOR = '"$(aws guardduty list-detectors --query DetectorIds[0] --output text)"'
_GRAPH = '"$(aws detective list-graphs --query GraphList[0].Arn --output text)"'

# Of one service, rows for a type come first, and confirming after seeing.
PROBES: Final = (
    Probe("access-analyzer.amazonaws.com", ANY,
          f"aws accessanalyzer list-findings-v2 --analyzer-arn {_ANALYZER} --filter '{{\"resource\": {{\"eq\": [\"<arn>\"]}}}}'",
          "an error finding (ACCESS_DENIED) as long as the analyzer is shut out", "IAM user guide, IAM Access Analyzer error findings"),
    Probe("access-analyzer.amazonaws.com", ANY,
          f"aws accessanalyzer start-resource-scan --analyzer-arn {_ANALYZER} --resource-arn <arn>",
          "makes it analyze the resource again at once", "IAM Access Analyzer API reference, StartResourceScan"),
    Probe("agentless.inspector2.amazonaws.com", ANY,
          "aws inspector2 list-coverage --filter-criteria '{\"scanStatusReason\": [{\"comparison\": \"EQUALS\", \"value\": \"ACCESS_DENIED_TO_ENCRYPTION_KEY\"}]}'",
          "what is not scanned because of a key", "Amazon Inspector API reference, ListCoverage, ScanStatus"),
    Probe("apidestinations.events.amazonaws.com", ANY,
          "aws events list-connections --query 'Connections[].[Name,ConnectionState,StateReason]'",
          "connections that are not authorized, and why", "Amazon EventBridge API reference, ListConnections"),
    Probe("auditmanager.amazonaws.com", ANY, "aws auditmanager get-insights",
          "how much evidence was collected, and how much of it is inconclusive", "AWS Audit Manager API reference, GetInsights"),
    Probe("autoscaling.amazonaws.com", ANY,
          "aws autoscaling describe-scaling-activities --query \"Activities[?StatusCode=='Failed'||StatusCode=='Cancelled'].[StartTime,AutoScalingGroupName,StatusCode,StatusMessage]\"",
          "launches that failed, and why", "Amazon EC2 Auto Scaling user guide, Verify a scaling activity"),
    Probe("backup.amazonaws.com", ANY, "aws backup list-copy-jobs --by-state FAILED",
          "copies that failed, and why", "AWS Backup API reference, ListCopyJobs"),
    Probe("cloudtrail.amazonaws.com", ANY,
          "aws cloudtrail get-trail-status --name \"$(aws cloudtrail describe-trails --query 'trailList[?IsOrganizationTrail]|[0].TrailARN' --output text)\"",
          "the last error of the organization's trail", "AWS CloudTrail API reference, GetTrailStatus"),
    Probe("config-conforms.amazonaws.com", ANY, "aws configservice describe-conformance-pack-status",
          "conformance packs that failed to deploy, and why", "AWS Config API reference, DescribeConformancePackStatus"),
    Probe("config.amazonaws.com", ANY,
          "aws configservice select-resource-config --expression \"SELECT resourceId, configurationItemCaptureTime, configurationItemStatus WHERE arn = '<arn>'\"",
          "when the resource was last recorded", "AWS Config developer guide, Querying the Current Configuration State"),
    Probe("config.amazonaws.com", ANY, "aws configservice describe-configuration-recorder-status",
          "whether the recorder runs, and its last error", "AWS Config API reference, DescribeConfigurationRecorderStatus"),
    Probe("detective.amazonaws.com", ANY, f"aws detective list-datasource-packages --graph-arn {_GRAPH}",
          "which data is taken in", "Amazon Detective API reference, ListDatasourcePackages"),
    Probe("ec2fastlaunch.amazonaws.com", ANY,
          "aws ec2 describe-fast-launch-images --query 'FastLaunchImages[].[ImageId,State,StateTransitionReason]'",
          "images that could not be prepared, and why", "Amazon EC2 API reference, DescribeFastLaunchImages"),
    Probe("ec2fleet.amazonaws.com", ANY, "aws ec2 describe-fleet-history --fleet-id FLEET-ID --start-time START",
          "launches that failed, and why", "Amazon EC2 API reference, DescribeFleetHistory"),
    Probe("ecs.amazonaws.com", ANY, "aws ecs describe-services --cluster CLUSTER --services SERVICE --query 'services[].events[:5].message'",
          "what the service could not do", "Amazon ECS developer guide, Viewing Amazon ECS service event messages"),
    Probe("ecs.application-autoscaling.amazonaws.com", ANY,
          "aws application-autoscaling describe-scaling-activities --service-namespace ecs --include-not-scaled-activities",
          "scaling that failed, and why", "Application Auto Scaling user guide, Describe scaling activities"),
    Probe("eks-nodegroup.amazonaws.com", ANY,
          "aws eks describe-nodegroup --cluster-name CLUSTER --nodegroup-name NODEGROUP --query nodegroup.health.issues",
          "what is wrong with the node group", "Amazon EKS user guide, Troubleshoot problems with Amazon EKS clusters and nodes, Managed node group error codes"),
    Probe("eks.amazonaws.com", ANY, "aws eks describe-cluster --name CLUSTER --query cluster.health.issues",
          "what is wrong with the cluster", "Amazon EKS user guide, Understand cluster health FAQs and error codes"),
    Probe("elasticloadbalancing.amazonaws.com", ANY, "aws elbv2 describe-target-health --target-group-arn TARGET-GROUP-ARN",
          "targets that are not in service, and why", "Elastic Load Balancing API reference, DescribeTargetHealth"),
    Probe("fms.amazonaws.com", ANY, "aws fms list-compliance-status --policy-id POLICY-ID",
          "accounts that do not comply, and problems with services that the policy needs", "AWS Firewall Manager API reference, ListComplianceStatus"),
    Probe("guardduty.amazonaws.com", ANY,
          f"aws guardduty list-coverage --detector-id {_DETECTOR} --filter-criteria '{{\"FilterCriterion\": [{{\"CriterionKey\": \"COVERAGE_STATUS\", \"FilterCondition\": {{\"Equals\": [\"UNHEALTHY\"]}}}}]}}'",
          "resources that are not covered, and why", "Amazon GuardDuty user guide, Reviewing coverage statistics and troubleshooting issues"),
    Probe("inspector2.amazonaws.com", ANY,
          "aws inspector2 list-coverage --filter-criteria '{\"scanStatusReason\": [{\"comparison\": \"EQUALS\", \"value\": \"ACCESS_DENIED\"}]}'",
          "what is not scanned for want of access", "Amazon Inspector API reference, ListCoverage, ScanStatus"),
    Probe("lakeformation.amazonaws.com", ANY, "aws lakeformation list-resources",
          "registered locations, and with which role", "AWS Lake Formation API reference, ListResources"),
    Probe("macie.amazonaws.com", "AWS::S3::Bucket",
          "aws macie2 describe-buckets --criteria '{\"bucketName\": {\"eq\": [\"<name>\"]}}' --query 'buckets[].[bucketName,errorCode,errorMessage,lastUpdated]'",
          "ACCESS_DENIED as long as Macie is shut out; it looks again once a day", "Amazon Macie user guide, Allowing Macie to access S3 buckets and objects"),
    Probe("malware-protection.guardduty.amazonaws.com", ANY,
          f"aws guardduty describe-malware-scans --detector-id {_DETECTOR} --query \"Scans[?ScanStatus!='COMPLETED'].[ScanId,ScanStatus,FailureReason]\"",
          "scans that failed or were skipped", "Amazon GuardDuty API reference, DescribeMalwareScans"),
    Probe("pullthroughcache.ecr.amazonaws.com", ANY, "aws ecr validate-pull-through-cache-rule --ecr-repository-prefix PREFIX",
          "whether the rule works, and why not", "Amazon ECR user guide, Validating pull through cache rules in Amazon ECR"),
    Probe("rds.amazonaws.com", "AWS::SecretsManager::Secret",
          "aws secretsmanager describe-secret --secret-id <arn> --query '[LastRotatedDate,NextRotationDate]'",
          "when the password was last rotated, and when it is due", "AWS Secrets Manager API reference, DescribeSecret"),
    Probe("rds.amazonaws.com", ANY, "aws rds describe-events --duration 1440",
          "what happened to databases in the last day", "Amazon RDS user guide, Viewing Amazon RDS events"),
    Probe("replication.dynamodb.amazonaws.com", "AWS::DynamoDB::Table",
          "aws dynamodb describe-table --table-name <name> --query 'Table.Replicas[].[RegionName,ReplicaStatus,ReplicaStatusDescription]'",
          "replicas that could not be made, and why", "Amazon DynamoDB API reference, ReplicaDescription"),
    Probe("replication.ecr.amazonaws.com", "AWS::ECR::Repository",
          "aws ecr describe-image-replication-status --repository-name <name> --image-id imageTag=TAG",
          "whether an image was replicated, and why not", "Amazon ECR user guide, Viewing image replication status"),
    Probe("resource-explorer-2.amazonaws.com", ANY, "aws resource-explorer-2 search --query-string 'id:<arn>'",
          "whether the resource is found, and when it was last reported", "AWS Resource Explorer user guide, Search query syntax reference"),
    Probe("s3.data-source.lustre.fsx.amazonaws.com", ANY,
          "aws fsx describe-data-repository-associations --query 'Associations[].[FileSystemId,Lifecycle,FailureDetails.Message]'",
          "links that are misconfigured, and why", "Amazon FSx for Lustre user guide, Troubleshooting, misconfigured linked S3 bucket"),
    Probe("securityhub.amazonaws.com", ANY,
          "aws securityhub get-findings --filters '{\"ComplianceStatus\": [{\"Value\": \"NOT_AVAILABLE\", \"Comparison\": \"EQUALS\"}], \"ResourceId\": [{\"Value\": \"<arn>\", \"Comparison\": \"EQUALS\"}]}' --query 'Findings[].[Title,Compliance.StatusReasons[].Description]'",
          "checks of the resource that could not be made, and why", "AWS Security Hub user guide, Evaluating compliance status and control status"),
    Probe("securitylake.amazonaws.com", ANY, "aws securitylake list-data-lake-exceptions",
          "what could not be collected, and why", "Amazon Security Lake API reference, ListDataLakeExceptions"),
    Probe("spot.amazonaws.com", ANY,
          "aws ec2 describe-spot-instance-requests --query 'SpotInstanceRequests[].[SpotInstanceRequestId,Status.Code,Status.Message]'",
          "requests that were not fulfilled, and why", "Amazon EC2 user guide, Get the status of a Spot Instance request"),
    Probe("spotfleet.amazonaws.com", ANY,
          "aws ec2 describe-spot-fleet-request-history --spot-fleet-request-id REQUEST-ID --start-time START",
          "launches that failed, and why", "Amazon EC2 API reference, DescribeSpotFleetRequestHistory"),
    Probe("trustedadvisor.amazonaws.com", "AWS::S3::Bucket",
          "aws support describe-trusted-advisor-check-result --check-id Pfx0RwqBli --language en --region us-east-1 --query \"result.flaggedResources[?contains(metadata,'<name>')].[status,metadata]\"",
          "the bucket in red as long as its policy cannot be checked", "AWS Support user guide, AWS Trusted Advisor check reference, Amazon S3 Bucket Permissions"),
    Probe("trustedadvisor.amazonaws.com", "AWS::S3::Bucket",
          "aws support refresh-trusted-advisor-check --check-id Pfx0RwqBli --region us-east-1",
          "makes it check all buckets again", "AWS Support API reference, RefreshTrustedAdvisorCheck"),
    Probe("trustedadvisor.amazonaws.com", ANY,
          "aws support describe-trusted-advisor-checks --language en --region us-east-1 --query 'checks[].[id,name]'",
          "which checks there are; describe-trusted-advisor-check-result has their results", "AWS Support API reference, DescribeTrustedAdvisorChecks"),
)  # fmt: skip


def probes_of(service: str, arn: str) -> list[Command]:
    """List the commands that show how a service sees a resource; [] where the table has none.

    Commands that need the resource are left out where `arn` is none, or has characters that a shell might take for its own.
    """
    service = service.removesuffix(".cn")
    found = named(arn)
    kind = kind_of_type(found.type) if found else None
    types = {ANY, found.type, kind.type if kind else ANY} if found else {ANY}
    rows = [row for row in PROBES if row.service == service and row.resource_type in types]
    specific = [row for row in rows if row.resource_type != ANY]
    region = found.arn.split(":")[3] if found else ""
    values = _values(found.arn) if found else {}
    written = ((row, _filled(row.command, values)) for row in specific or rows)
    return [Command(_in_region(text, region), row.shows, row.source) for row, text in written if text]


def _values(arn: str) -> dict[str, str]:
    names = names_in(arn)
    return {
        gap: text
        for gap, text in (("arn", arn), ("name", names[0] if names else ""))
        if _PLAIN.fullmatch(text)
    }


def _filled(command: str, values: dict[str, str]) -> str:
    """Put a resource into a command; "" where it has to have one, and there is none that can be written plainly."""
    if not values.keys() >= set(_GAP.findall(command)):
        return ""
    return _GAP.sub(lambda gap: values[gap[1]], command)


def _in_region(command: str, region: str) -> str:
    if "--region" in command or not _PLAIN.fullmatch(region):
        return command
    return re.sub(r"(?<=\$\()(aws \S+ \S+)", rf"\1 --region {region}", f"{command} --region {region}")
