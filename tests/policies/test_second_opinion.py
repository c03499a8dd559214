"""Another evaluator of AWS policies, in a process of its own, and ours decide the same; where not, a table says who is right and why.

The other one is @cloud-copilot/iam-simulate. It is no part of this project: the test has npm fetch it into a folder of its own, and starts it
as a program.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from policy_cases import Cases

from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.question import read_question

pytestmark = pytest.mark.slow

VERSIONS = ("iam-simulate@0.1.173", "iam-data@0.21.202609261", "iam-policy@0.1.109", "iam-utils@0.1.82")
DRIVER = Path(__file__).with_name("second_opinion.mjs")
NUMBER, SEED = 10_500, 20260601
WORDS = {
    "Allowed": "allowed",
    "ExplicitlyDenied": "explicit_deny",
    "ImplicitlyDenied": "implicit_deny",
}
LISTS = {"aws:tagkeys", "aws:principalorgpaths"}
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Let npm fetch the other evaluator into a temporary folder; give its entry."""
    folder = tmp_path_factory.mktemp("second-opinion")
    (folder / "package.json").write_text('{"private": true}')
    packages = [f"@cloud-copilot/{each}" for each in VERSIONS]
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *packages], cwd=folder, check=True, capture_output=True, timeout=300)  # fmt: skip
    return folder / "node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js"


def named(policies):
    """Write policies as the other evaluator takes them."""
    return [{"name": f"policy {number}", "policy": policy} for number, policy in enumerate(policies or [])]


def simulation(case, request):
    """Write a question as the other evaluator takes it, with the keys that we conclude from who asks."""
    principal = case["request"]["principal"]
    made = {
        "request": {
            "principal": {"type": "Anonymous"} if principal == "*" else principal,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": request.resource_account},
            "contextVariables": {key: list(values) if key in LISTS else values[0] for key, values in request.context.known.items()},
        },
        # It does not know that the root user may do everything in its account.
        "identityPolicies": named([EVERYTHING] if principal.endswith(":root") else case.get("identity_policies")),
        "serviceControlPolicies": levels(case.get("service_control_policies")),
        "resourceControlPolicies": levels(case.get("resource_control_policies")),
        "resourcePolicy": case["resource_policy"],
        "permissionBoundaryPolicies": named(case.get("permission_boundaries")),
        "vpcEndpointPolicies": named(case["vpc_endpoint_policies"]),
        "sessionPolicy": (case.get("session_policies") or [None])[0],
    }  # fmt: skip
    return {key: value for key, value in made.items() if value is not None}


def levels(written):
    """Write the levels of an organisation as the other evaluator takes them."""
    return [{"orgIdentifier": each["level"], "policies": named(each["policies"])} for each in written or []]


def statements(case):
    """Yield every statement of a case."""
    policies = [each for key in case if key.endswith(("policies", "boundaries")) for each in case[key] or []]
    policies = [inner for each in policies for inner in each.get("policies", [each])]
    for policy in (*([case["resource_policy"]] if case["resource_policy"] else []), *policies):
        yield from policy["Statement"]


def comparisons(case):
    """Yield operator and values of every condition of a case."""
    for statement in statements(case):
        for operator, keys in statement.get("Condition", {}).items():
            for values in keys.values():
                yield operator, [values] if isinstance(values, str) else values


def linked_and_limited(case, ours, theirs):
    """Let no SCP, RCP, boundary or session policy bear on a service-linked role (Organizations and IAM User Guides)."""
    del ours, theirs
    limits = (
        "service_control_policies",
        "resource_control_policies",
        "permission_boundaries",
        "session_policies",
    )
    return ":role/aws-service-role/" in case["request"]["principal"] and any(case.get(key) for key in limits)


def not_known(case, ours, theirs):
    """Say that it depends; it takes keys that are not given for absent, and a role for a principal without a session.

    Or, if it is denied in any case, that nothing allows it, though something may also deny it.
    """
    incomplete = case["request"].get("context_complete") is False
    if ours.outcome == "depends":
        return bool(ours.missing) and (incomplete or ":role/" in case["request"]["principal"])
    return incomplete and ours.outcome == "implicit_deny" and theirs == "explicit_deny"


def granted_to_session(case, ours, theirs):
    """Let no session policy limit what a resource-based policy grants to a session, or to everyone ("Session policies")."""
    return (
        bool(case.get("session_policies"))
        and ours.outcome == "allowed"
        and ours.decided_by.layer == "resource_policy"
        and theirs == "implicit_deny"
    )


def named_in_part(case, ours, theirs):
    """Have a NotPrincipal name the account as well, and of a session the role too ("NotPrincipal"); any match is enough for it."""
    del theirs
    written = [each for each in (case["resource_policy"] or {}).get("Statement", []) if "NotPrincipal" in each]  # fmt: skip
    return bool(written) and ours.outcome in ("explicit_deny", "depends")


def any_value_if_exists(case, ours, theirs):
    """Hold a condition with IfExists on an absent key for true ("…IfExists condition operators"); under ForAnyValue it says false."""
    del ours, theirs
    return any(
        operator.startswith("ForAnyValue:") and operator.endswith("IfExists")
        for operator, _ in comparisons(case)
    )


def variable_without_value(case, ours, theirs):
    """Match nothing by a variable without a value, so what is negated matches ("Policy variables with no value").

    It says that neither a negated operator nor a NotResource with one matches.
    """
    del ours, theirs
    negated = [value for operator, values in comparisons(case) if "Not" in operator for value in values]
    negated += [json.dumps(each.get("NotResource")) for each in statements(case)]
    return any("${" in each for each in negated)


def other_family(case, ours, theirs):
    """Say that an IPv6 address is none of an IPv4 block's ("IP address condition operators"), so NotIpAddress holds; not in it."""
    del ours, theirs
    return any(operator.startswith("NotIpAddress") for operator, _ in comparisons(case))


def every_address(case, ours, theirs):
    """Find every IPv4 address in 0.0.0.0/0; it finds none there."""
    del ours, theirs
    return any("0.0.0.0/0" in values for _, values in comparisons(case))


#: Why the two may differ. Each has to be seen, or it is no longer true.
REASONS = (
    linked_and_limited,
    not_known,
    granted_to_session,
    named_in_part,
    any_value_if_exists,
    variable_without_value,
    other_family,
    every_address,
)


def test_two_evaluators_agree(other):
    """Ours and another one decide 10,500 generated requests alike, but for differences that a table explains."""
    made = Cases(SEED)
    cases = [made.case() for _ in range(NUMBER)]
    results = other.parents[4] / "results.jsonl"
    decisions = []
    with (
        results.open("wb") as output,
        subprocess.Popen(["node", DRIVER, other], stdin=subprocess.PIPE, stdout=output) as process,
    ):
        for case in cases:
            request, policies = read_question(json.dumps(case).encode(), "case.json")
            process.stdin.write(json.dumps(simulation(case, request)).encode() + b"\n")
            decisions.append(evaluate(request, policies))
        process.stdin.close()
        assert process.wait() == 0
    found = [json.loads(line) for line in results.read_text().splitlines()]
    assert [each for each in found if each["resultType"] != "single" or each["ignored"]] == []

    seen, unexplained = Counter(), []
    for case, ours, result in zip(cases, decisions, found, strict=True):
        theirs = WORDS[result["overallResult"]]
        if theirs == ours.outcome:
            continue
        why = next((reason.__name__ for reason in REASONS if reason(case, ours, theirs)), None)
        seen[why] += 1
        if why is None:
            unexplained.append((ours.outcome, theirs, ours.decided_by.reason, json.dumps(case)))
    assert unexplained == []
    assert set(seen) == {reason.__name__ for reason in REASONS}
    assert seen.total() < NUMBER * 0.06, seen
    assert min(Counter(each.outcome for each in decisions).values()) > NUMBER * 0.01
