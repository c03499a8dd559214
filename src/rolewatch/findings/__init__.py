"""Denials in, findings with status, verdict and severity out."""
