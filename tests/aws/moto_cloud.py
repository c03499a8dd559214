"""moto's server with more resources of CloudFormation: started as a process by tests, it prints its address.

moto's stacks know buckets, topics, keys, roles, log groups and dashboards, but neither trails nor metric filters, alarms,
subscriptions and bucket policies, though moto has all of these beside its stacks. This teaches them to its stacks, by moto's own
backends; that `RetainExceptOnCreate` retains, that resources go whose condition turns false, and that `AWS::NoValue` is nothing in a list, too. What moto cannot do at all (log alarms, saved queries, topic policies) it leaves
out of a stack without a word. A change set names every resource of the template, whether or not its condition holds.
"""

import json
import sys
import threading
import warnings

from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends


class _Made(CloudFormationModel):
    """A resource of a stack that one of moto's backends has made."""

    __module__ = "moto.taught.models"  # moto looks for a service's name in it

    def __init__(self, name, arn, remove):
        self.physical_resource_id, self.arn, self._remove = name, arn, remove

    def get_cfn_attribute(self, name):
        if name == "Arn":
            return self.arn
        raise parsing.UnformattedGetAttTemplateException

    def delete(self, account_id, region_name):
        del account_id, region_name
        self._remove()

    @staticmethod
    def cloudformation_name_type():
        return ""

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr == "Arn"

    @staticmethod
    def cloudformation_type():
        return "AWS::None::AtAll"


def _taught(type_, make, change=None):
    """Teach moto a type: `make(name, properties, account, region)` returns what was made."""

    class Type(_Made):
        __module__ = _Made.__module__

        @staticmethod
        def cloudformation_type():
            return type_

        @classmethod
        def create_from_cloudformation_json(cls, name, body, account, region, **_):
            return make(name, body["Properties"], account, region)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):  # fmt: skip
            if change is not None:
                change(original_resource, cloudformation_json["Properties"], account_id, region_name)
                return original_resource
            original_resource.delete(account_id, region_name)
            return make(new_resource_name, cloudformation_json["Properties"], account_id, region_name)

        @classmethod
        def delete_from_cloudformation_json(cls, *_):
            raise NotImplementedError

    return Type


def _trail(_, has, account, region):
    backend = cloudtrail_backends[account][region]
    made = backend.create_trail(
        has["TrailName"], has["S3BucketName"], None, None, has["IncludeGlobalServiceEvents"],
        has["IsMultiRegionTrail"], has["EnableLogFileValidation"], has["IsOrganizationTrail"],
        has.get("CloudWatchLogsLogGroupArn"), has.get("CloudWatchLogsRoleArn"), has.get("KMSKeyId"), [],
    )  # fmt: skip
    made.status.start_logging()
    backend.put_event_selectors(made.trail_name, None, has.get("AdvancedEventSelectors"))
    return _Made(made.trail_name, made.arn, lambda: backend.delete_trail(made.trail_name))


def _changed_trail(made, has, account, region):
    trail = cloudtrail_backends[account][region].get_trail(made.physical_resource_id)
    trail.cw_log_group_arn = has.get("CloudWatchLogsLogGroupArn")
    trail.cw_role_arn = has.get("CloudWatchLogsRoleArn")
    trail.is_multi_region = has["IsMultiRegionTrail"]
    trail.advanced_event_selectors = has.get("AdvancedEventSelectors") or []


def _filter(name, has, account, region):
    backend, group = logs_backends[account][region], has["LogGroupName"]
    transformations = [
        {each[0].lower() + each[1:]: value for each, value in one.items()}
        for one in has["MetricTransformations"]
    ]
    for each in transformations:  # a mapping in the API, a list in a template
        each["dimensions"] = {one["Key"]: one["Value"] for one in each.get("dimensions", [])}
    backend.put_metric_filter(name, has["FilterPattern"], group, transformations)
    return _Made(name, None, lambda: backend.delete_metric_filter(name, group))


def _alarm(_, has, account, region):
    backend = cloudwatch_backends[account][region]
    backend.put_metric_alarm(
        has["AlarmName"], has.get("Namespace"), has.get("MetricName"), has["ComparisonOperator"],
        has["EvaluationPeriods"], has.get("Period"), has.get("Threshold"), has.get("Statistic"), has["AlarmDescription"],
        has.get("Dimensions") or [], has.get("AlarmActions") or [], datapoints_to_alarm=has["DatapointsToAlarm"], ok_actions=has.get("OKActions") or [],
        insufficient_data_actions=[], treat_missing_data=has["TreatMissingData"],
    )  # fmt: skip
    return _Made(has["AlarmName"], None, lambda: backend.delete_alarms([has["AlarmName"]]))


def _composite(_, has, account, region):
    backend = cloudwatch_backends[account][region]
    backend.put_metric_alarm(
        has["AlarmName"], None, None, None, None, None, None, None, has["AlarmDescription"], [],
        has["AlarmActions"], ok_actions=[], insufficient_data_actions=[], rule=has["AlarmRule"],
    )  # fmt: skip
    return _Made(has["AlarmName"], None, lambda: backend.delete_alarms([has["AlarmName"]]))


def _subscription(_, has, account, region):
    backend = sns_backends[account][region]
    made = backend.subscribe(has["TopicArn"], has["Endpoint"], has["Protocol"])
    return _Made(made.arn, made.arn, lambda: backend.unsubscribe(made.arn))


def _bucket_policy(_, has, account, region):
    del region
    backend = s3_backends[account]["aws"]
    backend.put_bucket_policy(has["Bucket"], json.dumps(has["PolicyDocument"]).encode())
    return _Made(has["Bucket"], None, lambda: backend.delete_bucket_policy(has["Bucket"]))


def _key(_, has, account, region):
    """Moto's own keys of stacks cannot have tags."""
    backend = kms_backends[account][region]
    tags = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in has.get("Tags", [])]
    made = backend.create_key(
        policy=json.dumps(has["KeyPolicy"]), key_usage="ENCRYPT_DECRYPT", key_spec="SYMMETRIC_DEFAULT",
        description=has["Description"], tags=tags,
    )  # fmt: skip
    return _Made(made.id, made.arn, lambda: backend.schedule_key_deletion(made.id, 30))


def _executing(execute):
    """Let a stack know its description and outputs after a change set, and follow conditions that have changed."""

    def executed(self, change_set_name, stack_name=None):
        change_set = self.describe_change_set(change_set_name)
        stack = change_set.stack
        for name, value in change_set.parameters.items():
            if isinstance(value, list):  # a list that the stack had before
                change_set.parameters[name] = ",".join(value)
        parsed = stack.resource_map._parsed_resources
        for name in [name for name, value in parsed.items() if value is None and name != "AWS::NoValue"]:
            del parsed[name]  # what was not there may be now
        execute(self, change_set_name, stack_name)
        stack._parse_template()
        stack.description, stack.parameters = stack.template_dict["Description"], change_set.parameters
        resources = stack.resource_map
        holds = resources.lazy_condition_map
        for name, body in reversed(resources._resource_json_map.items()):
            exists = resources._parsed_resources.get(name)
            if exists and body.get("Condition") and not holds[body["Condition"]]:
                del resources._parsed_resources[name]
                if not body.get("DeletionPolicy", "").startswith("Retain"):
                    resources._delete_resource(exists, body)
        for name in resources._resource_json_map:
            if parsed.get(name) is None:
                parsed.pop(name, None)
                _ = resources[name]  # makes it, if its condition holds
        trail = resources._resource_json_map.get("NewTrailOfStack")
        if trail and holds[trail["Condition"]]:
            parsing.parse_and_update_resource(
                "NewTrailOfStack", trail, resources, self.account_id, self.region_name
            )
        stack.output_map = stack._create_output_map()

    return executed


def _updating(update):
    """Leave alone what is not, or will not be any more, and what moto would make anew or forget (its buckets, its log groups)."""
    followed = {each.cloudformation_type() for each in TAUGHT} - {"AWS::KMS::Key"}

    def updated(logical_id, body, resources, *where, **places):
        there = not body.get("Condition") or resources.lazy_condition_map[body["Condition"]]
        if there and body["Type"] not in followed:
            return resources[logical_id]
        return (
            update(logical_id, body, resources, *where, **places)
            if there
            else resources._parsed_resources.get(logical_id)
        )

    return updated


def _without_nothing(clean):
    def cleaned(value, resources):
        found = clean(value, resources)
        return [each for each in found if each is not None] if isinstance(found, list) else found

    return cleaned


def _retaining(delete):
    def retained(self):
        for body in self._resource_json_map.values():
            if body.get("DeletionPolicy") == "RetainExceptOnCreate":
                body["DeletionPolicy"] = "Retain"
        delete(self)

    return retained


TAUGHT = (
    _taught("AWS::CloudTrail::Trail", _trail, _changed_trail),
    _taught("AWS::Logs::MetricFilter", _filter),
    _taught("AWS::CloudWatch::Alarm", _alarm),
    _taught("AWS::CloudWatch::CompositeAlarm", _composite),
    _taught("AWS::SNS::Subscription", _subscription),
    _taught("AWS::S3::BucketPolicy", _bucket_policy),
    _taught("AWS::KMS::Key", _key),
)


def main():
    """Serve until standard input ends."""
    warnings.simplefilter("ignore")
    models = parsing.get_model_map()
    models.update({each.cloudformation_type(): each for each in TAUGHT})
    CloudFormationBackend.execute_change_set = _executing(CloudFormationBackend.execute_change_set)
    Stack.stack_resources = property(lambda self: [each for each in self.resource_map.values() if each])
    parsing.parse_and_update_resource = _updating(parsing.parse_and_update_resource)
    parsing.clean_json = _without_nothing(parsing.clean_json)
    parsing.ResourceMap.delete = _retaining(parsing.ResourceMap.delete)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()
    threading.Event().wait(0)


if __name__ == "__main__":
    main()
