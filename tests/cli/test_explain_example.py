"""The folder of policies among the examples, and what the documentation shows of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["examples/deliveries", "--policies", "examples/explain/policies"]
LABELS = json.loads((ROOT / "examples" / "explain" / "expected.json").read_text())


def explain(*words):
    """Run the command in the repository's folder."""
    command = [sys.executable, "-m", "rolewatch", "explain", *WORDS, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def explained():
    """Explain all findings of the example."""
    return {each["id"]: each for each in json.loads(explain("--format", "json"))["explanations"]}


@pytest.mark.parametrize("finding", LABELS)
def test_the_example_is_explained_as_its_labels_say(explained, finding):
    """The cause, the statement and the change; labelled by hand."""
    label, found = LABELS[finding], explained[finding]
    decided = found["decided_by"] or {}
    told = {
        "resource": found["resource"],
        "verdict": found["verdict"],
        "reason": found["cause"].get("reason"),
        "sid": decided.get("sid"),
        "paths": [each["path"] for each in found["fix"]["json_patch"]] if found["fix"] else None,
    }
    assert told == label


def test_no_finding_of_the_example_is_left_without_an_answer(explained):
    """A change, or why there is none."""
    assert [each["id"] for each in explained.values() if bool(each["fix"]) is bool(each["no_fix"])] == []


def test_the_documentation_shows_what_the_command_prints():
    """To the letter."""
    page = (ROOT / "docs" / "explain.md").read_text()
    shown = page.split("--finding 22ba2602\n")[1].split("```text\n")[1].split("```")[0]
    assert explain("--finding", "22ba2602") == shown


def test_the_documentation_names_every_key(explained):
    """Of an explanation, a fix and a proof."""
    page = (ROOT / "docs" / "explain.md").read_text()
    found = next(each for each in explained.values() if each["fix"])
    keys = [*found, *found["fix"], *found["fix"]["proof"], *found["decided_by"]]
    assert [key for key in keys if f"`{key}`" not in page] == []
