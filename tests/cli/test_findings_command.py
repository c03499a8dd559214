"""`rolewatch watch --once` and `rolewatch findings`, as people and programs use them."""

import json

import pytest


@pytest.fixture
def watched(call, here):
    """Watch the story's deliveries once; gives a way to ask for findings."""
    assert call("watch", "logs", "--once", "--state", "state")[0] == 0
    del here

    def ask(*words):
        return call("findings", *words, "--state", "state")

    return ask


@pytest.fixture
def listed(watched):
    """Give the findings of the story, as JSON."""
    status, out, err = watched("list", "--format", "json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_list_has_what_a_scan_has(call, listed):
    """The same findings with the same keys, and whether each is muted."""
    scanned = json.loads(call("scan", "logs", "--format", "json")[1])["findings"]
    assert {finding["id"] for finding in listed["findings"]} == {finding["id"] for finding in scanned}
    assert (listed["total"], listed["next"]) == (len(scanned), None)
    by_id = {finding["id"]: finding for finding in listed["findings"]}
    for finding in scanned:
        assert set(finding) <= set(by_id[finding["id"]])
        assert by_id[finding["id"]]["muted"] is False
        assert by_id[finding["id"]]["denials"] == finding["denials"]


def test_list_goes_on_page_by_page(watched, listed):
    """Pages of one hold each finding once, in the order of the whole list."""
    seen, after = [], ()
    for _ in listed["findings"]:
        page = json.loads(watched("list", "--format", "json", "--limit", "1", *after)[1])
        seen += [finding["id"] for finding in page["findings"]]
        assert page["total"] == listed["total"]
        after = ("--after", page["next"] or "")
    assert seen == [finding["id"] for finding in listed["findings"]]
    assert after == ("--after", "")


def test_list_narrows(watched, listed):
    """By status, severity, service and account; a service by its first part as well."""
    finding = listed["findings"][0]
    for words, key in (
        (("--status", finding["status"]), "status"),
        (("--service", finding["service"].partition(".")[0]), "service"),
        (("--account", finding["account"]), "account"),
    ):
        page = json.loads(watched("list", "--format", "json", *words)[1])
        expected = [each["id"] for each in listed["findings"] if each[key] == finding[key]]
        assert [each["id"] for each in page["findings"]] == expected
    assert json.loads(watched("list", "--format", "json", "--severity", "critical")[1])["total"] == 0


def test_list_as_table_and_lines(watched, listed):
    """The table has a line with the id of each finding, JSON lines a line each."""
    table, lines = watched("list")[1], watched("list", "--format", "jsonl")[1]
    for finding in listed["findings"]:
        assert finding["id"] in table
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [
        each["id"] for each in listed["findings"]
    ]


def test_show_tells_why_people_were_told(watched, listed):
    """Each decision stands there with its reason, for programs and in words; an id may be shortened."""
    name = listed["findings"][0]["id"]
    finding = json.loads(watched("show", name[:7], "--format", "json")[1])
    assert finding["id"] == name
    reasons = [decision["reason"] for decision in finding["life"]["decisions"]]
    assert reasons[0] == "reading-backlog"
    text = watched("show", name)[1]
    for decision in finding["life"]["decisions"]:
        assert decision["sentence"][:30] in text


def test_mute_and_unmute(watched, listed):
    """A mute by id shows in the list with who and why, and can be taken back by the finding's id."""
    name = listed["findings"][0]["id"]
    status, out, _ = watched(
        "mute", name, "--until", "2d", "--reason", "moves next week", "--by", "ann", "--format", "json"
    )
    assert status == 0
    mute = json.loads(out)["id"]
    finding = json.loads(watched("show", name, "--format", "json")[1])
    assert finding["muted"] is True
    assert (finding["mute"]["id"], finding["mute"]["by"], finding["mute"]["reason"]) == (
        mute,
        "ann",
        "moves next week",
    )
    assert "muted" in watched("list")[1]
    assert json.loads(watched("mutes", "--format", "json")[1])["mutes"][0]["active"] is True
    assert watched("unmute", name, "--by", "bob")[0] == 0
    assert json.loads(watched("show", name, "--format", "json")[1])["muted"] is False
    (ended,) = json.loads(watched("mutes", "--format", "json")[1])["mutes"]
    assert (ended["active"], ended["ended_by"]) == (False, "bob")


def test_mute_by_match(watched, listed):
    """All findings that match are muted, and no others; the mute's own id takes it back."""
    resource = listed["findings"][0]["resource"]
    out = watched(
        "mute",
        "--match",
        f"resource={resource}",
        "--until",
        "2d",
        "--reason",
        "r",
        "--by",
        "ann",
        "--format",
        "json",
    )[1]
    page = json.loads(watched("list", "--format", "json")[1])
    for finding in page["findings"]:
        assert finding["muted"] is (finding["resource"] == resource and finding["severity"] != "critical")
    assert watched("unmute", json.loads(out)["id"])[0] == 0
    assert not any(each["muted"] for each in json.loads(watched("list", "--format", "json")[1])["findings"])


def test_acknowledge_and_assign(watched, listed):
    """Who has seen a finding and whose it is stays with it."""
    name = listed["findings"][0]["id"]
    assert watched("acknowledge", name, "--by", "ann", "--note", "on it")[0] == 0
    assert watched("assign", name, "--to", "bob")[0] == 0
    life = json.loads(watched("show", name, "--format", "json")[1])["life"]
    assert (life["acknowledged"]["by"], life["acknowledged"]["note"], life["assigned"]) == (
        "ann",
        "on it",
        "bob",
    )
    text = watched("show", name)[1]
    assert "by ann" in text
    assert "to bob" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show",), "ID is missing"),
        (("show", "ffffffffffffffff"), "there is no finding 'ffffffffffffffff'"),
        (("show", "%"), "there is no finding '%'"),
        (("show", "' or 1=1"), "there is no finding"),
        (("list", "x"), "findings list takes no ID"),
        (("list", "--until", "2d"), "--until means nothing to findings list"),
        (("list", "--after", "x"), "--after: no page ends so"),
        (("mute", "--until", "2d", "--reason", "r"), "takes an ID or --match"),
        (("mute", "--match", "resource=*", "--until", "2d", "--reason", "r"), "everything"),
        (("mute", "--match", "bucket=x", "--until", "2d", "--reason", "r"), "--match"),
        (("mute", "--match", "resource=x", "--reason", "r"), "a mute has to end"),
        (("mute", "--match", "resource=x", "--until", "2d"), "say its reason"),
        (("mute", "--match", "resource=x", "--until", "2020-01-01", "--reason", "r"), "is past"),
        (("mute", "--match", "resource=x", "--until", "900d", "--reason", "r"), "more than 366 days"),
        (("unmute", "ffffffffffff"), "there is no finding"),
        (("paint", "x"), "ACTION"),
    ],
)
def test_what_makes_no_sense(watched, words, message):
    """It is told in one line, with status 2, and changes nothing."""
    status, out, err = watched(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_no_state_is_said_and_none_is_made(call, here):
    """Looking at a state that nobody has made says how to make one."""
    status, _, err = call("findings", "list", "--state", "nowhere")
    assert status == 4
    assert "holds no state yet" in err
    assert not (here / "nowhere").exists()


def test_watching_again_reads_nothing_again(call, watched, listed, here):
    """A second run finds everything done; a new file is all that it takes."""
    assert call("watch", "logs", "--once", "--state", "state")[0] == 0
    assert json.loads(watched("list", "--format", "json")[1]) == listed
    copy = here / "logs" / "copy.json.gz"
    copy.write_bytes((here / "logs" / "story.json.gz").read_bytes())
    assert call("watch", "logs", "--once", "--state", "state")[0] == 0
    again = json.loads(watched("list", "--format", "json")[1])
    counts = [(finding["id"], finding["denials"] - finding.get("late", 0)) for finding in again["findings"]]
    before = [(finding["id"], finding["denials"] - finding.get("late", 0)) for finding in listed["findings"]]
    assert counts == before


def test_output_goes_to_a_file(watched, here):
    """With --output nothing is printed."""
    assert watched("list", "--format", "json", "--output", "out.json")[:2] == (0, "")
    assert json.loads((here / "out.json").read_text())["findings"]
