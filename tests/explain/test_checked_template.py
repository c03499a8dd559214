"""CloudFormation templates: which policies are in them, what their functions give, and what stays open."""

import json

import pytest
from check_files import VPC, denying, found, names, read

from rolewatch.catalog.policy_kinds import kinds
from rolewatch.explain.lockout_owners import Given
from rolewatch.templates.errors import TemplateError

TEMPLATE = """\
Parameters:
  Endpoint: {Type: String}
  Stage: {Type: String, Default: prod}
  Mfa: {Type: String, Default: 'no'}
Conditions:
  WithMfa: !Equals [!Ref Mfa, 'yes']
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub 'payroll-${Stage}'}
  Own:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: vpc-1, ServiceName: com.amazonaws.us-east-1.s3}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: Tls
            Effect: Deny
            Principal: '*'
            Action: 's3:*'
            Resource: [!GetAtt Bucket.Arn, !Sub '${Bucket.Arn}/*']
            Condition: {Bool: {'aws:SecureTransport': false}}
          - Sid: OnlyEndpoint
            Effect: Deny
            Principal: '*'
            Action: 's3:*'
            Resource: [!GetAtt Bucket.Arn, !Sub '${Bucket.Arn}/*']
            Condition: {StringNotEquals: {'aws:SourceVpce': !Ref ENDPOINT}}
          - !If
            - WithMfa
            - Sid: Mfa
              Effect: Deny
              Principal: '*'
              Action: 's3:*'
              Resource: !Sub '${Bucket.Arn}/*'
              Condition: {'Null': {'aws:MultiFactorAuthAge': true}}
            - !Ref AWS::NoValue
"""


def template(endpoint):
    """Write the template with what its endpoint is."""
    return TEMPLATE.replace("ENDPOINT", endpoint)


def test_an_endpoint_of_the_template():
    """A reference to an endpoint of the template is a value of the customer's own: the roles are shut out for certain."""
    result = found(read(template("Own")))
    assert list(result) == ["Policy"]
    policy = result["Policy"]
    assert policy.subject.resource == "arn:aws:s3:::payroll-prod"
    assert "Config" in names(policy.lockouts)
    assert policy.depends == ()
    statement = policy.lockouts[0].statements[0]
    assert (statement.sid, str(statement.place)) == ("OnlyEndpoint", "t.yaml:27:13")
    assert statement.place.path == "Resources.Policy.Properties.PolicyDocument.Statement[1]"


def test_a_parameter_without_a_value():
    """A parameter without a value is never certain; what is missing is named, with what to do."""
    policy = found(read(template("Endpoint")))["Policy"]
    assert policy.lockouts == ()
    assert "Config" in names(policy.depends)
    assert {each.missing for each in policy.depends} == {("value of Ref Endpoint",)}
    assert "--parameter" in policy.depends[0].reason


def test_a_parameter_with_a_value():
    """A value for the parameter makes it certain."""
    policy = found(read(template("Endpoint"), parameters={"Endpoint": "vpce-0123456789abcdef0"}))["Policy"]
    assert "Config" in names(policy.lockouts)
    assert policy.depends == ()


def test_a_parameter_that_does_not_matter():
    """What holds whatever the value is stays certain: other actions are not concerned, and an open Allow shuts nobody out."""
    statement = denying(
        {"Fn::Sub": "${Bucket}/*"},
        {"StringNotEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}},
        "s3:PutObject",
    )
    document = {
        "Parameters": {"Bucket": {"Type": "String"}, "Endpoint": {"Type": "String"}},
        "Resources": {
            "P": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [statement]}},
            }
        },
    }
    policy = found(read(json.dumps(document)))["P"]
    assert (policy.lockouts, policy.depends) == ((), ())


def test_a_condition_of_the_template():
    """A statement that the template's conditions leave out is not there; with another parameter it is."""
    without = found(read(template("Own")))["Policy"]
    assert all(statement.sid != "Mfa" for each in without.lockouts for statement in each.statements)
    with_it = found(read(template("Own"), parameters={"Mfa": "yes"}))["Policy"]
    assert any(statement.sid == "Mfa" for each in with_it.lockouts for statement in each.statements)


def bucket_policy(statement, **more):
    """Write a template with one bucket policy."""
    resource = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": [statement]}},
    }
    return json.dumps({"Parameters": {"P": {"Type": "String"}}, "Resources": {"B": resource}, **more})


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${P}:root"}}},
        {"Principal": {"Ref": "P"}},
        {"Action": {"Ref": "P"}},
        {"Action": ["s3:Get*", {"Ref": "P"}]},
        {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::Sub": "arn:aws:iam::1:role/${P}"}}}},
        {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": [{"Fn::GetAtt": ["R", "RoleId"]}]}}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": {"Fn::ImportValue": "office"}}}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": {"Fn::Split": [",", {"Ref": "P"}]}}}},
        {"Condition": {"StringNotEquals": {"aws:SourceVpc": "{{resolve:ssm:vpc}}"}}},
    ],
)
def test_open_values(change):
    """Wherever a value stays open, a role is never shut out for certain."""
    statement = {**denying(["arn:aws:s3:::b", "arn:aws:s3:::b/*"], VPC), **change}
    result = read(bucket_policy(statement))
    for policy in found(result).values():
        assert policy.lockouts == ()
    told = [each.reason for each in result.unread]
    assert told or all(policy.depends for policy in found(result).values())


def test_an_open_effect():
    """A statement whose effect stays open is left out, and told."""
    result = read(bucket_policy({**denying("arn:aws:s3:::b/*", VPC), "Effect": {"Ref": "P"}}))
    assert [each.reason for each in result.unread] == [
        "a statement hangs on the value of Ref P, which nothing tells"
    ]
    assert found(result)["B"].lockouts == ()


def test_a_policy_that_is_a_parameter():
    """A policy that stays open as a whole is told, and not checked."""
    resource = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "b", "PolicyDocument": {"Ref": "P"}},
    }
    result = read(json.dumps({"Parameters": {"P": {"Type": "String"}}, "Resources": {"B": resource}}))
    assert result.subjects == ()
    assert [(each.where, each.invalid) for each in result.unread] == [("t.yaml:1:145", False)]


def test_a_policy_as_text():
    """A policy that is written as text is read; its statements are where the text begins."""
    text = json.dumps({"Statement": [denying("arn:aws:s3:::b/*", VPC)]})
    resource = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b", "PolicyDocument": text}}
    policy = found(read(json.dumps({"Resources": {"B": resource}}, indent=1)))["B"]
    assert "AmazonMacie" in names(policy.lockouts)
    assert policy.lockouts[0].statements[0].place.line == 7


def test_an_invalid_policy():
    """An invalid policy is told with its place, and the others are checked."""
    bad = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "a", "PolicyDocument": {"Statement": [{"Effect": "No"}]}},
    }
    good = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": [denying("arn:aws:s3:::b/*", VPC)]}},
    }
    result = read(json.dumps({"Resources": {"Bad": bad, "Good": good}}))
    assert list(found(result)) == ["Good"]
    assert [(each.reason, each.invalid) for each in result.unread] == [("Effect 'No' is none", True)]


def test_a_value_for_no_parameter():
    """A value that is given for no parameter is refused."""
    with pytest.raises(TemplateError, match="do not exist"):
        read(template("Own"), parameters={"Nothing": "1"})


#: Kinds, how a template writes their policy, and a statement of it.
KINDS = (
    ("AWS::KMS::Key", {"KeyPolicy": ...}, "kms:*", "*"),
    ("AWS::SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": ...}, "sqs:*", "*"),
    ("AWS::SQS::QueueInlinePolicy", {"Queue": {"Ref": "Queue"}, "PolicyDocument": ...}, "sqs:*", "*"),
    ("AWS::SNS::TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": ...}, "sns:Publish", "*"),
    ("AWS::SecretsManager::ResourcePolicy", {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": ...}, "secretsmanager:*", "*"),
    ("AWS::ECR::Repository", {"RepositoryName": "r", "RepositoryPolicyText": ...}, "ecr:*", None),
    ("AWS::EFS::FileSystem", {"FileSystemPolicy": ...}, "elasticfilesystem:*", "*"),
    ("AWS::Backup::BackupVault", {"BackupVaultName": "v", "AccessPolicy": ...}, "backup:*", "*"),
    ("AWS::DynamoDB::Table", {"TableName": "t", "ResourcePolicy": {"PolicyDocument": ...}}, "dynamodb:*", "*"),
    ("AWS::Kinesis::Stream", {}, "kinesis:*", "*"),
    ("AWS::OpenSearchService::Domain", {"DomainName": "d", "AccessPolicies": ...}, "es:*", "*"),
    ("AWS::Logs::LogGroup", {"LogGroupName": "g", "ResourcePolicyDocument": ...}, "logs:*", "*"),
)  # fmt: skip


def filled(value, policy):
    """Put a policy where `...` is."""
    if value is ...:
        return policy
    if isinstance(value, dict):
        return {key: filled(item, policy) for key, item in value.items()}
    return value


@pytest.mark.parametrize(("kind", "properties", "action", "resource"), KINDS, ids=[row[0] for row in KINDS])
def test_every_kind(kind, properties, action, resource):
    """The policies of each kind of resource are found where CloudFormation writes them, with the resource they are of."""
    statement = denying(resource, VPC, action)
    if resource is None:
        del statement["Resource"]
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "s"}},
        "R": {"Type": kind, "Properties": filled(properties, policy)},
    }
    if not properties:
        resources["R"] = {
            "Type": "AWS::Kinesis::ResourcePolicy",
            "Properties": {"ResourceArn": "arn:aws:kinesis:us-east-1:1:stream/s", "ResourcePolicy": policy},
        }
    result = read(json.dumps({"Resources": resources}))
    assert result.unread == ()
    assert list(found(result)) == ["R"]
    lockouts = found(result)["R"].lockouts
    assert lockouts
    assert all(each.statements[0].sid == "Closed" for each in lockouts)


def test_names_are_read():
    """Queues are named by URL, topics by ARN, others by name: each becomes the resource's ARN."""
    queue = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": []}},
    }
    topic = {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": []}},
    }
    named = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}
    alerts = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alerts"}}
    document = {"Resources": {"Queue": named, "Topic": alerts, "Q": queue, "T": topic}}
    resources = {each.address: each.resource for each in read(json.dumps(document)).subjects}
    assert resources == {
        "Q": "arn:aws:sqs:us-east-1:111122223333:orders",
        "T": "arn:aws:sns:us-east-1:111122223333:alerts",
    }


def test_every_row_of_the_catalogue_is_understood():
    """No way in which the catalogue says that CloudFormation writes a whole policy raises, however the policy is written."""
    for kind in kinds():
        for row in kind.cloudformation:
            if row.form == "fields":
                continue
            value = {"Statement": [denying("*", VPC, f"{kind.prefixes[0].replace('*', 's3')}:*")]}
            value = value["Statement"] if row.form == "statement" else value
            for step in reversed(row.policy.split(".")):
                value = {step: value}
            result = read(json.dumps({"Resources": {"R": {"Type": row.type, "Properties": value}}}))
            assert not any(each.invalid for each in result.unread), (row, result.unread)
            found(result)


def test_a_literal_account():
    """A key policy that hands on to an account written out is of that account, whatever stands for AWS::AccountId."""
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [allow]}},
    }
    policy = found(read(json.dumps({"Resources": {"K": key}})))["K"]
    assert (policy.lockouts, policy.depends, policy.owner.account) == ((), (), "999988887777")


def test_a_policy_as_text_with_a_parameter():
    """In a policy that is text, made with Fn::Sub, only what hangs on an open value is in doubt."""
    closed = denying("arn:aws:s3:::b/*", {"StringNotEquals": {"aws:SourceVpc": "${Vpc}"}}, "s3:GetObject")
    certain = denying("arn:aws:s3:::b", VPC, "s3:GetBucket*")
    text = json.dumps({"Version": "2012-10-17", "Statement": [closed, certain]})
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "b", "PolicyDocument": {"Fn::Sub": text}},
    }
    template = json.dumps({"Parameters": {"Vpc": {"Type": "String"}}, "Resources": {"B": policy}})
    result = found(read(template))["B"]
    assert "Config" in names(result.lockouts)
    assert {each.missing for each in result.depends} == {("value of Ref Vpc",)}
    assert names(result.depends) >= {"AmazonMacie"}
    assert {statement.place.line for each in result.lockouts for statement in each.statements} == {1}
    known = found(read(template, parameters={"Vpc": "vpc-0a1b2c3d4e5f60718"}))["B"]
    assert known.depends == ()


def test_an_open_organization():
    """An organization that stays open is taken for the account's own, unless the account's is known."""
    statement = denying(
        ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], {"StringNotEquals": {"aws:PrincipalOrgID": {"Ref": "P"}}}
    )
    policy = found(read(bucket_policy(statement)))["B"]
    assert (policy.lockouts, policy.depends) == ((), ())
    known = found(read(bucket_policy(statement), given=Given(organization="o-a1b2c3d4e5")))["B"]
    assert known.lockouts == ()
    assert {each.missing for each in known.depends} == {("value of Ref P",)}
    given_value = read(
        bucket_policy(statement), given=Given(organization="o-a1b2c3d4e5"), parameters={"P": "o-zzzzzzzzzz"}
    )
    assert "Config" in names(found(given_value)["B"].lockouts)


def test_an_open_account():
    """An account that stays open, and that a key's policy hands on to, is taken for the key's own; an open role is in doubt."""
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${P}:root"}},
        "Action": "kms:*",
        "Resource": "*",
    }
    admin = {**allow, "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/${P}"}}}

    def key(statement):
        resource = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}}
        return found(
            read(json.dumps({"Parameters": {"P": {"Type": "String"}}, "Resources": {"K": resource}}))
        )["K"]

    assert (key(allow).lockouts, key(allow).depends) == ((), ())
    assert key(admin).lockouts == ()
    assert "Config" in names(key(admin).depends)


@pytest.mark.parametrize("element", ["NotPrincipal", "NotAction", "NotResource"])
def test_open_values_of_negated_elements(element):
    """What a negated element leaves out is in doubt if it stays open."""
    value = {"AWS": {"Ref": "P"}} if element == "NotPrincipal" else {"Ref": "P"}
    statement = {**denying(["arn:aws:s3:::b", "arn:aws:s3:::b/*"], VPC), element: value}
    del statement[element.removeprefix("Not")]
    policy = found(read(bucket_policy(statement)))["B"]
    assert policy.lockouts == ()
    assert "Config" in names(policy.depends)
