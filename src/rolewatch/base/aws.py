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
_REGION = f"{_CREDENTIALS}, and whether the account has enabled this Region"
_SIGN_IN = "sign in again, for example with `aws sso login`"
_PERMISSION = "ask for the permission that the message names"
_NETWORK = "check the network, HTTPS_PROXY, AWS_REGION and AWS_ENDPOINT_URL"
_SETTINGS = "mend that setting in ~/.aws/config (AWS_CONFIG_FILE), or the variable of its name"
_ENDPOINT = "check AWS_REGION, AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT: not every service has such an endpoint everywhere"
_NAME = "check the name or ARN that the message shows"
_AGAIN = "run it again; if that does not help, look for a proxy that changes answers"
# An error code of AWS, or a class of botocore's errors, which counts for those below it, too → what the reader can do.
_REMEDIES = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "AllAccessDisabled": _PERMISSION,
    "AwsChunkedWrapperError": _AGAIN,
    "BaseEndpointResolverError": _ENDPOINT,
    "CapacityNotAvailableError": "wait a minute: AWS was asked too often",
    "ChecksumError": _AGAIN,
    "ConfigNotFound": "name a file that is there in AWS_CONFIG_FILE, or none",
    "ConfigParseError": "mend the file that the message names",
    "ConnectionError": _NETWORK,
    "CredentialRetrievalError": _CREDENTIALS,
    "DataNotFoundError": "install a newer boto3: pip install -U boto3",
    "EndpointProviderError": _ENDPOINT,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "FlexibleChecksumError": _AGAIN,
    "HTTPClientError": _NETWORK,
    "IncompleteReadError": _AGAIN,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidChecksumConfigError": _SETTINGS,
    "InvalidClientTokenId": _REGION,
    "InvalidConfigError": _SETTINGS,
    "InvalidDNSNameError": _NAME,
    "InvalidDefaultsMode": _SETTINGS,
    "InvalidEndpointConfigurationError": _ENDPOINT,
    "InvalidEndpointDiscoveryConfigurationError": _SETTINGS,
    "InvalidHostLabelError": _NAME,
    "InvalidIMDSEndpointError": _SETTINGS,
    "InvalidIMDSEndpointModeError": _SETTINGS,
    "InvalidProxiesConfigError": "check HTTPS_PROXY and the settings of the proxy in ~/.aws/config",
    "InvalidRegionError": "name a Region as in eu-west-1, with --region or AWS_REGION",
    "InvalidRetryConfigurationError": _SETTINGS,
    "InvalidS3AddressingStyleError": _SETTINGS,
    "InvalidS3UsEast1RegionalEndpointConfigError": _SETTINGS,
    "InvalidSTSRegionalEndpointsConfigError": _SETTINGS,
    "InvalidToken": _CREDENTIALS,
    "LoginError": "sign in again with `aws login`",
    "MD5UnavailableError": "use a Python that offers MD5, as S3 asks for it",
    "MetadataRetrievalError": _CREDENTIALS,
    "MissingDependencyException": "install what is missing: pip install 'botocore[crt]'",
    "NoAuthTokenError": _SIGN_IN,
    "NoCredentialsError": _CREDENTIALS,
    "OptInRequired": _REGION,
    "NoRegionError": "set AWS_REGION, or name the region",
    "PaginationError": _AGAIN,
    "ParamValidationError": _NAME,
    "PartialCredentialsError": _CREDENTIALS,
    "ProfileNotFound": "name a profile of ~/.aws/config in AWS_PROFILE",
    "ProxyConnectionError": "check HTTPS_PROXY and HTTP_PROXY: the proxy that they name does not answer; NO_PROXY names hosts to reach without",
    "RefreshWithMFAUnsupportedError": "sign in again: this role asks for a code of MFA, which only the AWS CLI can ask you for",
    "RequestTimeTooSkewed": "set this machine's clock",
    "ResponseParserError": "AWS does not answer so: look for a proxy or a sign-in page of this network (HTTPS_PROXY), and at AWS_ENDPOINT_URL",
    "SSLError": "check the clock and AWS_CA_BUNDLE: a proxy that reads along needs its certificate there; an endpoint without TLS begins with http://",
    "SSOError": _SIGN_IN,
    "ServiceNotInRegionError": _ENDPOINT,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "TokenRetrievalError": _SIGN_IN,
    "UnknownRegionError": "name a Region as in eu-west-1, with --region or AWS_REGION",
    "UnknownTokenProviderError": _SETTINGS,
    "UnrecognizedClientException": _REGION,
    "UnsupportedS3AccesspointConfigurationError": _NAME,
    "UnsupportedS3ArnError": _NAME,
    "UnsupportedS3ConfigurationError": _ENDPOINT,
    "UnsupportedS3ControlArnError": _NAME,
    "UnsupportedS3ControlConfigurationError": _ENDPOINT,
    "UnsupportedOutpostResourceError": _NAME,
    "ValueError": "check AWS_ENDPOINT_URL: it is a URL, as in https://proxy.example.com",
}
# Of these, and those below them, trying again may help.
_PASSING = ("ConnectionError", "HTTPClientError", "ResponseParserError", "IncompleteReadError")
_LONGEST = 300  # characters of a message
_SHOWN = 80  # of an answer that is none of AWS's
_PAGES = (b"<!doctype html", b"<html")  # how such an answer begins


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
        session: Any = own or _session(None, region)
        made = session.client(service, region_name=region, config=config)
    except CannotDo:
        raise
    except Exception as error:
        raise cannot(error, f"cannot use {service}") from error
    made.meta.events.register("before-parse", _refuse_strangers)
    return made


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
        return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
    message = str(response.get("Error", {}).get("Message") or "").strip()
    code = code_of(error)
    if code == type(error).__name__ and not message:  # an answer in which AWS says nothing
        return (
            f"an answer without words, of status {response.get('ResponseMetadata', {}).get('HTTPStatusCode')}"
        )
    return f"{code}: {message[:_LONGEST]}" if message and message != code else code


def cannot(error: Exception, doing: str) -> CannotDo:
    """Turn an error of boto3 into one that says what was being done and what the reader can do."""
    known = (_REMEDIES.get(name) for name in (code_of(error), *_classes(error)))
    return CannotDo(f"{doing}: {describe(error)}", remedy=next(filter(None, known), None))


def errors() -> tuple[type[Exception], ...]:
    """Return the classes of all errors that a request of boto3 raises."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

    return BotoCoreError, ClientError, ResponseParserError


def is_passing(error: Exception) -> bool:
    """Whether trying again may help: AWS failed itself, or was not reached."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return any(name in _PASSING for name in _classes(error))
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def _classes(error: Exception) -> list[str]:
    """Name the classes of an error, the narrowest first."""
    return [each.__name__ for each in type(error).__mro__]


def _refuse_strangers(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Raise ResponseParserError for a page of a proxy or a captive portal, which botocore may take for an empty answer.

    What a stream or a blob holds is the reader's own. Of answers of 500 and more, botocore tries those again that it can read.
    """
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

    body, status = response_dict.get("body"), int(response_dict.get("status_code") or 0)
    output, service = operation_model.output_shape, operation_model.service_model
    # Old versions of botocore know one protocol of a service only.
    protocol = getattr(service, "resolved_protocol", service.protocol)
    payload = output.serialization.get("payload") if output is not None else None
    is_content = status < 300 and (payload or operation_model.has_streaming_output)
    if not isinstance(body, bytes) or is_content:
        return
    start = body.lstrip()[:_SHOWN]
    if status >= 500 and (protocol in ("json", "rest-json") or start.startswith(b"<html>")):
        return
    is_page = start.lower().startswith(_PAGES)
    is_no_json = protocol == "json" and start and not start.startswith((b"{", b"["))
    if is_page or is_no_json:
        shown = " ".join(start.decode("utf-8", "replace").split())
        raise ResponseParserError(
            f"what answered {operation_model.name} with status {status} is not AWS: {shown!r}"
        )
