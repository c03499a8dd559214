"""What can be typed as a value, and what is said of the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from rolewatch.cli import words

SPANS = [
    ("90s", timedelta(seconds=90)),
    ("15m", timedelta(minutes=15)),
    ("6h", timedelta(hours=6)),
    ("2d", timedelta(days=2)),
    ("1w", timedelta(weeks=1)),
    (" 2 d ", timedelta(days=2)),
    ("0d", timedelta()),
    ("99999999w", timedelta(weeks=99_999_999)),
]
MOMENTS = [
    ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    ("2026-03-01T10:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
    ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
    ("2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("2026-03-01 10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
    ("20260301T100000Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
    (" 2d ", timedelta(days=2)),
]
SIZES = [
    ("1", 1),
    ("500000", 500_000),
    ("12b", 12),
    ("1k", 1_000),
    ("1KB", 1_000),
    ("1KiB", 1_024),
    ("64MiB", 64 * 1024**2),
    ("4 GiB", 4 * 1024**3),
    ("1GB", 10**9),
    ("2tib", 2 * 1024**4),
]
REFUSED = [
    *((words.span, text, "no length of time") for text in ("", "2", "d", "2y", "-2d", "2.5d", "1234567890s", "2d\0", "½d")),
    (words.span, "999999999w", "longer than the calendar"),
    *((words.moment, text, "is no time") for text in ("", "now", "2026-02-30", "2026-13-01", "10:00", "0001-01-01T00:00:00+14:00", "\ud800")),
    (words.moment, "999999999w", "longer than the calendar"),
    *((words.size, text, "is no size") for text in ("", "0", "0GiB", "GiB", "-1", "1.5GiB", "1PB", "1iB", "9" * 16)),
    *((words.positive, text, "at least 1") for text in ("", "0", "-1", "1.0", "1e3", "two", "²", "1_000", "9" * 5000)),
    *((words.jobs, text, "write 1 to 256") for text in ("", "0", "257", "999999999", "all")),
    *((words.status, text, "from 0 to 255") for text in ("", "-1", "256", "1000", "one", "٣")),
    *((words.account, text, "twelve digits") for text in ("", "1234", "1234567890123", "12345678901a", "٣" * 12, "123456789012\n")),
    *((words.span_or_off, text, "no length of time") for text in ("", "never", "00", "-1h")),
    *((words.listening, text, "no place to listen") for text in ("", ":", "x", "x:", "65536", "1:2:3", "[::1:9464", "::1:9464", "x y:1", "9464\n1")),
    *((words.region, text, "us-east-1") for text in ("", "US-EAST-1", "us", "us-east-1\n", "us/east", "*")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SPANS)
def test_a_span_is_a_number_and_a_unit(text, expected):
    """Seconds, minutes, hours, days and weeks can be written."""
    assert expected == words.span(text)


@pytest.mark.parametrize(("text", "expected"), MOMENTS)
def test_a_moment_is_iso_8601_or_a_span(text, expected):
    """Times are UTC unless they say otherwise; a span stands for itself."""
    assert expected == words.moment(text)


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_a_size_is_decimal_unless_it_has_an_i(text, expected):
    """`k`, `M`, `G` and `T` are powers of 1000, with an `i` of 1024, in any case."""
    assert expected == words.size(text)


def test_numbers_have_bounds():
    """A count starts at 1, a number of processes ends at 256, an exit status is a byte."""
    numbers = [
        words.positive("999999999"),
        words.jobs("256"),
        words.jobs(" 2 "),
        words.status("0"),
        words.status("255"),
    ]
    assert numbers == [999_999_999, 256, 2, 0, 255]


def test_accounts_and_regions_are_taken_as_they_are():
    """Twelve digits are an account, the usual spelling a region, of every partition."""
    regions = ["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-4"]
    assert ["012345678901", *regions] == [words.account("012345678901"), *map(words.region, regions)]


@pytest.mark.parametrize(("parse", "text", "reason"), REFUSED)
def test_nonsense_is_refused_with_what_is_wanted(parse, text, reason):
    """ValueError quotes the word and says how to write it."""
    with pytest.raises(ValueError, match=reason) as caught:
        parse(text)
    assert repr(text) in str(caught.value)


def test_a_span_can_be_off():
    """In words, or as none at all."""
    found = [words.span_or_off(text) for text in ("30m", "off", "OFF", "0", "0s", " 1h ")]
    assert found == [timedelta(minutes=30), None, None, None, None, timedelta(hours=1)]


def test_a_port_alone_is_of_this_machine():
    """Any other address has to be said in full; one of IPv6 stands in brackets."""
    typed = (
        "9464",
        ":9464",
        "localhost:0",
        "0.0.0.0:9464",
        "[::]:9464",
        "[::1]:80",
        "host-1.example.com:65535",
    )
    assert [words.listening(text) for text in typed] == [
        ("127.0.0.1", 9464), ("127.0.0.1", 9464), ("localhost", 0), ("0.0.0.0", 9464), ("::", 9464), ("::1", 80),  # noqa: S104 - typed
        ("host-1.example.com", 65535),
    ]  # fmt: skip
