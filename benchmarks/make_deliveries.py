"""Write labelled CloudTrail deliveries for the benchmarks: OUT/AWSLogs/… and OUT/labels.json.

Usage: make_deliveries.py OUT [--megabytes N] [--profile mixed|plain|escapes|small|pretty] [--seed N]

`mixed` is what the README's figures are measured on: records of 1.3-1.8 KB, 12.5 % of them from service-linked
roles, 1.75 % with an error, 1.5 % with escaped quotes, half the bytes in files of 20-100 records and half in files
of 2,000-12,000. The other profiles change one thing each: no escapes, 2 % escapes, only files of 50 records,
pretty-printed. Every record is synthetic; nothing is copied from anywhere.
"""

import argparse
import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from isal import igzip

ACCOUNTS = ("111122223333", "444455556666", "777788889999")
REGIONS = ("us-east-1", "us-west-2", "eu-central-1")
START = datetime(2026, 3, 1, tzinfo=UTC)
LINKED = (
    ("config.amazonaws.com", "AWSServiceRoleForConfig"),
    ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty"),
    ("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie"),
    ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer"),
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor"),
)
LINKED_CALLS = (
    ("s3", "GetBucketLocation"), ("s3", "GetBucketPolicy"), ("s3", "GetBucketAcl"), ("s3", "GetBucketEncryption"),
    ("s3", "GetBucketVersioning"), ("s3", "GetBucketLogging"), ("s3", "HeadBucket"), ("s3", "ListObjects"),
    ("ec2", "DescribeInstances"), ("ec2", "DescribeSecurityGroups"), ("kms", "DescribeKey"), ("lambda", "GetPolicy20150331v2"),
)  # fmt: skip
CALLS = (
    ("ec2", "DescribeInstances"), ("ec2", "DescribeVolumes"), ("s3", "GetObject"), ("s3", "PutObject"), ("kms", "Decrypt"),
    ("sts", "AssumeRole"), ("logs", "CreateLogStream"), ("dynamodb", "DescribeTable"), ("ssm", "UpdateInstanceInformation"),
    ("secretsmanager", "GetSecretValue"), ("iam", "GetRole"), ("ecs", "DescribeTasks"), ("sqs", "CreateQueue"),
)  # fmt: skip
AGENTS = (
    "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.173.0",
    "Boto3/1.34.131 md/Botocore#1.34.131 ua/2.0 os/linux#6.1.94-99.176.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.3",
    "aws-cli/2.17.13 md/awscrt#0.20.11 ua/2.0 os/linux#5.15.0-1064-aws md/arch#x86_64 lang/python#3.11.9",
)
ERRORS = (
    "Client.RequestLimitExceeded",
    "ThrottlingException",
    "NoSuchEntityException",
    "ResourceNotFoundException",
    "AccessDenied",
    "Client.UnauthorizedOperation",
)


class Profile(NamedTuple):
    """One mix of records and files."""

    escapes: float = 0.015
    small: float = 0.5  # of the bytes in files of `sizes` records
    sizes: tuple[int, int] = (20, 100)
    pretty: bool = False


PROFILES = {
    "mixed": Profile(),
    "plain": Profile(escapes=0.0),
    "escapes": Profile(escapes=0.02),
    "small": Profile(small=1.0, sizes=(50, 50)),
    "pretty": Profile(pretty=True),
}


class Writer:
    """Makes records and remembers what a scan has to find in them."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self._random = random.Random(seed)
        self._profile = profile
        self.labels: dict[str, int] = {"records": 0, "denials": 0}
        self.findings: dict[str, int] = {}

    def record(self, account: str, region: str, time: datetime) -> dict[str, Any]:
        """Make one record and label it."""
        rng = self._random
        linked = rng.random() < 0.125
        source, name = rng.choice(LINKED_CALLS if linked else CALLS)
        identity, role = self._linked(account) if linked else (self._person(account), "")
        agent = identity.get("invokedBy") or rng.choice(AGENTS)
        bucket = f"data-{rng.randrange(4000):04d}-{account}"
        made: dict[str, Any] = {
            "eventVersion": "1.10",
            "userIdentity": identity,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": identity.get(
                "invokedBy", f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
            ),
            "userAgent": agent,
        }
        error = rng.random() < 0.0175
        resource = self._subject(source, account, region, bucket)
        if error:
            code = rng.choice(ERRORS)
            made["errorCode"] = code
            denied = code in ("AccessDenied", "Client.UnauthorizedOperation")
            made["errorMessage"] = (
                f"User: {identity['arn']} is not authorized to perform: {source}:{name} with an explicit deny in a resource-based policy"
                if denied
                else "Rate exceeded"
            )
            if linked and denied:
                key = f"{role} | {resource or 'service:' + made['eventSource']}"
                self.findings[key] = self.findings.get(key, 0) + 1
                self.labels["denials"] += 1
        made["requestParameters"] = self._request(source, name, bucket, resource)
        made["responseElements"] = None
        made["additionalEventData"] = {
            "SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": rng.randrange(4096),
            "AuthenticationMethod": "AuthHeader", "x-amz-id-2": self._hex(76), "bytesTransferredOut": rng.randrange(90000),
        }  # fmt: skip
        if rng.random() < self._profile.escapes:
            made["requestParameters"]["policyDocument"] = json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
                }
            )
        made |= {
            "requestID": self._hex(16).upper(),
            "eventID": str(uuid.UUID(int=rng.getrandbits(128))),
            "readOnly": True,
        }
        if source == "s3":
            made["resources"] = [
                {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}
            ]
        data = name in ("GetObject", "PutObject", "HeadBucket", "ListObjects")
        made |= {
            "eventType": "AwsApiCall", "managementEvent": not data, "recipientAccountId": account,
            "eventCategory": "Data" if data else "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com"},
        }  # fmt: skip
        self.labels["records"] += 1
        return made

    def _hex(self, digits: int) -> str:
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def _linked(self, account: str) -> tuple[dict[str, Any], str]:
        service, name = self._random.choice(LINKED)
        role = f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}"
        return self._session(account, name, role, "AROA" + self._hex(16).upper()) | {
            "invokedBy": service
        }, role

    def _person(self, account: str) -> dict[str, Any]:
        name = f"app-role-{self._random.randrange(60)}"
        return self._session(
            account, name, f"arn:aws:iam::{account}:role/{name}", "AROA" + self._hex(16).upper()
        )

    def _session(self, account: str, name: str, role: str, principal: str) -> dict[str, Any]:
        return {
            "type": "AssumedRole", "principalId": f"{principal}:session", "arn": f"arn:aws:sts::{account}:assumed-role/{name}/session",
            "accountId": account, "accessKeyId": "ASIA" + self._hex(16).upper(),
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": principal, "arn": role, "accountId": account, "userName": name},
                "attributes": {"creationDate": "2026-03-01T00:00:00Z", "mfaAuthenticated": "false"},
            },
        }  # fmt: skip

    def _subject(self, source: str, account: str, region: str, bucket: str) -> str:
        if source == "s3":
            return f"arn:aws:s3:::{bucket}"
        if source == "kms":
            return f"arn:aws:kms:{region}:{account}:key/{uuid.UUID(int=self._random.randrange(500))}"
        if source == "lambda":
            return f"arn:aws:lambda:{region}:{account}:function:worker-{self._random.randrange(500)}"
        return ""

    def _request(self, source: str, name: str, bucket: str, resource: str) -> dict[str, Any]:
        if source == "s3":
            return {
                "bucketName": bucket,
                "Host": f"{bucket}.s3.amazonaws.com",
                "location" if name == "GetBucketLocation" else "acl": "",
            }
        if source == "kms":
            return {"keyId": resource}
        if source == "lambda":
            return {"functionName": resource}
        return {
            "filterSet": {"items": [{"name": "tag:team", "valueSet": {"items": [{"value": self._hex(8)}]}}]},
            "maxResults": 1000,
        }


def sizes(profile: Profile, total: int, rng: random.Random) -> Iterator[int]:
    """Yield files' numbers of records until `total` bytes of JSON are planned, at 1.55 KB a record."""
    planned = {"small": 0, "large": 0}
    while sum(planned.values()) < total:
        small = planned["small"] < profile.small * (sum(planned.values()) + 1)
        count = rng.randint(*profile.sizes) if small else rng.randint(2000, 12000)
        planned["small" if small else "large"] += count * 1550
        yield count


def write(out: Path, megabytes: int, profile: Profile, seed: int) -> None:
    """Write the deliveries and their labels."""
    writer = Writer(profile, seed)
    rng = random.Random(seed + 1)
    # A pool of records, each used a few times with an id of its own, makes gigabytes in minutes; time grows by file.
    content = compressed = files = 0
    indent = 2 if profile.pretty else None
    separators = None if profile.pretty else (",", ":")
    for count in sizes(profile, megabytes * 1_000_000, rng):
        account, region = rng.choice(ACCOUNTS), rng.choice(REGIONS)
        time = START + timedelta(minutes=files % 40_000)
        records = [
            writer.record(account, region, time - timedelta(seconds=rng.randrange(300))) for _ in range(count)
        ]
        body = json.dumps({"Records": records}, indent=indent, separators=separators).encode()
        day = time.strftime("%Y/%m/%d")
        folder = out / "AWSLogs" / account / "CloudTrail" / region / day
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{account}_CloudTrail_{region}_{time:%Y%m%dT%H%MZ}_{rng.getrandbits(80):016X}"[:64]
        data = igzip.compress(body, compresslevel=2)
        (folder / f"{name}.json.gz").write_bytes(data)
        content, compressed, files = content + len(body), compressed + len(data), files + 1
    labels = {
        **writer.labels,
        "findings": writer.findings,
        "bytes": content,
        "bytes_compressed": compressed,
        "files": files,
    }
    (out / "labels.json").write_text(json.dumps(labels))


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--profile", choices=PROFILES, default="mixed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.out, options.megabytes, PROFILES[options.profile], options.seed)


if __name__ == "__main__":
    main()
