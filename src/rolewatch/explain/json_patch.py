"""JSON Patch (RFC 6902): the operations that a change of a policy takes, `add` and `replace`, and a document after them."""

import copy
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple


class Operation(NamedTuple):
    """One operation; `path` is a JSON Pointer, whose last part may be `-` for the end of a list."""

    op: Literal["add", "replace"]
    path: str
    value: Any

    def to_json(self) -> dict[str, Any]:
        """Give it as RFC 6902 writes it."""
        return {"op": self.op, "path": self.path, "value": self.value}


def pointer(*parts: str | int) -> str:
    """Write a JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def patched(document: Any, operations: Sequence[Operation]) -> Any:
    """Apply operations to a copy of a document; KeyError, IndexError or ValueError where a path leads nowhere."""
    document = copy.deepcopy(document)
    for operation in operations:
        if not operation.path:
            document = copy.deepcopy(operation.value)
            continue
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation.path.split("/")[1:]]
        place = document
        for part in way:
            place = place[_index(part)] if isinstance(place, list) else place[part]
        value = copy.deepcopy(operation.value)
        if not isinstance(place, list):
            if operation.op == "replace" and last not in place:
                raise KeyError(operation.path)
            place[last] = value
        elif operation.op == "replace":
            place[_index(last)] = value
        else:
            at = len(place) if last == "-" else _index(last)
            if at > len(place):
                raise IndexError(operation.path)
            place.insert(at, value)
    return document


def _index(part: str) -> int:
    if not (part.isascii() and part.isdigit()):
        raise ValueError(f"{part!r} is no place in a list")
    return int(part)
