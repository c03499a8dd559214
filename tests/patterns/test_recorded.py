"""What the live service was recorded to answer, and what its documentation says it answers, is what we answer."""

import json
from pathlib import Path

import pytest

from rolewatch.patterns import PatternError, compile_pattern

CASES = json.loads(Path(__file__).with_name("recorded.json").read_text())
GOOD = [case for case in CASES if "match" in case]
BAD = [case for case in CASES if "error" in case]


@pytest.mark.parametrize("case", GOOD, ids=[case["id"] for case in GOOD])
def test_matches(case):
    """The same messages match, and the same values are extracted."""
    pattern = compile_pattern(case["pattern"])
    found = {number: pattern.match(message) for number, message in enumerate(case["messages"], 1)}
    assert [number for number, values in found.items() if values is not None] == case["match"]
    for number, values in case.get("extracted", {}).items():
        assert found[int(number)] == values


@pytest.mark.parametrize("case", BAD, ids=[case["id"] for case in BAD])
def test_errors(case):
    """The same patterns are refused, in the service's words, with a place inside of the pattern."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(case["pattern"])
    assert caught.value.message == case["error"]["message"]
    assert 0 <= caught.value.position <= len(case["pattern"])
    assert caught.value.exit_code == 2


def test_nothing_is_left_out():
    """Every recorded case is held against."""
    assert len(GOOD) + len(BAD) == len(CASES) > 100
