"""A stack at work in; how far it has come while it works, and how it ended, out."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.aws.asking import asking
from rolewatch.aws.stacks import Stack, find

_SECONDS: Final = 5.0  # between two looks
_QUIET: Final = 3  # looks at a stack at rest in which nothing has happened, before it is believed
_ENDED: Final = ("_COMPLETE", "_FAILED", "_SKIPPED")
_PASSIVE: Final = (
    "Resource creation cancelled",
    "Resource update cancelled",
)  # a failure elsewhere is the reason
#: Part of the reason that a service gives → what the reader can do.
_REMEDIES: Final = (
    ("MaximumNumberOfTrailsExceeded", "five trails are the most in a Region: name one of them with --trail"),
    ("Maximum number of trails", "five trails are the most in a Region: name one of them with --trail"),
    ("already exists", "something has this name that the stack did not make: choose another --stack-name, or remove it"),
    ("not authorized to perform", "ask for the permission that the message names"),
    ("AccessDenied", "ask for the permission that the message names"),
    ("not in an organization", "deploy in the management account of an organization, or without --organization"),
    ("NotOrganizationMasterAccount", "deploy in the management account, or as delegated administrator with --management-account"),
    ("OrganizationsNotInAllFeaturesMode", "the organization needs all features: aws organizations enable-all-features"),
    ("CloudTrailAccessNotEnabled", "trust CloudTrail first: aws organizations enable-aws-service-access --service-principal cloudtrail.amazonaws.com"),
    ("InsufficientEncryptionPolicy", "the key's policy has to let CloudTrail use it; docs/aws-deploy.md has the statements"),
    ("UnreservedConcurrentExecution", "the account has too little concurrency left: ask for more of Lambda's quota"),
    ("LimitExceeded", "ask for a higher quota, or remove what is not needed"),
)  # fmt: skip


class Failure(NamedTuple):
    """A resource that CloudFormation could not do something to; `status` as in `CREATE_FAILED`."""

    logical_id: str
    type: str
    status: str
    reason: str

    @property
    def text(self) -> str:
        """Say it in one sentence, with what can be done if that is known."""
        verb = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted"}.get(
            self.status.partition("_")[0], "done"
        )
        remedy = next((remedy for part, remedy in _REMEDIES if part in self.reason), None)
        said = f"{self.logical_id} ({self.type}) could not be {verb}: {self.reason or 'no reason is given'}"
        return f"{said} ({remedy})" if remedy else said


class At(NamedTuple):
    """How far a stack is: its status, how many resources have ended what is done to them, and the latest event in words."""

    status: str
    done: int
    latest: str


class Ended(NamedTuple):
    """How it ended: the stack (None if it is gone) and what failed, oldest first."""

    stack: Stack | None
    failures: tuple[Failure, ...]


def last_event(client: Any, stack_id: str) -> str | None:
    """Give the id of a stack's newest event, None if it has none, so that `wait` can tell what is new."""
    for event in _newest_first(client, stack_id):
        return str(event["EventId"])
    return None


def wait(
    client: Any,
    stack: str,
    *,
    after: str | None,
    tell: Callable[[At], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Ended:
    """Wait until a stack is at rest; `stack` is its id, for a deleted one is not found by name. `after` is the last old event."""
    quiet = 0
    while True:
        found = find(client, stack)
        if found is None:
            return Ended(None, ())
        working = found.status.endswith("_IN_PROGRESS")
        events = [] if working and tell is None else _since(client, stack, after)
        # For a moment after a request, a stack may still look as before it.
        quiet = quiet + 1 if not working and not events else 0
        if not working and (events or quiet >= _QUIET):
            return Ended(found, tuple(_failures(events, stack)))
        if tell is not None:
            tell(_at(found.status, events))
        sleep(_SECONDS)


def _newest_first(client: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    with asking("cloudformation:DescribeStackEvents", "look at the stack's events"):
        for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
            yield from page["StackEvents"]


def _since(client: Any, stack: str, after: str | None) -> list[Mapping[str, Any]]:
    """Give the events since a certain one, oldest first."""
    found = []
    for event in _newest_first(client, stack):
        if event["EventId"] == after:
            break
        found.append(event)
    return found[::-1]


def _at(status: str, events: list[Mapping[str, Any]]) -> At:
    of_resources = [event for event in events if event.get("PhysicalResourceId") != event["StackId"]]
    done = {event["LogicalResourceId"] for event in of_resources if event["ResourceStatus"].endswith(_ENDED)}
    latest = of_resources[-1] if of_resources else None
    words = (
        f"{latest['LogicalResourceId']} {latest['ResourceStatus'].lower().replace('_', ' ')}"
        if latest
        else ""
    )
    return At(status, len(done), words)


def _failures(events: list[Mapping[str, Any]], stack: str) -> Iterator[Failure]:
    for event in events:
        reason = event.get("ResourceStatusReason") or ""
        own = event.get("PhysicalResourceId") == event["StackId"] == stack
        if event["ResourceStatus"].endswith("_FAILED") and not own and not reason.startswith(_PASSIVE):
            yield Failure(event["LogicalResourceId"], event["ResourceType"], event["ResourceStatus"], reason)
