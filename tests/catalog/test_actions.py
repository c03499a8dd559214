"""Which IAM action an API call needs."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from rolewatch.catalog import actions
from rolewatch.catalog.actions import iam_action

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "src/rolewatch/catalog/data/actions.json"


@pytest.mark.parametrize(
    ("source", "name", "action"),
    [
        ("sqs", "GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("sqs", "SendMessageBatch", "sqs:SendMessage"),
        ("kms", "DescribeKey", "kms:DescribeKey"),
        ("macie2", "GetMacieSession", "macie2:GetMacieSession"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "ListObjects", "s3:ListBucket"),
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "ListParts", "s3:ListMultipartUploadParts"),
        ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3", "GetBucketLifecycle", "s3:GetLifecycleConfiguration"),
        ("s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
        ("s3", "GetBucketReplication", "s3:GetReplicationConfiguration"),
        ("s3", "GetBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3", "GetAccountPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("s3", "GetBucketCors", "s3:GetBucketCORS"),
        ("s3", "GetAccelerateConfiguration", "s3:GetAccelerateConfiguration"),
        ("s3", "CreateSession", "s3express:CreateSession"),
        ("s3", "GetBucketLocation", "s3:GetBucketLocation"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda", "GetFunction20150331v2", "lambda:GetFunction"),
        ("lambda", "GetPolicy20150331v2", "lambda:GetPolicy"),
        ("cloudfront", "GetDistribution2020_05_31", "cloudfront:GetDistribution"),
        ("monitoring", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
        ("email", "SendEmail", "ses:SendEmail"),
        ("ses", "SendEmail", "ses:SendEmail"),
        ("tagging", "GetResources", "tag:GetResources"),
        ("elasticfilesystem", "DescribeFileSystems", "elasticfilesystem:DescribeFileSystems"),
        ("es", "DescribeDomain", "es:DescribeDomain"),
        ("opensearch", "DescribeDomain", "es:DescribeDomain"),
        ("models.lex", "GetBot", "lex:GetBot"),
        ("autoscaling", "UpdateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup"),
        ("autoscaling", "RegisterScalableTarget", "application-autoscaling:RegisterScalableTarget"),
        ("apigateway", "GetRestApis", "apigateway:GET"),
        ("apigateway", "UpdateStage", "apigateway:PATCH"),
        ("organizations", "ListDelegatedAdministrators", "organizations:ListDelegatedAdministrators"),
    ],
)
def test_known_calls_have_their_action(source, name, action):
    """The action of a known call is exact, in IAM's spelling, whatever the API or its version is called."""
    assert iam_action(f"{source}.amazonaws.com", name) == (action, True)


@pytest.mark.parametrize(
    ("source", "name", "guess"),
    [
        ("newthing.amazonaws.com", "DoIt", "newthing:DoIt"),
        ("runtime.newthing.amazonaws.com", "DoIt", "runtime:DoIt"),
        ("runtime.kms.amazonaws.com", "DoIt", "kms:DoIt"),
        ("kms.amazonaws.com", "ReEncrypt", "kms:ReEncrypt"),  # needs ReEncryptFrom or ReEncryptTo
        ("lambda.amazonaws.com", "DoIt20991231v3", "lambda:DoIt"),
        ("s3.amazonaws.com", "20200101", "s3:20200101"),
        ("unknown", "unknown", "unknown:unknown"),
    ],
)
def test_other_calls_are_guesses(source, name, guess):
    """What is not known, or needs one of several actions, is the API's own name, marked as a guess."""
    assert iam_action(source, name) == (guess, False)


def test_case_does_not_matter():
    """Names are compared without regard to case, and answered in IAM's spelling."""
    assert iam_action("s3.amazonaws.com", "getbucketpolicy") == ("s3:GetBucketPolicy", True)


def test_china_has_the_same_actions():
    """Event sources of the China regions lead to the same actions."""
    assert iam_action("monitoring.amazonaws.com.cn", "PutMetricAlarm") == ("cloudwatch:PutMetricAlarm", True)


def test_exceptions_lead_to_actions_that_exist():
    """Every API name that is translated, and every event source, leads to something that IAM knows."""
    table = actions._table()
    lost = [
        f"{prefix}:{api}"
        for prefix, apis in table.apis.items()
        for api, action in apis.items()
        for home, _, name in [(action if ":" in action else f"{prefix}:{action}").partition(":")]
        if name not in table.prefixes.get(home, "").split()
    ]
    strange = [
        host for host, prefixes in table.sources.items() if not set(prefixes.split()) <= table.prefixes.keys()
    ]
    assert (lost, strange) == ([], [])


def test_exceptions_are_needed():
    """No API name is translated that is an action of the same prefix anyway."""
    table = actions._table()
    needless = [
        f"{prefix}:{api}"
        for prefix, apis in table.apis.items()
        for api in apis
        if api.lower() in table.prefixes[prefix].lower().split()
    ]
    assert needless == []


def test_table_is_small_and_loads_quickly():
    """The table stays under 600 KB and is read within 15 ms, best of five."""
    times = []
    for _ in range(5):
        actions._table.cache_clear()
        start = time.perf_counter()
        actions._table()
        times.append(time.perf_counter() - start)
    assert (DATA.stat().st_size < 600_000, min(times) < 0.015) == (True, True)


@pytest.mark.slow
def test_table_is_what_the_packages_give():
    """The committed table is what scripts/refresh_catalog.py makes of the installed packages."""
    command = [sys.executable, str(ROOT / "scripts" / "refresh_catalog.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "actions.json is as the packages give it\n"), done.stderr
