"""`rolewatch replay` of values that CloudWatch does not take: nothing that is not a finite number comes out."""

import json

import pytest
from deliveries import denial, write
from replayable import IMPORT, TEMPLATE

HUGE = TEMPLATE.replace('MetricValue: "1", DefaultValue: 0', "MetricValue: $.requestParameters.n")


def test_values_that_cloudwatch_does_not_take(call, here):
    """What an attacker writes into a record is no datapoint if it is too great, and the rest stays a number."""
    (here / "huge.yaml").write_text(HUGE)
    numbers = (1.7e308, -1.7e308, 1.7e308, 2.0**360, 2.0**360, 3)
    write(here / "huge" / "x.json", *(denial(0, requestParameters={"n": number}) for number in numbers))
    status, out, err = call("replay", "huge.yaml", "huge", *IMPORT, "--format", "json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert (status, err) == (0, "")
    assert found["metrics"][0]["datapoints"] == [{"timestamp": "2026-03-01T10:00:00Z", "sum": 2.0**361, "sample_count": 3.0, "minimum": 3.0, "maximum": 2.0**360}]  # fmt: skip
    for change in found["alarms"][0]["transitions"]:
        json.loads(change["reason_data"], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("property_", "complaint"),
    [('MetricValue: "1e308"', "metric value 1e+308"), ('MetricValue: "1", DefaultValue: -1e300', "default value -1e+300")],
    ids=["value", "default"],
)  # fmt: skip
def test_constants_that_cloudwatch_does_not_take(call, here, property_, complaint):
    """A filter with one is invalid, whether or not a record matches."""
    (here / "huge.yaml").write_text(TEMPLATE.replace('MetricValue: "1", DefaultValue: 0', property_))
    status, _, err = call("replay", "huge.yaml", "logs", *IMPORT)
    assert (status, f"{complaint} is out of range (write a number from -2^360 to 2^360)" in err) == (2, True)
