"""Places in, deliveries out."""

from rolewatch.sources.delivery import BytesDelivery, Delivery, FileDelivery, StdinDelivery
from rolewatch.sources.places import deliveries, deliveries_of
from rolewatch.sources.survey import Survey, survey
from rolewatch.sources.window import Filter, Window

__all__ = [
    "BytesDelivery",
    "Delivery",
    "FileDelivery",
    "Filter",
    "StdinDelivery",
    "Survey",
    "Window",
    "deliveries",
    "deliveries_of",
    "survey",
]
