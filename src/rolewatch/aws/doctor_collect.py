"""Credentials and what to look at in; an account's set-up as AWS describes it out, by calls that only read."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

from rolewatch.aws import doctor_setup as calls
from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_setup import (
    Answer,
    Group,
    GroupId,
    Key,
    NotSeen,
    Region,
    Role,
    Setup,
    Topic,
    Trail,
    Unseen,
    is_topic,
)
from rolewatch.aws.doctor_wiring import Filter, Wiring
from rolewatch.base.errors import CannotDo

_KINDS: Final = ("MetricAlarm", "CompositeAlarm", "LogAlarm")


class Chosen(NamedTuple):
    """What is looked at: Regions, and of what is there the trails and log groups of these names (or ARNs); all if none is named.

    `several` accounts are looked at: what was named need not be in each.
    """

    regions: tuple[str, ...]
    trail: str | None = None
    log_group: str | None = None
    several: bool = False


def collect(asker: Asker, chosen: Chosen, now: datetime) -> Setup:
    """Look at everything; CannotDo where a trail that was named does not exist, unless there are several accounts."""
    trails = _trails(asker, chosen)
    known = () if isinstance(trails, Unseen) else trails
    groups = tuple(_group(asker, each) for each in _groups(asker, chosen, known))
    if chosen.several and chosen.log_group:  # what was named need not be in each account
        groups = tuple(each for each in groups if each.described is not None)
    regions = {
        name: _region(asker, name, groups) for name in dict.fromkeys(each.id.region for each in groups)
    }
    topics = {arn: _topic(asker, arn) for arn in dict.fromkeys(_topics(asker, groups, regions))}
    return Setup(
        asker.account,
        asker.partition,
        chosen.regions,
        now,
        trails,
        _organization(asker, known),
        groups,
        regions,
        topics,
        tuple(asker.unseen),
        named=chosen.trail or "",
    )


def _trails(asker: Asker, chosen: Chosen) -> tuple[Trail, ...] | Unseen:
    found: dict[str, Answer] = {}
    for region in chosen.regions:
        answer = asker.ask(calls.TRAILS, region, f"the trails of {region}", includeShadowTrails=True)
        if isinstance(answer, Unseen):
            return answer
        for each in (answer or {})["trailList"]:
            found.setdefault(each["TrailARN"], each)
    if chosen.trail is not None:
        names = ", ".join(each["Name"] for each in found.values()) or "none"
        found = {arn: each for arn, each in found.items() if chosen.trail in (arn, each["Name"])}
        if not found and not chosen.several:
            raise CannotDo(
                f"no trail {chosen.trail} records {' or '.join(chosen.regions)}",
                remedy=f"trails there: {names}; leave out --trail for all of them",
            )
    return tuple(_trail(asker, each) for each in found.values())


def _trail(asker: Asker, described: Answer) -> Trail:
    arn = described["TrailARN"]
    home = described.get("HomeRegion") or arn.split(":")[3]
    about = f"the trail {described['Name']}"
    status = _there(calls.STATUS, about, asker.ask(calls.STATUS, home, about, Name=arn))
    selectors = _there(calls.SELECTORS, about, asker.ask(calls.SELECTORS, home, about, TrailName=arn))
    role = described.get("CloudWatchLogsRoleArn")
    own = arn.split(":")[4] == asker.account
    return Trail(described, status, selectors, _role(asker, role) if role and own else None)


def _role(asker: Asker, arn: str) -> Role | Unseen | None:
    name, about = arn.rpartition("/")[2], f"the role {arn.rpartition('/')[2]}"
    answer = asker.ask(calls.ROLE, None, about, RoleName=name)
    if answer is None or isinstance(answer, Unseen):
        return answer
    found: list[tuple[str, str]] = []
    inline = asker.all_of(calls.INLINE, None, about, RoleName=name)
    if isinstance(inline, Unseen):
        return inline
    for policy in inline:
        text = asker.ask(calls.INLINE_POLICY, None, about, RoleName=name, PolicyName=policy)
        if isinstance(text, Unseen):
            return text
        found += [(str(policy), _text((text or {})["PolicyDocument"]))]
    attached = asker.all_of(calls.ATTACHED, None, about, RoleName=name)
    if isinstance(attached, Unseen):
        return attached
    for each in attached:
        managed = _managed(asker, each["PolicyArn"])
        if isinstance(managed, Unseen):
            return managed
        found += [(each["PolicyName"], managed)]
    boundary = answer["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    limit = _managed(asker, boundary) if boundary else None
    if isinstance(limit, Unseen):
        return limit
    return Role(arn, _text(answer["Role"]["AssumeRolePolicyDocument"]), tuple(found), limit)


def _managed(asker: Asker, arn: str) -> str | Unseen:
    about = f"the policy {arn}"
    policy = _there(calls.POLICY, about, asker.ask(calls.POLICY, None, about, PolicyArn=arn))
    if isinstance(policy, Unseen):
        return policy
    number = policy["Policy"]["DefaultVersionId"]
    version = _there(
        calls.VERSION, about, asker.ask(calls.VERSION, None, about, PolicyArn=arn, VersionId=number)
    )
    return version if isinstance(version, Unseen) else _text(version["PolicyVersion"]["Document"])


def _organization(asker: Asker, trails: Iterable[Trail]) -> str | Unseen:
    """Ask for the organization's id, only where the streams of its trail are to be judged."""
    if not any(each.organization and each.account == asker.account for each in trails):
        return ""
    answer = asker.ask(calls.ORGANIZATION, None, "the organization")
    if answer is None or isinstance(answer, Unseen):
        return answer or ""
    return str(answer["Organization"]["Id"])


def _groups(asker: Asker, chosen: Chosen, trails: Iterable[Trail]) -> list[GroupId]:
    """Give the log groups of the trails that are in this account, or the one that was named."""
    own = (each.log_group for each in trails)
    found = list(dict.fromkeys(each for each in own if each and each.account == asker.account))
    if chosen.log_group is None:
        return found
    named = [each for each in found if each.name == chosen.log_group]
    return named or [GroupId(asker.account, region, chosen.log_group) for region in chosen.regions]


def _group(asker: Asker, group: GroupId) -> Group:
    name, region, about = group.name, group.region, f"the log group {group.name}"
    listed = asker.all_of(calls.GROUPS, region, about, logGroupNamePrefix=name)
    described: Answer | Unseen | None = (
        listed
        if isinstance(listed, Unseen)
        else next((each for each in listed if each["logGroupName"] == name), None)
    )
    if described is None:
        return Group(group, None, (), (), None, None)
    filters = asker.all_of(calls.FILTERS, region, about, logGroupName=name)
    subscriptions = asker.all_of(calls.SUBSCRIPTIONS, region, about, logGroupName=name)
    transformer = asker.ask(calls.TRANSFORMER, region, about, logGroupIdentifier=name)
    if not isinstance(transformer, Unseen) and transformer is not None:
        transformer = transformer if transformer.get("transformerConfig") else None
    streams = asker.ask(
        calls.STREAMS, region, about, logGroupName=name, orderBy="LastEventTime", descending=True, limit=1
    )
    stream: Answer | Unseen | None = streams
    if not isinstance(streams, Unseen) and streams is not None:
        stream = next(iter(streams["logStreams"]), None)
    return Group(group, described, filters, subscriptions, transformer, stream)


def _region(asker: Asker, region: str, groups: Iterable[Group]) -> Region:
    alarms = asker.listed(calls.ALARMS, region, f"the alarms of {region}", AlarmTypes=list(_KINDS))
    found = Region(region, {} if alarms is None else alarms, {})
    filters: list[Filter] = []
    for each in groups:
        if each.id.region == region:
            with suppress(NotSeen):
                filters += _wired(asker, each, found).filters
    metrics = dict.fromkeys(each.metric for each in filters)
    return found._replace(metrics={each: _published(asker, region, each) for each in metrics})


def _wired(asker: Asker, group: Group, region: Region) -> Wiring:
    return Wiring(group, region, asker.account, asker.partition)


def _published(asker: Asker, region: str, metric: tuple[str, str]) -> bool | Unseen:
    namespace, name = metric
    about = f"the metric {namespace}/{name}"
    answer = asker.ask(calls.METRICS, region, about, Namespace=namespace, MetricName=name)
    return answer if isinstance(answer, Unseen) else bool((answer or {}).get("Metrics"))


def _topics(asker: Asker, groups: Iterable[Group], regions: Mapping[str, Region]) -> Iterator[str]:
    """Yield the topics that alarms on denials act on."""
    for each in groups:
        with suppress(NotSeen):
            yield from filter(is_topic, _wired(asker, each, regions[each.id.region]).actions())


def _topic(asker: Asker, arn: str) -> Topic:
    region, about = arn.split(":")[3], f"the topic {arn.rpartition(':')[2]}"
    answer = asker.ask(calls.ATTRIBUTES, region, about, TopicArn=arn)
    if answer is None:
        return Topic(arn, None, (), None)
    subscriptions = asker.all_of(calls.ENDPOINTS, region, about, TopicArn=arn)
    if isinstance(answer, Unseen):
        return Topic(arn, answer, subscriptions, answer)
    attributes: Mapping[str, Any] = answer["Attributes"]
    named = attributes.get("KmsMasterKeyId")
    return Topic(arn, attributes, subscriptions, _key(asker, region, named) if named else None)


def _key(asker: Asker, region: str, named: str) -> Key:
    about = f"the key {named}"
    answer = asker.ask(calls.KEY, region, about, KeyId=named)
    if answer is None or isinstance(answer, Unseen):
        return Key(named, answer, answer)
    described: Answer = answer["KeyMetadata"]
    if described.get("KeyManager") == "AWS":
        return Key(named, described, None)
    text = asker.ask(calls.KEY_POLICY, region, about, KeyId=described["KeyId"], PolicyName="default")
    if text is None or isinstance(text, Unseen):
        return Key(named, described, text)
    return Key(named, described, str(text["Policy"]))


def _there(call: calls.Call, about: str, answer: Answer | Unseen | None) -> Answer | Unseen:
    return Unseen(call.action, about, "failed", "it is not there any more") if answer is None else answer


def _text(document: Mapping[str, Any] | Sequence[Any] | str) -> str:
    """Give a policy as text; botocore has decoded those of IAM."""
    return document if isinstance(document, str) else json.dumps(document)
