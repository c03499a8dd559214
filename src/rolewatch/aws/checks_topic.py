"""Checks of the topics: whether they take what an alarm publishes, can encrypt it, and have somebody to send it to."""

from collections.abc import Iterator
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict
from rolewatch.aws.checks_access import Access, asked, decided
from rolewatch.aws.checks_fix import command, with_statement
from rolewatch.aws.checks_group import there
from rolewatch.aws.doctor_setup import Key, Setup, Topic, seen
from rolewatch.policies.layers import Policies
from rolewatch.policies.reading import read_policy

_SERVICE: Final = "cloudwatch.amazonaws.com"
_KEY_ACTIONS: Final = ("kms:GenerateDataKey", "kms:Decrypt")
_PENDING: Final = "PendingConfirmation"
_GONE: Final = "Deleted"
_USABLE: Final = "Enabled"


def topics(case: Case) -> Iterator[Topic]:
    """Give the topics that alarms on denials notify, each once."""
    found: dict[str, Topic] = {}
    for wiring in there(case):
        found |= {each.arn: each for each in case.topics(wiring)}
    yield from found.values()


def _there(case: Case) -> Iterator[Topic]:
    return (each for each in topics(case) if each.attributes is not None)


def _exists(case: Case, topic: Topic) -> Iterator[Verdict]:
    del case
    if seen(topic.attributes) is not None:
        yield Verdict("ok", topic.arn, f"The topic {topic.arn} is there.")
        return
    name, region = topic.arn.rpartition(":")[2], topic.arn.split(":")[3]
    yield Verdict(
        "problem",
        topic.arn,
        f"The topic {topic.arn} does not exist: alarms go off, their action fails, and nobody is told.",
        command("sns", "create-topic", "--name", name, region=region),
    )


def _confirmed(case: Case, topic: Topic) -> Iterator[Verdict]:
    del case
    region, found = topic.arn.split(":")[3], seen(topic.subscriptions)
    there_are = [each for each in found if each.get("SubscriptionArn") != _GONE]
    confirmed = [each for each in there_are if each.get("SubscriptionArn") != _PENDING]
    if confirmed:
        yield Verdict("ok", topic.arn, f"The topic {topic.arn} has {len(confirmed)} confirmed subscription{'' if len(confirmed) == 1 else 's'}.")  # fmt: skip
        return
    pending = " and ".join(str(each.get("Endpoint")) for each in there_are)
    told = f"only subscriptions that were never confirmed: {pending}" if there_are else "no subscription"
    first = there_are[0] if there_are else {"Protocol": "email", "Endpoint": "you@example.com"}
    words = (
        "--topic-arn",
        topic.arn,
        "--protocol",
        str(first.get("Protocol")),
        "--notification-endpoint",
        str(first.get("Endpoint")),
    )
    yield Verdict(
        "problem",
        topic.arn,
        f"The topic {topic.arn} has {told}. What alarms publish to it, nobody gets."
        + (" Subscribing again sends the confirmation again." if there_are else ""),
        command("sns", "subscribe", *words, region=region),
    )


def publishes(setup: Setup, topic: Topic) -> Access:
    """Say whether the topic's policy lets an alarm of the account publish; NotSeen where it could not be looked at."""
    attributes = seen(topic.attributes) or {}
    policy = read_policy(str(attributes.get("Policy") or "{}"), "the topic's policy", principals=True)
    request = asked(setup, _SERVICE, "sns:Publish", topic.arn, source=_alarms(setup, topic))
    return decided(request, Policies(resource=policy))


def _alarms(setup: Setup, topic: Topic) -> str:
    return f"arn:{setup.partition}:cloudwatch:{topic.arn.split(':')[3]}:{setup.account}:alarm:rolewatch"


def _policy(case: Case, topic: Topic) -> Iterator[Verdict]:
    setup, attributes = case.setup, seen(topic.attributes) or {}
    found = publishes(setup, topic)
    if found.allowed:
        yield Verdict("ok", topic.arn, f"The policy of {topic.arn} lets CloudWatch publish.")
        return
    statement = {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": "sns:Publish",
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": setup.account}},
    }
    whole = with_statement(str(attributes.get("Policy") or ""), statement)
    words = ("--topic-arn", topic.arn, "--attribute-name", "Policy", "--attribute-value", whole)
    fix = command("sns", "set-topic-attributes", *words, region=topic.arn.split(":")[3])
    yield _of(found, topic, f"The policy of the topic {topic.arn} does not let CloudWatch publish", fix)


def _of(found: Access, topic: Topic, told: str, fix: str) -> Verdict:
    else_ = "alarms go off, their action fails, and nobody is told"
    if found.depends:
        return Verdict("unknown", topic.arn, f"It is not known whether this is so: {told[0].lower()}{told[1:]}{found.why}. If it is, {else_}.", fix)  # fmt: skip
    return Verdict("problem", topic.arn, f"{told}{found.why}: {else_}.", fix)


def encrypts(setup: Setup, topic: Topic, key: Key) -> Access:
    """Say whether the key lets CloudWatch encrypt what it publishes; NotSeen where the key could not be looked at."""
    described = seen(key.described) or {}
    if described.get("KeyManager") == "AWS":
        return Access(False, False, "")  # noqa: FBT003 - its policy is AWS's, and names no alarm
    policy = read_policy(seen(key.policy) or "{}", "the key's policy", principals=True)
    known = {
        "kms:ViaService": [f"sns.{topic.arn.split(':')[3]}.amazonaws.com"],
        "kms:EncryptionContext:aws:sns:topicArn": [topic.arn],
        "kms:EncryptionContextKeys": ["aws:sns:topicArn"],
    }
    answers = [
        decided(
            asked(setup, _SERVICE, action, str(described["Arn"]), source=_alarms(setup, topic), known=known),
            Policies(resource=policy),
        )
        for action in _KEY_ACTIONS
    ]
    return min(answers, key=lambda each: (each.allowed, each.depends))


def _encrypted(case: Case, topic: Topic) -> Iterator[Verdict]:
    key = seen(topic.key)
    if key is None:
        yield Verdict("ok", topic.arn, f"The topic {topic.arn} has no key that CloudWatch would need.")
        return
    setup, region = case.setup, topic.arn.split(":")[3]
    described = seen(key.described)
    words = (
        "--topic-arn",
        topic.arn,
        "--attribute-name",
        "KmsMasterKeyId",
        "--attribute-value",
        "YOUR-KEY-ID",
    )
    another = command("sns", "set-topic-attributes", *words, region=region)
    if described is None:
        told = f"The key {key.named} of the topic {topic.arn} does not exist: nothing can be published."
        yield Verdict("problem", topic.arn, told, another)
        return
    if described.get("KeyState", _USABLE) != _USABLE:
        told = f"The key {key.named} of the topic {topic.arn} is in the state {described['KeyState']}: nothing can be published."
        fix = command("kms", "enable-key", "--key-id", str(described["KeyId"]), region=region)
        yield Verdict("problem", topic.arn, told, another if "Delet" in str(described["KeyState"]) else fix)
        return
    found = encrypts(setup, topic, key)
    if found.allowed:
        yield Verdict("ok", topic.arn, f"The key of {topic.arn} lets CloudWatch publish.")
        return
    if described.get("KeyManager") == "AWS":
        told = (
            f"The topic {topic.arn} is encrypted with {key.named}, the key that AWS manages, which no alarm may use: alarms go off, their "
            "action fails, and nobody is told. It takes a key of your own whose policy names cloudwatch.amazonaws.com."
        )
        yield Verdict("problem", topic.arn, told, another)
        return
    statement = {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": setup.account}},
    }
    whole = with_statement(seen(key.policy), statement)
    words = ("--key-id", str(described["KeyId"]), "--policy-name", "default", "--policy", whole)
    fix = command("kms", "put-key-policy", *words, region=region)
    yield _of(
        found,
        topic,
        f"The policy of the key {key.named} of the topic {topic.arn} does not let CloudWatch use it",
        fix,
    )


def _name(topic: Topic) -> str:
    return f"the topic {topic.arn}"


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("topic-missing", "topic", "whether it is there", topics, _exists, _name),
    Check("topic-subscription", "topic", "whether anybody gets what is published", _there, _confirmed, _name),
    Check("topic-policy", "topic", "whether CloudWatch may publish", _there, _policy, _name),
    Check("topic-key", "topic", "whether CloudWatch may use its key", _there, _encrypted, _name),
)  # fmt: skip
