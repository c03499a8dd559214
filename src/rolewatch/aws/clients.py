"""A session in; the clients that deploy and destroy share, each made when it is first used, out."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from rolewatch.aws.calls import partition_of
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo


class Clients:
    """Clients of one account and Region; CannotDo at once if no Region is named anywhere."""

    def __init__(self, *, profile: str | None = None, region: str | None = None) -> None:
        self._session = aws.session(profile, region=region)
        if not self._session.region_name:
            raise CannotDo("no Region is set", remedy="name one with --region, or set AWS_REGION")
        self.region: str = self._session.region_name

    @cached_property
    def cloudformation(self) -> Any:
        """Of CloudFormation."""
        return self._made("cloudformation")

    @cached_property
    def cloudtrail(self) -> Any:
        """Of CloudTrail."""
        return self._made("cloudtrail")

    @cached_property
    def s3(self) -> Any:
        """Of S3."""
        return self._made("s3")

    @cached_property
    def kms(self) -> Any:
        """Of KMS."""
        return self._made("kms")

    @cached_property
    def logs(self) -> Any:
        """Of CloudWatch Logs."""
        return self._made("logs")

    @cached_property
    def cloudwatch(self) -> Any:
        """Of CloudWatch."""
        return self._made("cloudwatch")

    @cached_property
    def sns(self) -> Any:
        """Of SNS."""
        return self._made("sns")

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return partition_of((self.region,))

    @cached_property
    def sts(self) -> Any:
        """Of STS."""
        return self._made("sts")

    def _made(self, service: str) -> Any:
        return aws.client(service, region=self.region, own=self._session)


class Manner(NamedTuple):
    """How to wait: what sleeps between two looks, and who is told of progress (None for nobody)."""

    sleep: Callable[[float], None]
    tell: Callable[[Any], None] | None = None
