"""Every page in both colours passes axe's rules of WCAG 2.2 AA; axe is fetched by npm and run in the page, no part of this project."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from ringing import KINDS, Ringing

pytestmark = pytest.mark.slow
AXE = "axe-core@4.10.3"
PAGES = ("/", "/coverage", "/findings", "/findings?group=service", "/findings?q=nothing-like-it", "ONE", "/alarms", "/alarms/one?name=quick", "/alarms/one?name=both", "/alarms/one?name=logs", "/query", "/mutes", "/audit", "/login", "/api/docs")  # fmt: skip
#: All rules by day; by night the same pages have other colours only.
RULES = {
    "light": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """Let npm fetch axe into a temporary folder; give its script."""
    folder = tmp_path_factory.mktemp("axe")
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", AXE], cwd=folder, check=True, capture_output=True, timeout=300)  # fmt: skip
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_pages_are_accessible(world, site, open_page, axe, colors):
    """No rule is broken on any page, as somebody sees it who may change things."""
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"))
    world.happen(*(world.call(30 + n, f"bucket-{n}", denied=True) for n in range(3)), world.call(1, "else"))
    made = Ringing(world.place, KINDS, now=datetime.now(UTC) - timedelta(minutes=2))
    made.publish(dict.fromkeys(range(60), 0) | {20: 2, 40: 3})
    made.evaluate(60)
    made.close()
    one = site.get("/api/v1/findings").json["findings"][0]["id"]
    open_page.expected.append("username fields")
    page = open_page(site, "/findings", scope="write", color_scheme=colors)
    broken = {}
    for path in PAGES:
        page.goto(site.address + (f"/findings/{one}" if path == "ONE" else path))
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES[colors])
        wrong = [
            f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
            for each in found["violations"]
            for node in each["nodes"][:3]
        ]
        if wrong:
            broken[path] = wrong
    assert broken == {}
