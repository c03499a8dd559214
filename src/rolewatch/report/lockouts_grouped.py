"""A report of `check` in; its lockouts by the statement that makes them, out: what people change is a statement."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from rolewatch.base.sanitise import terminal
from rolewatch.base.wording import some
from rolewatch.report.words import count

_NAMED: Final = 12  # services that a sentence names


class Group(NamedTuple):
    """The roles that one statement shuts out, or may; `missing` are the keys that this hangs on."""

    statement: dict[str, Any]
    missing: tuple[str, ...]
    lockouts: list[dict[str, Any]]

    @property
    def worst(self) -> str:
        """The highest severity among them."""
        return "high" if any(each["severity"] == "high" for each in self.lockouts) else "medium"


def grouped(lockouts: Iterable[dict[str, Any]], *, every: bool = False) -> list[Group]:
    """Group lockouts by the statement that decides, and by what they hang on, in their order.

    With `every`, a role is in the group of each statement that denies it: all of them have to be changed.
    """
    found: dict[tuple[Any, ...], Group] = {}
    for each in lockouts:
        missing = tuple(each.get("missing_context", ()))
        for statement in each["statements"] if every and each["statements"] else (each["statement"],):
            key = (statement["file"], statement["path"], statement["number"], each["resource"], missing)
            found.setdefault(key, Group(statement, missing, [])).lockouts.append(each)
    return list(found.values())


def sentence(group: Group) -> str:
    """Say in one sentence who is shut out of what, and by which statement."""
    first = group.lockouts[0]
    names = list(dict.fromkeys(each["service_name"] for each in group.lockouts))
    roles = count(len(group.lockouts), "service-linked role")
    verb = "may shut" if group.missing else "would shut"
    what = (
        named_statement(group.statement)
        if group.statement["number"]
        else "This policy, which allows none of it,"
    )
    doubt = f" It hangs on {', '.join(map(terminal, group.missing))}." if group.missing else ""
    return (
        f"{what} {verb} {roles} out of {terminal(first['resource'])}: {terminal(some(names, _NAMED))}.{doubt}"
    )


def named_statement(statement: dict[str, Any]) -> str:
    """Name a statement for people."""
    sid = statement["sid"]
    if statement["number"] is None:
        return "No statement allows it"
    return f"Statement {terminal(sid)}" if sid else f"Statement {statement['number']}"


def place_of(statement: dict[str, Any]) -> str:
    """Write where a statement is, as editors understand it."""
    return terminal(f"{statement['file']}:{statement['line']}:{statement['column']}")
