"""`rolewatch scan --dry-run`: what would be read, by listing alone."""

import json
from pathlib import Path

import pytest

NAME = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/{day:02}/111122223333_CloudTrail_us-east-1_202603{day:02}T1145Z_abcdefghijklmnop.json.gz"
TABLE = """\
4 objects, 16 B compressed
2 days of delivery, 2026-03-01 to 2026-03-02
1 account: 111122223333
1 region: us-east-1
  2026-03-01  1
  2026-03-02  1
2 whose name tells no day
"""


@pytest.fixture
def trail(here):
    """Make a trail of two days and two files beside it, four bytes each and none of them a record; returns its name."""
    for path in (NAME.format(day=1), NAME.format(day=2), "notes", "more.json"):
        file = here / "trail" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("none")
    return "trail"


def test_the_table_tells_objects_bytes_and_days(trail, call):
    """Nothing is opened, so nothing is unreadable."""
    assert call("scan", trail, "--dry-run") == (0, TABLE, "")


def test_json_tells_the_same(trail, report):
    """With a key for each number, and for what could not be listed."""
    expected = {
        "objects": 4,
        "bytes": 16,
        "days": {"2026-03-01": 1, "2026-03-02": 1},
        "accounts": ["111122223333"],
        "regions": ["us-east-1"],
        "without_day": 2,
        "unreadable": [],
    }
    assert expected == report(trail, "--dry-run")


def test_a_window_leaves_out_days(trail, report):
    """As it would in a scan."""
    assert report(trail, "--dry-run", "--since", "2026-03-02")["days"] == {"2026-03-02": 1}


def test_what_cannot_be_listed_is_named(trail, call):
    """On stderr and in the JSON, and the status is 3."""
    Path("trail/gone.json").symlink_to("nothing")
    done = call("scan", trail, "--dry-run", "--format", "json", "--output", "out.json")
    assert done == (3, "", "rolewatch: cannot list trail/gone.json: No such file or directory\n")
    unreadable = json.loads(Path("out.json").read_text())["unreadable"]
    assert unreadable == [{"delivery": "trail/gone.json", "reason": "No such file or directory"}]


def test_standard_input_and_event_history_are_not_read(cli):
    """Each counts as one object of unknown size."""
    done = cli("scan", "-", "lookup://us-east-1", "--dry-run", stdin=b"x" * 1000)
    assert (done.returncode, done.stdout) == (0, "2 objects, 0 B compressed\n2 whose name tells no day\n")


@pytest.mark.parametrize("form", ["jsonl", "csv", "html", "ocsf", "asff"])
def test_other_formats_are_for_findings(call, form):
    """There are none in a dry run."""
    expected = f"rolewatch: --dry-run prints a table or json, not {form}\n"
    assert (2, "", expected) == call("scan", ".", "--dry-run", "--format", form)


def test_a_source_that_does_not_exist_is_wrong_usage(call):
    """As in a scan."""
    assert call("scan", "nowhere", "--dry-run") == (2, "", "rolewatch: nowhere: no such file or folder\n")
