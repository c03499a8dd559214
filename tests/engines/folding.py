"""Deliveries that prove something about each other, and scans of them whose reports can be compared."""

import gzip
import json
import os
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rolewatch.engines.spark_fold import fold_on
from rolewatch.engines.spark_session import session
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/01"


def call(time, number, bucket="b", **more):
    """Make a call of Config's role on a bucket, in CloudTrail's order."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}}},
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketAcl",
        "awsRegion": "us-east-1",
        **more,
        "requestParameters": {"bucketName": bucket},
        "eventID": f"00000000-0000-0000-0000-{number:012}",
        "recipientAccountId": ACCOUNT,
    }  # fmt: skip


def forgery(time, number, bucket):
    """Make a person's record whose request holds a list with a success of the role."""
    person = {"type": "IAMUser", "accountId": ACCOUNT}
    record = call(time, number) | {"userIdentity": person, "eventName": "PutBucketPolicy"}
    filler = {"eventVersion": "1.09", "eventTime": time}
    return record | {"requestParameters": {"list": [{"x": 1}, call(time, 99, bucket), filler, {"y": 1}]}}


def write(folder, number=40):
    """Write log files: denials, successes after some of them, copies, forged successes; returns the folder."""
    place = folder / FOLDER
    place.mkdir(parents=True)
    denied = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"}
    for index in range(number):
        day, bucket = 1 + index % 28, f"bucket-{index % 7}"
        records = [
            call(f"2026-03-{day:02}T00:00:00Z", index, bucket, **denied),
            call(f"2026-03-{day:02}T01:00:00Z", index // 2, bucket, **denied),
            call("2026-03-01T00:00:00Z", 900, errorCode="ThrottlingException"),
        ]
        if index % 7 in (1, 2):
            records.append(call(f"2026-04-{day:02}T00:00:00Z", 1000 + index, bucket))
        if index % 7 in (2, 3):
            records.insert(1, forgery(f"2026-05-{day:02}T00:00:00Z", 2000 + index, bucket))
        name = f"{ACCOUNT}_CloudTrail_us-east-1_20260301T00{index:02}Z_{index:016}.json.gz"
        data = json.dumps({"Records": records}, separators=(",", ":")).encode()
        place.joinpath(name).write_bytes(gzip.compress(data, mtime=0))
    place.joinpath("broken.json.gz").write_bytes(b"\x1f\x8b broken")
    place.joinpath("cut.json.gz").write_bytes(gzip.compress(data)[:-20])
    place.joinpath("README").write_text("none")
    return folder


def scanned(*sources, **more):
    """Scan sources; returns the report as text, but for how long it took."""
    where = {"elsewhere": more.pop("elsewhere")} if "elsewhere" in more else {}
    report = run([str(each) for each in sources], ScanRequest(**more), now=NOW, **where)
    del report["totals"]["seconds"]
    return json.dumps(report, indent=1)


class Fatal:
    """Makes steppers, the first of which takes its executor with it."""

    def __init__(self, make, flag):
        self.make, self.flag = make, flag

    def __call__(self):
        """Kill the executor, whose program this process is, unless that was done before."""
        if executors(os.getppid(), above=True) and not self.flag.exists():
            self.flag.touch()
            os.kill(executors(os.getppid(), above=True)[0], 9)
            time.sleep(60)
        return self.make()


def executors(process, *, above=False):
    """Give the executors below a process, or above it, and itself."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = []
    for pid in parents:
        line = [pid]
        while line[-1] in parents:
            line.append(parents[line[-1]])
        if process in line and not above:
            found.append(pid)
    if above:
        while process in parents:
            found.append(process)
            process = parents[process]
    return [pid for pid in found if b"CoarseGrainedExecutorBackend" in _command(pid)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main(source, flag):
    """Scan by executors of which some are killed: one while it steps, and all between two questions; print the report."""
    with session("local-cluster[2,1,1024]", {"spark.driver.memory": "512m"}) as spark:

        def losing(deliveries, make, jobs, tell):
            return _Losing(fold_on(spark, deliveries, Fatal(make, Path(flag)), jobs, tell), spark)

        report = scanned(source, elsewhere=losing)
    assert Path(flag).exists()
    sys.stdout.write(report)


class _Losing:
    """A fold whose executors are killed when it has stepped all deliveries."""

    def __init__(self, inner, spark):
        self.inner, self.spark = inner, spark

    def __enter__(self):
        crew = self.inner.__enter__()
        found = executors(self.spark.sparkContext._gateway.proc.pid)
        assert found
        for pid in found:
            os.kill(pid, 9)
        return crew

    def __exit__(self, *raised):
        return self.inner.__exit__(*raised)


def on(spark):
    """Give the fold of a session."""
    return partial(fold_on, spark)


if __name__ == "__main__":
    main(*sys.argv[1:])
