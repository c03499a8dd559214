"""What rolewatch.toml says about telling, and what is said of it where it makes no sense."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lives import finding
from rolewatch.base.errors import UsageError
from rolewatch.base.settings import settings
from rolewatch.notify.pace import Rate
from rolewatch.notify.quiet import Quiet
from rolewatch.notify.routes import Route, Routes
from rolewatch.notify.routing import Routing, routing_of

FULL = """
since = "2d"

[[route]]
severity = "critical"
kind = ["blocked", "reopened", "recovered"]
to = "pagerduty://${PAGER_KEY}@x"
stop = false

[[route]]
account = "111122223333"
service = "config"
role = "AWSServiceRoleFor*"
resource = "arn:aws:s3:::logs-*"
verdict = "fix-*"
to = ["slack://${TOKEN}/#team", "smtps://mail.example.com?to=a$$b"]

[[route]]
verdict = "aws-side"
to = []

[quiet]
times = ["22:00-07:00", "Sat-Sun"]
zone = "Europe/Vienna"
urgent = "high"

[rate]
limit = "5/h"

[actions]
"arn:aws:sns:eu-west-1:111122223333:alerts" = "webhook+https://${HOST}/in"
DeniedTopic = ["slack://a", "exec:/usr/local/bin/page", "slack://a"]
"""
ENVIRON = {"PAGER_KEY": "k3y", "TOKEN": "t0k/en", "HOST": "hooks.example.com"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def routing(text, notify=(), **environ):
    """Read what a settings file says."""
    Path("rolewatch.toml").write_text(text)
    return routing_of(ENVIRON | environ, notify=notify)


def test_everything_that_can_be_set():
    """Addresses with what the environment says, patterns as they are compared, times that can be asked."""
    found = routing(FULL, ["json://${HOST}", "json://${HOST}"])
    expected = (
        Route(
            to=("pagerduty://k3y@x",),
            kinds=("blocked", "reopened", "recovered"),
            severity="critical",
            stop=False,
        ),
        Route(
            to=("slack://t0k/en/#team", "smtps://mail.example.com?to=a$b"),
            patterns={
                "account": "111122223333",
                "service": "config.amazonaws.com*",
                "role_name": "AWSServiceRoleFor*",
                "verdict": "fix-*",
                "resource": "arn:aws:s3:::logs-*",
            },
        ),
        Route(to=(), patterns={"verdict": "aws-side"}),
    )
    assert (found.routes, found.rate, found.path) == (
        Routes(expected, ("json://hooks.example.com",)),
        Rate(5, timedelta(hours=1)),
        "rolewatch.toml",
    )
    assert found.actions == {
        "arn:aws:sns:eu-west-1:111122223333:alerts": ("webhook+https://hooks.example.com/in",),
        "DeniedTopic": ("slack://a", "exec:/usr/local/bin/page"),
    }
    saturday = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert (found.quiet.held_until(saturday, "medium"), found.quiet.held_until(saturday, "high")) == (
        datetime(2026, 3, 9, 6, tzinfo=UTC),
        None,
    )
    assert found.routes.targets_of("blocked", finding(), "high") == expected[1].to


def test_the_tables_are_no_options_of_a_command():
    """Every command can have a settings file with them, and reads its own options."""
    routing(FULL)
    assert settings("scan", ("since",), {}, known={"scan": ("since",)})["since"].words == ["2d"]


@pytest.mark.parametrize("text", ["", "since = '1d'", "[quiet]\n[rate]\n[actions]"])
def test_without_tables_the_defaults_hold(text):
    """Everything to those who were named, at any time, twenty in ten minutes."""
    found = routing(text, ["json://x"])
    assert found == Routing(
        Routes((), ("json://x",)), Quiet(), Rate(20, timedelta(minutes=10)), {}, "rolewatch.toml"
    )


def test_without_a_file(folder):
    """There is nothing to read, and what was named is still there."""
    found = routing_of({"HOME": str(folder), "X": "y"}, notify=["json://${X}"])
    assert (found.routes.default, found.path) == (("json://y",), None)


def test_a_file_can_be_named(folder):
    """With --config, as for all settings."""
    named = folder / "other.toml"
    named.write_text("[rate]\nlimit = 'off'")
    assert (routing_of({}, str(named)).rate, routing_of({"ROLEWATCH_CONFIG": str(named)}).rate) == (
        None,
        None,
    )


ROUTE = "[[route]]\nto = 'json://x'\n"
REFUSED = [
    ("route = 'x'", "rolewatch.toml: route is a list of tables (write each route under a line [[route]] of its own)"),
    ("[route]\nto = 'x:y'", "rolewatch.toml: route is a list of tables"),
    ("route = []", "rolewatch.toml: route is a list of tables"),
    ("quiet = '22:00-07:00'", "rolewatch.toml: quiet is a table (write quiet times under [quiet], times = ["),
    ("[[rate]]\nlimit = '1/h'", "rolewatch.toml: rate is a table (write the rate under [rate], limit = '20/10m')"),
    ("actions = 1", "rolewatch.toml: actions is a table (write actions under [actions], NAME = 'URL')"),
    ("[[route]]\nverdict = 'unknown'", "rolewatch.toml: route 1: it says not to whom (write to = ['URL'], or to = [] for nobody)"),
    (f"{ROUTE}{ROUTE}acount = '1'", "rolewatch.toml: route 2: nothing is called 'acount' (did you mean 'account'?)"),
    (f"{ROUTE}account = '123'", "rolewatch.toml: route 1: '123' is no account id (write its twelve digits)"),
    (f"{ROUTE}account = 111122223333", "rolewatch.toml: route 1: account: a text in quotes is wanted here"),
    (f"{ROUTE}service = ''", "rolewatch.toml: route 1: service is empty"),
    (f"{ROUTE}verdict = 'harmles'", "rolewatch.toml: route 1: no verdict is called 'harmles' (did you mean 'harmless'?)"),
    (f"{ROUTE}severity = 'hihg'", "rolewatch.toml: route 1: severity: nothing is called 'hihg' (did you mean 'high'?)"),
    (f"{ROUTE}severity = ['high']", "rolewatch.toml: route 1: severity: a text in quotes is wanted here"),
    (f"{ROUTE}kind = ['blocked', 'recoverd']", "rolewatch.toml: route 1: kind: nothing is called 'recoverd' (did you mean 'recovered'?)"),
    (f"{ROUTE}stop = 'no'", "rolewatch.toml: route 1: stop: true or false is wanted here"),
    ("[[route]]\nto = 5", "rolewatch.toml: route 1: to: a text in quotes, or a list of them, is wanted here"),
    ("[[route]]\nto = ['a:', 5]", "rolewatch.toml: route 1: to: a text in quotes, or a list of them, is wanted here"),
    ("[[route]]\nto = 's3cret'", "rolewatch.toml: route 1: to: an address with a scheme is wanted here"),
    ("[[route]]\nto = ['a://s3cret', '//s3cret']", "rolewatch.toml: route 1: to, number 2: an address with a scheme is wanted here"),
    ("[[route]]\nto = 'a://s3cret@${NONE}'", "rolewatch.toml: route 1: to: the environment variable NONE is not set (set it, or"),
    ("[[route]]\nto = 'a://s3cret@${EMPTY}'", "rolewatch.toml: route 1: to: the environment variable EMPTY is not set"),
    ("[[route]]\nto = 'a://s3cret@${NO NAME}'", "rolewatch.toml: route 1: to: after ${, the name of a variable and } are wanted"),
    ("[[route]]\nto = 'a://s3cret@${TOKEN'", "rolewatch.toml: route 1: to: after ${, the name of a variable and } are wanted"),
    ("[quiet]\ntime = '22:00-07:00'", "rolewatch.toml: [quiet]: nothing is called 'time' (did you mean 'times'?)"),
    ("[quiet]\ntimes = ['Sat', 'late']", "rolewatch.toml: [quiet]: times: 'late' is no quiet time"),
    ("[quiet]\ntimes = 22", "rolewatch.toml: [quiet]: times: a text in quotes, or a list of them, is wanted here"),
    ("[quiet]\nzone = 'Mars'", "rolewatch.toml: [quiet]: times: 'Mars' is no time zone known here"),
    ("[quiet]\nurgent = 'very'", "rolewatch.toml: [quiet]: urgent: nothing is called 'very' (write one of none, low"),
    ("[rate]\nlimit = 20", "rolewatch.toml: [rate]: limit: a text in quotes is wanted here"),
    ("[rate]\nlimit = 'lots'", "rolewatch.toml: [rate]: limit: 'lots' is no rate (write such as 20/10m, 100/h, or off)"),
    ("[rate]\nlimits = '1/h'", "rolewatch.toml: [rate]: nothing is called 'limits' (did you mean 'limit'?)"),
    ("[actions]\nTopic = 's3cret'", "rolewatch.toml: [actions]: Topic: an address with a scheme is wanted here"),
    ('[actions]\n"a\\u001bb" = 5', "rolewatch.toml: [actions]: a\\x1bb: a text in quotes, or a list of them, is wanted here"),
    ("[[route]]\nto = ", "rolewatch.toml: Invalid value"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_makes_no_sense_is_refused(text, reason):
    """File, table and key are named, and what to write; never an address, which may hold a secret."""
    with pytest.raises(UsageError) as caught:
        routing(text, EMPTY="")
    message = str(caught.value)
    assert message.startswith(reason)
    assert "s3cret" not in message
    assert "t0k" not in message


@pytest.mark.parametrize(
    ("text", "reason"), [("s3cret", "--notify: an address"), ("a://${NONE}", "variable NONE")]
)
def test_a_target_that_was_typed_is_checked_alike(text, reason):
    """Its place is the option."""
    with pytest.raises(UsageError, match=reason) as caught:
        routing("", [text])
    assert "s3cret" not in str(caught.value)


def test_what_a_variable_holds_is_not_looked_into_again():
    """A secret may hold anything, also what looks like another variable."""
    found = routing("[[route]]\nto = 'a://${HOOK}'", HOOK="x${HOST}$$")
    assert found.routes.all_targets() == ("a://x${HOST}$$",)


def test_a_whole_address_can_come_from_the_environment():
    """With the end of a line behind it, as some tools leave it."""
    assert routing("[[route]]\nto = '${WHERE}'", WHERE="slack://a/b\n").routes.all_targets() == (
        "slack://a/b",
    )


def test_the_example_of_the_page_is_one():
    """Who gets what is as its comments say."""
    page = Path(__file__).parents[2] / "docs" / "findings-life.md"
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", example), "s3cret")
    found = routing(example, ["json://rest"], **secrets)
    archive, pager, team = (
        found.routes.routes[0].to,
        found.routes.routes[1].to,
        found.routes.routes[3].to,
    )
    shown = [
        found.routes.targets_of("blocked", finding(severity=severity, verdict=verdict), severity)
        for severity, verdict in (("high", "fix-your-policy"), ("critical", "unknown"), ("low", "aws-side"))
    ]
    assert shown == [archive + team, archive + pager + team, archive]
    others = finding(account="444455556666")
    assert found.routes.targets_of("blocked", others, "high") == (*archive, "json://rest")
    assert (len(found.actions), found.rate, found.quiet.urgent) == (2, Rate(), "critical")
