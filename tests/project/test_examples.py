"""The examples and real records, scanned by the command itself and held against their labels."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
REAL = ROOT / "tests" / "data" / "real"
LABELLED = (
    "account", "service", "role_name", "status", "verdict", "severity", "cause", "denials", "error_codes", "first_denied", "last_denied",
)  # fmt: skip
# Collections of real deliveries on this machine: the committed subset, and a larger one beside the checkout, if any.
REAL_PLACES = [REAL, *(place for place in [ROOT.parent / "shared" / "deliveries"] if place.is_dir())]


def scan(*places: Path) -> tuple[int, dict[str, Any]]:
    """Run the command as a user does; return its exit status and its report."""
    command = [sys.executable, "-m", "rolewatch", "scan", *map(str, places), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout)


def by_key(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a report's findings by "role_arn | resource"."""
    return {f"{finding['role_arn']} | {finding['resource']}": finding for finding in report["findings"]}


@pytest.fixture(scope="module")
def expected():
    """Return the labels of examples/deliveries."""
    return json.loads((EXAMPLES / "expected.json").read_text())


@pytest.fixture(scope="module")
def scanned():
    """Return exit status and report of a scan of examples/deliveries."""
    return scan(EXAMPLES / "deliveries")


def test_examples_exit_status(scanned):
    """Findings in readable input are no failure: the command ends with 0."""
    status, report = scanned
    assert (status, report["unreadable"]) == (0, [])


def test_examples_every_finding_as_labelled(scanned, expected):
    """The scan reports the labelled findings, no other, each with its status, verdict, severity, cause and counts."""
    found = {key: {name: finding[name] for name in LABELLED} for key, finding in by_key(scanned[1]).items()}
    for finding in found.values():
        finding["cause"] = {name: finding["cause"].get(name) for name in ("policy_type", "kind", "evidence")}
    assert {
        key: {name: label[name] for name in LABELLED} for key, label in expected["findings"].items()
    } == found


def test_examples_every_action_as_labelled(scanned, expected):
    """Each denied call of a finding carries its IAM action, its count and its last time."""

    def actions(findings):
        return {
            (key, call): (entry["iam_action"], entry["denials"], entry["last_denied"])
            for key, finding in findings.items()
            for call, entry in finding["actions"].items()
        }

    assert actions(expected["findings"]) == actions(by_key(scanned[1]))


def test_examples_totals_add_up(scanned, expected):
    """Every record is a denial, a repeat of one, or another record, and the three add up."""
    totals = scanned[1]["totals"]
    assert expected["totals"] == {name: totals[name] for name in expected["totals"]}
    assert totals["records"] == totals["denials"] + totals["duplicates"] + totals["others"]


def test_examples_digest_is_skipped_by_name(scanned):
    """The digest file is the one delivery that is skipped, and is named."""
    names = [Path(entry["delivery"]).name for entry in scanned[1]["skipped"]]
    assert names == [
        "444455556666_CloudTrail-Digest_eu-west-1_example-trail_eu-west-1_20260316T230000Z.json.gz"
    ]


def test_article_example_gives_one_finding():
    """The article's event, its identifiers blanked: Config cannot read the location of a bucket."""
    status, report = scan(EXAMPLES / "article-example.json")
    (finding,) = report["findings"]
    assert status == 0
    assert (
        finding["role_name"], finding["resource"], finding["status"], finding["verdict"],
    ) == ("AWSServiceRoleForConfig", "arn:aws:s3:::REMOVED", "blocked", "fix-your-policy")  # fmt: skip
    assert {call: entry["denials"] for call, entry in finding["actions"].items()} == {
        "s3:GetBucketLocation": 1
    }


@pytest.mark.parametrize("place", REAL_PLACES, ids=lambda place: place.name)
def test_real_records_have_no_finding(place):
    """Real records hold no denial of a service-linked role, so none is reported."""
    _, report = scan(place)
    assert report["findings"] == []
    assert report["totals"]["denials"] == 0


def test_real_records_are_all_read():
    """Each record of the committed collections is counted, and nothing in them is unreadable."""
    status, report = scan(REAL)
    assert (status, report["totals"]["records"], report["unreadable"]) == (0, 296, [])


def test_examples_are_what_the_generator_writes(tmp_path):
    """The committed files are what scripts/make_examples.py writes, byte for byte once decompressed."""
    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_examples.py"), str(tmp_path)],
        check=True,
        capture_output=True,
    )
    assert contents(tmp_path) == {
        name: content
        for name, content in contents(EXAMPLES).items()
        if name.startswith(("deliveries/", "expected"))
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below `folder`, gunzipped: another zlib may compress otherwise."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): gzip.decompress(path.read_bytes())
        if path.suffix == ".gz"
        else path.read_bytes()
        for path in files
    }


def test_readme_shows_what_the_demo_prints():
    """The README shows the beginning and the end of the demo's real output, times aside, and counts what is between."""
    command = [sys.executable, str(ROOT / "scripts" / "update_readme.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")
