"""Settings, clock, errors, sanitising and AWS clients for every room."""
