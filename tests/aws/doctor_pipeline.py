"""The article's pipeline in an account of moto, for doctor to examine, and to be broken."""

import json
from datetime import UTC, datetime

import pytest
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures

from faults import Answer, Proxy, refusal
from rolewatch.aws.checks_fix import pattern
from rolewatch.patterns import compile_pattern

GROUP = "CloudTrail/logs"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
STREAM = f"{ACCOUNT}_CloudTrail_{REGION}"


def stands_in(request):
    """Answer what moto cannot: that a log group has no transformer, and TestMetricFilter, by our own patterns."""
    if request.operation == "GetTransformer":
        return refusal("ResourceNotFoundException")
    if request.operation != "TestMetricFilter":
        return None
    asked = json.loads(request.body)
    matches = compile_pattern(asked["filterPattern"])
    found = [
        {"eventNumber": number, "eventMessage": message, "extractedValues": {}}
        for number, message in enumerate(asked["logEventMessages"], 1)
        if matches(message)
    ]
    return Answer(200, json.dumps({"matches": found}).encode())


@pytest.fixture
def proxy(cloud, monkeypatch):
    """Stand between rolewatch and moto."""
    made = Proxy(cloud.url)
    made.fault = stands_in
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    yield made
    made.close()


class Built:
    """A pipeline, as somebody has built it by hand; `clients` are by service."""

    def __init__(self, cloud):
        names = ("cloudtrail", "logs", "cloudwatch", "sns", "kms", "iam")
        self.cloud, self.clients = cloud, {name: cloud.client(name) for name in names}
        self.key = self._key()
        self._topic()
        self._log_group()
        self._trail()
        self.put_filter()
        self.put_alarm()
        self.put_silence()

    def _key(self):
        own = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        alarms = {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [own, alarms]})
        return self.clients["kms"].create_key(Policy=policy)["KeyMetadata"]["KeyId"]

    def _topic(self):
        sns = self.clients["sns"]
        sns.create_topic(Name="alerts", Attributes={"KmsMasterKeyId": self.key})
        sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="alice@example.com")

    def _log_group(self):
        logs = self.clients["logs"]
        logs.create_log_group(logGroupName=GROUP)
        logs.put_retention_policy(logGroupName=GROUP, retentionInDays=90)
        logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "{}"}
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])

    def _trail(self):
        iam = self.clients["iam"]
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        delivers = {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:log-stream:{STREAM}*",
        }
        iam.create_role(
            RoleName="delivers",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        policy = json.dumps({"Version": "2012-10-17", "Statement": [delivers]})
        made = iam.create_policy(PolicyName="deliver", PolicyDocument=policy)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="delivers", PolicyArn=made)
        self.cloud.make_trail(
            "management-events",
            CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:*",
            CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/delivers",
            IncludeGlobalServiceEvents=True,
        )
        objects = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
        self.clients["cloudtrail"].put_event_selectors(
            TrailName="management-events",
            EventSelectors=[
                {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": objects}
            ],
        )

    def put_filter(self, text=None, **made):
        """Write the filter; moto would keep the old one beside it."""
        if self.clients["logs"].describe_metric_filters(logGroupName=GROUP)["metricFilters"]:
            self.clients["logs"].delete_metric_filter(logGroupName=GROUP, filterName="denied")
        self.clients["logs"].put_metric_filter(
            logGroupName=GROUP,
            filterName="denied",
            filterPattern=pattern() if text is None else text,
            metricTransformations=[
                {"metricNamespace": "Local", "metricName": "Denied", "metricValue": "1", **made}
            ],
        )

    def put_alarm(self, **changes):
        """Write the alarm on denials."""
        self.clients["cloudwatch"].put_metric_alarm(
            **{
                "AlarmName": "denied",
                "Namespace": "Local",
                "MetricName": "Denied",
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 12,
                "DatapointsToAlarm": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [TOPIC],
                **changes,
            }
        )

    def put_silence(self):
        """Write the alarm on a log group into which nothing comes."""
        self.put_alarm(
            AlarmName="silent",
            Namespace="AWS/Logs",
            MetricName="IncomingLogEvents",
            Dimensions=[{"Name": "LogGroupName", "Value": GROUP}],
            ComparisonOperator="LessThanThreshold",
            TreatMissingData="breaching",
            EvaluationPeriods=3,
            DatapointsToAlarm=3,
        )


@pytest.fixture
def built(cloud, proxy):
    """Build a healthy pipeline."""
    del proxy
    return Built(cloud)


def doctor(cloud, *words):
    """Run it; returns the exit status, the report and what was said on stderr."""
    status, out, err = cloud.run("doctor", *words, "--format", "json")
    return status, json.loads(out), err


def wrong(report):
    """Give the checks that are not content, with their status."""
    return {(each["id"], each["status"]) for each in report["checks"] if each["status"] != "ok"}
