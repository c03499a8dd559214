"""Findings over HTTP: lists, one of them, decisions about them, and who may make these."""

import base64
import csv
import html
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from rolewatch.cli.main import main
from rolewatch.store.finding_lists import ORDERS

HOSTILE = "<script>alert(1)</script>\"'\u202e&{{7*7}}"


@pytest.fixture
def blocked(world):
    """Let three buckets be blocked for AWS Config, and one be open again."""
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"))
    world.happen(*(world.call(30 + n, f"b{n}", denied=True) for n in range(3)), world.call(1, "else"))
    return world


def finding(site, text):
    """Give the finding of a resource."""
    (found,) = site.get(f"/api/v1/findings?q={quote(text)}").json["findings"]
    return found


@pytest.mark.both_stores
@pytest.mark.usefixtures("blocked")
def test_lists_are_those_of_the_command(site):
    """The API gives what `findings list` gives, filtered, ordered and counted alike."""
    every = site.get("/api/v1/findings").json
    assert every["total"] == 4
    assert {each["resource"] for each in every["findings"]} == {
        "arn:aws:s3:::old",
        *(f"arn:aws:s3:::b{n}" for n in range(3)),
    }
    assert site.get("/api/v1/findings?status=recovered").json["total"] == 1
    assert site.get("/api/v1/findings?status=blocked&status=recovered").json["total"] == 4
    assert site.get("/api/v1/findings?service=config&q=B1").json["total"] == 1
    assert site.get("/api/v1/findings?severity=critical").json["total"] == 3
    first = site.get("/api/v1/findings?order=resource&limit=2").json
    second = site.get(f"/api/v1/findings?order=resource&limit=2&after={first['next']}").json
    assert [each["resource"][-2:] for each in first["findings"] + second["findings"]] == [
        "b0",
        "b1",
        "b2",
        "ld",
    ]
    assert second["next"] is None
    groups = site.get("/api/v1/groups?by=status").json["groups"]
    assert {each["value"]: each["findings"] for each in groups} == {"blocked": 3, "recovered": 1}
    (group,) = site.get("/api/v1/groups?by=service&status=blocked").json["groups"]
    assert (group["name"], group["blocked"], group["severity"]) == ("AWS Config", 3, "critical")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/findings?status=asleep", "/api/v1/findings?limit=0", "/api/v1/findings?limit=x", "/api/v1/findings?order=luck",
        "/api/v1/findings?after=x", "/api/v1/findings?order=latest&after=WzEsImEiLCJiIl0", "/api/v1/groups?by=mood", "/api/v1/findings/..%2f",
        "/api/v1/findings/0123456789abcdef", "/api/v1/mutes/x", "/nowhere",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(world, site, path):
    """A request that cannot be answered gets a problem that says what to do, as JSON and as a page."""
    world.happen(world.call(1))
    for accept in ("application/json", "text/html"):
        answer = site.get(path, Accept=accept)
        assert 400 <= answer.status < 500
        if path.startswith("/api/"):
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json["detail"]
        else:
            assert "What to do" in answer.text


@pytest.mark.both_stores
@pytest.mark.usefixtures("blocked")
def test_a_page_has_the_same_as_the_api(site):
    """The list and the finding say in HTML what the API says in JSON."""
    page = site.get("/findings").text
    for each in site.get("/api/v1/findings").json["findings"]:
        assert f"/findings/{each['id']}" in page
    one = finding(site, "b1")
    shown = site.get(f"/findings/{one['id']}").text
    assert one["event_ids"][0] in shown
    assert "explicit deny in a resource-based policy" in shown
    assert site.get("/findings?group=service").text.count("<tr data-row") == 1
    assert "Nothing matches" in site.get("/findings?q=nothing-like-this").text


@pytest.mark.both_stores
def test_findings_by_what_caused_them(world, site):
    """What one change of a policy has blocked is one group, named by who made it; so is what is refused in the same way."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "VpcOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
        ],
    }
    change = world.call(60, "b0", name="PutBucketPolicy") | {
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/admin/ann"},
        "requestParameters": {"bucketName": "b0", "bucketPolicy": policy},
    }  # fmt: skip
    world.happen(change, *(world.call(30 + n, f"b{n}", denied=True) for n in range(3)), words=["--blame"])
    (cause,) = site.get("/api/v1/groups?by=cause").json["groups"]
    assert (cause["name"], cause["findings"]) == ("explicit deny in a resource-based policy", 3)
    assert site.get(f"/api/v1/findings?cause={quote(cause['value'])}").json["total"] == 3
    groups = {each["value"]: each for each in site.get("/api/v1/groups?by=change").json["groups"]}
    assert {value: each["findings"] for value, each in groups.items()} == {change["eventID"]: 1, "": 2}
    assert (
        "PutBucketPolicy by arn:aws:sts::111122223333:assumed-role/admin/ann"
        in groups[change["eventID"]]["name"]
    )
    (one,) = site.get(f"/api/v1/findings?change={change['eventID']}").json["findings"]
    assert one["resource"] == "arn:aws:s3:::b0"
    page = site.get("/findings?group=change").text
    assert f"change={change['eventID']}" in page
    assert "no change is known" in page
    assert "VpcOnly" in site.get(f"/findings/{one['id']}").text


@pytest.mark.usefixtures("blocked")
def test_a_part_of_a_page(site):
    """What is loaded again when something changes is the list alone."""
    whole, part = site.get("/findings"), site.get("/findings", X_Part="list")
    assert part.text.strip() in whole.text
    assert "<html" not in part.text
    assert site.get("/findings", X_Part="title; drop").text == whole.text


def test_what_is_unchanged_costs_nothing(blocked, site):
    """The mark of an answer saves sending it again, until something has changed."""
    answer = site.get("/api/v1/findings")
    again = site.get("/api/v1/findings", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    blocked.happen(blocked.call(2, "b9", denied=True))
    assert site.get("/api/v1/findings", If_None_Match=answer.headers["ETag"]).status == 200


@pytest.mark.both_stores
def test_exports_hold_all_of_a_list(blocked, site):
    """Files have every finding of the filter, however many pages that are, and nothing that a spreadsheet would run."""
    blocked.happen(blocked.call(1, "=cmd", denied=True))
    rows = list(csv.DictReader(io.StringIO(site.get("/findings.csv?status=blocked").text)))
    found = site.get("/findings.json?status=blocked").json["findings"]
    assert sorted(row["id"] for row in rows) == sorted(each["id"] for each in found)
    assert len(found) == 4
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())
    assert site.get("/findings.json?q=nothing").json == {"findings": []}


@pytest.mark.both_stores
@pytest.mark.usefixtures("blocked")
def test_muting_needs_a_token_that_may_write(site):
    """Reading is open here; a decision is made by who has a token, and the audit log says by whom."""
    one = finding(site, "b1")
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    wanted = {"ids": [one["id"]], "reason": "goes next week", "until": until, "until_recovered": True}
    assert site.ask("POST", "/api/v1/mutes", wanted).status == 401
    assert site.ask("POST", "/api/v1/mutes", wanted, scope="read").status == 403
    made = site.ask("POST", "/api/v1/mutes", wanted, scope="write")
    assert made.status == 201
    muted = site.get(f"/api/v1/findings/{one['id']}").json
    assert (muted["muted"], muted["mute"]["by"], muted["mute"]["reason"]) == (
        True,
        "writeer",
        "goes next week",
    )
    (entry,) = site.get("/api/v1/audit").json["entries"]
    assert (entry["who"], entry["how"], entry["action"]) == ("writeer", "token", "mute")
    ended = site.ask("DELETE", f"/api/v1/mutes/{made.json['mutes'][0]['id']}", scope="write")
    assert ended.json["ended"] == [made.json["mutes"][0]["id"]]
    assert not site.get(f"/api/v1/findings/{one['id']}").json["muted"]
    assert site.ask("DELETE", "/api/v1/mutes/0123456789ab", scope="write").status == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"ids": []}, 422), ({"reason": ""}, 422), ({"until": "soon"}, 422), ({"until": "2020-01-01"}, 400), ({"until": "9999-01-01"}, 400),
        ({"match": {"service": "*"}}, 422), ({"ids": [], "match": {"service": "*", "resource": "*"}}, 400), ({"ids": ["0" * 16]}, 404),
        ({"ids": [], "match": {"mood": "x"}}, 400), ({"more": 1}, 422), ({"ids": ["x"]}, 422),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("blocked")
def test_mutes_that_make_no_sense(site, change, status):
    """What would mute everything, nothing, or for ever, is refused, and changes nothing."""
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    wanted = {"ids": [finding(site, "b1")["id"]], "reason": "r", "until": until} | change
    answer = site.ask("POST", "/api/v1/mutes", wanted, scope="write")
    assert answer.status == status, answer.text
    assert site.get("/api/v1/mutes").json == {"mutes": []}
    assert site.get("/api/v1/audit").json["entries"] == []


@pytest.mark.both_stores
@pytest.mark.usefixtures("blocked")
def test_acknowledge_and_assign(site):
    """Who has seen it and whose it is stands in the finding, as the command writes it."""
    one = finding(site, "b2")
    seen = site.ask("POST", f"/api/v1/findings/{one['id']}/acknowledge", {"note": HOSTILE}, scope="write")
    owned = site.ask("POST", f"/api/v1/findings/{one['id']}/assign", {"to": "storage team"}, scope="write")
    assert (seen.status, owned.status) == (200, 200)
    assert owned.json["life"]["assigned"] == "storage team"
    assert owned.json["life"]["acknowledged"]["by"] == "writeer"
    shown = site.get(f"/findings/{one['id']}").text
    assert "storage team" in shown
    assert "<script>alert" not in shown


@pytest.mark.both_stores
def test_hostile_names_are_text(world, site):
    """Whatever a bucket is called, it is shown, and nothing of it is obeyed."""
    world.happen(world.call(5, HOSTILE, denied=True, userAgent=HOSTILE))
    (one,) = site.get("/api/v1/findings").json["findings"]
    for path in ("/findings", f"/findings/{one['id']}", f"/findings?q={quote(HOSTILE)}"):
        answer = site.get(path)
        assert answer.status == 200
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
    assert "49" not in site.get(f"/findings?q={quote('{{7*7}}')}").text.partition('name="q" value="')[2][:60]


def test_no_state_yet(serve, tmp_path):
    """A server may start before the first watcher: every page says what to do, and works as soon as there is a state."""
    site = serve(str(tmp_path / "later"))
    assert site.get("/healthz").status == 503
    answer = site.get("/findings")
    assert answer.status == 503
    assert "rolewatch watch" in answer.text
    assert json.loads(site.get("/api/v1/findings").body)["remedy"].startswith("run `rolewatch watch")


def test_records_of_a_finding(world, serve, tmp_path):
    """Where a lake keeps them a finding shows its records whole; where there is none it says how to get one."""
    world.happen(
        world.call(30, "b", denied=True, userAgent="</pre><script>alert(1)</script>"), world.call(20, "other")
    )
    lake = str(tmp_path / "lake")
    assert main(["ingest", str(world.logs), "--lake", lake], environ={}) == 0
    without, site = serve(), serve(lake=lake)
    (one,) = site.get("/api/v1/findings").json["findings"]
    (record,) = site.get(f"/api/v1/findings/{one['id']}/records").json["records"]
    assert record["eventID"] == one["event_ids"][0]
    assert record["requestParameters"] == {"bucketName": "b"}
    shown = site.get(f"/findings/{one['id']}/records")
    assert record["eventID"] in shown.text
    assert "<script>alert" not in shown.text
    assert without.get(f"/api/v1/findings/{one['id']}/records").status == 404
    assert "--lake DIR" in without.get(f"/findings/{one['id']}").text


@pytest.mark.both_stores
@pytest.mark.parametrize(
    "text", ["[" * 3000, r'["2026-01-01T00:00:00Z","\ud800"]', '["a","\\u0000"]', f'[{10**30},"a","b"]']
)
def test_no_page_ends_so(world, site, text):
    """A word for the next page that nobody was given is refused, whatever it is made of: nesting, what no database keeps."""
    world.happen(world.call(1))
    word = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    for order in ORDERS:
        answer = site.get(f"/api/v1/findings?order={order}&after={word}")
        assert answer.status == 400, (order, answer.text)
        assert "next" in answer.json["remedy"]


@pytest.mark.both_stores
def test_a_search_finds_what_people_call_things(world, site):
    """Part of a service's name, the beginning of an account or an ID find findings like part of the resource; and narrow groups."""
    world.happen(world.call(5, "payroll", denied=True), world.call(4, "web", denied=True))
    found = site.get("/api/v1/findings").json["findings"]
    for text, expected in (
        ("pAyr", {"payroll"}), ("aws config", {"payroll", "web"}), ("config.amazon", {"payroll", "web"}), ("macie", set()),
        (found[0]["account"], {"payroll", "web"}), (found[0]["id"][:8], {found[0]["resource"].partition(":::")[2]}),
    ):  # fmt: skip
        answer = site.get(f"/api/v1/findings?q={quote(text)}").json
        assert {each["resource"].partition(":::")[2] for each in answer["findings"]} == expected, text
        assert answer["total"] == len(expected)
        for by in ("account", "cause"):
            groups = site.get(f"/api/v1/groups?by={by}&q={quote(text)}").json["groups"]
            assert sum(each["findings"] for each in groups) == len(expected)


def test_where_there_is_no_change_yet(world, site):
    """Without policies the page says which one would tell, and gives the commands that work it out, for this state."""
    world.happen(
        world.call(5, "logs", denied=True), world.call(200, "old", denied=True), world.call(100, "old")
    )
    blocked, old = site.get("/api/v1/findings?order=newest").json["findings"]
    page = html.unescape(site.get(f"/findings/{blocked['id']}").text)
    for command in (
        "aws s3api get-bucket-policy --bucket logs", "rolewatch aws policies --arn arn:aws:s3:::logs --out policies", f"rolewatch explain {blocked['id']} --policies policies --state {world.place}",
    ):  # fmt: skip
        assert command in page, command
    assert old["status"] == "recovered"
    assert "rolewatch explain" not in site.get(f"/findings/{old['id']}").text
