"""Which trails record what, and whether an account can do without one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.aws import trails
from rolewatch.aws.trails import Trail, spared

HERE, ELSEWHERE = "us-east-1", "eu-west-1"


def trail(name, *, multi=True, home=HERE, logging=True, management=True):
    """Return a trail."""
    arn = f"arn:aws:cloudtrail:{home}:123456789012:trail/{name}"
    return Trail(name, arn, home, multi, organization=False, bucket="b", log_group="", logging=logging, management=management)  # fmt: skip


OWN = trail("own")


@pytest.mark.parametrize(
    ("own", "others", "enough", "why"),
    [
        (OWN, [], False, "no other trail of this account is known"),
        (OWN, [trail("a")], True, "a records all management events, too"),
        (OWN, [trail("a", home=ELSEWHERE)], True, "a records all management events, too"),
        (OWN, [trail("a", logging=False)], False, "no other trail"),
        (OWN, [trail("a", management=False)], False, "no other trail"),
        (OWN, [trail("a", multi=False)], False, "the only one that records all Regions; a records us-east-1 alone"),
        (OWN, [trail("a", logging=None, management=None)], False, "whether a records management events could not be found out"),
        (trail("own", multi=False), [trail("a", multi=False)], True, "a records the management events of us-east-1, too"),
        (trail("own", multi=False), [trail("a", multi=False, home=ELSEWHERE)], False, "no other trail"),
        (trail("own", logging=False), [], True, "own does not record all management events anyway"),
        (trail("own", management=False), [], True, "own does not record all management events anyway"),
        (OWN, [OWN], False, "no other trail"),
    ],
)  # fmt: skip
def test_what_a_trail_is_spared_for(own, others, enough, why):
    """A trail can go only where another one records at least as much, as far as is known."""
    found = spared(own, others, HERE)
    assert (found.enough, why in found.reason) == (enough, True), found


OTHERS = st.lists(
    st.builds(
        trail,
        st.sampled_from("abc"),
        multi=st.booleans(),
        home=st.sampled_from([HERE, ELSEWHERE]),
        logging=st.sampled_from([True, False, None]),
        management=st.sampled_from([True, False, None]),
    ),
    max_size=5,
)


@given(st.booleans(), OTHERS)
def test_no_region_goes_dark(multi, others):
    """Whatever trails there are: where ours can go, each Region that it records is still recorded by another."""
    own = trail("own", multi=multi)
    if spared(own, others, HERE).enough:
        good = [each for each in others if each.logging and each.management]
        regions = (HERE, ELSEWHERE) if multi else (HERE,)
        assert all(any(each.multi_region or each.home == region for each in good) for region in regions)


@pytest.mark.parametrize(
    ("selectors", "whole"),
    [
        ({}, True),
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": True, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]}, True),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["false"]}]}]}, False),
    ],
)  # fmt: skip
def test_selectors(selectors, whole):
    """Management events are recorded whole only where reads, writes and KMS are among them."""
    assert trails._management(selectors) is whole
