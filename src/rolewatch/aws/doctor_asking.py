"""A call of the table in; AWS's answer, or why there is none, out. A call that is refused never ends an examination."""

from typing import Any, Final

from rolewatch.aws.accounts import Accounts
from rolewatch.aws.doctor_setup import Answer, Answers, Call, Unseen
from rolewatch.aws.policy_answers import is_over
from rolewatch.base import aws
from rolewatch.base.errors import RolewatchError
from rolewatch.catalog.codes import classify

_REFUSED: Final = ("authorization", "dependency", "vpc-endpoint")


class Asker:
    """Makes the calls of one account, each answer kept as it came; `unseen` are those without one."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.caller = accounts.caller
        self.unseen: list[Unseen] = []

    def ask(self, call: Call, region: str | None, about: str, **parameters: Any) -> Answer | Unseen | None:
        """Make a call; None if what it asks for does not exist. CannotDo if the credentials are over."""
        try:
            client = self._accounts.client(call.service, self.caller.account, region)
            answer: Answer = getattr(client, call.method)(**parameters)
        except aws.errors() as error:
            return self._understood(error, call, about)
        except RolewatchError as error:
            return self._understood(error, call, about)
        return answer

    def listed(self, call: Call, region: str | None, about: str, **parameters: Any) -> Answer | Unseen | None:
        """Make a call whose answer is paged, and give all pages as one; else as `ask`."""
        found: dict[str, list[Any]] = {name: [] for name in call.lists}
        try:
            client = self._accounts.client(call.service, self.caller.account, region)
            for page in client.get_paginator(call.method).paginate(**parameters):
                for name in call.lists:
                    found[name] += page.get(name) or []
        except aws.errors() as error:
            return self._understood(error, call, about)
        except RolewatchError as error:
            return self._understood(error, call, about)
        return found

    def all_of(self, call: Call, region: str | None, about: str, **parameters: Any) -> Answers | Unseen:
        """Make a call that lists one thing, and give all of them; nothing if what has them does not exist."""
        found = self.listed(call, region, about, **parameters)
        if isinstance(found, Unseen):
            return found
        return [] if found is None else list(found[call.lists[0]])

    def _understood(self, error: Exception, call: Call, about: str) -> Unseen | None:
        if is_over(error):
            raise aws.cannot(error, f"stopped at {call.action} of {about}") from error
        code = aws.code_of(error)
        if code in call.absent:
            return None
        denied = classify(code) in _REFUSED or _status(error) == 403
        told = str(error) if isinstance(error, RolewatchError) else aws.describe(error)
        found = Unseen(call.action, about, "denied" if denied else "failed", told)
        self.unseen.append(found)
        return found


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return int(found.get("HTTPStatusCode", 0))
