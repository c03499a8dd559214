"""The report of `check` as SARIF 2.1.0, which code scanning takes: a result for each statement that shuts roles out.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; GitHub docs, "SARIF support for code scanning".
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Final, TextIO
from urllib.parse import quote

from rolewatch import __version__
from rolewatch.base.sanitise import terminal
from rolewatch.explain.lockout_mistakes import RULES as MISTAKES
from rolewatch.report.json_text import dumps
from rolewatch.report.lockouts_grouped import Group, grouped, sentence
from rolewatch.report.output import emit

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LOCKOUT, _DEPENDS = "lockout", "lockout-depends"
_LEVELS: Final = {"high": "error", "medium": "warning"}
_NUMBERS: Final = {"error": "8.0", "warning": "5.0", "note": "2.0"}  # GitHub's security-severity
_HELP: Final = (
    "AWS services work through service-linked roles. A statement that denies everybody but some, or a key policy that does not allow "
    "them, makes the service blind without a sound. Exempt the role by aws:PrincipalArn."
)
_RULES: Final = (
    (_LOCKOUT, "A policy shuts a service-linked role out", "error"),
    (_DEPENDS, "A policy may shut a service-linked role out", "note"),
    *((f"mistake/{rule.name}", rule.message, "warning") for rule in MISTAKES),
)


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write the report as SARIF."""
    emit(out, dumps(sarif(report), indent=1) + "\n")


def sarif(report: dict[str, Any]) -> dict[str, Any]:
    """Make a SARIF log with one run."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver()},
                "columnKind": "unicodeCodePoints",
                "results": list(_results(report)),
                "invocations": [
                    {
                        "executionSuccessful": not report["unread"],
                        "toolExecutionNotifications": [
                            {
                                "level": "warning",
                                "message": {
                                    "text": terminal(f"not checked: {each['where']}: {each['reason']}")
                                },
                            }
                            for each in report["unread"]
                        ],
                    }
                ],
            }
        ],
    }


def _driver() -> dict[str, Any]:
    return {
        "name": "rolewatch",
        "version": __version__,
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": title.partition(";")[0]},
                "fullDescription": {"text": title},
                "help": {"text": _HELP},
                "defaultConfiguration": {"level": level},
                "properties": {"tags": ["security"], "security-severity": _NUMBERS[level]},
            }
            for name, title, level in _RULES
        ],
    }


def _results(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for rule, listed in ((_LOCKOUT, report["lockouts"]), (_DEPENDS, report["depends"])):
        for group in grouped(listed, every=True):
            level = _LEVELS[group.worst] if rule == _LOCKOUT else "note"
            first = group.lockouts[0]
            result = _result(
                rule, level, _text(group), group.statement, first["address"] or first["resource"]
            )
            result["properties"] = {
                "services": list(dict.fromkeys(each["service"] for each in group.lockouts))
            }
            yield result
    for note in report["notes"]:
        rule = f"mistake/{note['rule']}"
        yield _result(rule, "warning", note["message"], note["statement"], note["address"])


def _text(group: Group) -> str:
    """Say who is shut out, and below that what stops working where a page says so."""
    told = dict.fromkeys(each["consequence"] for each in group.lockouts if each["consequence_source"])
    return "\n".join([sentence(group), *map(terminal, told)])


def _result(
    rule: str, level: str, text: str, statement: dict[str, Any], logical: str | None
) -> dict[str, Any]:
    index = next(number for number, (name, _, _) in enumerate(_RULES) if name == rule)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri_of(statement["file"])},
            "region": {"startLine": statement["line"], "startColumn": statement["column"]},
        }
    }
    if logical:
        location["logicalLocations"] = [{"fullyQualifiedName": terminal(logical)}]
    same = "\0".join(map(str, (rule, statement["file"], statement["path"], statement["sid"], logical)))
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "level": level,
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {
            "statement/v1": hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:32]
        },
    }


def uri_of(file: str) -> str:
    """Write a file's name as a URI: relative ones stay so, as code scanning wants them."""
    path = PurePath(file)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return f"file://{quote(path.as_posix(), errors='replace')}"
    return quote(path.as_posix(), errors="replace")
