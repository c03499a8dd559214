"""Accounts and roles in; the list of service-linked roles, and the managed policies of roles, kept in the folder, out."""

from typing import Final

from rolewatch.aws.calls import call_of
from rolewatch.aws.policy_fetch import Asker, Row, failures
from rolewatch.aws.policy_kept import Kept, TooLong, file_of, roles_of
from rolewatch.aws.policy_targets import Target
from rolewatch.catalog.profile import role_parts

LIST: Final = "aws iam list-roles --path-prefix /aws-service-role/"
ATTACHED: Final = "aws iam list-attached-role-policies --role-name {last}"
POLICY: Final = "aws iam get-policy --policy-arn {arn}"
VERSION: Final = "aws iam get-policy-version --policy-arn {arn} --version-id {version}"
_MANAGED: Final = "managed policy"


class Roles:
    """Asks IAM."""

    def __init__(self, asker: Asker, kept: Kept) -> None:
        self._asker, self._kept = asker, kept

    def listed(self, account: str) -> Row:
        """Keep the list of an account's service-linked roles."""
        name = roles_of(account)
        row = Row(account, "list of service-linked roles", account, "", "collected", file=name)
        if self._kept.fresh(name):
            return row._replace(status="kept")
        try:
            pages = self._asker.pages(call_of(LIST), (account, ""), {})
            roles = [role for page in pages for role in page["Roles"]]
        except failures() as error:
            return self._failed(row._replace(file=None), error, LIST)
        self._kept.write(name, {"Roles": roles})
        return row

    def attached(self, role: Target) -> tuple[list[str], Row | None]:
        """List the managed policies of a service-linked role, by ARN; the row says what went wrong, if anything."""
        if role_parts(role.arn) is None:
            return [], None
        values = {"last": role.arn.rpartition("/")[2]}
        try:
            pages = self._asker.pages(call_of(ATTACHED), (role.account, ""), values)
            return [each["PolicyArn"] for page in pages for each in page["AttachedPolicies"]], None
        except failures() as error:
            row = Row(role.arn, "list of managed policies", role.account, "", "failed")
            row = self._failed(row, error, ATTACHED)
            return [], None if row.status == "gone" else row

    def managed(self, arn: str, account: str) -> Row:
        """Keep the version of a managed policy that holds, unless it is there already."""
        row = Row(arn, _MANAGED, account, "", "collected")
        try:
            name = file_of(arn)
        except TooLong as error:
            return row._replace(status="failed", reason=str(error))
        row = row._replace(file=name)
        if self._kept.fresh(name):
            return row._replace(status="kept")
        command = POLICY
        try:
            version = self._asker.ask(call_of(POLICY), (account, ""), {"arn": arn})["Policy"][
                "DefaultVersionId"
            ]
            kept = self._kept.read(name)
            if isinstance(kept, dict) and kept.get("PolicyVersion", {}).get("VersionId") == version:
                self._kept.touch(name)
                return row._replace(status="kept")
            command = VERSION
            content = self._asker.ask(call_of(VERSION), (account, ""), {"arn": arn, "version": version})
        except failures() as error:
            return self._failed(row._replace(file=None), error, command)
        self._kept.write(name, content)
        return row

    def _failed(self, row: Row, error: Exception, command: str) -> Row:
        answer, action = self._asker.answer_of(
            error, call_of(command), (row.account, ""), kind="", arn=row.resource
        )
        return row._replace(status=answer.status, reason=answer.reason, action=action)
