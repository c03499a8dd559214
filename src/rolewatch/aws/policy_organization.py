"""An account in; the service and resource control policies above it, level by level, kept in the folder, out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rolewatch.aws.accounts import active
from rolewatch.aws.calls import call_of
from rolewatch.aws.policy_fetch import Asker, Row, failures
from rolewatch.aws.policy_kept import ORGANIZATION, Kept

DESCRIBE: Final = "aws organizations describe-organization"
ACCOUNTS: Final = "aws organizations list-accounts"
PARENTS: Final = "aws organizations list-parents --child-id {child}"
ATTACHED: Final = "aws organizations list-policies-for-target --target-id {target} --filter {filter}"
POLICY: Final = "aws organizations describe-policy --policy-id {id}"
#: The key of `rolewatch policy evaluate` → the type of policies, as AWS Organizations calls it.
_TYPES: Final[Mapping[str, str]] = {
    "service_control_policies": "SERVICE_CONTROL_POLICY",
    "resource_control_policies": "RESOURCE_CONTROL_POLICY",
}
_NONE: Final = "AWSOrganizationsNotInUseException"
_OF_ACCOUNT: Final = ".organization.json"


class Organization:
    """Asks AWS Organizations with the caller's credentials, for each level and policy once."""

    def __init__(self, asker: Asker, kept: Kept, caller: str) -> None:
        self._asker, self._kept, self._caller = asker, kept, caller
        self._place = (caller, "")
        self._parents: dict[str, str | None] = {}
        self._levels: dict[tuple[str, str], list[dict[str, str]]] = {}
        self._texts: dict[str, str] = {}

    def describe(self) -> Row:
        """Keep which organisation it is; an account in none is kept as such."""
        row = Row(self._caller, "organization", self._caller, "", "collected", file=ORGANIZATION)
        if self._kept.fresh(ORGANIZATION):
            return row._replace(status="kept")
        call = call_of(DESCRIBE)
        try:
            content = self._asker.ask(call, self._place, {})
        except failures() as error:
            found = getattr(error, "response", {}).get("Error", {})
            if found.get("Code") != _NONE:
                return self._failed(row._replace(file=None), error, DESCRIBE)
            self._kept.write(ORGANIZATION, {"Error": found})
            return row._replace(status="absent", reason="the account is in no organization")
        self._kept.write(ORGANIZATION, content)
        return row

    def accounts(self) -> tuple[list[str], Row | None]:
        """List the active accounts of the organisation; the row says what went wrong, if anything."""
        try:
            pages = self._asker.pages(call_of(ACCOUNTS), self._place, {})
            found = [each for page in pages for each in page["Accounts"]]
        except failures() as error:
            row = Row(self._caller, "list of accounts", self._caller, "", "failed")
            return [], self._failed(row, error, ACCOUNTS)
        return active(found), None

    def control_policies(self, account: str) -> Row:
        """Keep the policies that bound an account, in the form that `rolewatch policy evaluate` reads."""
        name = f"{account}{_OF_ACCOUNT}"
        row = Row(account, "service and resource control policies", account, "", "collected", file=name)
        if self._kept.fresh(name):
            return row._replace(status="kept")
        try:
            levels = list(self._above(account))
            content = {
                key: [{"level": level, "policies": self._attached(level, kind)} for level in levels]
                for key, kind in _TYPES.items()
            }
        except failures() as error:
            return self._failed(row._replace(file=None), error, ATTACHED)
        self._kept.write(name, content)
        return row

    def _above(self, account: str) -> Iterator[str]:
        """Yield the root, the organisational units and the account, from the top."""
        chain = [account]
        while not chain[-1].startswith("r-"):
            parent = self._parent(chain[-1])
            if parent is None:
                break
            chain.append(parent)
        yield from reversed(chain)

    def _parent(self, child: str) -> str | None:
        if child not in self._parents:
            found = self._asker.ask(call_of(PARENTS), self._place, {"child": child})["Parents"]
            self._parents[child] = found[0]["Id"] if found else None
        return self._parents[child]

    def _attached(self, target: str, kind: str) -> list[dict[str, str]]:
        if (target, kind) not in self._levels:
            pages = self._asker.pages(call_of(ATTACHED), self._place, {"target": target, "filter": kind})
            self._levels[target, kind] = [
                {"name": each["Name"], "policy": self._text(each["Id"])}
                for page in pages
                for each in page["Policies"]
            ]
        return self._levels[target, kind]

    def _text(self, policy: str) -> str:
        if policy not in self._texts:
            answer: Any = self._asker.ask(call_of(POLICY), self._place, {"id": policy})
            self._texts[policy] = answer["Policy"]["Content"]
        return self._texts[policy]

    def _failed(self, row: Row, error: Exception, command: str) -> Row:
        answer, action = self._asker.answer_of(
            error, call_of(command), self._place, kind="", arn=row.resource
        )
        status = "failed" if answer.status in ("gone", "absent") else answer.status
        return row._replace(status=status, reason=answer.reason, action=action)
