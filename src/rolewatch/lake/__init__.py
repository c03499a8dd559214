"""Records ↔ Parquet: tables of records in, the parts of a lake out; one manifest says which parts count."""
