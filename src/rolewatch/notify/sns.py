"""`sns:TOPIC-ARN`: alarms as CloudWatch publishes them, findings as JSON, each with attributes to filter by."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from rolewatch.findings.severity import LEVELS
from rolewatch.notify import amazon
from rolewatch.notify.body import body
from rolewatch.notify.errors import SendError
from rolewatch.notify.headlines import title
from rolewatch.notify.notification import Notification
from rolewatch.notify.target import Target
from rolewatch.notify.urls import known, nonsense, parsed
from rolewatch.notify.words import text
from rolewatch.report.json_text import dumps

EXAMPLE: Final = "sns:arn:aws:sns:us-east-1:111122223333:rolewatch"
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:sns:([a-z]{2}[a-z0-9-]{3,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
)
#: SNS's limits: bytes of a message with its attributes, characters of a subject.
MOST: Final = 256 * 1024
SUBJECT: Final = 100
_ATTRIBUTES: Final = 8 * 1024  # bytes kept free for them
_TEXT: Final = 10_000  # characters of an e-mail's text
_LISTED: Final = 50  # values of an attribute
_NOT_PRINTABLE: Final = re.compile(r"[^ -~]")


class Topic(Target):
    """An SNS topic; the region is that of its ARN."""

    def __init__(self, arn: str, region: str, *, fifo: bool) -> None:
        super().__init__(f"sns:{arn}")
        self.arn, self.region, self.fifo = arn, region, fifo

    @cached_property
    def _client(self) -> Any:
        return amazon.client("sns", self.region, self.name)

    def deliver(self, notification: Notification) -> None:
        """Publish."""
        request: dict[str, Any] = {
            "TopicArn": self.arn,
            "Subject": subject(notification),
            "Message": message(notification),
            "MessageStructure": "json",
            "MessageAttributes": attributes(notification),
        }
        if self.fifo:
            request["MessageGroupId"] = _digest(notification.dedup_key)
            request["MessageDeduplicationId"] = _digest(notification.id)
        amazon.call(self._client.publish, self.name, **request)


def subject(notification: Notification) -> str:
    """Give the subject: at most 100 printable characters of ASCII, as SNS wants it."""
    line = _NOT_PRINTABLE.sub("?", title(notification)).strip()
    return line if len(line) <= SUBJECT else f"{line[: SUBJECT - 3]}..."


def message(notification: Notification) -> str:
    """Write the message for each protocol: JSON for machines, text for e-mail, one line for phones."""
    texts = {"email": text(notification, limit=_TEXT), "sms": title(notification, 140)}

    def whole(default: str) -> str:
        return dumps({"default": default} | texts)

    def fits(default: str) -> bool:
        return len(whole(default)) <= MOST - _ATTRIBUTES

    if notification.kind == "alarm":
        default = dumps(notification.alarm or {})
        if not fits(default):
            raise SendError(f"the message of notification {notification.id} is larger than SNS takes")
        return whole(default)
    return whole(body(notification, fits))


def attributes(notification: Notification) -> dict[str, dict[str, str]]:
    """Give the attributes that subscriptions filter by: kind, severity, account, service, and an alarm's state."""
    found = notification.findings
    alarm = notification.alarm or {}
    worst = max((finding["severity"] for finding in found if finding["severity"] in LEVELS), key=LEVELS.index, default="")  # fmt: skip
    accounts = [finding["account"] for finding in found] or [alarm.get("AWSAccountId")]
    values: dict[str, list[Any]] = {
        "kind": [notification.kind],
        "severity": [worst],
        "account": accounts,
        "service": [finding["service"] for finding in found],
        "state": [alarm.get("NewStateValue")],
    }
    return {name: made for name, each in values.items() if (made := _attribute(each))}


def _attribute(values: Iterable[Any]) -> dict[str, str] | None:
    """Make an attribute: a text, or an array where there are several; None where there is nothing to say."""
    words = list(dict.fromkeys(_NOT_PRINTABLE.sub("?", str(value))[:100] for value in values if value))[:_LISTED]  # fmt: skip
    if not words:
        return None
    if len(words) == 1:
        return {"DataType": "String", "StringValue": words[0]}
    return {"DataType": "String.Array", "StringValue": json.dumps(words)}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def target(url: str, environ: Mapping[str, str]) -> Topic:
    """Make the target of a URL."""
    del environ
    found = parsed(url, EXAMPLE)
    known(found, (), EXAMPLE)
    match = _ARN.fullmatch(found.path)
    if found.host or not match:
        raise nonsense("sns", "it names no topic by its ARN", EXAMPLE)
    return Topic(found.path, match[1], fifo=bool(match[2]))
