"""Lakes for the tests of several rooms: filled from deliveries, and looked into."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from rolewatch.engines import deliveries
from rolewatch.engines.lake import answer_lake
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.lake.lake import Lake
from rolewatch.lake.place import place_of
from rolewatch.scan.ingest import Ingesting, ingest
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery, Window

ACCOUNT = "111122223333"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


class Clock:
    """A clock that a test puts forward."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        """Tell the time."""
        return self.now

    def pass_by(self, **time):
        """Let time pass."""
        self.now += timedelta(**time)


def lake_at(place, now=None):
    """Open the lake at a place; what it tells is in its `told`."""
    told = []
    lake = Lake(place_of(str(place)), lambda name, reason: told.append((name, reason)), now or Clock())
    lake.told = told
    return lake


def filled(place, *sources, now=None, elsewhere=None, **request):
    """Ingest sources into the lake at a place; gives the lake, and what was said of the work."""
    lake = lake_at(place, now)
    try:
        return lake, ingest(
            [str(source) for source in sources], lake, ScanRequest(**request), elsewhere=elsewhere
        )
    finally:
        lake.place.close()


def record(number=0, day=1, **fields):
    """Make a record in CloudTrail's order of keys; `number` makes its id, and its second of the day."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT},
        "eventTime": f"2026-03-{day:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": ["GetObject", "PutObject", "HeadBucket"][number % 3],
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": f"b{number % 7}"},
        "eventID": f"{day:08}-0000-4000-8000-{number:012x}",
        "readOnly": number % 2 == 0,
        "recipientAccountId": ACCOUNT,
    } | fields


def content(*records):
    """Write records as CloudTrail does; a text stands for itself."""
    texts = (each if isinstance(each, str) else json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in records)  # fmt: skip
    return f'{{"Records":[{",".join(texts)}]}}'.encode("utf-8", "surrogatepass")


def write(folder, name, *records):
    """Write a delivery, compressed if its name says so."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = records[0] if len(records) == 1 and isinstance(records[0], bytes) else content(*records)
    path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    return path


def staged(lake, *records):
    """Write records into files that are not yet parts of a lake."""
    data = content(*records)
    stepper = Ingesting(lake.place.staging(), ScanRequest())
    stepper.step(BytesDelivery(name="x.json", identity="x", named=True, size=len(data), remote=False, content=data))  # fmt: skip
    return stepper.finish().staged


def table(lake):
    """Give all records of a lake's manifest as one table, in the order of days and files' names."""
    manifest = lake.manifest()
    with lake.readable(manifest.parts) as readable:
        assert len(readable) == len(manifest.parts)
        tables = [pq.read_table(path, partitioning=None) for _, path in readable]
    return pa.concat_tables(tables)


def ids(lake):
    """Give the eventIDs of a lake, sorted."""
    return sorted(table(lake)["eventID"].to_pylist())


def files(folder):
    """Give the names of all Parquet files below a folder, listed in its manifest or not."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))


def planned(query, start=0, end=0):
    """Make the plan of a query."""
    return plan_query(parse_query(query), Moments(start, end))


def over_lake(query, lake, *, window=None, most=10_000, doubtful=True):
    """Answer a query over a lake."""
    plan = planned(query) if isinstance(query, str) else query
    return answer_lake(plan, lake, window or Window(), most=most, threads=2, doubtful=lambda _: doubtful)


def over_deliveries(query, source, *, window=None, most=10_000):
    """Answer a query over deliveries."""
    plan = planned(query) if isinstance(query, str) else query
    return deliveries.answer(plan, [str(source)], ScanRequest(window=window or Window()), most=most)
