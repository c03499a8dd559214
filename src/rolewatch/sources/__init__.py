"""Places in, deliveries out."""
