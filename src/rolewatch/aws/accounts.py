"""Credentials in; clients for each account and region out: of the caller's own account, and of others through a role there."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from rolewatch.aws.pace import Pace
from rolewatch.base import aws
from rolewatch.base.errors import RolewatchError

SESSION_NAME: Final = "rolewatch"
ASSUME: Final = "sts:AssumeRole"
_EARLY: Final = timedelta(minutes=5)  # before a role's credentials expire


class Access(NamedTuple):
    """Whose credentials: a profile of ~/.aws/config, and the role to assume in other accounts; None for none."""

    profile: str | None = None
    role_name: str | None = None
    external_id: str | None = None


class Caller(NamedTuple):
    """Who the credentials are, as AWS says."""

    account: str
    arn: str
    partition: str


class NotOurs(RolewatchError):  # noqa: N818 - reads as what it says
    """An account whose credentials nobody has given."""


class NotAssumed(RolewatchError):  # noqa: N818 - as above
    """A role that could not be assumed; `error` is botocore's, `role` the role's ARN."""

    def __init__(self, role: str, error: Exception) -> None:
        super().__init__(
            f"{role} could not be assumed: {aws.describe(error)}",
            remedy="it has to exist there and to trust the caller, who needs sts:AssumeRole on it",
        )
        self.role, self.error = role, error


class _Keyed(NamedTuple):
    """Makes clients with other credentials; they share what the session has loaded of botocore's models."""

    session: Any
    keys: Mapping[str, str]

    def client(self, service: str, **more: Any) -> Any:
        return self.session.client(service, **more, **self.keys)


class _Assumed(NamedTuple):
    session: _Keyed
    until: datetime


class Accounts:
    """Makes clients, each once; safe for threads. Every attempt of a request waits for its turn.

    `region` is asked where neither a resource, nor the profile or environment tells one. `prepare` is called with each new client, for who wants to see what is sent.
    """

    def __init__(
        self,
        access: Access,
        pace: Pace,
        *,
        region: str | None = None,
        threads: int = 8,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        prepare: Callable[[Any], None] = lambda _: None,
    ) -> None:
        self._access, self._pace, self._threads = access, pace, threads
        self._now, self._prepare = now, prepare
        self._lock = threading.RLock()
        self._base = aws.session(access.profile)
        self.region: str | None = self._base.region_name or region
        self._assumed: dict[str, _Assumed | NotAssumed] = {}
        self._clients: dict[tuple[str, str, str | None], Any] = {}
        self.caller = self._who()

    def client(self, service: str, account: str, region: str | None) -> Any:
        """Give a client for an account.

        Raises NotOurs for another account than the caller's where no role is named, NotAssumed where AWS refuses the role, CannotDo
        where there can be no such client.
        """
        with self._lock:
            own = self._session(account)
            key = (account, service, region)
            if key not in self._clients:
                self._clients[key] = self._made(own, service, region)
            return self._clients[key]

    def enter(self, account: str) -> None:
        """Make sure that there are credentials for an account; raises what `client` raises."""
        with self._lock:
            self._session(account)

    def leave(self, account: str) -> None:
        """Close the clients of an account that nothing more will be asked in, and forget its credentials."""
        with self._lock:
            for each in self._forget(account):
                each.close()
            self._assumed.pop(account, None)

    def offers(self, service: str, region: str) -> bool:
        """Whether botocore knows a service to be in a region, or does not know where it is at all."""
        known = self._base.get_available_regions(service, partition_name=self.caller.partition)
        if known:
            return region in known
        return not self._base.get_available_regions(service)  # it is in another partition only

    def _made(self, own: Any, service: str, region: str | None) -> Any:
        made = aws.client(service, region=region, pool=self._threads, own=own)
        made.meta.events.register("before-send", self._paced)
        self._prepare(made)
        return made

    def _paced(self, **_: Any) -> None:
        self._pace.wait()

    def _who(self) -> Caller:
        """Ask who the caller is, which needs no permission; CannotDo where the credentials are none."""
        try:
            found = self._made(self._base, "sts", self.region).get_caller_identity()
        except aws.errors() as error:
            raise aws.cannot(error, "cannot tell whose credentials these are") from error
        return Caller(found["Account"], found["Arn"], found["Arn"].split(":")[1])

    def _session(self, account: str) -> Any:
        if account == self.caller.account:
            return self._base
        if self._access.role_name is None:
            raise NotOurs(
                f"it belongs to account {account}, and these are credentials of account {self.caller.account}",
                remedy="name a role of that account with --role-name, or run this with its credentials",
            )
        known = self._assumed.get(account)
        if isinstance(known, _Assumed) and self._now() > known.until:
            known = None
            self._forget(account)  # without closing them: another thread may be at it
        if known is None:
            known = self._assumed[account] = self._assume(account, self._access.role_name)
        if isinstance(known, NotAssumed):
            raise known
        return known.session

    def _assume(self, account: str, name: str) -> _Assumed | NotAssumed:
        """Assume a role; a refusal is kept, so that it is asked for once. Other errors are botocore's."""
        role = f"arn:{self.caller.partition}:iam::{account}:role/{name}"
        more = {"ExternalId": self._access.external_id} if self._access.external_id else {}
        try:
            found = self._made(self._base, "sts", self.region).assume_role(
                RoleArn=role, RoleSessionName=SESSION_NAME, **more
            )
        except aws.errors() as error:
            return NotAssumed(role, error)
        own = found["Credentials"]
        keys = {
            "aws_access_key_id": own["AccessKeyId"],
            "aws_secret_access_key": own["SecretAccessKey"],
            "aws_session_token": own["SessionToken"],
        }
        return _Assumed(_Keyed(self._base, keys), own["Expiration"] - _EARLY)

    def _forget(self, account: str) -> list[Any]:
        return [self._clients.pop(key) for key in list(self._clients) if key[0] == account]


def active(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the ids of the accounts that are active, of those that ListAccounts lists."""
    return [each["Id"] for each in listed if each.get("State", each.get("Status")) == "ACTIVE"]


def assuming(role_name: str, partition: str) -> dict[str, str]:
    """Write the statement that lets the caller assume the role of a name in each account."""
    resource = f"arn:{partition}:iam::*:role/{role_name}"
    return {"Sid": "AssumeRoleInEachAccount", "Effect": "Allow", "Action": ASSUME, "Resource": resource}
