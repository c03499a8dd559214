"""A resource, its owner and a role's policy in; what a request of the role carries beside its profile, out."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rolewatch.explain.lockout_asks import Ask
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import Owner
from rolewatch.policies.request import Request

_REGION = 3  # its place in an ARN


def around(subject: Subject, owner: Owner, now: datetime) -> Mapping[str, Sequence[str]]:
    """Give the context keys that follow from the resource, its owner and the time."""
    known: dict[str, Sequence[str]] = {
        "aws:ResourceAccount": (owner.account,),
        "s3:ResourceAccount": (owner.account,),
        "aws:CurrentTime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:EpochTime": (str(int(now.timestamp())),),
    }
    region = subject.resource.split(":")[_REGION]
    if region:
        known["aws:RequestedRegion"] = (region,)
    if owner.organization:
        known["aws:ResourceOrgID"] = (owner.organization,)
    if subject.kind.kind == "secret":
        known["secretsmanager:SecretId"] = (subject.resource,)
    return known


def through(request: Request, ask: Ask) -> Request:
    """Add the service that a role comes through to a key, where the role's own policy says it does, and nowhere else."""
    if not request.action.startswith("kms:"):
        return request
    region = request.resource.split(":")[_REGION]
    services = [
        [
            value.replace("*", region)
            for test in statement.tests
            if test.key.lower() == "kms:viaservice"
            for value in test.values
        ]
        for statement in ask.policy.statements
        if statement.allows and statement.actions.match(request.action)
    ]
    if not all(services):
        return request
    known = {**request.context.known, "kms:viaservice": (services[0][0],)}
    return request._replace(context=request.context._replace(known=known))
