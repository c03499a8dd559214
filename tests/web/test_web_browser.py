"""The main journeys in a real browser: a denial arrives, somebody finds, understands and mutes it, by mouse or by keys."""

import json
import shlex
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from rolewatch.cli.main import main
from rolewatch.web.live import Live

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}" + "\u202e" + "x" * 300


@pytest.fixture
def some(world):
    """Let several buckets be blocked for AWS Config."""
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"))
    world.happen(*(world.call(30 + n, f"bucket-{n}", denied=True) for n in range(3)), world.call(1, "else"))
    return world


def wide(page):
    """Say by how many pixels a page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_denial_arrives_while_the_page_is_open(some, site, open_page):
    """It appears by itself, is said aloud, and what somebody had chosen stays chosen."""
    page = open_page(site, "/findings", scope="write")
    page.get_by_role("checkbox", name="Choose arn:aws:s3:::bucket-1").check()
    expect(page.locator("#bulk")).to_contain_text("1 chosen")
    page.wait_for_timeout(300)  # until the stream has begun: the server looks at what is there first
    some.happen(some.call(0, "brand-new", denied=True))
    expect(page.get_by_role("link", name="brand-new")).to_be_visible()
    expect(page.locator("#said")).to_contain_text("changed")
    expect(page.get_by_role("checkbox", name="Choose arn:aws:s3:::bucket-1")).to_be_checked()


def test_what_is_typed_stays(some, site, open_page):
    """A finding that changes while somebody writes in its page leaves the text and the cursor where they are."""
    page = open_page(site, "/findings?q=bucket-1", scope="write")
    page.get_by_role("link", name="bucket-1").click()
    page.get_by_label("Whose it is").fill("stor")
    page.wait_for_timeout(300)  # until the stream has begun
    some.happen(some.call(0, "bucket-1", denied=True))
    expect(page.locator(".marked")).to_contain_text("2 denials")
    page.keyboard.type("age")
    expect(page.get_by_label("Whose it is")).to_have_value("storage")


@pytest.mark.usefixtures("some")
def test_find_understand_and_mute(site, open_page):
    """From the list to the finding, why it is blocked, and a mute with a reason that shows at once."""
    page = open_page(site, "/findings", scope="write")
    page.get_by_role("searchbox").fill("bucket-2")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    assert "q=bucket-2" in page.url
    page.get_by_role("link", name="bucket-2").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "AWS Config cannot reach arn:aws:s3:::bucket-2"
    )
    expect(page.get_by_text("explicit deny in a resource-based policy").first).to_be_visible()
    page.get_by_role("button", name="Mute …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("goes next week")
    dialog.get_by_role("button", name="Mute").click()
    expect(page.locator(".marked").get_by_text("muted")).to_be_visible()
    expect(page.get_by_text("goes next week")).to_be_visible()
    page.get_by_role("button", name="End the mute").click()
    expect(page.get_by_role("button", name="Mute …")).to_be_visible()
    page.get_by_role("button", name="I have seen it").click()
    expect(page.get_by_text("Seen by writeer")).to_be_visible()
    page.get_by_label("Whose it is").fill("storage team")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("It is storage team's.")).to_be_visible()


def test_copy_the_change_that_ends_it(world, site, open_page, tmp_path):
    """With the bucket's policy the finding has the change as a diff with its proof; its buttons copy diff and command whole."""
    bucket = "arn:aws:s3:::payroll"
    policy = {"Version": "2012-10-17", "Statement": [{
        "Sid": "OnlyPayroll", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/payroll-*"]}},
    }]}  # fmt: skip
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / f"{quote(bucket, safe='')}.json").write_text(json.dumps(policy))
    world.happen(world.call(5, "payroll", denied=True), words=("--policies", str(folder)))
    page = open_page(site, "/findings?q=payroll", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="payroll").click()
    change = page.locator("#change")
    expect(change).to_contain_text("Proven:")
    fix = site.get(f"/api/v1/{page.url.partition(site.address)[2]}".replace("//", "/")).json["fix"]
    change.get_by_role("button", name="Copy the diff").click()
    expect(page.locator("#said")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == fix["diff"]
    assert "role/aws-service-role/" in fix["diff"]
    put = change.locator(".copied").filter(has_text="put-bucket-policy")
    put.get_by_role("button").click()
    assert page.evaluate("navigator.clipboard.readText()") == fix["commands"][0]
    change.locator(".copied").filter(has_text="--write").get_by_role("button").click()
    written = shlex.split(
        page.evaluate("navigator.clipboard.readText()").replace("--policies policies", f"--policies {folder}")
    )
    assert main([*written[1:-1], str(tmp_path / written[-1])], environ={}) == 0
    changed = json.loads((tmp_path / "policy.json").read_text())
    assert "AWSServiceRoleForConfig" in json.dumps(changed)
    assert changed["Statement"][0]["Sid"] == "OnlyPayroll"


@pytest.mark.usefixtures("some")
def test_a_login_ends_while_the_page_is_open(serve, open_page):
    """The page says so, and what to do; loaded again it asks for a token."""
    site = serve(open_reading=False)
    site.desk.live = Live(site.desk.read, every=0.05, beat=0.05)
    open_page.expected += ["401", "username fields"]
    page = open_page(site, "/findings", scope="read")
    expect(page.get_by_role("link", name="bucket-1")).to_be_visible()
    site.tokens = []
    expect(page.locator("#lost")).to_contain_text("This login has ended", timeout=15_000)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Log in")


@pytest.mark.usefixtures("some")
def test_by_keys_only(site, open_page):
    """Everything is reached without a mouse: search, rows, a mute, the finding, the help."""
    page = open_page(site, "/findings", scope="write")
    expect(page.locator("#theme")).to_be_visible()  # by then keys are listened to
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next, previous row")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("bucket")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(3)
    expect(page.locator("#theme")).to_be_visible()
    page.locator("body").press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("1 chosen")
    page.keyboard.press("m")
    page.keyboard.type("by keys")
    page.keyboard.press("Enter")
    expect(page.get_by_text("muted", exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why", exact=True)).to_be_visible()


@pytest.mark.usefixtures("some")
def test_a_token_that_is_wrong(site, open_page):
    """Somebody without a token sees no buttons that change anything; a wrong token is told, the right one opens them."""
    page = open_page(site, "/findings")
    expect(page.get_by_role("checkbox", name="Choose arn:aws:s3:::bucket-1")).to_be_hidden()
    page.get_by_role("link", name="Log in").click()
    open_page.expected += ["status of 403", "username fields"]
    page.get_by_label("Token").fill("rwt_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("No token that holds")
    page.get_by_label("Token").fill(site.secrets["write"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/findings")
    expect(page.get_by_role("checkbox", name="Choose arn:aws:s3:::bucket-1")).to_be_visible()


def test_hostile_names_break_nothing(world, site, open_page):
    """A bucket's name that is markup, endless, or turns text around is text, and the page is as wide as the window."""
    world.happen(world.call(5, HOSTILE, denied=True))
    page = open_page(site, "/findings")
    assert page.locator("img").count() == 0
    assert wide(page) <= 0
    page.locator("tbody th a").click()
    expect(page.get_by_role("heading", name="Why", exact=True)).to_be_visible()
    assert page.locator("img").count() == 0
    assert wide(page) <= 0


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_a_phone(site, open_page, colors):
    """At the width of a phone nothing is cut off, in either colours, and the switch of colours is remembered."""
    page = open_page(site, "/findings", viewport={"width": 390, "height": 844}, color_scheme=colors)
    assert wide(page) <= 0
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.get_by_role("link", name="bucket-1").click()
    expect(page.get_by_role("heading", name="Why", exact=True)).to_be_visible()
    assert wide(page) <= 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


@pytest.mark.usefixtures("some")
def test_pages_load_well(site, open_page):
    """Nothing moves while a page comes up, no script holds it back, and all of it is light."""
    page = open_page(site, "/findings")
    one = page.get_by_role("link", name="bucket-1").get_attribute("href")
    for path in ("/", "/findings", one, "/alarms", "/query", "/coverage", "/mutes", "/audit"):
        page.goto(site.address + path, wait_until="networkidle" if path == "/query" else "load")
        moved = page.evaluate(
            "() => new Promise((done) => { let sum = 0; new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })"
            ".observe({ type: 'layout-shift', buffered: true }); requestAnimationFrame(() => setTimeout(() => done(sum), 100)); })"
        )
        assert moved < 0.01, path
        blocking = "script[src]:not([type=module]):not([defer]):not([async])"
        assert page.locator(blocking).count() == 0, path
        bytes_ = page.evaluate(
            "() => performance.getEntriesByType('resource').reduce((sum, each) => sum + each.encodedBodySize, 0)"
        )
        assert bytes_ < 250_000, path


def test_no_state_yet(serve, tmp_path, open_page):
    """Before the first watcher the page says what to do."""
    open_page.expected.append("status of 503")
    page = open_page(serve(str(tmp_path / "later")), "/findings")
    expect(page.get_by_role("alert")).to_contain_text("rolewatch watch SOURCE")
