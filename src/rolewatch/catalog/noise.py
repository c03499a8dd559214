"""Known noise: denials that say nothing about a blocked service, each row with its proof.

A row applies only where the record itself shows that it does. A denial that merely resembles one of these keeps the
verdict that the message and the resource give it, since a noise row silences what it matches.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Noise(NamedTuple):
    """One known denial; `code`, `message` and `resource` are regular expressions that have to match in full."""

    service: str  # the role's service principal, "*" for any
    event_source: str
    event_name: str
    code: str
    message: str
    resource: str
    verdict: str  # "harmless" | "service-not-enabled"
    consequence: str
    source: str
    date: str  # of the proof, YYYY-MM-DD


_DENIED = "AccessDenied(Exception)?"
# Whether a bucket is Config's delivery bucket cannot be read off a record, unless its name is one that AWS gives it:
# Config's console and guide (account id), Control Tower before and since landing zone 4.0.
_DELIVERY_BUCKET = (
    r"arn:aws[a-z-]*:s3:::"
    r"(config-bucket-\d{12}|aws-controltower-(logs|config-logs)-\d{12}-[a-z0-9-]+)"
)

NOISE = (
    Noise(
        service="config.amazonaws.com",
        event_source="s3.amazonaws.com",
        event_name="HeadBucket",
        code=_DENIED,
        message="(?!.*explicit deny).*",  # "if permissions are not provided": an explicit deny is somebody's decision
        resource=_DELIVERY_BUCKET,
        verdict="harmless",
        consequence="AWS Config only asks where its delivery bucket is; AWS documents that delivery succeeds "
        "without that permission.",
        source="AWS Config developer guide, Permissions for the Amazon S3 bucket for the delivery channel; "
        "DataBiosphere/azul issue 6134",
        date="2024-04-10",
    ),
    Noise(
        service="config.amazonaws.com",
        event_source="macie2.amazonaws.com",
        event_name="GetMacieSession",
        code=_DENIED,
        message=r".*\bMacie is not enabled\b.*",
        resource=".*",
        verdict="service-not-enabled",
        consequence="AWS Config asks for the state of Amazon Macie, which is off in this account and Region; "
        "there is nothing to record.",
        source="DataBiosphere/azul issue 5779 (answer of AWS Support); "
        "ministryofjustice/modernisation-platform issue 8546",
        date="2023-12-20",
    ),
    Noise(
        service="*",
        event_source="organizations.amazonaws.com",
        event_name="ListDelegatedAdministrators",
        code=_DENIED,
        # What Organizations answers an account that may not ask at all; a role that lacks the action reads otherwise.
        message=r"You don't have permissions to access this resource\.?|CallerValidation check failed",
        resource=".*",
        verdict="service-not-enabled",
        consequence="The call works only in the organization's management account or a delegated administrator's; "
        "this account is neither, and no policy in it changes that.",
        source="AWS Organizations API reference, ListDelegatedAdministrators; "
        "ministryofjustice/modernisation-platform-terraform-baselines commit 7fe5827",
        date="2024-07-17",
    ),
)


def noise(
    *, service: str | None, event_source: str, event_name: str, code: str, message: str, resource: str
) -> Noise | None:
    """Return the row that a denial fits; None for all others."""
    for row in _rows(event_source, event_name):
        if (
            row.service in ("*", service)
            and re.fullmatch(row.code, code)
            and re.fullmatch(row.message, message, re.DOTALL)
            and re.fullmatch(row.resource, resource, re.DOTALL)
        ):
            return row
    return None


def _rows(event_source: str, event_name: str) -> Iterator[Noise]:
    return (row for row in NOISE if row.event_source == event_source and row.event_name == event_name)
