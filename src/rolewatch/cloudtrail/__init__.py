"""Bytes in, records out (gunzip, unwrap, carve)."""
