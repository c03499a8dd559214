"""What `refresh_catalog.py` cannot read off the installed packages: kept by hand, with the source of each table.

Everything here is a fact about AWS's interfaces. Sources:
- S3: user guide, "Required permissions for Amazon S3 API operations"; CloudTrail's own spelling of bucket calls as seen
  in public records (`GetBucketLifecycle`, `GetBucketPublicAccessBlock`, `GetAccelerateConfiguration` …).
- the others: the service's page in the Service Authorization Reference, or its developer guide, named in the comment.
- purposes of service-linked roles: the collection of facts that `refresh_catalog.py roles` reads, §5.
"""

from __future__ import annotations

# IAM prefix → API name as CloudTrail records it → IAM action. An action of another prefix is written in full.
# An API that needs one of several actions (kms ReEncrypt, dynamodb ExecuteStatement) is left out: that is a guess.
ACTIONS: dict[str, dict[str, str]] = {
    "bedrock": {  # Bedrock user guide, "InvokeModel permissions"
        "Converse": "InvokeModel",
        "ConverseStream": "InvokeModelWithResponseStream",
        "StartAsyncInvoke": "InvokeModel",
    },
    "budgets": {  # Service Authorization Reference: the API has finer names than IAM
        "CreateBudget": "ModifyBudget",
        "CreateNotification": "ModifyBudget",
        "CreateSubscriber": "ModifyBudget",
        "DeleteBudget": "ModifyBudget",
        "DeleteNotification": "ModifyBudget",
        "DeleteSubscriber": "ModifyBudget",
        "DescribeBudget": "ViewBudget",
        "DescribeBudgetNotificationsForAccount": "ViewBudget",
        "DescribeBudgetPerformanceHistory": "ViewBudget",
        "DescribeBudgets": "ViewBudget",
        "DescribeNotificationsForBudget": "ViewBudget",
        "DescribeSubscribersForNotification": "ViewBudget",
        "UpdateBudget": "ModifyBudget",
        "UpdateNotification": "ModifyBudget",
        "UpdateSubscriber": "ModifyBudget",
    },
    "cassandra": {  # Keyspaces developer guide, "How Amazon Keyspaces works with IAM"; CQL and API names
        "AlterKeyspace": "Alter",
        "AlterTable": "Alter",
        "CreateKeyspace": "Create",
        "CreateTable": "Create",
        "DeleteKeyspace": "Drop",
        "DeleteTable": "Drop",
        "DropKeyspace": "Drop",
        "DropTable": "Drop",
        "GetKeyspace": "Select",
        "GetTable": "Select",
        "ListKeyspaces": "Select",
        "ListTables": "Select",
        "RestoreTable": "Restore",
        "UpdateKeyspace": "Alter",
        "UpdateTable": "Alter",
    },
    "cloudfront": {  # Service Authorization Reference; TagResource is needed as well
        "CreateDistributionWithTags": "CreateDistribution",
    },
    "dynamodb": {"TransactGetItems": "GetItem"},  # developer guide, "Using IAM with transactions"
    "elasticfilesystem": {"NewClientConnection": "ClientMount"},  # EFS user guide, "Logging with CloudTrail"
    "lambda": {  # Service Authorization Reference
        "GetLayerVersionByArn": "GetLayerVersion",
        "Invoke": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
    },
    "s3": {
        "CompleteMultipartUpload": "PutObject",
        "CopyObject": "PutObject",
        "CreateMultipartUpload": "PutObject",
        "CreateSession": "s3express:CreateSession",
        "DeleteAccountPublicAccessBlock": "PutAccountPublicAccessBlock",
        "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
        "DeleteBucketCors": "PutBucketCORS",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
        "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "DeleteBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketPublicAccessBlock": "PutBucketPublicAccessBlock",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeleteObjects": "DeleteObject",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketLifecycle": "GetLifecycleConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "HeadBucket": "ListBucket",
        "HeadObject": "GetObject",
        "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
        "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
        "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
        "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
        "ListDirectoryBuckets": "s3express:ListAllMyDirectoryBuckets",
        "ListObjects": "ListBucket",
        "PutBucketLifecycle": "PutLifecycleConfiguration",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "SelectObjectContent": "GetObject",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
        "WriteGetObjectResponse": "s3-object-lambda:WriteGetObjectResponse",
    },
    "sns": {"PublishBatch": "Publish"},  # SNS API reference, PublishBatch
    "sqs": {  # SQS developer guide, "Amazon SQS API permissions"
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
}

# Event source without `.amazonaws.com` → IAM prefixes, tried in this order; beside those that botocore's endpoint and
# signing names give. Sources: the services' pages on logging with CloudTrail; API coverage of the prefix checked here.
SOURCES: dict[str, tuple[str, ...]] = {
    "api.tunneling.iot": ("iot",),
    "autoscaling": (
        "autoscaling",
        "application-autoscaling",
        "autoscaling-plans",
    ),  # three APIs behind one host name
    "catalog-marketplace": ("aws-marketplace",),
    "cloudcontrolapi": ("cloudformation",),
    "data-ats.iot": ("iot",),
    "data.iot": ("iot",),
    "data.jobs.iot": ("iotjobsdata",),
    "ds": ("ds", "ds-data"),
    "entitlement-marketplace": ("aws-marketplace",),
    "iotdata": ("iot",),
    "macie": ("macie2",),
    "metering-marketplace": ("aws-marketplace",),
    "monitoring": ("cloudwatch",),
    "mturk-requester": ("mechanicalturk",),
    "opensearch": ("es",),
    "opensearchservice": ("es",),
    "partnercentral-account": ("partnercentral",),
    "partnercentral-benefits": ("partnercentral",),
    "partnercentral-channel": ("partnercentral",),
    "partnercentral-selling": ("partnercentral",),
    "rdsdata": ("rds-data",),
    "s3": ("s3", "s3express"),
    "sso": ("sso", "sso-directory", "identitystore"),
    "tagging": ("tag",),
}

# Other spellings of known service-linked roles (the same collection of facts, §6): (principal, role) → known role.
ALIASES: dict[tuple[str, str], str] = {
    ("health.amazonaws.com", "AWSServiceRoleForHealth"): "AWSServiceRoleForHealth_Organizations",
    ("rum.amazonaws.com", "AWSServiceRoleForRealUserMonitoring"): "AWSServiceRoleForCloudWatchRUM",
}

# Roles that the collection of facts grades D, although a page of AWS's own names role and principal: they count as B.
DOCUMENTED: frozenset[tuple[str, str]] = frozenset(
    (
        # Amazon GuardDuty user guide, "Service-linked role permissions for Malware Protection for EC2"
        ("malware-protection.guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDutyMalwareProtection"),
        # Amazon Security Lake user guide, "Service-linked role (SLR) permissions for resource management"
        ("resource-management.securitylake.amazonaws.com", "AWSServiceRoleForSecurityLakeResourceManagement"),
    )
)

# Role name → what the role is for.
PURPOSES: dict[str, str] = {
    "AWSServiceRoleForAPIGateway": "VPC links, Cloud Map, certificates and logging of API Gateway",
    "AWSServiceRoleForAccessAnalyzer": "reads resource policies for findings",
    "AWSServiceRoleForAmazonEKS": "network interfaces of EKS control planes",
    "AWSServiceRoleForAmazonEKSConnector": "clusters connected to EKS",
    "AWSServiceRoleForAmazonEKSForFargate": "EKS pods on Fargate",
    "AWSServiceRoleForAmazonEKSNodegroup": "managed node groups of EKS",
    "AWSServiceRoleForAmazonGuardDuty": "reads EC2 and organization data, manages agents",
    "AWSServiceRoleForAutoScaling": "launches and terminates EC2 instances, talks to load balancers and CloudWatch",
    "AWSServiceRoleForClientVPN": "Client VPN endpoints",
    "AWSServiceRoleForClientVPNConnections": "calls the connection handler of Client VPN endpoints",
    "AWSServiceRoleForCloudTrail": "organization trails and event data stores",
    "AWSServiceRoleForCloudTrailEventContext": "EventBridge rules and reads that enrich CloudTrail Lake events",
    "AWSServiceRoleForCloudWatchAlarms_ActionSSM": "creates OpsItems from alarms",
    "AWSServiceRoleForCloudWatchCrossAccount": "assumes the sharing roles of CloudWatch in other accounts",
    "AWSServiceRoleForCloudWatchEvents": "stops, terminates, reboots and recovers EC2 instances from alarms",
    "AWSServiceRoleForComputeOptimizer": "reads CloudWatch and resource data",
    "AWSServiceRoleForConfig": "records the configuration of resources",
    "AWSServiceRoleForCostOptimizationHub": "reads organization data, keeps optimization metadata",
    "AWSServiceRoleForEC2Spot": "launches Spot instances",
    "AWSServiceRoleForECS": "network interfaces, target groups and service discovery of tasks",
    "AWSServiceRoleForElasticLoadBalancing": "network interfaces and security groups of load balancers",
    "AWSServiceRoleForGlobalAccelerator": "network interfaces in customer VPCs",
    "AWSServiceRoleForHealth_EventProcessor": "the managed EventBridge rule of AWS Incident Detection and Response",
    "AWSServiceRoleForLogDelivery": "delivers vended logs to Firehose",
    "AWSServiceRoleForOrganizations": "creates service-linked roles for services integrated with Organizations",
    "AWSServiceRoleForRDS": "network interfaces, security groups, logs and topics of DB instances",
    "AWSServiceRoleForSSO": "roles, policies and the SAML provider of IAM Identity Center in member accounts",
    "AWSServiceRoleForSecurityHub": "runs checks that rest on Config rules",
    "AWSServiceRoleForSupport": "lets AWS Support read what it needs to help",
    "AWSServiceRoleForTrustedAdvisor": "runs Trusted Advisor's checks, reading across services",
    "AWSServiceRoleForVPCS2SVPN": "certificates and pre-shared keys of VPN tunnels",
    "AWSServiceRoleForWellArchitected_Discovery": "reads Trusted Advisor and AppRegistry for workload discovery",
    "AWSServiceRoleForZonalAutoshiftPracticeRun": "practice runs; reads alarms and Health events",
}
