"""Queries by name, for `rolewatch query`: of a template, of rolewatch.toml and of the library, in this order."""

from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.base.saved import save_query, saved_queries
from rolewatch.cli.inputs import assigned, read_template_file
from rolewatch.cli.output import Output, complain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolewatch.cli.commands import Called
    from rolewatch.insights.library import SavedQuery

SIGN: Final = "@"  # before a name where a query stands: no query begins with it


def query_name(word: str) -> str:
    """Read the name of a query, with or without the sign before it; slashes in it make folders."""
    from rolewatch.insights.library import LONGEST_NAME  # noqa: PLC0415 - not needed for --help

    name = word.removeprefix(SIGN).strip()
    if not name or name.startswith(SIGN) or len(name) > LONGEST_NAME or terminal(name) != name:
        raise ValueError(
            f"{word[:60]!r} is no name of a query; write up to {LONGEST_NAME} characters, such as team/blocked"
        )
    return name


def text_of(called: "Called") -> str:
    """Give the text of the query that was typed, or named; UsageError where there is none of that name."""
    word = str(called.values["query"])
    try:
        word.encode()
    except UnicodeEncodeError:  # bytes that are no text reach a program as halves of surrogate pairs
        raise UsageError("QL is no UTF-8") from None
    word = word.strip() if word.lstrip().startswith(SIGN) else word
    if not word.startswith(SIGN):
        return word
    name = word.removeprefix(SIGN)
    known = _known(called)
    found = next((query for query in known if query.name == name), None)
    if found is None:
        import difflib  # noqa: PLC0415 - only where a word is wrong

        close = difflib.get_close_matches(name, [query.name for query in known], 1)
        advice = (
            f"did you mean {SIGN}{close[0]}?" if close else "`rolewatch query --list` tells what there is"
        )
        raise UsageError(f"there is no query called {name!r}", remedy=advice)
    return found.text


def save(called: "Called", text: str) -> None:
    """Keep a query under the name that was typed, and tell where."""
    name = called.values["save"]
    path, changed = save_query(
        name, text, called.environ, called.values.get("config"), replace=called.values["replace"]
    )
    complain(f"{SIGN}{name} is {'kept' if changed else 'already'} in {path}")


def list_queries(called: "Called") -> int:
    """Print the names of all queries; returns the exit status."""
    if called.values["query"] is not None:
        raise UsageError("--list takes no QL")
    from rolewatch.report.output import Options  # noqa: PLC0415 - not needed for --help
    from rolewatch.report.query_list import FORMATS  # noqa: PLC0415 - as above

    known, options = _known(called), Options(environ=called.environ)
    with Output(called.values["output"]) as out:
        out.write(lambda stream: FORMATS[called.values["format"]](known, stream, options))
    return 0


def _known(called: "Called") -> "list[SavedQuery]":
    """Give all queries, those first that go before others of the same name."""
    from rolewatch.insights.library import SavedQuery, about, library  # noqa: PLC0415 - as above

    saved, path = saved_queries(called.environ, called.values.get("config"))
    own = [SavedQuery(name, about(text), text, path or "") for name, text in saved.items()]
    return [*_of_template(called.values), *sorted(own), *library()]


def _of_template(values: "Mapping[str, Any]") -> "list[SavedQuery]":
    """Give the query definitions of a template; what is wrong with one is told."""
    path = values["template"]
    if path is None:
        return []
    from rolewatch.insights.library import SavedQuery, about  # noqa: PLC0415 - as above
    from rolewatch.templates import read_template  # noqa: PLC0415 - as above

    only = {name: values[name][0] for name in ("account", "region") if len(values[name]) == 1}
    content, parameters = read_template_file(path, "--template"), assigned(values, "parameter")
    template = read_template(content, path, parameters=parameters, **only)
    for notice in template.notices:
        if notice.level == "error":
            complain(f"{notice.place}: {notice.message}")
    return [SavedQuery(each.name, about(each.query), each.query, path) for each in template.queries]
