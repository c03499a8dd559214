"""What a row of the HTML report opens to."""

from html_tree import by_resource, read, row, written


def test_html_row_opens_to_its_evidence(report):
    """A row holds role, resource, calls, codes, examples, times, verdict, explanation and event IDs."""
    finding = by_resource(report, "arn:aws:s3:::hr-exports")
    opened = row(read(written(report)), finding)
    text = opened.text()
    expected = [
        finding["role_arn"], finding["resource"], *finding["resource_examples"], *finding["actions"],
        *finding["error_codes"], finding["verdict"], finding["explanation"], *finding["event_ids"],
        "2026-02-25 09:00:00", "2026-03-03 05:30:00", "333344445555 , not the role's own", "never seen",
        *(candidate["why"] for candidate in finding["candidates"]),
    ]  # fmt: skip
    assert [part for part in expected if part not in text] == []
    assert opened.attributes["data-account"] == "222233334444"


def test_html_marks_a_guess(report):
    """A guess is marked wherever it stands; what AWS said itself is not."""
    page = read(written(report))
    guessed = row(page, by_resource(report, "arn:aws:s3:::hr-exports"))
    said = row(page, by_resource(report, "arn:aws:s3:::payroll-archive"))
    assert [node.text() for node in guessed.all(class_="tier")] == ["GUESS"] * 4
    assert [node.text() for node in said.all(class_="tier")] == ["by message"] * 2


def test_html_tells_statuses_apart(report):
    """Each status has its own name and class; silence is said to prove nothing; recovery names its time."""
    page = read(written(report))
    ended = {node.attributes["class"]: node.text() for node in page.all(class_="ended")}
    assert ended == {
        "ended st-silent": "Silent: no attempt since 2026-02-20 10:00:00 . That is not proof of recovery.",
        "ended st-recovered": "Recovered: every denied action was allowed again, the last at 2026-03-01 08:30:00 .",
        "ended st-gone": "Gone: the resource no longer exists, as seen at 2026-02-27 16:20:00 .",
    }
    heads = [section.all("h3")[0].all(class_="status")[0].text() for section in page.all(class_="by-status")]
    assert heads == ["blocked", "silent", "no harm", "recovered", "gone"]


def test_html_calls_say_what_is_open(report):
    """Of several calls, those still refused are open, the others allowed, each with its times."""
    opened = row(read(written(report)), by_resource(report, "arn:aws:s3:::payroll-archive"))
    rows = [[cell.text() for cell in tr.children] for tr in opened.all("table")[0].all("tr")[1:]]
    assert [(cells[0], cells[1], cells[2], cells[5]) for cells in rows] == [
        ("s3:GetBucketLocation", "s3:GetBucketLocation", "40", "open"),
        ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration", "38", "open"),
        ("s3:HeadBucket", "s3:ListBucket", "2", "allowed"),
    ]


def test_html_cuts_long_lists_and_says_so(report):
    """A thousand event IDs and thousands of damaged deliveries are cut, and the rest is counted."""
    report["findings"][0]["event_ids"] = [f"id-{number}" for number in range(1000)]
    report["unreadable"] = [{"delivery": str(number), "reason": "r"} for number in range(5000)]
    page = read(written(report))
    events = row(page, report["findings"][0]).all(class_="events")[0]
    assert events.all("h5")[0].text() == "Event IDs, oldest first; 950 more in the JSON format"
    assert events.all("pre")[0].children == ["\n".join(f"id-{number}" for number in range(50))]
    block = page.all(class_="caution-block")[0]
    assert (len(block.all("tr")), block.all("p")[0].text()) == (101, "and 4,900 more: see the JSON format")


def test_html_of_what_is_not_known(report):
    """A finding without role, service, account, times or events is told as such, and the filter still finds it."""
    finding = report["findings"][0]
    finding |= dict.fromkeys(("role_arn", "role_name", "resource_account", "first_denied", "last_denied"))
    finding |= {"service": "", "service_name": "", "account": "", "resource_type": "", "explanation": ""}
    finding |= {"regions": [], "event_ids": [], "timeline": [], "error_codes": {}}
    for action in finding["actions"].values():
        action["last_denied"] = None
    page = read(written(report))
    opened = row(page, finding)
    facts = {pair.children[0].text(): pair.children[1].text() for pair in opened.all("dl")[0].children}
    assert facts == {
        "Account": "unknown", "Resource": finding["resource"], "Resource's account": "unknown",
        "First denied": "unknown", "Last denied": "unknown", "Finding": finding["id"],
    }  # fmt: skip
    assert (opened.attributes["data-service"], opened.attributes["data-account"]) == ("unknown", "unknown")
    assert page.all("h1")[0].text() == "6 principals are blind on 8 resources in 5 accounts"
    assert [opened.all(class_=name) for name in ("days", "events")] == [[], []]
