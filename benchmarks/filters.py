"""Measure filter patterns and replays: whole commands, as ratios within one run, like run.py.

Usage: filters.py [--megabytes N] [--runs N] [--data DIR] [--write]. The same script is the baseline:
filters.py full-parse FOLDER [--jobs N] decodes every record whole with the fastest parser measured (msgspec), holds it
against the second pattern below, and counts matches by principal and call.

A pattern without a usable literal is held against every record, and the one here matches two thirds of them, each of which
a scan groups into findings with its resource and its time; the baseline only counts.
"""

import gc
import json
import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

from rolewatch.templates import read_template
from run import BASELINE, HERE, ROLEWATCH, Pair, command_line, compare, deliveries, measure, publish, scan

EXAMPLES = HERE.parent / "examples"
ARTICLE = EXAMPLES / "article.template.yaml"
NO_LITERAL = '{ $.readOnly IS TRUE && $.awsRegion = "us-*" }'
CASES = HERE.parent / "tests" / "patterns" / "recorded.json"
HUNDRED = 100
ALONE = 12  # of them are run one by one


def full_parse(paths: list[str]) -> Counter[tuple[str, str]]:
    """Count what matches in some files, everything parsed."""
    import deflate  # noqa: PLC0415 - only the baseline needs these
    import msgspec  # noqa: PLC0415

    gc.disable()
    decode = msgspec.json.Decoder().decode
    found: Counter[tuple[str, str]] = Counter()
    for path in paths:
        data = Path(path).read_bytes()
        content = deflate.gzip_decompress(data, int.from_bytes(data[-4:], "little"))
        for record in decode(content)["Records"]:
            region = record.get("awsRegion")
            if record.get("readOnly") is True and isinstance(region, str) and region.startswith("us-"):
                identity = record.get("userIdentity") or {}
                found[str(identity.get("arn")), str(record.get("eventName"))] += 1
    return found


def baseline(folder: Path, jobs: int) -> None:
    """Run the full parse over a folder and print how much matched."""
    paths = sorted(map(str, folder.rglob("*.gz")))
    batches = [paths[start : start + 64] for start in range(0, len(paths), 64)]
    if jobs == 1:
        print(sum(full_parse(paths).values()))
        return
    total: Counter[tuple[str, str]] = Counter()
    with Pool(jobs) as pool:
        for found in pool.imap_unordered(full_parse, batches):
            total += found
    print(sum(total.values()))


def clickhouse(folder: Path, jobs: int) -> None:
    """Ask ClickHouse the same."""
    import chdb  # noqa: PLC0415 - measured only where it is asked for

    query = f"""
        SELECT JSONExtractString(record, 'userIdentity', 'arn') AS who, JSONExtractString(record, 'eventName') AS call, count()
        FROM (SELECT arrayJoin(Records) AS record FROM file('{folder}/**/*.json.gz', 'JSONEachRow', 'Records Array(String)'))
        WHERE JSONExtractBool(record, 'readOnly') AND JSONExtractString(record, 'awsRegion') LIKE 'us-%' GROUP BY who, call
        SETTINGS max_threads = {jobs}, input_format_json_read_objects_as_strings = 1"""
    print(len(str(chdb.query(query, "TSV"))))


def patterns() -> list[str]:
    """Give a hundred distinct patterns: those of the CIS benchmark, then of the recorded cases."""
    found = filters_of(EXAMPLES / "cis.template.yaml")
    found += [case["pattern"] for case in json.loads(CASES.read_text()) if "error" not in case]
    return list(dict.fromkeys(found))[:HUNDRED]


def filters_of(path: Path) -> list[str]:
    """Give the patterns of a template's metric filters."""
    return [each.pattern.text for each in read_template(path.read_bytes(), path.name).filters]


def template(path: Path, texts: list[str]) -> Path:
    """Write a template with a metric filter for each pattern, and nothing else."""
    resources = {
        f"Filter{number}": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": "trail",
                "FilterPattern": text,
                "MetricTransformations": [
                    {"MetricNamespace": "N", "MetricName": f"M{number}", "MetricValue": "1"}
                ],
            },
        }
        for number, text in enumerate(texts)
    }
    path.write_text(json.dumps({"Resources": resources}))
    return path


def replay(path: Path, folder: Path, jobs: int) -> list[str]:
    """Give the command of a replay."""
    return [*ROLEWATCH, "replay", str(path), str(folder / "AWSLogs"), "--format", "json", "--jobs", str(jobs)]


def all_counted(folder: Path) -> Callable[[bytes], None]:
    """Make a check that a replay read all records."""
    records = json.loads((folder / "labels.json").read_text())["records"]

    def check(output: bytes) -> None:
        if json.loads(output)["totals"]["records"] != records:
            sys.exit(f"a replay of {folder} did not read {records} records")

    return check


def rows(data: Path, megabytes: int, runs: int, cores: int) -> list[dict[str, object]]:
    """Measure everything."""
    folder, part = deliveries(data, "mixed", megabytes), deliveries(data, "mixed", max(megabytes // 4, 20))
    (article,) = filters_of(ARTICLE)
    script = [sys.executable, str(HERE / "filters.py")]
    every = [*scan(folder, cores, "--no-recovery"), "--pattern", NO_LITERAL]
    pairs = [
        Pair("the built-in rule, by scan --pattern with the article's", scan(folder, cores, "--pattern", article), scan(folder, cores), 0.91),  # at most 1.1 times as long
        Pair("gunzip, by replay of the article's template", replay(ARTICLE, folder, cores), [*BASELINE, str(folder), "--jobs", str(cores)], 0.3, all_counted(folder)),
        Pair("full parse, by scan --pattern without a literal", every, [*script, "full-parse", str(folder / "AWSLogs"), "--jobs", str(cores)], 5.0),
        Pair("chdb, by scan --pattern without a literal", every, [*script, "chdb", str(folder / "AWSLogs"), "--jobs", str(cores)], 2.0),
    ]  # fmt: skip
    one = template(data / "one.json", [NO_LITERAL])
    pairs.append(Pair("full parse, by replay of a filter without a literal", replay(one, folder, cores), pairs[2].other, 5.0, all_counted(folder)))  # fmt: skip
    found = [compare(pair, runs) for pair in pairs]
    texts = patterns()
    hundred = replay(template(data / "hundred.json", texts), part, 1)
    alone = [
        template(data / f"alone-{number}.json", [text])
        for number, text in enumerate(texts[:: HUNDRED // ALONE][:ALONE])
    ]
    single = statistics.mean(measure(replay(path, part, 1)).seconds for path in alone)
    measured = [measure(hundred) for _ in range(3)]
    ours, memory = statistics.median(run.seconds for run in measured), max(run.megabytes for run in measured)
    least = measure(replay(template(data / "least.json", [article]), part, 1)).seconds
    for name, other, target in (("one filter (mean of twelve), by a hundred", single, 0.1), ("one filter (the article's), by a hundred", least, 0.1)):  # fmt: skip
        found.append({"name": name, "ratio": other / ours, "low": other / ours, "high": other / ours, "target": target, "ours": ours, "other": other, "memory": memory})  # fmt: skip
    return found


def main() -> None:
    """Read the command line, measure, print the table; or be the baseline."""
    options = command_line(str(__doc__), "FILTERS.md", ("full-parse", "chdb")).parse_args()
    if options.what:
        {"full-parse": baseline, "chdb": clickhouse}[options.what](options.folder, options.jobs)
        return
    found = rows(options.data, options.megabytes, options.runs, os.cpu_count() or 1)
    publish(options, "Filter patterns and replays", "FILTERS.md", found)


if __name__ == "__main__":
    main()
