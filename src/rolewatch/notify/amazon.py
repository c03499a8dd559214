"""What the transports to AWS have in common: a client that does not repeat itself, and errors with the right end."""

from collections.abc import Callable
from typing import Any, Final

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.notify.errors import SendError
from rolewatch.notify.http_post import seconds

#: Error codes after which the same may be accepted later: AWS is busy, or credentials come and go.
_PASSING: Final = frozenset(
    (
        "CredentialRetrievalError", "ExpiredToken", "ExpiredTokenException", "InternalError", "InternalErrorException",
        "InternalException", "InternalFailure", "InternalServiceErrorException", "KMSThrottling", "KMSThrottlingException",
        "LimitExceededException", "NoCredentialsError", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "RequestThrottled", "RequestTimeTooSkewed", "RequestTimeout", "SSOTokenLoadError", "ServiceUnavailable", "SlowDown",
        "Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TokenRetrievalError", "TooManyRequestsException",
        "UnauthorizedSSOTokenError",
    )
)  # fmt: skip


def client(service: str, region: str | None, name: str) -> Any:
    """Make a client that tries once: the outbox decides when to try again. SendError if there is none to be had."""
    try:
        return aws.client(service, region=region, retry=False)
    except CannotDo as error:
        raise SendError(f"{name}: {error.message}", remedy=error.remedy) from error


def call(request: Callable[..., Any], name: str, **arguments: Any) -> Any:
    """Call an operation of AWS; SendError if that fails."""
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - comes with boto3

    try:
        return request(**arguments)
    except ResponseParserError:
        raise SendError(f"{name}: the answer is none of AWS's", remedy="check the network, its proxies, and AWS_ENDPOINT_URL", passing=True) from None  # fmt: skip
    except aws.errors() as error:
        raise failed(error, name) from error


def failed(error: Exception, name: str) -> SendError:
    """Turn an error of boto3 into one that says whether trying again may help."""
    said = aws.cannot(error, name)
    response: Any = getattr(error, "response", None)
    about = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    passing = is_passing(aws.code_of(error)) or aws.is_passing(error) or about.get("HTTPStatusCode") == 429
    wait = seconds(str(about.get("HTTPHeaders", {}).get("retry-after", "")), 0.0) if passing else None
    return SendError(said.message, remedy=said.remedy, passing=passing, retry_after=wait)


def is_passing(code: str) -> bool:
    """Whether an error code says that the same may be accepted later."""
    return code in _PASSING
