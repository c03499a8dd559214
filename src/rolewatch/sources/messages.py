"""What messages hold in, arrivals out."""

from collections.abc import Mapping, Sequence
from typing import Final

from rolewatch.sources.delivery import BytesDelivery, Delivery, RefusedDelivery
from rolewatch.sources.live import Arrival
from rolewatch.sources.live_time import of_milliseconds
from rolewatch.sources.notices import Enclosed, Item, Noticed, Refused
from rolewatch.sources.s3_objects import Objects

SENT: Final = "SentTimestamp"  # what SQS calls the time at which it got a message


def sent_at(attributes: object) -> float | None:
    """Read from a message's attributes when SQS got it, in seconds since 1970; None if they do not say."""
    return of_milliseconds(attributes.get(SENT)) if isinstance(attributes, dict) else None


def arrivals_of(
    decoded: Mapping[str, Sequence[Item]],
    word: str,
    objects: Objects,
    sent: Mapping[str, float | None],
) -> dict[str, list[Arrival]]:
    """Make the arrivals of some messages; the messages' ids, by which they come and go, are the tickets.

    What has no identity of its own has that of its message; what does not tell when it came has come when that was `sent`
    (seconds since 1970). Raises what `Objects.deliveries` raises.
    """
    noticed = [
        item if item.at is not None else item._replace(at=sent.get(name))
        for name, items in decoded.items()
        for item in items
        if isinstance(item, Noticed)
    ]
    found = iter(objects.deliveries(noticed))
    arrivals: dict[str, list[Arrival]] = {}
    for name, items in decoded.items():
        arrivals[name] = []
        for number, item in enumerate(items):
            if isinstance(item, Noticed):
                delivery: Delivery = next(found)
            else:
                delivery = enclosed(item, f"{word}#{name}", f"message/{name}#{number}", sent.get(name))
            arrivals[name].append(Arrival(delivery, (delivery.identity,), name))
    return arrivals


def enclosed(item: Enclosed | Refused, name: str, identity: str, at: float | None) -> Delivery:
    """Make the delivery of a message that names no object; it is a failure if there are no records in it.

    `at` is when it came, in seconds since 1970.
    """
    content = item.content
    if isinstance(item, Enclosed):
        return BytesDelivery(
            name=name, identity=identity, named=True, size=len(content), remote=False, content=content, at=at
        )
    return RefusedDelivery(
        name=name,
        identity=identity,
        named=True,
        size=len(content),
        remote=False,
        reason=item.reason,
        content=content,
    )
