"""A call of the table in; AWS's answer, or why there is none, out. A call that is refused never ends an examination."""

from typing import Any, Final

from rolewatch.aws.accounts import ASSUME, Accounts, NotAssumed, NotOurs
from rolewatch.aws.doctor_setup import Answer, Answers, Call, Unseen
from rolewatch.aws.policy_answers import SLOW_DOWN, is_over
from rolewatch.base import aws
from rolewatch.base.errors import RolewatchError
from rolewatch.catalog.codes import classify

_REFUSED: Final = ("authorization", "dependency", "vpc-endpoint")


class Asker:
    """Makes the calls of one account, the caller's unless another is named; `unseen` are those without an answer."""

    def __init__(self, accounts: Accounts, account: str | None = None) -> None:
        self._accounts = accounts
        self.account = account or accounts.caller.account
        self.partition = accounts.caller.partition
        self.unseen: list[Unseen] = []

    def enter(self) -> bool:
        """Whether the account can be entered; if not, that is among `unseen`. CannotDo if the caller's credentials are over."""
        try:
            self._accounts.enter(self.account)
        except NotAssumed as error:
            if is_over(error.error):
                raise aws.cannot(error.error, f"stopped at {ASSUME} on {error.role}") from error
            found = _unseen(error.error, ASSUME, error.role)
            self.unseen.append(found._replace(reason=f"{found.reason}; {error.remedy}"))
        except NotOurs as error:
            self.unseen.append(Unseen(ASSUME, f"account {self.account}", "failed", str(error)))
        else:
            return True
        return False

    def ask(self, call: Call, region: str | None, about: str, **parameters: Any) -> Answer | Unseen | None:
        """Make a call; None if what it asks for does not exist. CannotDo if the credentials are over."""
        try:
            client = self._accounts.client(call.service, self.account, region)
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
            client = self._accounts.client(call.service, self.account, region)
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
        if aws.code_of(error) in call.absent:
            return None
        found = _unseen(error, call.action, about)
        self.unseen.append(found)
        return found


def _unseen(error: Exception, action: str, about: str) -> Unseen:
    """Say why a call had no answer."""
    code = aws.code_of(error)
    denied = classify(code) in _REFUSED or _status(error) == 403
    told = str(error) if isinstance(error, RolewatchError) else aws.describe(error)
    if code in SLOW_DOWN:
        denied, told = False, f"{told}; AWS throttled it, also when it was tried again: run it again"
    return Unseen(action, about, "denied" if denied else "failed", told)


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return int(found.get("HTTPStatusCode", 0))
