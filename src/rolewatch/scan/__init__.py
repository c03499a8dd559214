"""Deliveries in, one merged summary (the folds) out."""
