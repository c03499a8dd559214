"""`rolewatch replay --log-group`: which filters see which deliveries."""

import json

import pytest
from deliveries import denial, record, write
from replayable import IMPORT, TEMPLATE


def sums(found):
    """Give the sum of each metric's datapoints."""
    return {metric["name"]: sum(each["sum"] for each in metric["datapoints"]) for metric in found["metrics"]}


@pytest.fixture
def two_groups(here):
    """Write a template with a filter of the log group `trail` and one of `other/logs`, and a denial of its own for each."""
    second = (
        TEMPLATE.split("  Alarm:", maxsplit=1)[0].partition("  Denied:")[2].replace("trail", "other/logs")
    )
    text = TEMPLATE + "  Second:" + second.replace("MetricName: Denied", "MetricName: Second")
    (here / "two.yaml").write_text(text)
    write(here / "one" / "x.json", denial(1))
    write(here / "two" / "x.json", denial(2), denial(3), record(4))


@pytest.mark.usefixtures("two_groups")
@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["one", "two"], {"Denied": 3, "Second": 3}),
        (["one", "--log-group", "other/logs=two"], {"Denied": 1, "Second": 2}),
        (["--log-group", "trail=one", "--log-group", "trail=two"], {"Denied": 3}),
        (["two", "--log-group", "trail=one", "--log-group", "other/logs=two"], {"Denied": 1, "Second": 2}),
    ],
)
def test_log_groups(call, sources, expected):
    """A filter sees the deliveries of its log group, if that was named, else all that are of no named one."""
    status, out, err = call("replay", "two.yaml", *sources, *IMPORT, "--format", "json")
    assert (status, sums(json.loads(out))) == (0, expected), err


@pytest.mark.usefixtures("two_groups")
def test_a_log_group_of_no_filter(call):
    """Its records count for nothing, and that is said."""
    out = call("replay", "two.yaml", "one", "--log-group", "trial=two", *IMPORT, "--format", "json")[1]
    (notice,) = json.loads(out)["notices"]
    assert notice["message"] == "no metric filter is of the log group trial; there are: other/logs, trail"


@pytest.mark.usefixtures("two_groups")
@pytest.mark.parametrize("word", ["trail", "=logs", "trail=", "tr ail=logs"])
def test_a_log_group_without_deliveries(call, word):
    """What is no NAME=SOURCE is wrong usage."""
    status, _, err = call("replay", "two.yaml", "one", "--log-group", word, *IMPORT)
    assert (status, "write NAME=SOURCE" in err) == (2, True)
