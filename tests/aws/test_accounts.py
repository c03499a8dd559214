"""Clients of accounts: whose credentials they have, how long, and how often they ask."""

from datetime import UTC, datetime, timedelta

import pytest
from policy_cloud import REGION, another_account, cloud  # noqa: F401 - a fixture

from faults import refusal
from rolewatch.aws.accounts import Access, NotOurs
from rolewatch.aws.pace import Pace
from rolewatch.base.errors import CannotDo


def test_the_caller_is_asked_for_once(cloud):
    """Who one is needs no permission."""
    accounts = cloud.accounts()
    assert (accounts.caller.account, accounts.caller.partition) == (cloud.account, "aws")
    assert accounts.client("s3", cloud.account, REGION) is accounts.client("s3", cloud.account, REGION)
    assert cloud.asked() == ["GetCallerIdentity"]


def test_a_role_is_assumed_again_before_it_expires(cloud):
    """Some minutes early; until then its clients are shared."""
    other, now = another_account(), [datetime.now(UTC)]
    accounts = cloud.accounts(Access(None, "Reader"), now=lambda: now[0])
    first = accounts.client("sqs", other, REGION)
    now[0] += timedelta(minutes=50)
    assert accounts.client("sqs", other, REGION) is first
    now[0] += timedelta(minutes=9)
    assert accounts.client("sqs", other, REGION) is not first
    assert cloud.asked() == ["AssumeRole", "AssumeRole", "GetCallerIdentity"]


def test_another_account_without_a_role(cloud):
    """Is nobody's to ask."""
    with pytest.raises(NotOurs, match="credentials of account"):
        cloud.accounts().client("sqs", another_account(), REGION)


def test_every_call_has_time_outs(cloud):
    """And is tried again, with pauses that grow."""
    config = cloud.accounts().client("kms", cloud.account, REGION).meta.config
    assert (config.connect_timeout, config.read_timeout) == (10, 60)
    assert config.retries["total_max_attempts"] > 1


def test_fips_endpoints(cloud, monkeypatch):
    """As botocore's own variable says."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", cloud.proxy.url)
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    client = cloud.accounts().client("kms", cloud.account, "us-gov-west-1")
    assert client.meta.endpoint_url == "https://kms-fips.us-gov-west-1.amazonaws.com"


def test_other_partitions(cloud, monkeypatch):
    """By their regions."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", cloud.proxy.url)
    client = cloud.accounts().client("sqs", cloud.account, "cn-north-1")
    assert client.meta.endpoint_url == "https://sqs.cn-north-1.amazonaws.com.cn"


def test_a_service_that_is_not_in_a_region(cloud):
    """Is known beforehand; one of which botocore has no list is asked everywhere."""
    accounts = cloud.accounts()
    assert accounts.offers("sqs", "eu-west-1")
    assert not accounts.offers("codeartifact", "ap-northeast-3")
    assert accounts.offers("iam", "eu-west-1")
    accounts.caller = accounts.caller._replace(partition="aws-cn")
    assert accounts.offers("sqs", "cn-north-1")
    assert not accounts.offers("ecr-public", "us-east-1")


def test_an_unknown_profile(aws_environment, cloud):
    """Is told, with what to name."""
    del aws_environment
    with pytest.raises(CannotDo, match="profile nobody"):
        cloud.accounts(Access("nobody"))


def test_requests_are_spaced_evenly():
    """Five at once wait for a turn each, and time that has passed is not saved up."""
    now, slept = [100.0], []
    pace = Pace(4, clock=lambda: now[0], sleep=slept.append)
    for _ in range(4):
        pace.wait()
    now[0] = 160.0
    pace.wait()
    pace.wait()
    assert slept == [0.25, 0.5, 0.75, 0.25]
    assert pace.taken == 6


def test_a_retry_waits_for_its_turn(cloud):
    """The pace counts what is sent, not what is asked for."""
    accounts = cloud.accounts()
    before = accounts._pace.taken
    cloud.proxy.fail("ListQueues", refusal("ThrottlingException"))
    accounts.client("sqs", cloud.account, REGION).list_queues()
    assert accounts._pace.taken == before + 2
