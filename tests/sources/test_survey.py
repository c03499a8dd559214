from collections import Counter
from datetime import UTC, datetime

from rolewatch.sources import FileDelivery, Survey, Window, survey
from rolewatch.sources.s3 import S3Delivery

KEY = "AWSLogs/{account}/CloudTrail/{region}/2023/07/{day}/x.json.gz"


def test_files_are_summed_up_without_reading_any(tmp_path, monkeypatch):
    """Objects, compressed bytes and days of delivery come from names and sizes."""
    for account, region, day in [
        ("1" * 12, "us-east-1", 10),
        ("1" * 12, "us-east-1", 11),
        ("2" * 12, "eu-west-1", 11),
    ]:
        path = tmp_path / KEY.format(account=account, region=region, day=day)
        path.parent.mkdir(parents=True)
        path.write_text("12345")
    (tmp_path / "notes.json").write_text("123")
    monkeypatch.setattr(FileDelivery, "open", None)
    expected = Survey(
        objects=4,
        bytes=18,
        days=Counter({"2023-07-11": 2, "2023-07-10": 1}),
        accounts={"1" * 12, "2" * 12},
        regions={"us-east-1", "eu-west-1"},
        unnamed=1,
    )
    assert expected == survey([str(tmp_path)], Window(), [])


def test_objects_of_a_bucket_are_summed_up_within_the_window(bucket, monkeypatch):
    """Only what would be read counts."""
    bucket.put(*(KEY.format(account="1" * 12, region="us-east-1", day=day) for day in (10, 11, 12)))
    monkeypatch.setattr(S3Delivery, "read", None)
    result = survey([f"s3://{bucket.name}"], Window(since=datetime(2023, 7, 11, tzinfo=UTC)), [])
    assert (2, 14, Counter({"2023-07-11": 1, "2023-07-12": 1})) == (result.objects, result.bytes, result.days)


def test_what_cannot_be_listed_without_reading_counts_as_one(server, monkeypatch):
    """Standard input and LookupEvents have no known size; AWS is not asked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", server.url)
    result = survey(["-", "lookup://us-east-1"], Window(), [])
    assert (result.objects, result.bytes, result.unnamed, server.requests) == (2, 0, 2, [])
