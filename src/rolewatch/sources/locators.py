"""How to find a delivery again: what the state keeps about one that failed, to try it again on command."""
# ruff: noqa: PTH100, PTH116, PTH117 - paths are strings here, as in files.py

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from rolewatch.base.errors import CannotDo
from rolewatch.sources.delivery import BytesDelivery, Delivery, FileDelivery, RefusedDelivery
from rolewatch.sources.s3 import S3Delivery

KEPT: Final = 256 * 1024  # bytes of content up to which it is kept itself
_KINDS: Final[dict[str, type[Delivery]]] = {
    "file": FileDelivery,
    "object": S3Delivery,
    "bytes": BytesDelivery,
    "refused": RefusedDelivery,
}
_NAMES: Final = {cls: name for name, cls in _KINDS.items()}


def locator(delivery: Delivery) -> str | None:
    """Return JSON that leads to a delivery again; None for one that is gone once it is read, or too large to keep."""
    kind = _NAMES.get(type(delivery))
    if kind is None or (kind == "file" and delivery.size < 0):  # a stream, a pipe
        return None
    if isinstance(delivery, BytesDelivery | RefusedDelivery) and len(delivery.content) > KEPT:
        return None
    fields = msgspec.to_builtins(delivery)
    if kind == "file" and not os.path.isabs(delivery.name):  # whoever tries again may be elsewhere
        fields["name"] = os.path.abspath(delivery.name)
    return json.dumps({"kind": kind, **fields})


def located(named: Mapping[str, Delivery]) -> dict[str, str]:
    """Give the locators of deliveries by the names that they go by, without those that do not lead back."""
    return {name: text for name, delivery in named.items() if (text := locator(delivery))}


def found_again(texts: Iterable[str]) -> Iterator[Delivery]:
    """Yield the deliveries that locators lead to, without those that another version of rolewatch wrote."""
    for text in texts:
        try:
            yield delivery_of(text)
        except CannotDo:
            continue


def delivery_of(text: str) -> Delivery:
    """Return the delivery that a locator leads to, a file with the size that it has now.

    It has the identity under which it failed. Raises CannotDo for a locator of another version of rolewatch.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        found: Delivery = msgspec.convert(fields, _KINDS[fields.pop("kind")])
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotDo(
            "what the state keeps about this delivery was written by another version of rolewatch",
            remedy="scan it by its name",
        ) from error
    if not isinstance(found, FileDelivery):
        return found
    try:
        size = os.stat(found.name).st_size
    except OSError:  # reading it says why
        size = found.size
    return msgspec.structs.replace(found, size=size)
