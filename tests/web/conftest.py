"""A world to look at, servers over it, and a browser whose console has to stay silent."""

import pytest
from worlds import Site, World


def pytest_generate_tests(metafunc):
    """Run a test of `both_stores` over SQLite and over PostgreSQL."""
    if metafunc.definition.get_closest_marker("both_stores"):
        places = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
        metafunc.parametrize("world", places, indirect=True)


@pytest.fixture
def world(tmp_path, request):
    """Begin a world of its own for a test."""
    made = World(tmp_path)
    if getattr(request, "param", "") == "postgresql":
        made.place = request.getfixturevalue("postgres").database()
    return made


@pytest.fixture
def serve(world):
    """Give a function that serves the test's world; `place` serves another state."""
    sites = []

    def start(place=None, **options):
        sites.append(Site(place or world.place, **options))
        return sites[-1]

    yield start
    for site in sites:
        site.close()


@pytest.fixture
def site(serve):
    """Serve the test's world as on a loopback address: anybody may read."""
    return serve()


@pytest.fixture
def open_page(browser):
    """Give a function that opens a page; what it says to its console, or asks of other hosts, fails the test.

    `expected` are words of the console that a test means to cause.
    """
    contexts, said = [], []

    def start(site, path="/", *, scope=None, **settings):
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **settings}
        )
        contexts.append(context)
        if scope:
            name, _, value = site.login(scope).partition("=")
            context.add_cookies(
                [{"name": name, "value": value, "url": site.address, "httpOnly": True, "sameSite": "Strict"}]
            )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on(
            "request",
            lambda request: (
                said.append(request.url)
                if not request.url.startswith((site.address, "data:", "blob:"))
                else None
            ),
        )
        page.goto(site.address + path)
        return page

    start.expected = []
    yield start
    for context in contexts:
        context.close()
    assert [text for text in said if not any(each in text for each in start.expected)] == []
