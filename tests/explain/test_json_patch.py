"""JSON Patch: held against another implementation."""

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.explain.json_patch import Operation, patched, pointer

KEYS = st.text("a/~0 1", max_size=3)
DOCUMENTS = st.recursive(
    st.integers(0, 9) | st.text(max_size=2), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)  # fmt: skip


def places(document, way=()):
    """List the places of a document, and the ends of its lists."""
    yield way
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*way, key))
    if isinstance(document, list):
        for number, value in enumerate(document):
            yield from places(value, (*way, number))
        yield (*way, "-")


@given(DOCUMENTS, DOCUMENTS, st.sampled_from(["add", "replace"]), st.data())
def test_another_implementation_agrees(document, value, op, data):
    """For every place, whatever is in its names."""
    way = data.draw(st.sampled_from(sorted(places(document), key=str)))
    if op == "replace" and way[-1:] == ("-",):
        return
    operation = Operation(op, pointer(*way), value)
    assert patched(document, [operation]) == jsonpatch.apply_patch(document, [operation.to_json()])


@pytest.mark.parametrize(
    "operation",
    [Operation("replace", "/a/9", 1), Operation("replace", "/b", 1), Operation("add", "/a/9", 1), Operation("add", "/b/c", 1), Operation("add", "/a/-1", 1), Operation("replace", "/a/x", 1)],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_an_error(operation):
    """Nothing is made up on the way."""
    with pytest.raises((KeyError, IndexError, ValueError)):
        patched({"a": [0]}, [operation])


def test_the_document_itself_is_left_alone():
    """What is patched is a copy."""
    document = {"a": [1]}
    assert (patched(document, [Operation("add", "/a/-", 2)]), document) == ({"a": [1, 2]}, {"a": [1]})
