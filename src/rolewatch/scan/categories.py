"""Which kinds of events a scan has met, by literals alone, and what stays invisible without the others.

DESIGN "coverage": one literal search per category, and no record is parsed for it. A literal is searched for in a
batch only until it was found once. Source of the consequences: research of peers §5 (denials that are simply not
recorded); S3 user guide, CloudTrail data events (HeadBucket, ListObjects and GetObject are such).
"""

from collections.abc import Iterator, Sequence

from rolewatch.cloudtrail.read import Batch, Listed

MANAGEMENT, DATA, NETWORK, KMS, S3 = "Management", "Data", "NetworkActivity", "KMS", "S3 data"
CATEGORIES = (MANAGEMENT, DATA, NETWORK)
LITERALS = {
    MANAGEMENT: b'"eventCategory":"Management"',
    DATA: b'"eventCategory":"Data"',
    NETWORK: b'"eventCategory":"NetworkActivity"',
    KMS: b'"eventSource":"kms.amazonaws.com"',
}
ALL = frozenset((*LITERALS, S3))
WITHOUT_NETWORK = ALL - {NETWORK}
STORAGE = b'"eventSource":"s3.amazonaws.com"'


def look_for(batch: Batch, seen: set[str], *, network: bool) -> None:
    """Add to `seen` what a batch holds of what is not in it yet; `network` says whether its delivery could hold such."""
    if seen >= (ALL if network else WITHOUT_NETWORK):
        return
    for name, literal in LITERALS.items():
        if name not in seen and (network or name != NETWORK) and _holds(batch, literal):
            seen.add(name)
    if DATA in seen and S3 not in seen and _of_storage(batch):
        seen.add(S3)


def categories(seen: set[str]) -> list[str]:
    """List the event categories met; records older than the field `eventCategory` count as management events."""
    return [name for name in CATEGORIES if name in seen] or [MANAGEMENT]


def gaps(seen: set[str]) -> Iterator[str]:
    """Say for each kind of events not met what would therefore not show."""
    if MANAGEMENT not in categories(seen):
        yield "management events: none seen, so most denials would not show"
    if S3 not in seen:
        yield "S3 data events: none seen, so a denied GetObject, HeadBucket or ListObjects would not show"
    if DATA in seen:
        yield "data events of resources that the trail does not select: they are not recorded, so a denial would not show"
    else:
        yield "data events of other services: none seen, so a denied Lambda Invoke or DynamoDB GetItem would not show"
    if KMS not in seen:
        yield "KMS events: none seen (a trail can exclude them), so a key policy that denies a service would not show"
    if NETWORK not in seen:
        yield "network activity events: none seen, so a denial by a VPC endpoint policy (VpceAccessDenied) may not show"


def _spellings(batch: Batch, literal: bytes) -> Sequence[bytes]:
    """Give a literal as it can stand in a batch: pretty-printers write a blank behind the colon."""
    return (literal, literal.replace(b'":"', b'": "')) if isinstance(batch, Listed) else (literal,)


def _holds(batch: Batch, literal: bytes) -> bool:
    return any(map(batch.holds, _spellings(batch, literal)))


def _of_storage(batch: Batch) -> bool:
    """Whether there is a data event of S3: both literals in one record, since either alone is in others too."""
    sources, data = _spellings(batch, STORAGE), _spellings(batch, LITERALS[DATA])
    if not any(map(batch.holds, data)):
        return False
    return any(spelling in text for source in sources for text in batch.holding(source) for spelling in data)
