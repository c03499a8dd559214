"""A lake's place in, statements out that make it a view of an engine: of the records that count, each once.

Every view holds the files against the manifest at the time of the query, by their names, which are random and never used
again. So it is right while files are being merged, and whatever else lies in the folder.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from rolewatch.lake.manifest import NO_DAY
from rolewatch.lake.place import MANIFEST, RECORDS
from rolewatch.lake.schema import FIELDS, INEXACT, RECORD, Kind

_TYPES: Final[Mapping[Kind, str]] = {"text": "string", "truth": "boolean", "time": "timestamp"}
#: The names of files that rolewatch writes, as a pattern of engines: others may be no Parquet at all.
_OURS: Final = f"part-{'[0-9a-f]' * 16}.parquet"
_GLOB: Final = re.compile(r"[*?{}\[\]\\]")  # what Hadoop takes for a pattern in a path
_BRACKETED: Final = re.compile(r"[*?\[]")  # what DuckDB takes for one; in brackets it is only a sign
_COLUMNS: Final = {
    **{field.column: _TYPES[field.kind] for field in FIELDS},
    INEXACT: "boolean",
    RECORD: "string",
}


def _duckdb(place: str, view: str) -> str:
    literal = _BRACKETED.sub(r"[\g<0>]", place)
    files, manifest = _quoted(f"{literal}/{RECORDS}/day=*/{_OURS}"), _quoted(f"{literal}/{MANIFEST}")
    return f"""\
CREATE OR REPLACE VIEW {view} AS
SELECT * EXCLUDE (filename)
FROM read_parquet({files}, filename = true, hive_partitioning = true, hive_types = {{'day': VARCHAR}})
WHERE parse_filename(filename) IN (
  SELECT parse_filename(path)
  FROM read_json({manifest}, format = 'newline_delimited', columns = {{'path': 'VARCHAR'}})
  WHERE path IS NOT NULL
);
"""


def _spark(place: str, view: str) -> str:
    # Files are named by patterns and so listed anew by each query; a view USING parquet or json remembers what was there.
    return f"""\
CREATE OR REPLACE TEMPORARY VIEW {view} AS
SELECT
{_listed(", ", "  f.`{name}`")},
  nullif(regexp_extract(f._metadata.file_path, '/day=([^/]*)/[^/]*$', 1), '{NO_DAY}') AS `day`
FROM parquet.{_globbed(f"{place}", f"/{RECORDS}/day=*/{_OURS}")} AS f
LEFT SEMI JOIN text.{_globbed(f"{place}/{MANIFEST}", "")} AS p
ON f._metadata.file_name = element_at(split(get_json_object(p.value, '$.path'), '/'), -1);
"""


def _athena(place: str, view: str) -> str:
    def files(name: str, partition: str, folder: str, properties: str) -> str:
        return f"""\
CREATE EXTERNAL TABLE {name} (
{_listed(", ", "  `{name}` {type}")}
){partition}
STORED AS PARQUET
LOCATION {_quoted(f"{place}/{folder}/")}
TBLPROPERTIES ('parquet.compression' = 'ZSTD'{properties});
"""

    projection = (
        ", 'projection.enabled' = 'true', 'projection.day.type' = 'date', "
        "'projection.day.range' = '2013-01-01,NOW+1DAYS', 'projection.day.format' = 'yyyy-MM-dd'"
    )
    columns = ", ".join(f'"{name.lower()}"' for name in _COLUMNS)
    manifest = _quoted(f"{place}/{MANIFEST.rpartition('/')[0]}/")
    known = f"SELECT regexp_extract(path, '[^/]+$') FROM {view}_parts WHERE path IS NOT NULL"
    return f"""\
CREATE EXTERNAL TABLE {view}_parts (`path` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION {manifest};

{files(f"{view}_files", " PARTITIONED BY (`day` string)", RECORDS, projection)}
{files(f"{view}_undated", "", f"{RECORDS}/day={NO_DAY}", "")}
CREATE OR REPLACE VIEW {view} AS
SELECT {columns}, "day" FROM {view}_files
WHERE regexp_extract("$path", '[^/]+$') IN ({known})
UNION ALL
SELECT {columns}, NULL AS "day" FROM {view}_undated
WHERE regexp_extract("$path", '[^/]+$') IN ({known});
"""


ENGINES: Final[Mapping[str, Callable[[str, str], str]]] = {
    "duckdb": _duckdb,
    "spark": _spark,
    "athena": _athena,
}


def ddl(place: str, engine: str, view: str = "cloudtrail") -> str:
    """Write the statements for one of ENGINES; `place` is the lake's, without a slash at its end."""
    return ENGINES[engine](place, view)


def _listed(separator: str, template: str) -> str:
    return f"{separator.strip()}\n".join(
        template.format(name=name, type=type_) for name, type_ in _COLUMNS.items()
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _globbed(path: str, pattern: str) -> str:
    """Quote a path for Spark, with a pattern behind it."""
    escaped = _GLOB.sub(r"\\\g<0>", path).replace("`", "``")
    return f"`{escaped}{pattern}`"
