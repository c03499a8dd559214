"""Results in; table, json, jsonl, csv, html, OCSF and ASFF out."""
