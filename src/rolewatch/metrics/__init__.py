"""Matches of metric filters in, datapoints and their statistics out."""
