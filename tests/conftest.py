"""What the tests of several rooms share."""

import pytest
from hypothesis import settings

from rolewatch.cloudtrail import carve

# A test is never about time: on a busy machine an example may take as long as it likes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=["in C", "in Python"])
def both_ways(request, monkeypatch):
    """Run a test with the part of the fast path that is written in C, and with what stands in for it."""
    if request.param == "in Python":
        monkeypatch.setattr(carve, "native", None)
    else:
        assert carve.native is not None, "there is a C compiler on a machine that runs the tests"
