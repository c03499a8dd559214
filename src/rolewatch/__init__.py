"""rolewatch: which resources can which AWS service not reach, since when and why."""

__version__ = "0.1.0"
