"""The sentences that several formats share: who is blind to what, why, and what to do about it.

Every string that comes out of here may be printed: what attackers wrote in it is made visible.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from rolewatch.base.sanitise import terminal
from rolewatch.report.order import Finding, Group

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_CHANGES: Final = {
    "explicit": "exempt it from the statement that denies it",
    "implicit": "add a statement that allows it",
}
_CHANGE: Final = "exempt it from the statement that denies it, or add one that allows it"
_PARTITION: Final = re.compile(r"arn:(aws[a-z0-9-]{0,20}):")
REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")

#: What people call a resource of a type; anything else is "a resource".
_NOUNS: Final = {
    "AWS::Backup::BackupVault": "vault",
    "AWS::DynamoDB::Table": "table",
    "AWS::EC2::Instance": "instance",
    "AWS::EC2::Snapshot": "snapshot",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::Volume": "volume",
    "AWS::ECR::Repository": "repository",
    "AWS::EFS::FileSystem": "file system",
    "AWS::Events::EventBus": "event bus",
    "AWS::IAM::Role": "role",
    "AWS::KMS::Key": "key",
    "AWS::Kinesis::Stream": "stream",
    "AWS::Lambda::Function": "function",
    "AWS::Logs::LogGroup": "log group",
    "AWS::RDS::DBCluster": "database cluster",
    "AWS::RDS::DBInstance": "database",
    "AWS::S3::Bucket": "bucket",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::SSM::Parameter": "parameter",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::Service": "service",
}
_POLICIES: Final = {
    "identity-based": "identity-based policy",
    "permissions-boundary": "permissions boundary",
    "resource-based": "resource-based policy",
    "resource-control": "resource control policy",
    "role-trust": "role trust policy",
    "service-control": "service control policy",
    "session": "session policy",
    "vpc-endpoint": "VPC endpoint policy",
}


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 key", "1,562 records", "2 repositories", "3 buses"."""
    if number != 1:
        if noun.endswith("y") and noun[-2:-1] not in "aeiou":
            noun = noun[:-1] + "ies"
        else:
            noun += "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}"


def size(octets: int) -> str:
    """Return a number of bytes in decimal units: "999 B", "1.2 MB"."""
    if octets < 1000:
        return f"{octets} B"
    amount = float(octets)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        # Rounded first: 999,999 bytes are 1.0 MB, not 1000.0 kB.
        if round(amount, 1) < 1000 or unit == "TB":
            return f"{amount:,.1f} {unit}"
    raise AssertionError  # pragma: no cover - the last unit returns


def moment(time: str | None) -> str:
    """Return an ISO time of CloudTrail as "2026-03-01 10:04:59"; what is none, as it is."""
    match = _TIME.fullmatch(time or "")
    return f"{match[1]} {match[2]}" if match else terminal(time or "unknown")


def day(time: str | None) -> str:
    """Return the day of an ISO time; what is none, as it is."""
    match = _TIME.fullmatch(time or "")
    return match[1] if match else terminal(time or "unknown")


def milliseconds(time: str | None) -> int | None:
    """Return an ISO time of CloudTrail as milliseconds since 1970; None where there is none, or no such day."""
    if not time or not _TIME.fullmatch(time):
        return None
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError:
        return None


def listed(names: Iterable[Any]) -> str:
    """Return names joined with commas, safe to print."""
    return ", ".join(terminal(str(name)) for name in names)


def nothing_found(totals: dict[str, Any]) -> str:
    """Return the answer where a report has no finding; only without a denial is that a clean result."""
    if totals["denials"]:
        # Filters, a baseline or an ignore file can take every finding away.
        return f"Nothing is shown: {count(totals['denials'], 'denial')} left out of this report."
    return f"Nothing found: no watched principal was refused in {count(totals['records'], 'record')}."


def nouns(findings: list[Finding]) -> str:
    """Return how many resources of what kind these are: "3 buckets"; of mixed kinds, "3 resources"."""
    kinds = {_NOUNS.get(finding["resource_type"], "resource") for finding in findings}
    resources = {finding["resource"] for finding in findings}
    return count(len(resources), kinds.pop() if len(kinds) == 1 else "resource")


def principal(finding: Finding) -> str:
    """Return who was refused: "role AWSServiceRoleForConfig", or the service principal where there is no role."""
    if finding["role_name"]:
        return f"role {terminal(finding['role_name'])}"
    return (
        f"service principal {terminal(finding['service'])}" if finding["service"] else "an unnamed principal"
    )


def heading(group: Group) -> str:
    """Return the line above a group of blocked findings."""
    worst = group.findings[0]
    first = min((f["first_denied"] for f in group.findings if f["first_denied"]), default=None)
    accounts = count(len({finding["account"] for finding in group.findings}), "account")
    state = "is blind on" if worst["security_service"] else "is locked out of"
    name = terminal(worst["service_name"] or worst["service"])
    return f"{name} {state} {nouns(group.findings)} in {accounts} since {day(first)} — {principal(worst)}"


def title(finding: Finding) -> str:
    """Return a finding in one line, for systems that show a list of findings."""
    name = terminal(finding["service_name"] or finding["service"] or finding["role_name"] or "A service")
    resource = terminal(finding["resource"])
    match finding["status"]:
        case "recovered":
            return f"{name} can reach {resource} again"
        case "gone":
            return f"{name} could not reach {resource}, which no longer exists"
        case "silent":
            return f"{name} could not reach {resource} and has stopped trying"
        case _:
            return f"{name} cannot reach {resource}"


def actions(finding: Finding) -> dict[str, bool]:
    """Return the denied IAM actions by name, each with whether it is still open; the open ones first."""
    still_open = set(finding["open_actions"])
    names = {action["iam_action"] for action in finding["actions"].values()} | still_open
    return {
        name: name in still_open for name in sorted(names, key=lambda name: (name not in still_open, name))
    }


def reason(finding: Finding) -> str:
    """Return the cause in words: the explanation without its first half, which repeats who, what and where."""
    explanation = finding["explanation"] or ""
    _, found, rest = explanation.partition(f" on {finding['resource']}: ")
    return terminal(rest if found else explanation) or cause(finding)


def cause(finding: Finding) -> str:
    """Return the kind of refusal and of policy: "explicit deny in a resource-based policy"."""
    known = finding["cause"]
    policy = _POLICIES.get(known["policy_type"] or "")
    if policy is None:
        return "no reason is given"
    article = "an" if policy[0] in "aeiou" else "a"
    kind = {"explicit": "explicit deny in", "implicit": "no allow in"}.get(known["kind"] or "", "refused by")
    return f"{kind} {article} {policy}"


def evidence(finding: Finding) -> str:
    """Return what the verdict rests on; a guess in capitals, so that nobody overlooks it."""
    known = finding["cause"]["evidence"]
    return "GUESS" if known == "guess" else f"by {terminal(known)}"


def description(finding: Finding) -> str:
    """Return a finding in a few sentences: the explanation and how sure it is, how often, since when, and its status."""
    first, last = moment(finding["first_denied"]), moment(finding["last_denied"])
    sentences = [
        terminal(finding["explanation"] or f"{title(finding)}."),
        f"Verdict: {terminal(finding['verdict'])} ({evidence(finding)}).",
        f"{count(finding['denials'], 'denial')} from {first} to {last} UTC.",
    ]
    if finding["status"] == "silent":
        sentences.append("No attempt since: not proof of recovery.")
    return " ".join(sentences)


def partition(finding: Finding) -> str:
    """Return the AWS partition of the role, else of the resource: "aws", "aws-cn" or "aws-us-gov", say."""
    for arn in (finding["role_arn"], finding["resource"]):
        if match := _PARTITION.match(arn or ""):
            return match[1]
    return "aws"


def resource_region(finding: Finding) -> str | None:
    """Return the region in the resource's ARN, else the only region that the denials came from."""
    parts = finding["resource"].split(":", 4)
    if len(parts) == 5 and REGION.fullmatch(parts[3]):
        return str(parts[3])
    regions = finding["regions"]
    return str(regions[0]) if len(regions) == 1 and REGION.fullmatch(regions[0]) else None


def remedy(finding: Finding) -> str:
    """Return what to do, in one or two sentences."""
    who = terminal(finding["role_arn"] or finding["service"] or finding["service_name"])
    open_actions = listed(name for name, is_open in actions(finding).items() if is_open) or "the actions"
    resource = terminal(finding["resource"])
    if finding["status"] == "recovered":
        return "Nothing: access works again."
    if finding["status"] == "gone":
        return "Nothing: the resource no longer exists."
    fix = finding.get("fix")
    if fix:
        return f"Make the change below to the {terminal(fix.get('policy') or 'policy')} of {terminal(fix['target'])}: it lets {who} in, and nobody else."
    match finding["verdict"]:
        case "fix-your-policy":
            return f"Let {who} do {open_actions} on {resource}: {_CHANGES.get(finding['cause']['kind'] or '', _CHANGE)}."
        case "aws-side":
            return f"Ask AWS Support: no policy of yours can allow {open_actions} on {resource} to {who}."
        case "service-not-enabled":
            return "Enable the service the call is for in this account and region, or leave it: no policy is at fault."
        case "harmless":
            return "Nothing: AWS documents that the service works nevertheless."
        case _:
            return f"Find out which policy refuses {who} on {resource}: {open_actions}."


def blame(finding: Finding) -> str:
    """Return who changed the policy last before it began, "" where that is not known."""
    known = finding.get("blame")
    if not known:
        return ""
    text = f"{terminal(known['event_name'])} by {terminal(known['principal'])} at {moment(known['time'])} UTC"
    added = [terminal(str(each.get("Sid") or each.get("Effect") or "a statement")) for each in known["added"]]
    if added and known["compared_with_earlier_policy"]:
        text += f", which added {listed(added)}"
    return text + (f" (event {terminal(known['event_id'])})" if known["event_id"] else "")
