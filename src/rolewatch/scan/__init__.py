"""Deliveries in, one merged summary (the folds) and the report made of it out."""

from rolewatch.scan.request import Progress, ScanRequest
from rolewatch.scan.run import run

__all__ = ["Progress", "ScanRequest", "run"]
