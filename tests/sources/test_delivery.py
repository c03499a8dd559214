"""When a delivery arrived where it lies, as far as anything tells."""

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.sources import BytesDelivery, FileDelivery, StdinDelivery
from rolewatch.sources.files import look
from rolewatch.sources.live_time import instant, of_milliseconds
from rolewatch.sources.s3 import S3Delivery

NAME = "111122223333_CloudTrail_us-east-1_20230701T1145Z_s7dpHbl38neqZbm2.json.gz"
NAMED = datetime(2023, 7, 1, 11, 45, tzinfo=UTC).timestamp()


def in_memory(name, at=None):
    """Make a delivery that came with its content."""
    return BytesDelivery(name, "i", named=False, size=1, remote=False, content=b"x", at=at)


def stored(key, at):
    """Make an object's delivery."""
    return S3Delivery(
        f"s3://b/{key}", "i", named=False, size=1, remote=True, bucket="b", key=key, etag="", region="", endpoint="", at=at
    )  # fmt: skip


def test_a_file_arrived_when_it_was_changed_last(tmp_path):
    """To the nanosecond, whatever its name says; a pipe does not tell."""
    (tmp_path / NAME).write_text("x")
    os.utime(tmp_path / NAME, ns=(7, 12_345_678_901))
    os.mkfifo(tmp_path / "pipe")
    assert look(str(tmp_path / NAME), named=True).arrived() == 12.345678901
    assert look(str(tmp_path / "pipe"), named=True).arrived() is None
    assert FileDelivery(NAME, "made+by+hand", named=True, size=1, remote=False).arrived() is None


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (stored(NAME, 12.5), 12.5),
        (stored(NAME, 0.0), 0.0),
        (stored(NAME, None), NAMED),
        (stored("x.json", None), None),
        (in_memory("sqs://q#1", 12.5), 12.5),
        (in_memory("sqs://q#1"), None),
        (in_memory(f"x/{NAME}"), NAMED),
        (StdinDelivery("-", "-", named=True, size=-1, remote=False), None),
    ],
)
def test_what_was_told_counts_before_a_name(delivery, expected):
    """CloudTrail's name holds the minute of its first delivery: a copy, or a delivery that was late, came after that."""
    assert expected == delivery.arrived()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.500Z", 1.5),
        ("1970-01-01T01:00:01+01:00", 1.0),
        ("1970-01-01T00:00:01", None),
        ("0001-01-01T00:00:00+23:59", -62135683140.0),
        ("yesterday", None),
        ("", None),
        (1.5, None),
        (None, None),
    ],
)
def test_times_of_messages(text, expected):
    """A time without its zone is none."""
    assert expected == instant(text)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1500, 1.5),
        ("1500", 1.5),
        (1500.5, 1.5005),
        (0, 0),
        (-1, None),
        (10**400, None),
        ("9" * 400, None),
        ("٣", None),
    ],
)
def test_milliseconds(number, expected):
    """A number, or its digits as SQS has them."""
    assert expected == of_milliseconds(number)


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes().map(str)
    | st.lists(st.integers())
)
def test_no_value_is_an_exception(value):
    """Whoever may send messages writes them: what comes out can be counted with, or is nothing."""
    for found in (instant(value), of_milliseconds(value)):
        assert found is None or int(found) // 10 <= 10**12
