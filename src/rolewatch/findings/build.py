"""Denials in, findings out: one per (account, role, resource), in DESIGN's JSON shape."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from rolewatch.catalog.probes import probes_of
from rolewatch.catalog.roles import SECURITY_SERVICES, service_name
from rolewatch.denials.denial import Case, Denial
from rolewatch.denials.rule import key_of
from rolewatch.findings.candidates import Circumstances, candidates
from rolewatch.findings.explanation import explain
from rolewatch.findings.severity import LEVELS, raise_blindings, severity
from rolewatch.findings.status import status
from rolewatch.findings.tally import CaseSum, Key, Tally, tally
from rolewatch.findings.verdict import Verdict, judge

Facts = Mapping[tuple[str, ...], str]
Cases = list[tuple[Case, CaseSum]]  # of one finding, that of the last denial last


class Known(NamedTuple):
    """What is known beside the denials.

    `copies`: denial's identity → event ids of its copies; `examples`: finding's key → parts of the resource that were
    asked for; `facts`: as `followed` names them → latest time;
    `last_seen`: account → time of the last record seen of it; `silent_after`: as `status` takes it.
    """

    copies: Mapping[bytes, set[str]]
    examples: Mapping[Key, Collection[str]]
    facts: Facts
    last_seen: Mapping[str, str]
    silent_after: timedelta


def finding_id(key: Key) -> str:
    """Name a finding: the first 16 hex digits of the SHA-256 of its key; the same wherever it is computed."""
    return hashlib.sha256("\n".join(key).encode("utf-8", "replace")).hexdigest()[:16]


def followed(denials: Iterable[Denial]) -> dict[tuple[str, ...], str]:
    """Name the facts that decide the status of these denials' findings, each with the time after which it does.

    A fact is an access by (principal, action, resource) or the disappearance of (resource,); the time is that of the
    last denial, for a disappearance that of the first one.
    """
    keys: dict[tuple[str, ...], str] = {}
    for denial in denials:
        case, time = denial.case, denial.time or ""
        access, gone = facts_about(case)
        keys[access] = max(time, keys.get(access, ""))
        keys[gone] = min(time, keys.get(gone, time))
    return keys


def facts_about(case: Case) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the access that would end a case, and the disappearance that would."""
    return (key_of(case.who), case.action.lower(), case.resource.arn), (case.resource.arn,)


def build(denials: Iterable[Denial], known: Known) -> list[dict[str, Any]]:
    """Group denials into findings, worst and most recent first."""
    tallies = tally(denials, known.copies, known.examples)
    findings = [
        finding_of(key, found, known.facts, known.last_seen.get(key[0]), known.silent_after)
        for key, found in tallies.items()
    ]
    raise_blindings(findings)
    # Worst first, then the most recent; sorts are stable, so the least important key is sorted by first.
    findings.sort(key=lambda finding: finding["id"])
    findings.sort(key=lambda finding: finding["last_denied"] or "", reverse=True)
    findings.sort(key=lambda finding: (-LEVELS.index(finding["severity"]), not finding["security_service"]))
    return findings


def finding_of(
    key: Key, found: Tally, facts: Facts, last_seen: str | None, silent_after: timedelta
) -> dict[str, Any]:
    """Make the finding of a tally; its severity is its own, without what others of its service tell."""
    cases = found.in_order()
    who, resource = cases[-1][0].who, cases[-1][0].resource
    actions = _actions(cases, facts)
    denied = _last_denied(cases, actions)
    allowed = _last_allowed(cases[-1][0], denied, facts)
    state = status(denied, allowed, facts.get((resource.arn,)), last_seen, silent_after)
    verdict = _verdict(cases)
    name = service_name(who.service) if who.service else who.role_name or "the caller"
    names = state.open_actions or sorted(denied)
    first = min((each.first for _, each in cases if each.first), default=None)
    accounts = [case.resource.account for case, _ in cases if case.resource.account]
    codes: Counter[str] = Counter()
    for case, each in cases:
        codes[case.code] += each.number if case.code else 0
    return {
        "id": finding_id(key),
        "account": who.account,
        "resource_account": accounts[-1] if accounts else None,
        "role_arn": who.role_arn,
        "role_name": who.role_name,
        "service": who.service,
        "service_name": name,
        "security_service": who.service in SECURITY_SERVICES,
        "resource": resource.arn,
        "resource_type": resource.type,
        "resource_examples": sorted(found.examples),
        "regions": sorted({case.region for case, _ in cases if case.region}),
        "actions": actions,
        "error_codes": {code: number for code, number in sorted(codes.items()) if number},
        "denials": found.denials,
        "first_denied": first,
        "last_denied": cases[-1][1].last[0] or None,
        "status": state.status,
        "ended": state.ended,
        "open_actions": state.open_actions,
        "severity": severity(verdict.verdict, who.service, frozenset(actions)),
        "verdict": verdict.verdict,
        "cause": {
            "policy_type": verdict.policy_type,
            "kind": verdict.kind,
            "evidence": verdict.evidence,
            "policy_arn": verdict.policy_arn,
        },
        "consequence": verdict.consequence,
        "explanation": explain(verdict, name, resource.arn, names),
        "candidates": _candidates(cases, verdict, accounts, denied),
        "probes": [
            {"command": command, "shows": shows}
            for command, shows in _probes(who.service or "", resource.arn)
        ],
        "timeline": _timeline(cases, allowed),
        "event_ids": [name for _, name in found.events],
    }


@lru_cache(maxsize=4096)
def _probes(service: str, arn: str) -> tuple[tuple[str, str], ...]:
    """List commands of a service that show how it sees a resource, and what each shows."""
    return tuple((probe.command, probe.shows) for probe in probes_of(service, arn))


def _actions(cases: Cases, facts: Facts) -> dict[str, dict[str, Any]]:
    """Sum up by API call; a message's IAM action is better than the catalogue's, and that better than a guess."""
    actions: dict[str, dict[str, Any]] = {}
    known: dict[str, bool] = {}
    for case, found in cases:
        action = actions.setdefault(
            case.call,
            {"iam_action": case.action, "denials": 0, "last_denied": None, "last_allowed": None},
        )
        action["denials"] += found.number
        if found.last[0] > (action["last_denied"] or ""):
            action["last_denied"] = found.last[0]
        if case.known_action or not known.get(case.call):
            action["iam_action"], known[case.call] = case.action, case.known_action
    allowed = _last_allowed(cases[-1][0], [action["iam_action"] for action in actions.values()], facts)
    for action in actions.values():
        action["last_allowed"] = allowed.get(action["iam_action"].lower())
    return dict(sorted(actions.items()))


def _last_denied(cases: Cases, actions: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Give the time of the last denial of each IAM action, "" where one of its denials has none.

    One call can be denied for several actions. Where a denial leaves its action to a guess, it is the one that others
    of the same call name. Spellings that differ in case are one action, written as it was last.
    """
    spellings: dict[str, str] = {}
    last: dict[str, str] = {}
    undated: set[str] = set()
    for case, found in cases:
        action = case.action if case.known_action else actions[case.call]["iam_action"]
        name = action.lower()
        spellings[name] = action
        if found.undated:
            undated.add(name)
        last[name] = max(last.get(name, ""), found.last[0])
    return {action: "" if name in undated else last[name] for name, action in spellings.items()}


def _last_allowed(case: Case, actions: Iterable[str], facts: Facts) -> dict[str, str]:
    """Look up the latest success of each IAM action, by its name in lower case; those without one are left out."""
    who, resource = key_of(case.who), case.resource.arn
    found = ((name, facts.get((who, name, resource))) for name in map(str.lower, actions))
    return {name: time for name, time in found if time}


def _verdict(cases: Cases) -> Verdict:
    """Choose the verdict of a finding: what can be acted on before noise, a message before a guess, the latest first."""
    idle = ("harmless", "service-not-enabled")
    ranked = (
        (verdict.verdict not in idle, verdict.evidence == "message", index, verdict)
        for index, verdict in enumerate(judge(case) for case, _ in cases)
    )
    return max(ranked, key=lambda row: row[:3])[3]


def _candidates(
    cases: Cases, verdict: Verdict, accounts: list[str], actions: Mapping[str, str]
) -> list[dict[str, str]]:
    if verdict.evidence != "guess" or verdict.policy_type:  # the message gave a reason, if a strange one
        return []
    latest, found = cases[-1]
    relation = "unknown" if not accounts else "same" if accounts[-1] == latest.who.account else "other"
    return candidates(
        Circumstances(
            service="" if latest.resource.source == "service" else latest.call.partition(":")[0],
            linked=latest.who.kind == "slr",
            relation=relation,
            last=found.last[0],
            actions=frozenset(action.lower() for action in actions),
            endpoint=any(case.endpoint for case, _ in cases),
        )
    )


def _timeline(cases: Cases, allowed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Count denials by day, and the latest proofs of access on theirs."""
    denied: Counter[str] = Counter()
    for _, found in cases:
        denied.update(found.days)
    passed = Counter(time[:10] for time in allowed.values())
    return [
        {"day": day, "denials": denied[day], "allowed": passed[day]} for day in sorted({*denied, *passed})
    ]
