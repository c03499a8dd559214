"""What the tests of `aws policies` share: moto's accounts, faults in between, and what was asked for."""

import json
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import boto3
import pytest

from faults import Proxy
from rolewatch.aws.accounts import Access, Accounts
from rolewatch.aws.pace import Pace
from rolewatch.aws.policies import Scope, collect
from rolewatch.aws.policy_kept import Kept
from rolewatch.aws.policy_targets import Wanted, of_arns

REGION = "us-east-1"
DAY = timedelta(days=1)
NOBODY_ELSE, NOTHING_MORE = Access(), Scope()

_accounts = count(200000000001)


class Cloud:
    """One account of moto that no other test uses, reached through a proxy; `calls` are the operations that were asked for."""

    def __init__(self, url, account, proxy):
        self.url, self.account, self.proxy = url, account, proxy
        self.calls = []
        self._straight = self._session(url)

    def _session(self, url):
        sts = boto3.client(
            "sts",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - made up
        )
        role = f"arn:aws:iam::{self.account}:role/test"
        self.keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        sts.close()
        return boto3.Session(
            self.keys["AccessKeyId"],
            self.keys["SecretAccessKey"],
            self.keys["SessionToken"],
            region_name=REGION,
        )

    @contextmanager
    def client(self, service, region=REGION):
        """Give a client that no fault befalls."""
        made = self._straight.client(service, endpoint_url=self.url, region_name=region)
        try:
            yield made
        finally:
            made.close()

    @property
    def environ(self):
        """The variables that lead to this account, through the proxy."""
        return {
            "AWS_ACCESS_KEY_ID": self.keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.keys["SessionToken"],
            "AWS_ENDPOINT_URL": self.proxy.url,
            "AWS_REGION": REGION,
        }

    def bucket(self, *, policy=True):
        """Make a bucket, whose policy lets in one VPC only; returns its ARN."""
        name = f"b-{uuid.uuid4().hex[:12]}"
        with self.client("s3") as s3:
            s3.create_bucket(Bucket=name)
            if policy:
                s3.put_bucket_policy(Bucket=name, Policy=json.dumps(vpc_only(f"arn:aws:s3:::{name}", "s3:*")))
        return f"arn:aws:s3:::{name}"

    def accounts(self, access=NOBODY_ELSE, **more):
        """Make what asks AWS, at once."""
        return Accounts(access, Pace(1_000_000), prepare=self._note, **more)

    def collect(
        self, folder, *arns, scope=NOTHING_MORE, access=NOBODY_ELSE, max_age=DAY, now=None, wanted=None
    ):
        """Collect into a folder; returns the report."""
        self.calls.clear()
        accounts = self.accounts(access)
        wanted = wanted or (of_arns(arns, caller=self.account) if arns else Wanted())
        kept = Kept(str(folder), max_age=max_age, now=now or (lambda: datetime.now(UTC)))
        return collect(wanted, scope, accounts, kept, threads=4, tell=None)

    def _note(self, client):
        service = client.meta.service_model
        client.meta.events.register(
            "before-call", lambda model, **_: self.calls.append((service, model.name))
        )

    def asked(self):
        """Return the names of the operations of the last run, sorted."""
        return sorted(name for _, name in self.calls)


@contextmanager
def cloud_at(url, account):
    """Open an account behind a proxy of its own."""
    proxy = Proxy(url)
    try:
        yield Cloud(url, account, proxy)
    finally:
        proxy.close()


def another_account():
    """Give the number of an account that no other test uses."""
    return str(next(_accounts))


@pytest.fixture
def cloud(aws_environment, moto_url, monkeypatch):
    """Open an account of its own, and let the environment lead to it."""
    del aws_environment
    with cloud_at(moto_url, another_account()) as found:
        for name, value in found.environ.items():
            monkeypatch.setenv(name, value)
        yield found


def vpc_only(arn, action):
    """Write a policy that denies everything from elsewhere than one VPC."""
    resource = [arn, f"{arn}/*"] if ":s3:" in arn else arn
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": action, "Resource": resource},
            {"Sid": "VpcOnly", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
             "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d5e6f7a8b9"}}},
        ],
    }  # fmt: skip


def statuses(report):
    """Return what became of each thing, by (resource, policy)."""
    return {
        (each["resource"], each["policy"]): each["status"]
        for each in (*report["collected"], *report["not_collected"])
    }
