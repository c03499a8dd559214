"""Checks of the log group: whether events come into it, and whether filters and people can look at them there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict
from rolewatch.aws.checks_fix import command, put_filter, silence_alarm
from rolewatch.aws.doctor_setup import Answer, seen
from rolewatch.aws.doctor_wiring import Wiring
from rolewatch.base.clock import moment_of

SHORTEST: Final = 14  # days: who comes back from a holiday still finds what an e-mail was about
MOST_SUBSCRIPTIONS: Final = 2  # of a log group (CloudWatch Logs quotas)
SILENT: Final = timedelta(hours=6)  # a stream's newest event is told with up to an hour's delay
_OCSF: Final = "parseToOCSF"


def groups(case: Case) -> tuple[Wiring, ...]:
    """Give all log groups."""
    return case.wirings


def there(case: Case) -> list[Wiring]:
    """Give those that exist, as far as is known."""
    return [each for each in case.wirings if each.group.described is not None]


def name(wiring: Wiring) -> str:
    """Name a log group."""
    return f"the log group {wiring.name}"


def _exists(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own = wiring.group.id
    if seen(wiring.group.described) is not None:
        yield Verdict("ok", own.name, f"The log group {own.name} is there.")
        return
    yield Verdict(
        "problem",
        own.name,
        f"The log group {own.name} does not exist in {own.region}: CloudTrail has nowhere to deliver to, and filters went with it.",
        command("logs", "create-log-group", "--log-group-name", own.name, region=own.region),
    )


def _described(wiring: Wiring) -> Answer:
    found = seen(wiring.group.described)
    return {} if found is None else found


def _class(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own, found = wiring.group.id, _described(wiring).get("logGroupClass") or "STANDARD"
    if found == "STANDARD":
        yield Verdict("ok", own.name, f"The log group {own.name} is of the class STANDARD.")
        return
    words = ("--log-group-name", f"{own.name}-standard", "--log-group-class", "STANDARD")
    yield Verdict(
        "problem",
        own.name,
        f"The log group {own.name} is of the class {found}, in which there are no metric filters: nothing is counted. A class cannot be "
        "changed; make another group, and tell the trail to deliver there.",
        command("logs", "create-log-group", *words, region=own.region),
    )


def _retention(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own, days = wiring.group.id, _described(wiring).get("retentionInDays")
    if days is None or int(days) >= SHORTEST:
        kept = "for ever" if days is None else f"for {days} days"
        yield Verdict("ok", own.name, f"The log group {own.name} keeps events {kept}.")
        return
    words = ("--log-group-name", own.name, "--retention-in-days", "90")
    yield Verdict(
        "warning",
        own.name,
        f"The log group {own.name} keeps events for {days} day{'' if days == 1 else 's'}: whoever looks after that for what an alarm was about finds nothing.",
        command("logs", "put-retention-policy", *words, region=own.region),
    )


def _arriving(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    own, stream = wiring.group.id, seen(wiring.group.stream)
    latest = max((stream or {}).get("lastEventTimestamp") or 0, (stream or {}).get("lastIngestionTime") or 0)
    at = moment_of(latest)
    if latest and case.setup.now - at <= SILENT:
        yield Verdict(
            "ok", own.name, f"The newest event in the log group {own.name} is of {at:%Y-%m-%dT%H:%MZ}."
        )
        return
    told = f"Nothing has come into the log group {own.name} since {at:%Y-%m-%dT%H:%MZ}" if latest else f"Nothing has ever come into the log group {own.name}"  # fmt: skip
    words = ("--log-group-name", own.name, "--order-by", "LastEventTime", "--descending", "--max-items", "3")
    yield Verdict(
        "problem",
        own.name,
        f"{told}: filters have nothing to look at. See what the checks of the trail and of the delivery say.",
        command("logs", "describe-log-streams", *words, region=own.region),
    )


def _transformer(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own, found = wiring.group.id, seen(wiring.group.transformer)
    if found is None:
        yield Verdict("ok", own.name, f"The log group {own.name} has no transformer.")
        return
    renames = any(_OCSF in step for step in found.get("transformerConfig") or ())
    for each in wiring.filters:
        again = put_filter(each.described, own.name, own.region)
        if each.transformed:
            yield Verdict(
                "problem" if renames else "unknown",
                each.name,
                f"The filter {each.name} looks at events as the transformer of {own.name} leaves them"
                + (
                    ", in OCSF: the fields of its pattern are CloudTrail's, and there are none of these names."
                    if renames
                    else ". Whether its pattern still matches hangs on what that does; other checks hold it against events as they arrive."
                ),
                f"{again} --no-apply-on-transformed-logs",
            )
        elif each.matched:
            yield Verdict(
                "warning",
                each.name,
                f"The log group {own.name} has a transformer, and the filter {each.name} looks at events as they arrive. Its pattern matches "
                "these; what Logs Insights shows, and whoever rewrites the pattern after that, sees others, which it would not match.",
                command("logs", "get-transformer", "--log-group-identifier", own.name, region=own.region),
            )
        else:
            yield Verdict(
                "problem",
                each.name,
                f"The log group {own.name} has a transformer, but the filter {each.name} looks at events as they arrive, without "
                "applyOnTransformedLogs, and its pattern matches no denial in that form.",
                f"{again} --apply-on-transformed-logs",
            )


def _subscriptions(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own, found = wiring.group.id, seen(wiring.group.subscriptions)
    if len(found) < MOST_SUBSCRIPTIONS:
        yield Verdict("ok", own.name, f"The log group {own.name} has room for a subscription filter.")
        return
    names = " and ".join(str(each["filterName"]) for each in found)
    yield Verdict(
        "warning",
        own.name,
        f"The log group {own.name} has its {MOST_SUBSCRIPTIONS} subscription filters, {names}: nothing else can follow it as events arrive, "
        "rolewatch as a function neither.",
        command("logs", "delete-subscription-filter", "--log-group-name", own.name, "--filter-name", str(found[-1]["filterName"]), region=own.region),
    )  # fmt: skip


def _silence(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    own = wiring.group.id
    told = [each for each in wiring.silence if _tells(wiring, each.name)]
    if told:
        yield Verdict("ok", own.name, f"{told[0].name} rings when no events come into {own.name}.")
        return
    yield Verdict(
        "warning",
        own.name,
        f"No alarm rings when no events come into the log group {own.name}: if the trail is stopped, or its role breaks, all other alarms "
        "stay OK, and nobody is told that nobody looks.",
        silence_alarm(own.name, own.region, case.some_topic(wiring)),
    )


def _tells(wiring: Wiring, alarm: str) -> bool:
    above = [each.name for each in wiring.above(alarm)]
    described = [wiring.described(each) for each in (alarm, *above)]
    return any(each.get("AlarmActions") and each.get("ActionsEnabled", True) for each in described)


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("log-group-missing", "log group", "whether it is there", groups, _exists, name),
    Check("log-group-class", "log group", "of which class it is", there, _class, name),
    Check("log-group-events", "log group", "whether events arrive", there, _arriving, name),
    Check("log-group-transformer", "log group", "whether a transformer changes the events", there, _transformer, name),
    Check("log-group-retention", "log group", "how long events are kept", there, _retention, name),
    Check("log-group-subscriptions", "log group", "whether it has room for a subscription filter", there, _subscriptions, name),
    Check("log-group-silence", "log group", "whether an alarm rings when no events come", there, _silence, name),
)  # fmt: skip
