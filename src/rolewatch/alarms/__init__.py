"""Datapoints and definitions of alarms in, states and their transitions out."""
