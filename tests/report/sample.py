"""A report as scan makes it, with the findings of `sample_findings`."""

from sample_findings import GOV, HOSTILE, ONE, THREE, TWO, findings


def sample():
    """Return the whole report; its totals add up with its findings."""
    listed = findings()
    denials = sum(finding["denials"] for finding in listed)
    return {
        "generated": "2026-03-03T08:00:00Z",
        "version": "0.1.0",
        "sources": ["deliveries"],
        "notes": [],
        "findings": listed,
        "totals": {
            "deliveries": 63,
            "skipped": 2,
            "damaged": 1,
            "unreadable": 2,
            "records": denials + 43 + 687,
            "denials": denials,
            "duplicates": 43,
            "others": 687,
            "bytes_compressed": 1_234_567,
            "bytes": 14_000_000,
            "seconds": 0.4213,
        },
        "skipped": [
            {"delivery": "deliveries/README.md", "reason": "not CloudTrail: a text file"},
            {"delivery": "deliveries/digest.json.gz", "reason": "digest file"},
        ],
        "unreadable": [
            {"delivery": "deliveries/cut.json.gz", "reason": "damaged: ends inside a record"},
            {"delivery": f"deliveries/{HOSTILE}.json.gz", "reason": f"not JSON: {HOSTILE}"},
        ],
        "coverage": {
            "first_record": "2026-02-20T00:00:00Z",
            "last_record": "2026-03-03T07:59:59Z",
            "first_day": "2026-02-20",
            "last_day": "2026-03-03",
            "accounts": [ONE, TWO, THREE, GOV, "REMOVED"],
            "regions": [
                "ap-southeast-2",
                "eu-central-1",
                "eu-west-1",
                "us-east-1",
                "us-gov-west-1",
                "us-west-2",
            ],
            "event_categories": ["Management"],
            "not_visible": [
                "S3 data events: none seen, so a denied GetObject would not show",
                "Network activity events: none seen, so a denial by a VPC endpoint policy would not show",
                "Account 111122223333, region us-west-2: days missing: 2026-02-22, 2026-02-23",
            ],
        },
    }
