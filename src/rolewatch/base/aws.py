"""AWS clients, made in one place: same retries, same environment, same words when they fail.

boto3 does what its users expect: profiles, SSO, instance roles, `AWS_REGION`, `AWS_ENDPOINT_URL` and
`AWS_ENDPOINT_URL_<SERVICE>`. It is imported only when a client is made.
"""

import os
from typing import Any

from rolewatch.base.errors import CannotDo

ATTEMPTS = 8  # of one request, with pauses that grow
CONNECT_SECONDS = 10
READ_SECONDS = 60
EXTRA = "pip install 'rolewatch[aws]', in a checkout pip install '.[aws]'"

_CREDENTIALS = "check AWS_PROFILE or the other AWS credentials of this shell (`aws sts get-caller-identity` tells who you are)"
_SIGN_IN = "sign in again, for example with `aws sso login`"
_PERMISSION = "ask for the permission that the message names"
_NETWORK = "check the network, AWS_REGION and AWS_ENDPOINT_URL"
# An error code of AWS, or the class of an error of botocore → what the reader can do.
_REMEDIES = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "AllAccessDisabled": _PERMISSION,
    "CredentialRetrievalError": _CREDENTIALS,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "NoCredentialsError": _CREDENTIALS,
    "NoRegionError": "set AWS_REGION, or name the region",
    "PartialCredentialsError": _CREDENTIALS,
    "ProfileNotFound": "name a profile of ~/.aws/config in AWS_PROFILE",
    "RequestTimeTooSkewed": "set this machine's clock",
    "SSOTokenLoadError": _SIGN_IN,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "TokenRetrievalError": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
    "UnrecognizedClientException": _CREDENTIALS,
}


def session(profile: str | None = None, *, region: str | None = None) -> Any:
    """Return boto3's session, of a profile of ~/.aws/config if one is named.

    Raises CannotDo without the `aws` extra and for an unknown profile.
    """
    try:
        return _session(profile, region)
    except CannotDo:
        raise
    except Exception as error:
        raise cannot(error, f"cannot use the profile {profile}" if profile else "cannot use AWS") from error


def client(
    service: str, *, region: str | None = None, retry: bool = True, pool: int = 10, own: Any = None
) -> Any:
    """Return a boto3 client; `retry=False` leaves retries to the caller, `pool` is how many threads will share it.

    `own` is the session whose credentials it has, the default one otherwise. Raises CannotDo without the `aws` extra, for an unknown
    profile and where a region is needed but none is set.
    """
    try:
        from botocore.config import Config  # noqa: PLC0415 - takes a fifth of a second, and most scans need no AWS
    except ImportError:
        raise without_extra("boto3") from None
    # Path style is what every S3-compatible store understands; AWS itself gets its own default.
    style: Any = {"addressing_style": "path"} if custom_endpoint(service) else None
    config = Config(
        # Adaptive mode sleeps on its own where AWS throttles: not where the caller paces its requests itself.
        retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS} if retry else {"total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=pool,
        s3=style,
    )
    try:
        made: Any = own or _session(None, region)
        return made.client(service, region_name=region, config=config)
    except CannotDo:
        raise
    except Exception as error:
        raise cannot(error, f"cannot use {service}") from error


def credentials(region: str | None = None) -> Any:
    """Return the session's refreshing credentials (botocore's); CannotDo if there are none."""
    found = None
    try:
        import boto3  # noqa: PLC0415 - as above

        found = boto3.Session(region_name=region).get_credentials()
    except ImportError:
        raise without_extra("boto3") from None
    except Exception as error:
        raise cannot(error, "cannot get AWS credentials") from error
    if found is None:
        raise CannotDo("no AWS credentials found", remedy=_CREDENTIALS)
    return found


def _session(profile: str | None, region: str | None) -> Any:
    try:
        import boto3  # noqa: PLC0415 - takes a fifth of a second, and most scans need no AWS
    except ImportError:
        raise without_extra("boto3") from None
    # AWS_REGION is every newer SDK's name of it; boto3 itself knows only AWS_DEFAULT_REGION.
    return boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)


def custom_endpoint(service: str) -> str | None:
    """Return the endpoint that the environment names for a service, None for AWS's own."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL") or None


def without_extra(package: str) -> CannotDo:
    """Say that a package of the `aws` extra is not installed."""
    return CannotDo(f"AWS sources need {package}, which is not installed", remedy=EXTRA)


def code_of(error: Exception) -> str:
    """Return the AWS error code of a failed request, or the class of any other error."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code) if code else type(error).__name__


def describe(error: Exception) -> str:
    """Say in one line what failed: the AWS error code and message, or botocore's own words."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return str(error) or type(error).__name__
    message = str(response.get("Error", {}).get("Message") or "").strip()
    code = code_of(error)
    return f"{code}: {message[:300]}" if message and message != code else code


def cannot(error: Exception, doing: str) -> CannotDo:
    """Turn an error of boto3 into one that says what was being done and what the reader can do."""
    remedy = _REMEDIES.get(code_of(error))
    if remedy is None and _is_network(error):
        remedy = _NETWORK
    return CannotDo(f"{doing}: {describe(error)}", remedy=remedy)


def errors() -> tuple[type[Exception], ...]:
    """Return the classes of all errors that a request of boto3 raises."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    return BotoCoreError, ClientError


def is_passing(error: Exception) -> bool:
    """Whether trying again may help: AWS failed itself, or was not reached."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return _is_network(error)
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def _is_network(error: Exception) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"HTTPClientError", "ConnectionError"})
