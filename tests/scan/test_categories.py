"""Which kinds of events were met, and what therefore would not show."""

import json

import pytest
from loads import content, record

from rolewatch.cloudtrail.carve import canonical
from rolewatch.cloudtrail.read import Listed
from rolewatch.scan.categories import categories, gaps, look_for

S3 = {"eventCategory": "Data"}
LAMBDA = {"eventCategory": "Data", "eventSource": "lambda.amazonaws.com", "eventName": "Invoke"}
KMS = {"eventSource": "kms.amazonaws.com", "eventName": "DescribeKey"}
NETWORK = {"eventCategory": "NetworkActivity", "eventSource": "ec2.amazonaws.com"}
OLD = {"eventVersion": "1.05", "eventCategory": None}
SELECTORS = {  # a management event that speaks of data events
    "eventSource": "cloudtrail.amazonaws.com",
    "eventName": "PutEventSelectors",
    "requestParameters": {
        "eventSelectors": [{"dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]}],
        "note": '"eventCategory":"Data"',
    },
}

MET = [
    ("management events", [{}], {"Management"}),
    ("S3 data events", [S3], {"Data", "S3 data"}),
    ("other data events beside S3's management events", [{}, LAMBDA], {"Management", "Data"}),
    ("other data events, then S3's", [{}, LAMBDA, {}, S3], {"Management", "Data", "S3 data"}),
    ("events of KMS", [KMS], {"Management", "KMS"}),
    ("network activity", [NETWORK], {"NetworkActivity"}),
    ("talk about data events", [SELECTORS], {"Management"}),
    ("records older than the field", [OLD], set()),
]
LAYOUTS = {
    "as CloudTrail writes": lambda records: canonical(content(*records)),
    "split": lambda records: Listed([json.dumps(item, separators=(",", ":")).encode() for item in records]),
    "pretty-printed": lambda records: Listed([json.dumps(item, indent=1).encode() for item in records]),
    "reordered": lambda records: Listed([json.dumps(dict(reversed(item.items()))).encode() for item in records]),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(("kinds", "expected"), [case[1:] for case in MET], ids=[case[0] for case in MET])
def test_met(kinds, expected, layout):
    """Categories are found by literals, in every layout; an S3 data event needs both of its literals in one record."""
    seen = set()
    look_for(layout([record(**fields) for fields in kinds]), seen, network=True)
    assert expected == seen


def test_one_batch_after_the_other():
    """What was met in one batch need not be in the next, in any order."""
    for order in ((LAMBDA, S3), (S3, LAMBDA)):
        seen = set()
        for fields in order:
            look_for(canonical(content(record(**fields))), seen, network=False)
        assert seen == {"Data", "S3 data"}


class Watched:
    """A batch that writes down what is searched for."""

    def __init__(self, batch):
        self._batch = batch
        self.searched = []

    def holds(self, literal):
        """Search, and remember."""
        self.searched.append(literal)
        return self._batch.holds(literal)

    def spans(self, literals):
        """Search, and remember."""
        self.searched.extend(literals)
        return self._batch.spans(literals)


def test_what_was_found_is_not_searched_for_again():
    """A literal is searched for once in a batch at most, and not any more once it was found."""
    batch, seen = Watched(canonical(content(record(), record(**KMS)))), set()
    look_for(batch, seen, network=True)
    assert len(batch.searched) == len(set(batch.searched)) == 4
    batch.searched.clear()
    look_for(batch, seen, network=False)
    assert batch.searched == [b'"eventCategory":"Data"']


def test_network_activity_has_a_folder_of_its_own():
    """Where a delivery's name says that it holds none, network activity is not searched for."""
    seen = set()
    look_for(canonical(content(record(**NETWORK))), seen, network=False)
    assert seen == set()


CATEGORIES = [
    (set(), ["Management"]),
    ({"Management"}, ["Management"]),
    ({"Data", "S3 data"}, ["Data"]),
    ({"KMS", "NetworkActivity", "Data", "Management"}, ["Management", "Data", "NetworkActivity"]),
]


@pytest.mark.parametrize(("seen", "expected"), CATEGORIES)
def test_categories(seen, expected):
    """Categories are named as CloudTrail does; records without one are management events."""
    assert expected == categories(seen)


NO_MANAGEMENT = "management events: none seen, so most denials would not show"
NO_S3 = "S3 data events: none seen, so a denied GetObject, HeadBucket or ListObjects would not show"
NO_DATA = (
    "data events of other services: none seen, so a denied Lambda Invoke or DynamoDB GetItem would not show"
)
SELECTED = "data events of resources that the trail does not select: they are not recorded, so a denial would not show"
NO_KMS = (
    "KMS events: none seen (a trail can exclude them), so a key policy that denies a service would not show"
)
NO_NETWORK = (
    "network activity events: none seen, so a denial by a VPC endpoint policy (VpceAccessDenied) may not show"
)
GAPS = [
    (set(), [NO_S3, NO_DATA, NO_KMS, NO_NETWORK]),
    ({"Management", "KMS"}, [NO_S3, NO_DATA, NO_NETWORK]),
    ({"Management", "Data", "KMS"}, [NO_S3, SELECTED, NO_NETWORK]),
    ({"Management", "Data", "S3 data", "KMS", "NetworkActivity"}, [SELECTED]),
    ({"NetworkActivity"}, [NO_MANAGEMENT, NO_S3, NO_DATA, NO_KMS]),
]


@pytest.mark.parametrize(("seen", "lines"), GAPS)
def test_gaps(seen, lines):
    """Each kind of events that was not met has a line that says what would not show."""
    assert lines == list(gaps(seen))
