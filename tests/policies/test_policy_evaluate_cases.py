"""Decisions over whole questions, from the files in cases/: each has its source."""

import json
from pathlib import Path

import pytest

from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.question import read_question
from rolewatch.report.decision import decision_json, decision_text

FILES = sorted(Path(__file__).with_name("cases").glob("*.json"))
TOLD = ("says", "decision", "by", "layer", "missing")


def cases():
    """Yield every case of every file, with the policies that it names by @."""
    for file in FILES:
        content = json.loads(file.read_text())
        assert content["source"]
        for case in content["cases"]:
            question = {key: value for key, value in case.items() if key not in TOLD}
            yield pytest.param(case, resolved(question, content["shared"]), id=f"{file.stem}: {case['says']}")


def resolved(value, shared):
    """Put policies in the place of their names."""
    if isinstance(value, str) and value.startswith("@"):
        return shared[value[1:]]
    if isinstance(value, dict):
        return {key: resolved(each, shared) for key, each in value.items()}
    return [resolved(each, shared) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("case", "question"), list(cases()))
def test_decision_is_as_its_source_says(case, question):
    """A question is decided as the file says, by the statement or layer it names, and hangs on the keys it names."""
    request, policies = read_question(json.dumps(question).encode(), "case.json")
    decision = evaluate(request, policies)
    told = decision_text(decision, request)
    assert decision.outcome == case["decision"], told
    assert list(decision.missing) == case.get("missing", [])
    found = decision_json(decision, request)
    assert found["decision"] == case["decision"]
    if "by" in case:
        assert found["decided_by"]["sid"] == case["by"], told
    if "layer" in case:
        assert found["decided_by"]["layer"] == case["layer"], told
    assert found["decided_by"]["reason"]


def test_every_case_says_something_else():
    """No two cases of a file have the same sentence."""
    for file in FILES:
        said = [case["says"] for case in json.loads(file.read_text())["cases"]]
        assert len(said) == len(set(said)), file
