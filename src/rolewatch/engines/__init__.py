"""A query's plan in, its rows out: as SQL, on DuckDB."""
