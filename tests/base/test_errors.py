"""Errors tell what to do, how the command ends, and survive a journey between processes."""

import pickle

import pytest

from rolewatch.base.errors import CannotDo, RolewatchError, SourceError, UsageError

KINDS = [(RolewatchError, 4), (UsageError, 2), (SourceError, 2), (CannotDo, 4)]


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_each_kind_has_its_exit_status(kind, status):
    """2 for what was asked wrongly, 4 for what could not be done."""
    assert status == kind("x").exit_code


@pytest.mark.parametrize(
    ("remedy", "expected"), [(None, "no such bucket"), ("check the name", "no such bucket (check the name)")]
)
def test_an_error_reads_as_message_and_remedy(remedy, expected):
    """The remedy stands in parentheses, in the same line."""
    assert expected == str(CannotDo("no such bucket", remedy=remedy))


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
@pytest.mark.parametrize("remedy", [None, "do this"])
def test_an_error_comes_back_whole_from_another_process(kind, remedy):
    """Pickled and unpickled, it has its class and all its fields."""
    copy = pickle.loads(pickle.dumps(kind("what happened", remedy=remedy)))  # noqa: S301 - our own bytes
    assert (kind, "what happened", remedy) == (type(copy), copy.message, copy.remedy)
