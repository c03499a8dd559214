"""An error of a call in; what it means for what was asked for, in words, out. Pure functions."""

from typing import Final, Literal, NamedTuple

from rolewatch.base import aws
from rolewatch.catalog.codes import classify
from rolewatch.catalog.policy_lists import missing

Status = Literal["collected", "absent", "kept", "gone", "denied", "failed"]
"""What became of one thing that was asked for.

- `collected`: AWS gave it, and it is written;
- `absent`: the resource has no policy, and a file says so;
- `kept`: what is in the folder is young enough;
- `gone`: the resource does not exist; what was in the folder about it is removed;
- `denied`: AWS refused, for want of `action`;
- `failed`: it could not be asked, or AWS failed.
"""
_REFUSED: Final = ("authorization", "dependency", "vpc-endpoint")
#: With these the credentials are over, and no other call will do better.
OVER: Final = frozenset(
    (
        "CredentialRetrievalError",
        "ExpiredToken",
        "ExpiredTokenException",
        "LoginAuthorizationCodeError",
        "LoginInsufficientPermissions",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "RefreshWithMFAUnsupportedError",
        "RequestExpired",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    )
)
#: With these AWS was asked too often.
SLOW_DOWN: Final = frozenset(
    (
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
    )
)


class Asked(NamedTuple):
    """What was asked for, for the words about it: a kind of the catalogue ("" for a list), the IAM action, where, and who asks."""

    kind: str
    arn: str
    action: str
    region: str
    caller: str


class Answer(NamedTuple):
    """What an error means; `reason` is a sentence for people."""

    status: Status
    reason: str


def is_over(error: Exception) -> bool:
    """Whether the credentials are over, or were never there."""
    return aws.code_of(error) in OVER


def understood(error: Exception, asked: Asked) -> Answer:
    """Say what an error means."""
    code, said = aws.code_of(error), " ".join(aws.describe(error).split())
    what = missing(asked.kind, code, said.removeprefix(code))
    if what == "policy":
        return Answer("absent", said)
    if what == "resource":
        return Answer("gone", f"it does not exist (any more): {said}")
    if code in SLOW_DOWN:
        return Answer(
            "failed",
            f"AWS throttled the calls, also when they were tried again: {said}; run it again, with a lower --rate",
        )
    refusal = classify(code)
    if refusal in _REFUSED or (refusal is None and _status(error) == 403):
        return Answer(
            "denied", f"{asked.action} on {asked.arn} is denied to {asked.caller}: {said}{_whose(asked)}"
        )
    if code == "MethodNotAllowed":  # what S3 says to another account than the owner's
        return Answer(
            "failed", f"it belongs to another account, whose credentials are needed (--role-name): {said}"
        )
    if refusal == "authentication":
        where = f"whether {asked.region} is enabled in the account, and " if asked.region else ""
        return Answer(
            "failed", f"AWS does not accept the credentials there: {said}; check {where}the credentials"
        )
    if aws.is_passing(error):
        return Answer("failed", f"{said}; run it again: it goes on with what is missing")
    return Answer("failed", said)


def _whose(asked: Asked) -> str:
    """Hint at another owner, where neither ARN nor error tells whose a bucket is."""
    if asked.kind != "bucket":
        return ""
    return "; if the bucket belongs to another account, the credentials have to be of that one"


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    return (
        int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if isinstance(response, dict)
        else 0
    )
