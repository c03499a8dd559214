"""What follows for people when a service is refused: a table of what AWS documents, each row with its source.

Where nothing is documented, a message says who was refused what, and no more.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

#: Verdicts that leave nobody blind: their own `consequence` says what there is to say.
_BENIGN: Final = frozenset(("harmless", "service-not-enabled"))


class Consequence(NamedTuple):
    """What AWS documents to follow when a service principal is refused on a type of resource ("*" for any)."""

    service: str
    resource_type: str
    text: str
    source: str


CONSEQUENCES: Final = (
    Consequence(
        "access-analyzer.amazonaws.com",
        "*",
        "IAM Access Analyzer cannot analyze the resource; instead of findings about who has access to it, there is an error "
        "finding (ACCESS_DENIED).",
        "IAM user guide, IAM Access Analyzer error findings",
    ),
    Consequence(
        "autoscaling.amazonaws.com",
        "AWS::KMS::Key",
        "Auto Scaling groups cannot launch instances whose volumes are encrypted with this key "
        "(Client.InternalError: Client error on launch).",
        "Amazon EC2 Auto Scaling user guide, Required AWS KMS key policy for use with encrypted volumes; "
        "Troubleshoot instance launch failures",
    ),
    Consequence(
        "config.amazonaws.com",
        "AWS::S3::Bucket",
        "AWS Config may not record changes of this bucket, nor notify of them.",
        "AWS Config developer guide, Managing permissions for S3 bucket recording",
    ),
    Consequence(
        "macie.amazonaws.com",
        "AWS::S3::Bucket",
        "Amazon Macie cannot monitor this bucket's security or look for sensitive data in it, wholly or in part.",
        "Amazon Macie user guide, Allowing Macie to access S3 buckets and objects",
    ),
)


def documented(finding: Mapping[str, Any]) -> Consequence | None:
    """Look up what AWS documents to follow from a finding; None where it documents nothing, or the finding is benign."""
    if finding["verdict"] in _BENIGN:
        return None
    for row in CONSEQUENCES:
        if row.service == finding["service"] and row.resource_type in ("*", finding["resource_type"]):
            return row
    return None
