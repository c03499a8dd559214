"""What this process may use of its machine."""

import os


def cores() -> int:
    """Count the cores this process may use; where the system does not tell, all there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
