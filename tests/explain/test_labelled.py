"""Explanations of labelled denials: each cause, each change, and that none is offered where there can be none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonpatch
import pytest
from labelled_buckets import BUCKETS
from labelled_keys import KEYS
from labelled_others import OTHERS

from rolewatch.explain.explanation import Asked, explain
from rolewatch.explain.folder import Folder
from rolewatch.explain.incident import incident_of
from rolewatch.policies.layers import IDENTITY
from rolewatch.report.explanation import explanation_json, explanation_text
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

CASES = [*BUCKETS, *KEYS, *OTHERS]
LABELLED = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Give a way to scan a case's record and explain what is found; each is done once."""
    done = {}

    def do(case):
        if case.name not in done:
            folder = tmp_path_factory.mktemp("case")
            records = folder / "records.json"
            records.write_text(json.dumps({"Records": [case.record()]}))
            case.write(folder / "policies")
            report = run([str(records)], ScanRequest(jobs=1), now=datetime(2026, 10, 5, 8, tzinfo=UTC))
            (finding,) = report["findings"]
            asked = Asked(Folder(str(folder / "policies")), all_slrs=case.all_slrs)
            done[case.name] = explain(incident_of(finding), asked)
        return done[case.name]

    return do


def place(found):
    """Say what decided: a statement by the Sid that stands where its line says, else the reason."""
    applied = found.deciding.applied
    if applied is None:
        return found.deciding.reason
    return applied.statement.name


@LABELLED
def test_the_cause_is_the_true_one(case, explained):
    """Verdict, policy type, kind, the evidence for it, and the reason, if the label names one."""
    found = explained(case)
    cause = found.cause
    told = (found.verdict, (cause["policy_type"], cause["kind"]), cause["evidence"], cause.get("reason"))
    assert told == (case.verdict, case.cause, case.evidence, case.reason), found.notes


@LABELLED
def test_what_decided_is_named_with_its_place(case, explained):
    """The statement by its Sid, in the line where it begins; or what is missing, in words."""
    found = explained(case)
    if case.decided is None:
        assert found.deciding is None
        return
    assert case.decided in place(found)
    applied = found.deciding.applied
    if applied and found.deciding.layer != IDENTITY:
        file, _, inside = applied.statement.place.file.partition(":policy")
        text = Path(file).read_text() if file == applied.statement.place.file else found.fix.before
        rest = text.split("\n")[applied.statement.place.line - 1 :]
        assert (rest[0].rstrip()[-1], f'"Sid": "{case.decided}"' in rest[1]) == ("{", True), inside


@LABELLED
def test_the_change_is_the_right_one_and_proven(case, explained):
    """Operation by operation; applied by another program they give the policy that is printed; where there is none, it is said why."""
    found = explained(case)
    shown = explanation_json(found)
    if case.patch is None:
        assert (shown["fix"], case.no_fix in (shown["no_fix"] or "")) == (None, True), shown["no_fix"]
        return
    fix = shown["fix"]
    assert fix is not None, shown["no_fix"]
    assert fix["json_patch"] == case.patch
    proof = fix["proof"]
    assert (proof["request_allowed"], proof["requests"]) == (True, len(found.incident.actions))
    assert [each["statement"] for each in proof["provided"]] == list(case.provided)
    before = found.fix.before and json.loads(found.fix.before)
    assert jsonpatch.apply_patch(before or None, fix["json_patch"]) == fix["policy_after"]
    assert json.loads(found.fix.after) == fix["policy_after"]
    limit = found.fix.kind.limit
    assert limit is None or not case.patch or found.fix.kind.size(found.fix.after) <= limit


@LABELLED
def test_the_commands_and_notes_are_there(case, explained):
    """Each in its order, and what else is to be known."""
    found = explained(case)
    commands = found.fix.to_json()["commands"] if found.fix else []
    if case.commands:
        assert [part in command for part, command in zip(case.commands, commands, strict=True)] == [
            True
        ] * len(commands)
    text = explanation_text(found)
    assert [note for note in case.notes if not any(note in each for each in found.notes)] == []
    assert [command for command in commands if command not in text] == []


def test_there_are_enough_labels():
    """At least sixty, and each name is there once."""
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_nothing_is_offered_for_what_only_aws_can_change(explained):
    """However the case is: aws-side, not enabled and harmless come without a change."""
    idle = [case for case in CASES if case.verdict != "fix-your-policy"]
    assert (len(idle) >= 7, [case.name for case in idle if case.patch is not None]) == (True, [])
    assert explained(idle[0]).fix is None
