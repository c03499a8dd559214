"""SARIF 2.1.0 of `check`: what the schema requires, and what code scanning needs."""

import json
import re
from pathlib import Path

import pytest

from rolewatch.cli.main import main
from rolewatch.report.sarif import uri_of

LOCKING = Path(__file__).parents[1] / "explain" / "locking"


@pytest.fixture
def sarif(capsys, monkeypatch):
    """Check policies of the corpus, and return the log."""

    def made(*names):
        monkeypatch.chdir(LOCKING)
        main(["check", *names, "--format", "sarif"], {})
        return json.loads(capsys.readouterr().out)

    return made


def test_the_log(sarif):
    """The log has what the schema requires: version, runs with a tool whose driver has a name, results each with a message."""
    log = sarif("vpce-only.json", "tls-if-exists.json", "is-aws-service-exempt.json")
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run = log["runs"][0]
    driver = run["tool"]["driver"]
    assert driver["name"] == "rolewatch"
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert run["results"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
        assert re.fullmatch(r"[\w%.~/-]+", place["artifactLocation"]["uri"])
        assert set(result["partialFingerprints"]) == {"statement/v1"}
    assert [invocation["executionSuccessful"] for invocation in run["invocations"]] == [True]


def test_results(sarif):
    """A statement is one result: an error where it shuts out a security service, a note where that hangs on something."""
    results = sarif("vpce-only.json", "tls-if-exists.json")["runs"][0]["results"]
    found = [
        (each["ruleId"], each["level"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for each in results
    ]
    assert found == [
        ("lockout", "error", "vpce-only.json"),
        ("lockout-depends", "note", "tls-if-exists.json"),
        ("mistake/source-vpce", "warning", "vpce-only.json"),
    ]
    assert "config.amazonaws.com" in results[0]["properties"]["services"]
    assert (
        "AWS Config may not record changes of this bucket, nor notify of them."
        in results[0]["message"]["text"]
    )


def test_fingerprints(sarif):
    """A result's fingerprint is the same in every run, and differs between policies."""
    once, again, other = (sarif(name)["runs"][0]["results"][0]["partialFingerprints"] for name in ("vpce-only.json", "vpce-only.json", "vpc-only.json"))  # fmt: skip
    assert once == again != other


def test_uris(tmp_path, monkeypatch):
    """A file is named relative to where the command runs, else by a whole URI; what a URI cannot hold is escaped."""
    monkeypatch.chdir(tmp_path)
    assert uri_of("a/b c%.json") == "a/b%20c%25.json"
    assert uri_of(str(tmp_path / "x.json")) == "x.json"
    assert uri_of("/elsewhere/x.json") == "file:///elsewhere/x.json"
    assert uri_of("\udcff.json") == "%3F.json"


def test_what_was_not_checked(capsys, tmp_path, monkeypatch):
    """What could not be checked is a notification, and the run no success."""
    monkeypatch.chdir(tmp_path)
    resource = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "b", "PolicyDocument": {"Ref": "P"}},
    }
    Path("t.json").write_text(
        json.dumps({"Parameters": {"P": {"Type": "String"}}, "Resources": {"B": resource}})
    )
    status = main(["check", "t.json", "--format", "sarif"], {})
    run = json.loads(capsys.readouterr().out)["runs"][0]
    assert (status, run["results"]) == (3, [])
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert "value of Ref P" in invocation["toolExecutionNotifications"][0]["message"]["text"]
