"""What a scan looked at, and each thing that it could not have seen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loads import ACCOUNT, OTHER, content, logs, record
from test_digests import digest, hours

from rolewatch.cloudtrail.carve import canonical
from rolewatch.cloudtrail.layout import parse
from rolewatch.cloudtrail.read import Listed
from rolewatch.scan.coverage import Coverage
from rolewatch.sources import Window

CROSS = (
    "cross-account KMS denials in the key owner's account: CloudTrail logs them only in the caller's account"
)
ALL = {"Management", "Data", "S3 data", "KMS", "NetworkActivity"}
SELECTED = "data events of resources that the trail does not select: they are not recorded, so a denial would not show"


def covered(*names, seen=ALL, regions=("us-east-1", "eu-west-1"), digests=()):
    """Cover deliveries by name alone, in an input where every kind of events was met."""
    coverage = Coverage()
    coverage.seen |= seen
    coverage.regions |= set(regions)
    for name in names:
        coverage.named(parse(name))
    for data in digests:
        coverage.digest(data, parse(logs(2, kind="CloudTrail-Digest")))
    return coverage


def lines(coverage, records=1, **window):
    """Return what was not visible, without what is said of every scan of this kind."""
    found = coverage.report(records=records, window=Window(**window))["not_visible"]
    assert found[0] == SELECTED
    assert found[-1] == CROSS
    return found[1:-1]


def test_nothing_read():
    """Where no record was read, nothing could be seen, and no category is claimed."""
    report = Coverage().report(records=0)
    assert report == {
        "first_record": None,
        "last_record": None,
        "first_day": None,
        "last_day": None,
        "accounts": [],
        "regions": [],
        "event_categories": [],
        "not_visible": ["anything: no CloudTrail record was read"],
    }


def test_everything_was_there():
    """With every kind of events, two regions and no gap, only what no input shows is left."""
    assert lines(covered(logs(1), logs(2))) == []


@pytest.mark.parametrize("missing", ["S3 data", "KMS", "NetworkActivity", "Data", "Management"])
def test_kinds_of_events(missing):
    """Each kind of events that was not met has its line."""
    report = covered(seen=ALL - {missing}).report(records=1)["not_visible"]
    word = {"S3 data": "S3 data events: none seen", "KMS": "KMS events: none seen", "NetworkActivity": "network activity events: none seen", "Data": "data events of other services: none seen", "Management": "management events: none seen"}[missing]  # fmt: skip
    assert len([line for line in report if line.startswith(word)]) == 1


ASKED = [
    (("us-east-1",), {}, ["other regions: every record is from us-east-1; a single-region trail sees no other"]),
    (("us-east-1",), {"since": datetime(2026, 3, 1, tzinfo=UTC)}, ["other regions: every record is from us-east-1; a single-region trail sees no other", "before 2026-03-01T00:00:00Z: left out, as asked"]),
    (("us-east-1",), {"regions": frozenset(("us-east-1",))}, ["other regions than us-east-1: left out, as asked"]),
    (("us-east-1", "eu-west-1"), {"regions": frozenset(("us-east-1",))}, ["other regions than us-east-1: left out, as asked"]),
    (("us-east-1",), {"regions": frozenset(("us-east-1", "eu-west-1"))}, ["other regions than eu-west-1, us-east-1: left out, as asked", "regions eu-west-1: asked for, but no record of them was read"]),
    (("us-east-1", "eu-west-1"), {"accounts": frozenset((OTHER,))}, [f"other accounts than {OTHER}: left out, as asked", f"accounts {OTHER}: asked for, but no record of them was read"]),
    (("us-east-1", "eu-west-1"), {"until": datetime(2026, 3, 2, tzinfo=UTC)}, ["from 2026-03-02T00:00:00Z on: left out, as asked"]),
    (("us-east-1", "eu-west-1"), {"accounts": frozenset(f"{n:012d}" for n in range(8))}, ["other accounts than 000000000000, 000000000001, 000000000002, 000000000003, 000000000004 and 3 more: left out, as asked", "accounts 000000000000, 000000000001, 000000000002, 000000000003, 000000000004 and 3 more: asked for, but no record of them was read"]),
]  # fmt: skip


@pytest.mark.parametrize(("regions", "window", "expected"), ASKED)
def test_what_was_asked_for(regions, window, expected):
    """What the request left out is said to be asked for; what it asked for and did not get is a gap."""
    assert expected == lines(covered(regions=regions), **window)


def test_places_that_were_left_out():
    """Accounts and regions of the report are those that were asked for, whatever else the files held."""
    coverage = covered(logs(1), logs(1, account=OTHER), logs(1, region="ap-south-1"))
    report = coverage.report(
        records=1, window=Window(accounts=frozenset((OTHER,)), regions=frozenset(("us-east-1",)))
    )
    assert (report["accounts"], report["regions"]) == ([OTHER], ["us-east-1"])
    assert coverage.report(records=1)["accounts"] == [ACCOUNT, OTHER]


HERE = f"in account {ACCOUNT}, us-east-1"
NO_DELIVERY = f"{HERE}: no delivery although there are some before and after"
DAYS = [
    ("none missing", [1, 2, 3], []),
    ("one day", [1, 3], [f"2026-03-02 {NO_DELIVERY}"]),
    ("several gaps", [1, 3, 4, 6], [f"2026-03-02, 2026-03-05 {NO_DELIVERY}"]),
    ("five days", [1, 7], [f"2026-03-02, 2026-03-03, 2026-03-04, 2026-03-05, 2026-03-06 {NO_DELIVERY}"]),
    ("six days", [1, 8], [f"6 days between 2026-03-02 and 2026-03-07 {NO_DELIVERY}"]),
    ("one day in all", [5], []),
]


@pytest.mark.parametrize(("days", "expected"), [case[1:] for case in DAYS], ids=[case[0] for case in DAYS])
def test_missing_days(days, expected):
    """A day without a delivery between days with some is named, by account and region."""
    assert expected == lines(covered(*(logs(day) for day in days)))


def test_missing_days_of_one_place():
    """Deliveries of another region or account, or of network activity, fill no gap."""
    others = (logs(2, region="eu-west-1"), logs(2, account=OTHER), logs(2, kind="CloudTrail-NetworkActivity"))
    assert lines(covered(logs(1), *others, logs(3))) == [f"2026-03-02 {NO_DELIVERY}"]


def test_quiet_days():
    """Digests that vouch for a whole day without a log file close the gap; those of an hour do not."""
    assert lines(covered(logs(1), logs(3), digests=hours(0, 24))) == []
    assert lines(covered(logs(1), logs(3), digests=hours(0, 23))) == [f"2026-03-02 {NO_DELIVERY}"]


EXISTS = "digest files prove that it exists, but it is not in this input"
EXIST = "digest files prove that they exist, but they are not in this input"


def test_lacking_files():
    """Log files that digests name and that are not there are counted."""
    proof = digest("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z", logs(2), logs(2, 11), logs(3), logs(4))
    assert lines(covered(logs(2), logs(2, 11), logs(3), digests=[proof])) == [
        f"1 log file of 2026-03-04 {HERE}: {EXISTS}"
    ]
    assert lines(covered(logs(3), logs(4), digests=[proof])) == [f"2 log files of 2026-03-02 {HERE}: {EXIST}"]


def test_lacking_files_outside_of_the_window():
    """Files of days that nobody asked for are not missed."""
    proof = digest("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z", logs(1), logs(3))
    window = {"since": datetime(2026, 3, 2, tzinfo=UTC), "until": datetime(2026, 3, 3, tzinfo=UTC)}
    assert [line for line in lines(covered(digests=[proof]), **window) if "log file" in line] == [
        f"1 log file of 2026-03-03 {HERE}: {EXISTS}"
    ]


def test_a_digest_without_a_place():
    """A digest whose name tells no place proves nothing."""
    coverage = Coverage()
    coverage.digest(digest("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", logs(2)), None)
    assert list(coverage.digests.lacking({})) == []


def test_absurd_days():
    """Folder names that lie about the year cost nothing."""
    names = [
        f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{year}/x.json.gz"
        for year in ("0001/01/01", "9999/12/31", "2026/02/31")
    ]
    assert lines(covered(*names)) == []


def test_ends_of_a_batch():
    """The first and the last record of a delivery tell when and where, also where they are not as documented."""
    coverage = Coverage()
    coverage.batch(canonical(content(record(time="2026-03-02T00:00:00Z"), record(time="2030-01-01T00:00:00Z"), record(time="2026-03-01T00:00:00Z", awsRegion="eu-west-1", recipientAccountId=OTHER))), None)  # fmt: skip
    report = coverage.report(records=3)
    assert (report["first_record"], report["last_record"]) == ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
    assert (report["accounts"], report["regions"]) == ([ACCOUNT, OTHER], ["eu-west-1", "us-east-1"])
    odd = Coverage()
    odd.batch(Listed([b'{"eventTime":7,"awsRegion":"eu-west-1"}', b"no record"]), None)
    assert (odd.report(records=2)["first_record"], odd.regions) == (None, {"eu-west-1"})


def log(name, *times):
    """Cover a log file by its name and its records."""
    coverage = Coverage()
    layout = parse(name)
    coverage.batch(
        canonical(content(*(record(time=time, recipientAccountId=OTHER) for time in times))), layout
    )
    coverage.named(layout)
    return coverage


FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/03"
EARLY, EARLY_TOO = logs(3, 10), logs(3, 10).replace("abcdefgh", "ijklmnop")
FOLDERS = [
    ("one file", [(EARLY, ["10:01", "10:03", "10:02"])], ("10:01", "10:02")),
    ("of the same minute", [(EARLY, ["10:02"]), (EARLY_TOO, ["10:01", "10:03"])], ("10:01", "10:03")),
    ("a later one counts by its name", [(EARLY, ["10:01"]), (logs(3, 12), ["09:00", "11:59"])], ("10:01", "12:05")),
    ("another folder's", [(EARLY, ["10:01"]), (logs(3, 12, region="eu-west-1"), ["12:01"])], ("10:01", "12:01")),
    ("the earliest without a time", [(EARLY, [None]), (logs(3, 12), ["12:01"])], ("12:01", "12:01")),
    ("names without a time", [(f"{FOLDER}/x.json.gz", ["10:01"]), (f"{FOLDER}/y.json.gz", ["10:09"])], ("10:01", "10:09")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "expected"), [case[1:] for case in FOLDERS], ids=[case[0] for case in FOLDERS]
)
def test_ends_where_the_name_tells_the_place(files, expected):
    """Of a folder of the layout the earliest file tells the times, whichever was read first; the last comes by name."""
    expected = tuple(f"2026-03-03T{clock}:00Z" for clock in expected)
    for order in (files, files[::-1]):
        merged = Coverage()
        for name, clocks in order:
            merged.merge(log(name, *(clock and f"2026-03-03T{clock}:00Z" for clock in clocks)))
        report = merged.report(records=1)
        assert expected == (report["first_record"], report["last_record"])
        assert report["accounts"] == [ACCOUNT]


LAST = [
    ("the delivery's minute", [logs(3)], [], {ACCOUNT: "2026-03-03T10:05:00Z"}),
    ("the day, where a name tells no time", [f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/03/x.json"], [], {ACCOUNT: "2026-03-03T23:59:59Z"}),
    ("the latest of several", [logs(3), logs(4), logs(2)], [], {ACCOUNT: "2026-03-04T10:05:00Z"}),
    ("a record", [], ["2026-03-05T00:00:00Z", "2026-03-04T00:00:00Z"], {ACCOUNT: "2026-03-05T00:00:00Z"}),
    ("a record later than the name", [logs(3)], ["2026-03-05T00:00:00Z"], {ACCOUNT: "2026-03-05T00:00:00Z"}),
    ("a record before the name", [logs(3)], ["2026-03-01T00:00:00Z"], {ACCOUNT: "2026-03-03T10:05:00Z"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "times", "expected"), [case[1:] for case in LAST], ids=[case[0] for case in LAST]
)
def test_last_seen(names, times, expected):
    """The last record of an account is known from records and the names of deliveries."""
    coverage = covered(*names)
    for time in times:
        coverage.batch(canonical(content(record(time=time))), None)
    assert expected == coverage.last_seen()


def share(kind, value):
    """Cover one thing."""
    coverage = Coverage()
    if kind == "name":
        coverage.named(parse(value))
    elif kind == "log":
        coverage = log(*value)
    elif kind == "digest":
        coverage.digest(value, parse(logs(2, kind="CloudTrail-Digest")))
    else:
        coverage.batch(canonical(value), None)
    return coverage


SHARES = [
    *(("name", logs(day, region=region)) for day in (1, 3, 4) for region in ("us-east-1", "eu-west-1")),
    *(
        ("log", (logs(4, hour), f"2026-03-04T{hour - number:02d}:00:00Z"))
        for hour in (9, 10, 11)
        for number in (1, 2)
    ),
    ("name", logs(2, account=OTHER, kind="CloudTrail-NetworkActivity")),
    *(
        ("digest", data)
        for data in (*hours(0, 24, 17), digest("2026-03-02T00:00:00Z", "2026-03-02T02:00:00Z", logs(5)))
    ),
    ("batch", content(record(time="2026-03-03T00:00:00Z"), record(eventCategory="Data"))),
    (
        "batch",
        content(record(recipientAccountId=OTHER, awsRegion="ap-south-1", eventSource="kms.amazonaws.com")),
    ),
]


@given(st.lists(st.sampled_from(SHARES), max_size=40), st.randoms(use_true_random=False))
def test_merge(shares, rng):
    """Coverage of deliveries in any order and grouping is the same."""
    expected = Coverage()
    for one in shares:
        expected.merge(share(*one))
    parts = [share(*one) for one in rng.sample(shares, len(shares))]
    while len(parts) > 1:
        left, right = rng.sample(range(len(parts)), 2)
        parts[left].merge(parts[right])
        del parts[right]
    found = parts[0] if parts else Coverage()
    assert (found.report(records=1), found.last_seen()) == (expected.report(records=1), expected.last_seen())
