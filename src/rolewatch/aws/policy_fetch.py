"""A target in; its policy asked for, and kept in the folder, and a row that says what became of it, out.

One way for all kinds: the catalogue has the call, where the policy is in the answer, and what its errors mean.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.aws.accounts import ASSUME, Accounts, NotAssumed, NotOurs
from rolewatch.aws.calls import Call, action_of, arguments, call_of
from rolewatch.aws.policy_answers import Answer, Asked, Status, is_over, understood
from rolewatch.aws.policy_kept import Kept, TooLong, file_of
from rolewatch.aws.policy_targets import Target
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.catalog.naming import named
from rolewatch.catalog.policy_kinds import values_of
from rolewatch.catalog.policy_lists import BY_NAME, MULTI_REGION, PARTS

GRANTS: Final = "aws kms list-grants --key-id {arn}"
ALIAS: Final = "aws kms describe-key --key-id {arn}"
_ALIAS_TYPE: Final = "AWS::KMS::Alias"
_GAP: Final = re.compile(r"\{(\w+)\}")


class Row(NamedTuple):
    """What became of one thing: `resource` is its ARN, or an account; `policy` says which policy of it, or which list.

    `action` is the IAM action that is missing where it was denied; `file` the file's name, None where there is none.
    """

    resource: str
    policy: str
    account: str
    region: str
    status: Status
    reason: str = ""
    action: str | None = None
    file: str | None = None


class Over(Exception):  # noqa: N818 - reads as what it says
    """The credentials are over."""


class Asker:
    """Makes calls in accounts, and says what their errors mean."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @property
    def caller(self) -> str:
        """The ARN of who asks."""
        return self._accounts.caller.arn

    def ask(self, call: Call, place: tuple[str, str], values: Mapping[str, str]) -> dict[str, Any]:
        """Make a call in an account and region, and give the answer; raises what `answer_of` understands."""
        client, arguments_ = self._ready(call, place, values)
        return _plain(getattr(client, call.method)(**arguments_))

    def pages(
        self, call: Call, place: tuple[str, str], values: Mapping[str, str]
    ) -> Iterator[dict[str, Any]]:
        """Make a call as often as it takes, and give all answers; raises what `answer_of` understands."""
        client, arguments_ = self._ready(call, place, values)
        if client.can_paginate(call.method):
            yield from map(_plain, client.get_paginator(call.method).paginate(**arguments_))
            return
        token: dict[str, str] = {}
        while True:
            page = getattr(client, call.method)(**arguments_, **token)
            yield _plain(page)
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def answer_of(
        self,
        error: Exception,
        call: Call,
        place: tuple[str, str],
        *,
        kind: str,
        arn: str,
        service: str = "",
    ) -> tuple[Answer, str | None]:
        """Say what an error means, and which action is missing, if that is it; Over where nothing more will work.

        `service` is that of ARNs of what is asked for, where `arn` is none.
        """
        if isinstance(error, NotAssumed):
            if is_over(error.error):
                raise Over(aws.describe(error.error)) from error
            denied = understood(error.error, Asked("", error.role, ASSUME, "", self.caller))
            answer = Answer(denied.status if denied.status == "denied" else "failed", str(error))
            return answer, ASSUME if answer.status == "denied" else None
        if isinstance(error, NotOurs | CannotDo):
            return Answer("failed", str(error)), None
        if is_over(error):
            raise Over(aws.describe(error)) from error
        action = self._action(call, place, arn.split(":")[2] if arn.startswith("arn:") else service)
        answer = understood(error, Asked(kind, arn, action, place[1], self._who(place[0])))
        return answer, action if answer.status == "denied" else None

    def _who(self, account: str) -> str:
        return self.caller if account == self._accounts.caller.account else f"the role assumed in {account}"

    def _action(self, call: Call, place: tuple[str, str], service: str) -> str:
        client = self._client(call, place)
        return action_of(call, client.meta.service_model, service)

    def _client(self, call: Call, place: tuple[str, str]) -> Any:
        account, region = place
        return self._accounts.client(call.service, account, call.region or region or self._accounts.region)

    def _ready(
        self, call: Call, place: tuple[str, str], values: Mapping[str, str]
    ) -> tuple[Any, dict[str, Any]]:
        client = self._client(call, place)
        return client, arguments(call, client.meta.service_model, values)


def failures() -> tuple[type[Exception], ...]:
    """Give the classes of what a call raises that `answer_of` understands."""
    return (*aws.errors(), NotAssumed, NotOurs, CannotDo)


class Fetcher:
    """Fetches policies of resources; what is in the folder and young enough is not asked for."""

    def __init__(self, asker: Asker, kept: Kept) -> None:
        self._asker, self._kept = asker, kept

    def fetch(self, target: Target) -> list[Row]:
        """Fetch the policy of a resource, and the grants of a key."""
        rows = [self._one(target, target.kind.name, "", self._policy)]
        if target.kind.kind == "key" and rows[0].status != "gone":
            rows.append(self._one(target, "grants", ".grants", self._grants))
        return rows

    def _one(self, target: Target, what: str, end: str, get: Any) -> Row:
        """Fetch one file of a target."""
        row = Row(target.arn, what, target.account, target.region, "collected")
        try:
            name = file_of(target.arn, end=end)
        except TooLong as error:
            return row._replace(status="failed", reason=str(error))
        if self._kept.fresh(name):
            return row._replace(status="kept", file=name)
        call = call_of(target.kind.fetch if not end else GRANTS)
        place = (target.account, target.region)
        try:
            content = get(target, call, place)
        except failures() as error:
            answer, action = self._asker.answer_of(error, call, place, kind=target.kind.kind, arn=target.arn)
            row = row._replace(status=answer.status, reason=answer.reason, action=action)
            if answer.status == "absent":
                self._kept.write(name, {"Error": getattr(error, "response", {}).get("Error")})
                return row._replace(file=name)
            if answer.status == "gone":
                self._kept.remove(name)
                self._kept.remove(file_of(target.arn, end=".grants"))
            return row
        if content is None:
            self._kept.remove(name)
            return row._replace(status="gone", reason="it does not exist (any more)")
        self._kept.write(name, content)
        return row._replace(status="collected" if _holds(target, content) else "absent", file=name)

    def _policy(self, target: Target, call: Call, place: tuple[str, str]) -> dict[str, Any] | None:
        """Ask for the policy; None where the answer is not about the resource."""
        values = self._values(target, call, place)
        return _tidied(target, self._asker.ask(call, place, values), values)

    def _grants(self, target: Target, call: Call, place: tuple[str, str]) -> dict[str, Any]:
        values = self._values(target, call, place)
        return {
            "Grants": [each for page in self._asker.pages(call, place, values) for each in page["Grants"]]
        }

    def _values(self, target: Target, call: Call, place: tuple[str, str]) -> Mapping[str, str]:
        """Give what fills the gaps of a call; an alias is followed to its key. CannotDo where the ARN does not tell it."""
        found = named(target.arn)
        values: dict[str, str] = dict(values_of(found)) if found else {}
        values["account"] = values.get("account") or target.account
        if target.type == _ALIAS_TYPE:
            answer = self._asker.ask(call_of(ALIAS), place, values)
            return {**values, "arn": str(answer["KeyMetadata"]["Arn"])}
        if target.kind.kind == "multi-region-access-point":  # whose ARN has its alias, and not its name
            values["name"] = self._name_of(values["name"], place, values)
        gaps = {gap for _, text in call.parameters for gap in _GAP.findall(text)}
        if not gaps <= values.keys() or (target.type != target.kind.type and gaps - {"arn"}):
            raise CannotDo(f"{target.arn} does not tell what its {target.kind.name} is asked for by")
        return values

    def _name_of(self, alias: str, place: tuple[str, str], values: Mapping[str, str]) -> str:
        """Give the name of a Multi-Region Access Point; the alias itself where none has it, which is then told as gone."""
        for page in self._asker.pages(call_of(MULTI_REGION), place, values):
            for each in page.get("AccessPoints") or ():
                if each.get("Alias") == alias:
                    return str(each["Name"])
        return alias


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _tidied(target: Target, answer: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any] | None:
    """Make an answer one that a reader of the folder understands; None where it is not about the resource."""
    part = PARTS.get(target.kind.kind)
    if part:
        own = [each for each in answer.get(part.items, []) if each.get(part.name) == values["name"]]
        return {part.items: own} if own else None
    if target.kind.kind in BY_NAME:
        return {key: list(value.values()) for key, value in answer.items() if isinstance(value, Mapping)}
    tidied = _changed(answer, target.kind.answer.split("."))
    return tidied if isinstance(tidied, dict) else answer


def _changed(found: Any, path: Sequence[str]) -> Any:
    """Change the text at a path, of each item of a list on the way."""
    if isinstance(found, list):
        return [_changed(each, path) for each in found]
    if not path:
        return _unescaped(found) if isinstance(found, str) else found
    if not isinstance(found, Mapping) or path[0] not in found:
        return found
    return {**found, path[0]: _changed(found[path[0]], path[1:])}


def _unescaped(text: str) -> str:
    r"""Undo what API Gateway does to a policy, whose quotes it writes as `\"`; an empty object is no policy."""
    if text.strip() == "{}":
        return ""
    if not text.startswith('{\\"'):
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _holds(target: Target, content: Any) -> bool:
    """Whether an answer holds a policy (or grants, which it always does)."""
    if set(content) == {"Grants"}:
        return True
    found = [content]
    for part in target.kind.answer.split("."):
        found = [item.get(part) for item in found if isinstance(item, Mapping)]
        found = [inner for item in found for inner in (item if isinstance(item, list) else [item])]
    return any(item not in (None, "", {}) for item in found)
