from datetime import UTC, datetime

import pytest

from rolewatch.cloudtrail.layout import KINDS, Layout, parse

FILE = "111122223333_CloudTrail_us-east-1_20230710T1145Z_s7dpHbl38neqZbm2.json.gz"
DIGESTS = "AWSLogs/111122223333/CloudTrail-Digest/us-gov-west-1/2023/07/10/"
FOLDERS = "111122223333/CloudTrail/us-east-1/2023/07/10/"
TIME = datetime(2023, 7, 10, 11, 45, tzinfo=UTC)
PLAIN = Layout("CloudTrail", "111122223333", "us-east-1", "2023-07-10", TIME, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"AWSLogs/{FOLDERS}{FILE}", PLAIN),
        (f"s3://bucket/some/prefix/AWSLogs/{FOLDERS}{FILE}", PLAIN),
        (f"/data/x/AWSLogs/{FOLDERS}{FILE.removesuffix('.gz')}", PLAIN),
        (f"AWSLogs/o-abcdef1234/{FOLDERS}{FILE}", PLAIN._replace(organization="o-abcdef1234")),
        (f"o-abcdef1234/AWSLogs/o-abcdef1234/{FOLDERS}{FILE}", PLAIN._replace(organization="o-abcdef1234")),
        (FILE, PLAIN),
        (f"./logs/{FILE}", PLAIN),
        (f"us-east-1/2023/07/10/{FILE}", PLAIN),
        (f"AWSLogs/{FOLDERS}renamed.json.gz", PLAIN._replace(delivered=None)),
        (f"AWSLogs/{FOLDERS}x_20230710T2561Z_y.json.gz", PLAIN._replace(delivered=None)),
        (
            f"{DIGESTS}111122223333_CloudTrail-Digest_us-gov-west-1_my_trail_us-east-1_20230710T114530Z.json.gz",
            PLAIN._replace(kind="CloudTrail-Digest", region="us-gov-west-1"),
        ),
        (
            "111122223333_CloudTrail-Digest_us-east-1_my_trail_us-east-1_20230710T114530Z_backfill.json.gz",
            PLAIN._replace(kind="CloudTrail-Digest"),
        ),
    ],
)
def test_a_name_in_the_layout_tells_kind_account_region_and_time_of_delivery(name, expected):
    """Prefixes, organisations, digests and flat copies are all recognised."""
    assert expected == parse(name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_delivery_is_told_by_its_folder(kind):
    """The folder's name is the kind."""
    assert kind == parse(f"AWSLogs/111122223333/{kind}/eu-west-1/2024/02/29/x.json.gz").kind


@pytest.mark.parametrize(
    "name",
    [
        "",
        "README.md",
        "AWSLogs/",
        "AWSLogs/111122223333/CloudTrail/",
        "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/",
        "AWSLogs/111122223333/Config/us-east-1/2023/7/10/ConfigHistory/x.json.gz",
        "AWSLogs/111122223333/CloudTrail/us-east-1/2023/13/10/x.json.gz",
        "AWSLogs/1111222233334/CloudTrail/us-east-1/2023/07/10/x.json.gz",
        "111122223333_elasticloadbalancing_us-east-1_20230710T1145Z_x.log.gz",
        "111122223333_CloudTrail_us-east-1_20231310T1145Z_x.json.gz",
        f"{FILE}/inside.json",
    ],
)
def test_other_names_tell_nothing(name):
    """What is not of the layout is None, never a guess."""
    assert parse(name) is None
