"""Checks of the trails: whether there is one, whether it records, and which events it leaves out."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict, of_setup
from rolewatch.aws.checks_fix import DEPLOY, command, written
from rolewatch.aws.checks_selectors import limited_to, records
from rolewatch.aws.doctor_samples import Sample, data_event, denials
from rolewatch.aws.doctor_setup import Setup, Trail, Unseen, seen

_KMS: Final = "kms.amazonaws.com"
_MANAGEMENT: Final = {"Name": "Management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}  # fmt: skip
_OBJECTS: Final = {
    "Name": "Objects",
    "FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ],
}


def trails_of(case: Case) -> tuple[Trail, ...]:
    """Give all trails."""
    return seen(case.setup.trails)


def own_trails(case: Case) -> list[Trail]:
    """Give those that this account owns."""
    return case.own(trails_of(case))


def feeding(case: Case) -> list[Trail]:
    """Give the trails that count for what is recorded: those that deliver to a log group, all if none does."""
    found = trails_of(case)
    return [each for each in found if each.log_group] or list(found)


def _missing(case: Case, setup: Setup) -> Iterator[Verdict]:
    where, which = " and ".join(setup.regions), f" {setup.named}" if setup.named else ""
    found = trails_of(case)
    if found:
        yield Verdict("ok", where, f"{where}: recorded by {names(found)}.")
        return
    yield Verdict(
        "problem",
        where,
        f"No trail{which} records {where}: no call is written down anywhere but in the event history, and no denial is ever counted.",
        DEPLOY,
    )


def _elsewhere(case: Case, trail: Trail) -> Iterator[Verdict]:
    if trail.account == case.setup.account:
        return
    of = "the organization's, and is owned by" if trail.organization else "owned by"
    if trail.account in case.setup.examined:
        told = f"The trail {trail.name} is {of} account {trail.account}, which is examined as well: see there for what is behind it."
        yield Verdict("ok", trail.name, told)
        return
    words = ("rolewatch", "aws", "doctor", "--trail", trail.name, "--region", trail.home)
    yield Verdict(
        "unknown",
        trail.name,
        f"The trail {trail.name} is {of} account {trail.account}: its log group, role, filters, alarms and topic are there, and cannot be "
        f"seen from account {case.setup.account}. Ask there.",
        f"{shlex.join(words)}{_as(trail.account)}",
    )


def _as(account: str) -> str:
    """Write a comment behind a command that is for another account."""
    return f"  # with credentials of account {account}"


def _logging(case: Case, trail: Trail) -> Iterator[Verdict]:
    if seen(trail.status).get("IsLogging"):
        yield Verdict("ok", trail.name, f"The trail {trail.name} is logging.")
        return
    stopped = seen(trail.status).get("TimeLoggingStopped") or ""
    since = f" since {stopped}" if stopped else ""
    yield Verdict(
        "problem",
        trail.name,
        f"The trail {trail.name} is not logging{since}: nothing that happens is recorded or delivered.",
        command("cloudtrail", "start-logging", "--name", trail.arn, region=trail.home)
        + ("" if trail.account == case.setup.account else _as(trail.account)),
    )


_ERRORS: Final = (
    ("LatestDeliveryError", "log files do not reach the bucket"),
    ("LatestDigestDeliveryError", "digests do not reach the bucket, so that log files cannot be validated"),
)


def _delivery(case: Case, trail: Trail) -> Iterator[Verdict]:
    del case
    bucket = str(trail.described.get("S3BucketName") or "")
    status = seen(trail.status)
    found = [(status[name], what) for name, what in _ERRORS if status.get(name)]
    for error, what in found:
        yield Verdict(
            "problem",
            trail.name,
            f"CloudTrail says {error} of the bucket {bucket}: {what}, and what is missing there cannot be scanned later. Does the bucket "
            "exist, and do its policy and its key let cloudtrail.amazonaws.com write?",
            command(
                "s3api", "get-bucket-policy", "--bucket", bucket, "--query", "Policy", "--output", "text"
            ),
        )
    if not found:
        yield Verdict("ok", trail.name, f"The trail {trail.name} delivers to the bucket {bucket}.")


def _regions(case: Case, setup: Setup) -> Iterator[Verdict]:
    found = feeding(case)
    if not found:
        return
    wide = [each for each in found if each.described.get("IsMultiRegionTrail")]
    if wide:
        yield Verdict("ok", names(wide), f"{names(wide)} records all Regions.")
        return
    homes = " and ".join(dict.fromkeys(each.home for each in found))
    yield Verdict(
        "problem",
        names(found),
        f"{names(found)} records {homes} only: denials in all other Regions, where services use the same roles, go unseen.",
        _change(found, setup, lambda each: ("update-trail", "--name", each.arn, "--is-multi-region-trail")),
    )


def _global(case: Case, setup: Setup) -> Iterator[Verdict]:
    found = feeding(case)
    if not found:
        return
    if any(each.described.get("IncludeGlobalServiceEvents", True) for each in found):
        yield Verdict("ok", names(found), "Calls of global services are recorded.")
        return
    yield Verdict(
        "warning",
        names(found),
        f"{names(found)} leaves out global services: denials at IAM, CloudFront and the global endpoint of STS go unseen.",
        _change(found, setup, lambda each: ("update-trail", "--name", each.arn, "--include-global-service-events")),
    )  # fmt: skip


def _management(case: Case, setup: Setup) -> Iterator[Verdict]:
    found = feeding(case)
    if not found:
        return
    if any(_recorded(found, each) for each in _samples(setup)):
        yield Verdict("ok", names(found), f"{names(found)} records management events.")
        return
    yield Verdict(
        "problem",
        names(found),
        f"{names(found)} records no management events, or not those of services: hardly any denial shows anywhere else.",
        _change(found, setup, _whole),
    )


def _reads(case: Case, setup: Setup) -> Iterator[Verdict]:
    reads = [each for each in _samples(setup) if each.record["readOnly"]]
    told = "most of what refused services try (GetBucketPolicy, HeadBucket, BatchGetImage) goes unseen"
    yield from _part(case, reads, "calls that only read", told)


def _writes(case: Case, setup: Setup) -> Iterator[Verdict]:
    writes = [each for each in _samples(setup) if not each.record["readOnly"] and not _of_kms(each)]
    yield from _part(
        case, writes, "calls that change something", "launches that fail (RunInstances) go unseen"
    )


def _kms(case: Case, setup: Setup) -> Iterator[Verdict]:
    own = [each for each in _samples(setup) if _of_kms(each)]
    yield from _part(case, own, "calls of KMS", "when a key policy shuts a service out, nothing tells")


def _of_kms(sample: Sample) -> bool:
    return bool(sample.record["eventSource"] == _KMS)


def _part(case: Case, samples: Iterable[Sample], what: str, else_: str) -> Iterator[Verdict]:
    """Say whether the trails together record some denials; nothing where they record none at all, which has a check of its own."""
    found = feeding(case)
    if not any(_recorded(found, each) for each in _samples(case.setup)):
        return
    if all(_recorded(found, each) for each in samples):
        yield Verdict("ok", names(found), f"{names(found)} records {what}.")
        return
    yield Verdict(
        "problem",
        names(found),
        f"{names(found)} leaves out {what}, or some of them: {else_}.",
        _change(found, case.setup, _whole),
    )


def _data(case: Case, setup: Setup) -> Iterator[Verdict]:
    found = feeding(case)
    if not found:
        return
    if _recorded(found, data_event(setup.account, setup.partition, setup.regions[0])):
        yield Verdict("ok", names(found), f"{names(found)} records data events of objects in S3.")
        return
    limited = [part for each in found for part in limited_to(seen(each.selectors))]
    if limited:
        told = f"{names(found)} records data events of objects below {', '.join(limited)}, and nowhere else."
        yield Verdict("ok", names(found), told)
        return
    yield Verdict(
        "warning",
        names(found),
        f"{names(found)} records no data events of S3: that a service is refused GetObject or PutObject goes unseen. (They are charged "
        "for; limit them to the buckets that matter.)",
        _change(found, setup, _with_objects),
    )


def _recorded(found: Iterable[Trail], sample: Sample) -> bool:
    """Whether one of several trails records an event; NotSeen if none is known to, and of one it is not known."""
    unseen = []
    for each in found:
        if isinstance(each.selectors, Unseen):
            unseen.append(each.selectors)
        elif records(each.selectors, sample.record):
            return True
    return bool(seen(unseen[0])) if unseen else False


def _whole(trail: Trail) -> tuple[str, ...]:
    """Write the selectors anew: all management events, and the data events that there are."""
    selectors: Mapping[str, Any] = seen(trail.selectors)
    advanced = selectors.get("AdvancedEventSelectors") or ()
    if advanced:
        return _advanced(trail, [_MANAGEMENT, *(each for each in advanced if not _is_management(each))])
    return _basic(trail, _resources(selectors))


def _with_objects(trail: Trail) -> tuple[str, ...]:
    """Write the selectors anew: what there is, and data events of all objects."""
    selectors: Mapping[str, Any] = seen(trail.selectors)
    advanced = selectors.get("AdvancedEventSelectors") or ()
    if advanced:
        return _advanced(trail, [*advanced, _OBJECTS])
    partition = trail.arn.split(":")[1]
    every = {"Type": "AWS::S3::Object", "Values": [f"arn:{partition}:s3"]}
    return _basic(trail, [*_resources(selectors), every])


def _resources(selectors: Mapping[str, Any]) -> list[Any]:
    return [each for one in selectors.get("EventSelectors") or () for each in one.get("DataResources") or ()]


def _basic(trail: Trail, resources: list[Any]) -> tuple[str, ...]:
    whole = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": resources}
    return ("put-event-selectors", "--trail-name", trail.arn, "--event-selectors", written([whole]))


def _advanced(trail: Trail, selectors: list[Any]) -> tuple[str, ...]:
    return (
        "put-event-selectors",
        "--trail-name",
        trail.arn,
        "--advanced-event-selectors",
        written(selectors),
    )


def _is_management(selector: Mapping[str, Any]) -> bool:
    return any(
        each.get("Field") == "eventCategory" and "Management" in each.get("Equals", ())
        for each in selector.get("FieldSelectors") or ()
    )


def _change(found: Iterable[Trail], setup: Setup, words: Any) -> str | None:
    """Write the command that changes the first trail that this account may change."""
    own = next((each for each in found if each.account == setup.account), None)
    return command("cloudtrail", *words(own), region=own.home) if own else None


def _samples(setup: Setup) -> tuple[Sample, ...]:
    return denials(setup.account, setup.partition, setup.regions[0])


def names(found: Iterable[Trail]) -> str:
    """Name trails, each once."""
    return " and ".join(dict.fromkeys(each.name for each in found))


def name(trail: Trail) -> str:
    """Name a trail."""
    return f"the trail {trail.name}"


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("trail-missing", "trail", "whether there is a trail", of_setup, _missing),
    Check("trail-elsewhere", "trail", "whose the trails are", trails_of, _elsewhere, name),
    Check("trail-logging", "trail", "whether it is logging", trails_of, _logging, name),
    Check("trail-delivery-error", "trail", "whether log files reach the bucket", own_trails, _delivery, name),
    Check("trail-single-region", "trail", "whether all Regions are recorded", of_setup, _regions),
    Check("trail-global-events", "trail", "whether global services are recorded", of_setup, _global),
    Check("trail-management-events", "trail", "whether management events are recorded", of_setup, _management),
    Check("trail-read-events", "trail", "whether calls that only read are recorded", of_setup, _reads),
    Check("trail-write-events", "trail", "whether calls that change something are recorded", of_setup, _writes),
    Check("trail-kms-events", "trail", "whether calls of KMS are recorded", of_setup, _kms),
    Check("trail-data-events", "trail", "whether data events are recorded", of_setup, _data),
)  # fmt: skip
