"""What the API's description says of its answers."""

from collections.abc import Mapping
from typing import Any, Final

from rolewatch.web.answers import PROBLEM

Responses = dict[int | str, dict[str, Any]]

_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "remedy"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": ["string", "null"]},
    },
}
_TYPES: Final[Mapping[object, str]] = {
    int: "integer",
    str: "string",
    float: "number",
    bool: "boolean",
    None: "null",
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM: {"schema": _PROBLEM}}}


#: What every request may be answered with.
ANSWERS: Final[Responses] = {
    304: {"description": "What the asker has (If-None-Match) is what there is."},
    400: _problem("The request makes no sense."),
    401: _problem("A token is needed."),
    403: _problem("The token does not suffice, or another site asks."),
    404: _problem("There is no such thing."),
    405: _problem("This cannot be asked in this way."),
    413: _problem("The request is too large."),
    421: _problem("The server has another name."),
    422: _problem("A parameter or the body is not what it has to be."),
    503: _problem("The state cannot be read just now."),
}


def array(of: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Describe a list of objects."""
    return {"type": "array", "items": of or {"type": "object"}}


def json_of(fields: Mapping[str, Any], status: int = 200) -> Responses:
    """Describe an answer in JSON: an object that has these fields, each a type or several, or described already."""
    properties = {name: _described(kind) for name, kind in fields.items()}
    schema = {"type": "object", "required": sorted(properties), "properties": properties}
    return {
        status: {"description": "What was asked for.", "content": {"application/json": {"schema": schema}}}
    }


def _described(kind: Any) -> dict[str, Any]:
    if isinstance(kind, dict):
        return kind
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = [_TYPES[each] for each in kinds]
    return {"type": names if len(names) > 1 else names[0]}
