"""A resource's type and name in; what `Ref` and `Fn::GetAtt` give for it, out.

Nothing is deployed, so names that CloudFormation would make up are `<StackName>-<LogicalId>`, and so is every
attribute that only AWS could know. Source: CloudFormation's return values, for the types that alarms refer to.
"""

from typing import NamedTuple

ACCOUNT = "{partition}:{service}:{region}:{account}"


class Kind(NamedTuple):
    """The property that names a resource, and patterns of what it gives; `ref` is its name unless it says otherwise."""

    named_by: str
    arn: str = ""
    ref: str = "{name}"
    attributes: tuple[tuple[str, str], ...] = ()


_ALARM = Kind("AlarmName", "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}")
_TOPIC = "arn:{partition}:sns:{region}:{account}:{name}"
_QUEUE = "https://sqs.{region}.{suffix}/{account}/{name}"
_BALANCER = "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/0000000000000000"
_TARGETS = "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/0000000000000000"

KINDS: dict[str, Kind] = {
    "AWS::CloudWatch::Alarm": _ALARM,
    "AWS::CloudWatch::CompositeAlarm": _ALARM,
    "AWS::CloudWatch::LogAlarm": _ALARM,
    "AWS::CloudWatch::AlarmMuteRule": Kind("Name", "arn:{partition}:cloudwatch:{region}:{account}:alarm-mute-rule:{name}"),
    "AWS::Logs::LogGroup": Kind("LogGroupName", "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"),
    "AWS::Logs::MetricFilter": Kind("FilterName"),
    "AWS::Logs::QueryDefinition": Kind("Name"),
    "AWS::SNS::Topic": Kind("TopicName", _TOPIC, _TOPIC, (("TopicArn", _TOPIC), ("TopicName", "{name}"))),
    "AWS::SQS::Queue": Kind(
        "QueueName", "arn:{partition}:sqs:{region}:{account}:{name}", _QUEUE, (("QueueName", "{name}"), ("QueueUrl", _QUEUE))
    ),
    "AWS::Lambda::Function": Kind("FunctionName", "arn:{partition}:lambda:{region}:{account}:function:{name}"),
    "AWS::Serverless::Function": Kind("FunctionName", "arn:{partition}:lambda:{region}:{account}:function:{name}"),
    "AWS::S3::Bucket": Kind("BucketName", "arn:{partition}:s3:::{name}", attributes=(("DomainName", "{name}.s3.{suffix}"),)),
    "AWS::IAM::Role": Kind("RoleName", "arn:{partition}:iam::{account}:role/{name}"),
    "AWS::KMS::Key": Kind("", "arn:{partition}:kms:{region}:{account}:key/{name}"),
    "AWS::CloudTrail::Trail": Kind("TrailName", "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}"),
    "AWS::Events::Rule": Kind("Name", "arn:{partition}:events:{region}:{account}:rule/{name}"),
    "AWS::DynamoDB::Table": Kind("TableName", "arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
    "AWS::Kinesis::Stream": Kind("Name", "arn:{partition}:kinesis:{region}:{account}:stream/{name}"),
    "AWS::KinesisFirehose::DeliveryStream": Kind(
        "DeliveryStreamName", "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}"
    ),
    "AWS::ECS::Cluster": Kind("ClusterName", "arn:{partition}:ecs:{region}:{account}:cluster/{name}"),
    "AWS::ECS::Service": Kind(
        "ServiceName", ref="arn:{partition}:ecs:{region}:{account}:service/{name}", attributes=(("Name", "{name}"),)
    ),
    "AWS::RDS::DBInstance": Kind("DBInstanceIdentifier", "arn:{partition}:rds:{region}:{account}:db:{name}"),
    "AWS::RDS::DBCluster": Kind("DBClusterIdentifier", "arn:{partition}:rds:{region}:{account}:cluster:{name}"),
    "AWS::AutoScaling::AutoScalingGroup": Kind("AutoScalingGroupName"),
    "AWS::ElasticLoadBalancing::LoadBalancer": Kind("LoadBalancerName"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind(
        "Name", ref=_BALANCER, attributes=(("LoadBalancerFullName", "app/{name}/0000000000000000"), ("LoadBalancerArn", _BALANCER))
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Kind(
        "Name", ref=_TARGETS, attributes=(("TargetGroupFullName", "targetgroup/{name}/0000000000000000"), ("TargetGroupArn", _TARGETS))
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        "StateMachineName",
        "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
        "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
        (("Name", "{name}"),),
    ),
    "AWS::ApiGateway::RestApi": Kind(""),
    "AWS::ApiGatewayV2::Api": Kind(""),
}  # fmt: skip
_OTHER = Kind("", "")


class World(NamedTuple):
    """Where a template would be deployed."""

    account: str
    region: str
    stack: str

    @property
    def partition(self) -> str:
        """The partition of the region."""
        return next((f"aws-{name}" for name, start in _PARTITIONS if self.region.startswith(start)), "aws")

    @property
    def suffix(self) -> str:
        """The domain of the partition's hosts."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def stack_id(self) -> str:
        """The ARN of the stack, with an id of zeros."""
        nobody = "00000000-0000-0000-0000-000000000000"
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:stack/{self.stack}/{nobody}"

    @property
    def alarm_arns(self) -> str:
        """What stands before the name in the ARN of an alarm."""
        return self.filled(_ALARM.arn, "")

    def filled(self, pattern: str, name: str, service: str = "") -> str:
        """Write a pattern of `KINDS` for a resource of that name."""
        return pattern.format(
            partition=self.partition,
            suffix=self.suffix,
            region=self.region,
            account=self.account,
            name=name,
            service=service,
        )


_PARTITIONS = (("cn", "cn-"), ("us-gov", "us-gov-"))


def named_by(type_: str) -> str | None:
    """Give the property that names resources of a type, None where they have no name of their own."""
    return KINDS.get(type_, _OTHER).named_by or None


def reference(type_: str, name: str, world: World) -> str:
    """Give what `Ref` gives."""
    return world.filled(KINDS.get(type_, _OTHER).ref, name)


def attribute(type_: str, name: str, wanted: str, world: World) -> str:
    """Give what `Fn::GetAtt` gives; an attribute that is not known is `<name>.<attribute>`."""
    kind = KINDS.get(type_, _OTHER)
    pattern = dict(kind.attributes).get(wanted)
    if pattern is None and wanted == "Arn":
        pattern = kind.arn or f"arn:{ACCOUNT}:{{name}}"
    service = type_.partition("::")[2].partition("::")[0].lower()
    return world.filled(pattern, name, service) if pattern else f"{name}.{wanted}"
