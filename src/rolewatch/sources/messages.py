"""What messages hold in, arrivals out."""

from collections.abc import Mapping, Sequence

from rolewatch.sources.delivery import BytesDelivery, Delivery, RefusedDelivery
from rolewatch.sources.live import Arrival
from rolewatch.sources.notices import Enclosed, Item, Noticed, Refused
from rolewatch.sources.s3_objects import Objects


def arrivals_of(
    decoded: Mapping[str, Sequence[Item]], word: str, objects: Objects
) -> dict[str, list[Arrival]]:
    """Make the arrivals of some messages; the messages' ids, by which they come and go, are the tickets.

    What has no identity of its own has that of its message. Raises what `Objects.deliveries` raises.
    """
    noticed = [item for items in decoded.values() for item in items if isinstance(item, Noticed)]
    found = iter(objects.deliveries(noticed))
    arrivals: dict[str, list[Arrival]] = {}
    for name, items in decoded.items():
        arrivals[name] = []
        for number, item in enumerate(items):
            if isinstance(item, Noticed):
                delivery: Delivery = next(found)
            else:
                delivery = enclosed(item, f"{word}#{name}", f"message/{name}#{number}")
            arrivals[name].append(Arrival(delivery, (delivery.identity,), name))
    return arrivals


def enclosed(item: Enclosed | Refused, name: str, identity: str) -> Delivery:
    """Make the delivery of a message that names no object; it is a failure if there are no records in it."""
    content = item.content
    if isinstance(item, Enclosed):
        return BytesDelivery(
            name=name, identity=identity, named=True, size=len(content), remote=False, content=content
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
