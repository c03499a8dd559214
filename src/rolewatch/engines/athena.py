"""The records that a statement for Athena reads: those of a lake's view, or of the table that CloudTrail's console makes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Final

from rolewatch.engines.athena_sql import ATHENA, literal
from rolewatch.engines.sql import FIELDS, statement
from rolewatch.lake.schema import COLUMNS, RECORD
from rolewatch.plan import Get, Plan, Type, gets
from rolewatch.scan.rows import steps_of
from rolewatch.sources import Window

#: Columns of the table that the console of CloudTrail makes, which are texts; those that hold JSON; and structures.
#: Source: docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-ct.html.
_TEXTS: Final = frozenset((
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage",
    "requestID", "eventID", "readOnly", "eventType", "apiVersion", "recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory",
))  # fmt: skip
_JSON: Final = frozenset(("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"))  # fmt: skip
_STRUCTURES: Final = frozenset((
    *(("userIdentity", name) for name in ("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName")),
    *(("userIdentity", "sessionContext", "attributes", name) for name in ("mfaAuthenticated", "creationDate")),
    *(("userIdentity", "sessionContext", "sessionIssuer", name) for name in ("type", "principalId", "arn", "accountId", "userName")),
    *(("tlsDetails", name) for name in ("tlsVersion", "cipherSuite", "clientProvidedHostHeader")),
))  # fmt: skip
_RESOURCE: Final = {"ARN": "arn", "accountId": "accountid", "type": "type"}
_TRUTHS: Final = frozenset(("readOnly",))
NOTHING: Final = "CAST(NULL AS varchar)"

Write = Callable[[Get], str | None]


def athena_sql(plan: Plan, table: str, window: Window, *, lake: bool) -> tuple[str, list[Get]]:
    """Write a plan as a statement for Athena, and give the fields that the table cannot tell: they are NULL in it.

    CannotDo for what Athena has no words for.
    """
    wanted = gets(plan)
    write = _of_lake if lake else _of_table
    columns, missing = [], []
    for number, get in enumerate(wanted):
        written = write(get)
        if written is None:
            missing.append(get)
        columns.append(f"{written or _null(get)} AS f{number}")
    body = statement(plan, ATHENA, wanted)
    within = " AND ".join(_conditions(window, lake=lake))
    records = f"SELECT {', '.join(columns) or '0 AS n'} FROM {table}{f' WHERE {within}' if within else ''}"
    rest = body.removeprefix("WITH ")
    return f"WITH {FIELDS} AS ({records}){',' if rest != body else ''}\n{rest}", missing


def _conditions(window: Window, *, lake: bool) -> list[str]:
    """Write what a window is, for either table."""
    found = []
    for moment, sign, spelled in zip(
        (window.since, window.until), (">=", "<"), window.spelled(), strict=True
    ):
        if moment and spelled:
            limit = f"timestamp '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}'" if lake else f"'{spelled}'"
            found.append(f"eventtime {sign} {limit}")
    for column, names in (("recipientaccountid", window.accounts), ("awsregion", window.regions)):
        if names:
            found.append(f"{column} IN ({', '.join(literal(name, Type.TEXT) for name in sorted(names))})")
    return found


def _of_lake(get: Get) -> str | None:
    if get.steps == ("@message",):
        return RECORD
    if get.steps == ("@timestamp",):
        return "CAST(to_unixtime(eventtime) * 1000 AS bigint)"
    steps = steps_of(get)
    if steps is None:
        return None
    names = tuple(map(str, steps))
    field = COLUMNS.get(names)
    if field is None:
        return _leaf(_extracted(RECORD, names))
    column = field.column.lower()
    return {
        "text": column,
        "truth": f"CASE WHEN {column} THEN '1' WHEN NOT {column} THEN '0' END",
        "time": f"format_datetime({column}, 'yyyy-MM-dd''T''HH:mm:ss''Z''')",
    }[field.kind]


def _of_table(get: Get) -> str | None:
    if get.steps == ("@timestamp",):
        return "CAST(to_unixtime(TRY(from_iso8601_timestamp(eventtime))) * 1000 AS bigint)"
    steps = steps_of(get)
    if steps is None:
        return None
    first, *rest = names = tuple(map(str, steps))
    if not rest and first in _TEXTS:
        column = first.lower()
        truth = f"CASE lower({column}) WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {column} END"
        return truth if first in _TRUTHS else column
    if names in _STRUCTURES:
        return ".".join(names).lower()
    if first in _JSON:
        return _leaf(_extracted(first.lower(), rest)) if rest else None
    if first == "resources" and len(rest) == 2 and rest[0].isdigit() and rest[1] in _RESOURCE:
        return f"element_at(resources, {int(rest[0]) + 1}).{_RESOURCE[rest[1]]}"
    return None


def _extracted(column: str, steps: Sequence[str]) -> str:
    """Write what is at the end of some steps in a column of JSON, as JSON."""
    found = f"TRY(json_parse({column}))"
    for step in steps:
        name = literal('$["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]', Type.TEXT)
        if step.isascii() and step.isdigit():
            found = f"coalesce(json_extract({found}, '$[{int(step)}]'), json_extract({found}, {name}))"
        else:
            found = f"json_extract({found}, {name})"
    return found


def _leaf(found: str) -> str:
    """Write the text of a leaf."""
    body: Mapping[str, str] = ATHENA.templates
    return f"transform(ARRAY[json_format({found})], j -> {body['leaf'].format('j')})[1]"


def _null(get: Get) -> str:
    return "CAST(NULL AS bigint)" if get.type is Type.TIME else NOTHING
