"""The findings as OCSF Detection Findings (class 2004), a JSON line each.

Source: the Open Cybersecurity Schema Framework 1.6.0, class `detection_finding` with the profile `cloud`.
"""

from typing import Any, Final, TextIO

from rolewatch.report import words
from rolewatch.report.json_text import dumps
from rolewatch.report.order import Finding, ranked, section
from rolewatch.report.output import emit

VERSION: Final = "1.6.0"
_CATEGORY, _CLASS = 2, 2004

#: Section of a finding → activity (what happened to the finding) and status (where its handling stands).
_ACTIVITIES: Final = {
    "blind": (1, "Create"),
    "harmless": (1, "Create"),
    "silent": (2, "Update"),
    "recovered": (3, "Close"),
    "gone": (3, "Close"),
}
_STATUSES: Final = {
    "blind": (1, "New"),
    "harmless": (3, "Suppressed"),
    "silent": (1, "New"),
    "recovered": (4, "Resolved"),
    "gone": (5, "Archived"),
}
_SEVERITIES: Final = {
    "none": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
#: Error codes named with each evidence; all of them are kept once, in `unmapped`.
_CODES: Final = 10
_CONFIDENCES: Final = {"guess": (1, "Low"), "message": (3, "High"), "policy": (3, "High")}

#: What OCSF has no place for, kept as the JSON format has it.
_UNMAPPED: Final = (
    "verdict",
    "cause",
    "candidates",
    "consequence",
    "actions",
    "open_actions",
    "error_codes",
    "event_ids",
    "regions",
    "resource_account",
    "resource_examples",
    "security_service",
    "ended",
    "timeline",
)
#: The same, where the finding has it: `probes` of any scan, the others where it was held against policies and their history.
_ENRICHED: Final = ("probes", "decided_by", "fix", "no_fix", "blame")


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write a Detection Finding a line, in reading order."""
    emit(out, "".join(dumps(detection(finding, report)) + "\n" for finding in ranked(report["findings"])))


def detection(finding: Finding, report: dict[str, Any]) -> dict[str, Any]:
    """Return one finding as a Detection Finding; times are milliseconds since 1970."""
    where = section(finding)
    activity, activity_name = _ACTIVITIES[where]
    status, status_name = _STATUSES[where]
    severity, severity_name = _SEVERITIES.get(finding["severity"], (0, "Unknown"))
    confidence, confidence_name = _CONFIDENCES.get(finding["cause"]["evidence"], (0, "Unknown"))
    made = words.milliseconds(report["generated"]) or 0
    first, last = words.milliseconds(finding["first_denied"]), words.milliseconds(finding["last_denied"])
    ended = words.milliseconds(finding["ended"])
    title = words.title(finding)
    event = {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Detection Finding: {activity_name}",
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "status_detail": finding["status"],
        "confidence_id": confidence,
        "confidence": confidence_name,
        "is_alert": where == "blind",
        "message": title,
        "time": ended or last or made,
        "start_time": first,
        "end_time": last,
        "count": finding["denials"],
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "processed_time": made,
            "log_provider": "AWS CloudTrail",
            "product": {"name": "rolewatch", "vendor_name": "rolewatch", "version": report["version"]},
        },
        "cloud": _cloud(finding),
        "finding_info": {
            "uid": finding["id"],
            "title": title,
            "desc": words.description(finding),
            "types": ["Access denied to an AWS service"],
            "created_time": first,
            "first_seen_time": first,
            "last_seen_time": last,
            "modified_time": ended or last,
            "related_events_count": finding["denials"],
            "data_sources": ["AWS CloudTrail"],
            "analytic": {
                "uid": "rolewatch.scan",
                "name": "Denied service role",
                "type_id": 1,
                "type": "Rule",
            },
        },
        "resources": _resources(finding),
        "evidences": _evidences(finding),
        "remediation": {"desc": words.remedy(finding)},
        "unmapped": {
            name: finding[name] for name in (*_UNMAPPED, *_ENRICHED) if name in _UNMAPPED or name in finding
        },
    }
    return _known(event)


def _known(value: dict[str, Any]) -> dict[str, Any]:
    """Return a dict without what is null, as OCSF has optional attributes but no null; `unmapped` keeps its own."""
    return {
        key: _known(item) if isinstance(item, dict) and key != "unmapped" else item
        for key, item in value.items()
        if item is not None
    }


def _cloud(finding: Finding) -> dict[str, Any]:
    account = finding["account"]
    return {
        "provider": "AWS",
        "cloud_partition": words.partition(finding),
        "region": next(iter(finding["regions"]), None),
        "account": {"uid": account, "type_id": 10, "type": "AWS Account"} if account else None,
    }


def _resources(finding: Finding) -> list[dict[str, Any]]:
    """Return the resource that was shut, and the role that was kept out."""
    owner = finding["resource_account"]
    shut = {
        "uid": finding["resource"],
        "type": finding["resource_type"] or None,
        "role_id": 3,
        "role": "Affected",
        "cloud_partition": words.partition(finding),
        "region": words.resource_region(finding),
        "owner": {"account": {"uid": owner, "type_id": 10, "type": "AWS Account"}} if owner else None,
    }
    if not finding["role_arn"]:
        return [_known(shut)]
    kept_out = {
        "uid": finding["role_arn"],
        "name": finding["role_name"],
        "type": "AWS::IAM::Role",
        "role_id": 2,
        "role": "Actor",
    }
    return [_known(shut), _known(kept_out)]


def _evidences(finding: Finding) -> list[dict[str, Any]]:
    """Return, by call, who made it and with which answer; error codes are known of a finding, not of a call."""
    name = finding["role_name"] or finding["service_name"] or finding["service"]
    user = _known({"name": name or "unknown", "uid": finding["role_arn"], "type_id": 4, "type": "Service"})
    error = ", ".join(list(finding["error_codes"])[:_CODES])
    still_open = set(finding["open_actions"])
    evidences = []
    for call, action in finding["actions"].items():
        service, _, operation = call.partition(":")
        api = {
            "operation": operation or call,
            "service": {"name": f"{service}.amazonaws.com"},
            "response": {"error": error},
        }
        data = {**action, "open": action["iam_action"] in still_open}
        evidences.append({"name": call, "api": api, "actor": {"user": user}, "data": data})
    return evidences
