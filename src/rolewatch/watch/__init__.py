"""Deliveries in, for ever; committed state out: findings, datapoints, alarms, and what people are told."""
