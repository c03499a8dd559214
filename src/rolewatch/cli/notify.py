"""`rolewatch notify test`: whether a notification arrives where it should."""

from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli.commands import Called, set_elsewhere
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

if TYPE_CHECKING:
    from rolewatch.notify.target import Target

KINDS = ("blocked", "recovered", "reopened", "alarm", "summary")
HELP = (
    "test: send a notification that is marked as a test to each URL, and say what became of it.\n"
    "Where it opens an incident, the one that resolves it follows."
)
EXAMPLES = (
    ("rolewatch notify test sns:arn:aws:sns:us-east-1:111122223333:rolewatch", "publish to a topic"),
    ("rolewatch notify test --kind alarm 'smtps://USER:PASSWORD@mail.example.com/?from=rolewatch@example.com&to=oncall@example.com'", "what an alarm looks like in the mailbox"),
    ("rolewatch notify test", "try every URL of the settings: notify, routes and actions"),
)  # fmt: skip
POSITIONALS = (
    Positional("action", "ACTION", "what to do: test", choices=("test",)),
    Positional(
        "url",
        "URL",
        "where to send; without any, to all that is set: notify, routes and actions",
        many=True,
        optional=True,
    ),
)
NOTIFY = Option(
    "notify",
    "where notifications go: sns:ARN, ses:, smtps://, webhook+https://, exec:, eventbridge:, securityhub:, pagerduty://, "
    "opsgenie://, or a URL of Apprise, such as slack://",
    "URL",
    default=(),
    many=True,
    whole=True,
    group="who is told",
)
OPTIONS = (
    NOTIFY,
    Option("kind", "what to send", "KIND", default="blocked", choices=KINDS, group="who is told"),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print"),
)  # fmt: skip


def run(called: Called) -> int:
    """Send to each target, and return the exit status: 4 if one could not be sent to."""
    urls = _urls(called)
    if not urls:
        raise UsageError(
            "no URL is named, and none is set",
            remedy="name one, or set `notify` under [watch] in rolewatch.toml",
        )
    made = [_made(url, called) for url in urls]  # all of them, before anything is sent
    results = [_tried(target, called.values["kind"]) for target in made]
    if called.values["format"] == "json":
        from rolewatch.report.json_text import dumps  # noqa: PLC0415 - not needed for --help

        say(dumps({"targets": results}, indent=1) + "\n")
    else:
        say("".join(_line(result) for result in results))
    return 0 if all(result["sent"] or not result["error"] for result in results) else CannotDo.exit_code


def _urls(called: Called) -> tuple[str, ...]:
    """Give the URLs that were typed; without any, all that are set: those of `rolewatch watch`, its routes and actions."""
    from rolewatch.base.tables import address  # noqa: PLC0415 - not needed for --help

    environ, values = called.environ, called.values
    typed = values["url"] or (values["notify"] if "notify" in called.typed else ())
    if typed:
        return tuple(dict.fromkeys(address(word, environ, "URL") for word in typed))
    from rolewatch.notify.routing import routing_of  # noqa: PLC0415 - as above

    watched = set_elsewhere("watch", ["notify"], environ, values["config"]).get("notify")
    routing = routing_of(environ, values["config"], [*values["notify"], *(watched.words if watched else ())])
    actions = (url for urls in routing.actions.values() for url in urls)
    return tuple(dict.fromkeys((*routing.routes.all_targets(), *actions)))


def _made(url: str, called: Called) -> "Target | CannotDo":
    """Make a target; what is missing to do so is told with the others' results."""
    from rolewatch.notify.target import target_of  # noqa: PLC0415 - not needed for --help

    try:
        return target_of(url, environ=called.environ)
    except CannotDo as error:
        return error


def _tried(target: "Target | CannotDo", kind: Any) -> dict[str, Any]:
    """Send a test notification, and what resolves it where it opened an incident."""
    import secrets  # noqa: PLC0415 - not needed for --help
    from datetime import UTC, datetime  # noqa: PLC0415 - as above

    from rolewatch.notify.trial import resolved, trial  # noqa: PLC0415 - as above

    if isinstance(target, CannotDo):
        return _result("", error=target)
    if kind not in target.kinds:
        return _result(target.name, note=f"takes no {kind} notifications")
    now = datetime.now(UTC)
    notification = trial(kind, secrets.token_hex(8), now)
    opens = target.incidents and kind in ("blocked", "reopened", "alarm", "summary")
    try:
        target.send(notification)
        if opens:
            target.send(resolved(notification, now))
    except CannotDo as error:
        return _result(target.name, error=error)
    return _result(target.name, sent=True, note="opened and resolved" if opens else "")


def _result(name: str, *, sent: bool = False, note: str = "", error: CannotDo | None = None) -> dict[str, Any]:  # fmt: skip
    return {
        "target": name,
        "sent": sent,
        "note": note or None,
        "error": error.message if error else None,
        "remedy": error.remedy if error else None,
    }


def _line(result: dict[str, Any]) -> str:
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - not needed for --help

    word = "failed" if result["error"] else "ok" if result["sent"] else "none"
    # The message of an error begins with the target's name.
    said = result["error"] or result["target"]
    rest = f" ({result['remedy'] or result['note']})" if result["remedy"] or result["note"] else ""
    return f"{word:8}{terminal(said + rest, 2000)}\n"
