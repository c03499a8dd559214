"""Measure the evaluation of policies: requests against policies of 20 statements, on one core, in one process.

Usage: policies.py [--requests N] [--runs N] [--write]

What is measured is processor time: the machine may be busy. The baseline decides the same requests the plain way: every element
of every statement is a regular expression of Python's, looked up and held against the request. It keeps no reasons, knows no
unknown keys and no layers; ours does, and may take three times as long for it. Both have to decide alike, and run in turn. `--write` puts the table into benchmarks/POLICIES.md.
"""

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.layers import Policies
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import Request, context_of, make_request, principal_of
from run import HERE, versions

STATEMENTS = 20
POLICIES = 40
PER_SECOND = 10_000
RATIO = 1 / 3
SEED = 20260601
ACCOUNTS = ("111111111111", "222222222222")
SERVICES = {"s3": ("GetObject", "PutObject", "ListBucket", "DeleteObject", "GetBucketPolicy"), "kms": ("Decrypt", "Encrypt", "GenerateDataKey", "CreateGrant"), "sqs": ("SendMessage", "ReceiveMessage"), "secretsmanager": ("GetSecretValue",)}  # fmt: skip
KEYS = {
    "aws:SourceVpce": ("vpce-0a", "vpce-0b"),
    "aws:PrincipalOrgID": ("o-abc", "o-xyz"),
    "aws:RequestedRegion": ("us-east-1", "eu-west-1"),
    "aws:SecureTransport": ("true", "false"),
}


class Asked(NamedTuple):
    """A request with the policies around it: what is attached to who asks, and what the resource carries."""

    request: Request
    identity: Mapping[str, Any]
    resource: Mapping[str, Any]
    policies: Policies


def statement(rng: random.Random, *, principals: bool) -> dict[str, Any]:
    """Make a statement of a kind that is in use."""
    service = rng.choice(list(SERVICES))
    verbs = rng.sample(SERVICES[service], min(2, len(SERVICES[service])))
    made: dict[str, Any] = {
        "Effect": "Deny" if rng.random() < 0.2 else "Allow",
        "Action": rng.choice(
            ([f"{service}:{verb}" for verb in verbs], f"{service}:{verbs[0][:3]}*", f"{service}:*")
        ),
        "Resource": rng.choice(("*", f"arn:aws:{service}:*", f"arn:aws:{service}:::data-{rng.randrange(9)}*", f"arn:aws:{service}:::data-?/*/logs/*")),
    }  # fmt: skip
    if principals:
        role = f"arn:aws:iam::{rng.choice(ACCOUNTS)}:role/role-{rng.randrange(9)}"
        made["Principal"] = rng.choice(("*", {"AWS": role}, {"AWS": [role, rng.choice(ACCOUNTS)]}))
    if rng.random() < 0.5:
        key = rng.choice(list(KEYS))
        made["Condition"] = {rng.choice(("StringEquals", "StringNotEquals", "StringLike", "StringNotEqualsIfExists")): {key: rng.choice(KEYS[key])}}  # fmt: skip
    return made


def asked(number: int) -> list[Asked]:
    """Make requests, each with an identity-based and a resource-based policy of 20 statements together."""
    rng = random.Random(SEED)
    sets = []
    for place in range(POLICIES):
        raw = [
            {"Version": "2012-10-17", "Statement": [statement(rng, principals=principals) for _ in range(STATEMENTS // 2)]}
            for principals in (False, True)
        ]  # fmt: skip
        read = [read_policy(dumped(each), f"policy {place}") for each in raw]
        sets.append((*raw, Policies(identity=read[:1], resource=read[1])))
    made = []
    for _ in range(number):
        service = rng.choice(list(SERVICES))
        principal = principal_of(f"arn:aws:iam::{ACCOUNTS[0]}:role/role-{rng.randrange(9)}")
        assert principal is not None  # noqa: S101 - it was just written
        known = {key: [rng.choice(values)] for key, values in KEYS.items() if rng.random() < 0.7}
        resource = f"arn:aws:{service}:::data-{rng.randrange(9)}/2026/logs/{rng.randrange(1000)}"
        request = make_request(
            principal,
            f"{service}:{rng.choice(SERVICES[service])}",
            resource,
            ACCOUNTS[0],
            context_of(known),
        )
        made.append(Asked(request, *rng.choice(sets)))
    return made


def dumped(value: object) -> str:
    """Write a policy as text."""
    from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not part of what is measured

    return dumps(value)


@cache
def expression(pattern: str) -> re.Pattern[str]:
    """Give the regular expression of a pattern with wildcards."""
    return re.compile(translate(pattern), re.DOTALL)


def listed(value: Any) -> Sequence[str]:
    """Give one or several values as several."""
    return value if isinstance(value, list) else [value]


def plainly(case: Asked) -> str:
    """Decide a request the plain way; same account only."""
    allowed = denied = False
    for policy in (case.identity, case.resource):
        for each in policy["Statement"]:
            if applies(each, case.request):
                if each["Effect"] == "Deny":
                    denied = True
                elif "Principal" not in each or direct(each["Principal"], case.request):
                    allowed = True
    return "explicit_deny" if denied else "allowed" if allowed else "implicit_deny"


def direct(principal: Any, request: Request) -> bool:
    """Say whether a statement names who asks, or everyone, and not the account alone."""
    return principal == "*" or request.principal.arn in listed(principal["AWS"])


def applies(each: Mapping[str, Any], request: Request) -> bool:
    """Say whether a statement speaks of a request."""
    if "Principal" in each and not (
        direct(each["Principal"], request) or request.principal.account in listed(each["Principal"]["AWS"])
    ):
        return False
    if not any(expression(pattern.lower()).match(request.action.lower()) for pattern in listed(each["Action"])):  # fmt: skip
        return False
    if not any(expression(pattern).match(request.resource) for pattern in listed(each["Resource"])):
        return False
    for operator, keys in each.get("Condition", {}).items():
        for key, wanted in keys.items():
            found = request.context.known.get(key.lower())
            if found is None:
                if operator in ("StringEquals", "StringLike"):
                    return False
            elif bool(expression(wanted).match(found[0])) is ("Not" in operator):
                return False
    return True


def seconds(work: Callable[[Asked], object], cases: Sequence[Asked]) -> float:
    """Measure the processor time of deciding all cases."""
    start = time.process_time()
    for case in cases:
        work(case)
    return time.process_time() - start


def ours(case: Asked) -> str:
    """Decide a request with what is measured."""
    return evaluate(case.request, case.policies).outcome


def main() -> None:
    """Read the command line, compare, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into POLICIES.md")
    options = parser.parse_args()
    cases = asked(options.requests)
    wrong = [case.request for case in cases if ours(case) != plainly(case)]
    if wrong:
        sys.exit(f"{len(wrong)} requests are decided differently, the first is {wrong[0]}")
    measured = [(seconds(ours, cases), seconds(plainly, cases)) for _ in range(options.runs)]
    rate = statistics.median(options.requests / own for own, _ in measured)
    ratios = [other / own for own, other in measured]
    text = (
        f"{options.requests:,} requests, {STATEMENTS} statements each, processor time of one core. {versions()}\n\n"
        "| what | measured | target |\n|---|---|---|\n"
        f"| evaluations a second | **{rate:,.0f}** | ≥ {PER_SECOND:,} |\n"
        f"| regular expressions alone, without reasons / ours | **{statistics.median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f}) | ≥ {RATIO:.2f} |\n"
    )
    print(text)
    if options.write:
        Path(HERE / "POLICIES.md").write_text(f"# Policies\n\nMade by `benchmarks/policies.py`.\n\n{text}")


if __name__ == "__main__":
    main()
