"""An account's trails in; what each records of management events, and whether that is enough without another one, out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.aws.asking import asking
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo

_MANAGEMENT: Final = "Management"


class Trail(NamedTuple):
    """A trail as it is seen from a Region. `logging` and `management` are None where AWS did not say.

    `management` tells whether all management events are recorded, reads and writes.
    """

    name: str
    arn: str
    home: str
    multi_region: bool
    organization: bool
    bucket: str
    log_group: str  # the ARN, "" if it delivers to none
    logging: bool | None = None
    management: bool | None = None

    @property
    def account(self) -> str:
        """The account that owns it."""
        return self.arn.split(":")[4]


class Spared(NamedTuple):
    """Whether an account can do without a trail, and why."""

    enough: bool
    reason: str
    others: tuple[Trail, ...] = ()


def trails(client: Any, done: Sequence[str] = ()) -> list[Trail]:
    """List the trails that record a client's Region, those of other Regions and of the organization among them."""
    with asking("cloudtrail:DescribeTrails", "list the trails", done):
        found = client.describe_trails(includeShadowTrails=True)["trailList"]
    return [_read(each) for each in found]


def named(client: Any, name: str) -> Trail:
    """Find a trail by name or ARN; CannotDo where there is none."""
    found = trails(client)
    for trail in found:
        if name in (trail.name, trail.arn):
            return trail
    known = ", ".join(trail.name for trail in found) or "none"
    raise CannotDo(
        f"there is no trail {name} that records this Region; nothing was changed",
        remedy=f"trails here: {known}; leave out --trail for a new one",
    )


def looked_into(client: Any, trail: Trail) -> Trail:
    """Ask whether a trail is logging, and what; None stays where that is not ours to know, as of the organization's trails."""
    try:
        status = client.get_trail_status(Name=trail.arn)
        selectors = client.get_event_selectors(TrailName=trail.arn)
    except aws.errors():
        return trail
    return trail._replace(logging=bool(status.get("IsLogging")), management=_management(selectors))


def spared(own: Trail, others: Iterable[Trail], region: str) -> Spared:
    """Decide whether an account's management events are still recorded without one of its trails.

    Of `others` those count that are known to log all management events; one that records less than `own` does not replace it.
    """
    if own.logging is False or own.management is False:
        return Spared(enough=True, reason=f"{own.name} does not record all management events anyway")
    good = [trail for trail in others if trail.arn != own.arn and trail.logging and trail.management]
    everywhere = [trail for trail in good if trail.multi_region]
    if everywhere:
        return Spared(
            enough=True,
            reason=f"{_names(everywhere)} records all management events, too",
            others=tuple(everywhere),
        )
    here = [trail for trail in good if trail.home == region]
    if here and not own.multi_region:
        return Spared(
            enough=True,
            reason=f"{_names(here)} records the management events of {region}, too",
            others=tuple(here),
        )
    if here:
        return Spared(
            enough=False,
            reason=f"it is the only one that records all Regions; {_names(here)} records {region} alone",
        )
    unknown = [trail for trail in others if trail.arn != own.arn and trail.logging is None]
    if unknown:
        return Spared(
            enough=False, reason=f"whether {_names(unknown)} records management events could not be found out"
        )
    return Spared(
        enough=False, reason="no other trail of this account is known to record its management events"
    )


def _names(found: Sequence[Trail]) -> str:
    return " and ".join(trail.name for trail in found)


def _read(found: Mapping[str, Any]) -> Trail:
    return Trail(
        found["Name"],
        found["TrailARN"],
        found.get("HomeRegion") or "",
        bool(found.get("IsMultiRegionTrail")),
        bool(found.get("IsOrganizationTrail")),
        found.get("S3BucketName") or "",
        found.get("CloudWatchLogsLogGroupArn") or "",
    )


def _management(found: Mapping[str, Any]) -> bool:
    """Whether selectors of either kind let all management events through, as a trail without any does."""
    if not found.get("EventSelectors") and not found.get("AdvancedEventSelectors"):
        return True
    for each in found.get("EventSelectors") or []:
        whole = each.get("ReadWriteType", "All") == "All" and not each.get("ExcludeManagementEventSources")
        if each.get("IncludeManagementEvents", True) and whole:
            return True
    for each in found.get("AdvancedEventSelectors") or []:
        fields = {field["Field"]: field for field in each.get("FieldSelectors") or []}
        if set(fields) == {"eventCategory"} and _MANAGEMENT in fields["eventCategory"].get("Equals", []):
            return True
    return False
