"""Deliveries in, one merged summary (the folds) and the report made of it out."""
