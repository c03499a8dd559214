"""Security Hub, against moto's server: one record for one finding, whatever happens to it."""

import json
from itertools import count

import pytest
from notices import ACCOUNT, FIX, HOSTILE, about, alarm, finding, recovered
from sending import send

from rolewatch.notify.errors import SendError
from rolewatch.notify.target import target_of

_numbers = count()


def hub_findings(aws, name):
    """Return Security Hub's findings whose Id ends so."""
    pages = aws("securityhub").get_paginator("get_findings").paginate()
    return [each for page in pages for each in page["Findings"] if each["Id"].endswith(name)]


def test_securityhub_follows_a_finding(aws):
    """A finding is one record: active while blocked, archived when recovered, active again when reopened."""
    name = f"{next(_numbers):016x}"
    seen = []
    for kind, made in (("blocked", finding), ("recovered", recovered), ("reopened", finding)):
        send("securityhub:?region=us-east-1", about(made(id=name), kind=kind))
        (found,) = hub_findings(aws, name)
        seen.append((found["RecordState"], found["Workflow"]["Status"]))
    assert seen == [("ACTIVE", "NEW"), ("ARCHIVED", "RESOLVED"), ("ACTIVE", "NEW")]


def test_securityhub_imports_into_the_caller_s_account(aws):
    """Findings of any account and region are imported where the credentials are; the role's account stands beside them."""
    name = f"{next(_numbers):016x}"
    send("securityhub:", about(finding(id=name, account="999988887777", regions=["eu-west-1"])))
    (found,) = hub_findings(aws, name)
    assert (found["AwsAccountId"], found["Region"]) == ("123456789012", "us-east-1")
    assert found["ProductArn"] == "arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default"
    assert found["ProductFields"]["rolewatch/Account"] == "999988887777"


def test_securityhub_proposes_only_what_is_proven(aws):
    """Without a proven change, the recommendation is to look at the evidence."""
    said = {}
    for proven in (False, True):
        name = f"{next(_numbers):016x}"
        send("securityhub:", about(finding(id=name, **({"fix": FIX} if proven else {}))))
        (found,) = hub_findings(aws, name)
        said[proven] = found["Remediation"]["Recommendation"]["Text"].replace(name, "ID")
    assert said == {
        False: "No change is proven yet; the evidence: rolewatch findings show ID",
        True: "A proven change of the bucket policy of payroll-0: rolewatch findings show ID",
    }


def test_securityhub_takes_many(aws):
    """More findings than one call takes are imported in several."""
    names = [f"many-{at}-{next(_numbers)}" for at in range(250)]
    send("securityhub:", about(*(finding(at, id=name) for at, name in enumerate(names)), kind="summary"))
    found = {each["Id"].partition("/")[2] for each in hub_findings(aws, "")}
    assert set(names) <= found


def test_securityhub_knows_no_alarms(aws):
    """An alarm is none of its business, and is not sent."""
    before = len(hub_findings(aws, ""))
    send("securityhub:", alarm())
    assert len(hub_findings(aws, "")) == before


def test_securityhub_refusals(http, aws_environment, monkeypatch):
    """Findings that are refused are an error that counts them and says why."""
    del aws_environment
    http.headers = {"Content-Type": "application/json"}
    failure = {"Id": f"rolewatch/{HOSTILE}", "ErrorCode": "InvalidInput", "ErrorMessage": HOSTILE}
    http.body = json.dumps({"FailedCount": 1, "SuccessCount": 0, "FailedFindings": [failure]}).encode()
    target = target_of("securityhub:?region=us-east-1", environ={})
    vars(target)["_identity"] = {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/x/y"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", http.url)
    with pytest.raises(SendError, match="1 finding refused: InvalidInput") as caught:
        target.send(about(finding()))
    assert (caught.value.passing, "\x1b" in caught.value.message) == (False, False)
    vars(target)["_client"].close()
