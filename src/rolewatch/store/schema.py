"""The tables of the state store, for SQLite and PostgreSQL alike.

What is asked for by column is a column; what is only read back whole is one value (msgpack or JSON). Times of the clock are
milliseconds since 1970; times of events are text, as eventTime spells them, so that they compare as they do in a scan.
"""

from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from rolewatch.base.sanitise import encodable

METADATA: Final = sa.MetaData()
BEGINNING: Final = 200  # characters of a text of any length that an index takes


def storable(text: str) -> str:
    """Return text that every database takes: NUL and halves of characters, which none does, become U+FFFD."""
    return (text if text.isascii() else encodable(text)).replace("\0", "\ufffd")


class Text(sa.types.TypeDecorator[str]):
    """Text of any origin: what no database takes is replaced (`storable`), in questions as well."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Give what is stored."""
        del dialect
        return None if value is None else storable(value)


def beginning(column: "sa.Column[str]") -> sa.ColumnElement[str]:
    """Give the first characters of a text, as many as an index takes; written out, so that an index of them is found."""
    return sa.func.substr(column, sa.text("1"), sa.text(str(BEGINNING)))


def _located(name: str) -> sa.Table:
    """Make a table of deliveries by their marks: when each was done, and how to find it again."""
    return sa.Table(
        name, METADATA,
        sa.Column("mark", sa.LargeBinary(16), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("locator", Text, nullable=False),
        sqlite_with_rowid=False,
    )  # fmt: skip


META = sa.Table(
    "meta", METADATA,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
)  # fmt: skip
#: Marks (hashed identities) of deliveries that are done, until when they are remembered.
DONE = sa.Table(
    "done", METADATA,
    sa.Column("mark", sa.LargeBinary(16), primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,  # the rows lie in the tree of their primary key
)  # fmt: skip
#: Deliveries of the last hours by which a late denial may turn out to be over already, and how to find them again.
RECENT = _located("recent")
#: Deliveries that are done and not yet in the lake.
FOR_LAKE = _located("for_lake")
#: Deliveries that could not be read, or not to their end.
FAILED = sa.Table(
    "failed", METADATA,
    sa.Column("mark", sa.LargeBinary(16), primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("locator", Text),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),  # of its part that was whole, which were counted …
    sa.Column("counted", sa.LargeBinary, nullable=False),  # … and the identities of the denials in it, one after the other
)  # fmt: skip
#: What is known of each SOURCE by its word: how far its deliveries have come, and the alarms about itself that stand.
SOURCES = sa.Table(
    "sources", METADATA,
    sa.Column("source", Text, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),  # when it was followed first
    sa.Column("arrived", sa.BigInteger),  # when its last delivery was committed
    sa.Column("newest", sa.BigInteger),  # time of the newest event in any of them
    sa.Column("lag", sa.BigInteger),  # milliseconds from the newest event to the last delivery; null while a backlog is read
    sa.Column("alarms", Text, nullable=False),
)  # fmt: skip
#: How many log files of a trail came of each account, Region and day, by their names.
DELIVERED = sa.Table(
    "delivered", METADATA,
    sa.Column("account", Text, primary_key=True),
    sa.Column("region", Text, primary_key=True),
    sa.Column("day", Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Index("delivered_by_day", "day"),
    sqlite_with_rowid=False,  # the rows lie in the tree of their primary key
)  # fmt: skip
NOTES = sa.Table(
    "notes", METADATA,
    sa.Column("source", Text, primary_key=True),
    sa.Column("note", Text, nullable=False),
)  # fmt: skip
#: What many denials have in common, once.
CASES = sa.Table(
    "cases", METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("digest", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)  # fmt: skip
_LISTED: Final[tuple[Any, ...]] = (sa.desc("place"), sa.desc("last_denied"), "id", "severity", "status", "service", "account", "verdict", "cause", "blamed", "first_denied")  # fmt: skip
FINDINGS = sa.Table(
    "findings", METADATA,
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, nullable=False),
    sa.Column("service", Text, nullable=False),
    sa.Column("resource", Text, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("verdict", Text, nullable=False),
    sa.Column("cause", Text, nullable=False),  # kind and type of the policy that refuses, "explicit/resource-based"
    sa.Column("blamed", Text),  # event id of the change of the policy before it began
    sa.Column("own", sa.SmallInteger, nullable=False),  # severity by itself, as an index of findings/severity.LEVELS
    sa.Column("severity", sa.SmallInteger, nullable=False),  # the same with what others of its service tell
    sa.Column("place", sa.Integer, nullable=False),  # in lists: the worst first
    sa.Column("first_denied", Text, nullable=False),
    sa.Column("last_denied", Text, nullable=False),
    sa.Column("ended", Text),  # event time of its recovery or end; null while it is not over
    sa.Column("due", Text),  # event time of its account from which on its status is final
    sa.Column("incident", Text),  # dedup_key of the incident in which it was told …
    sa.Column("opened", sa.BigInteger),  # … when that was opened …
    sa.Column("alike", Text),  # … and the digest by which others join it
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("tally", sa.LargeBinary, nullable=False),
    sa.Column("proofs", sa.LargeBinary, nullable=False),
    sa.Column("life", Text, nullable=False),
    sa.Column("document", Text, nullable=False),
    # All that lists ask for, so that a million rows need not be looked at to find a hundred. PostgreSQL limits the length of
    # what is in an index, and keeps documents out of the table anyway.
    sa.Index("findings_in_order", *_LISTED, "resource").ddl_if(dialect="sqlite"),
    sa.Index("findings_listed", *_LISTED).ddl_if(dialect="postgresql"),
    sa.Index("findings_by_status", "status", "last_denied"),
    sa.Index("findings_by_service", "service", "account", "first_denied", "status", "severity", "place"),  # all that counting by these needs
    sa.Index("findings_by_change", "changed"),
    sa.Index("findings_by_incident", "incident"),
    sa.Index("findings_alike", "alike", "opened", "incident", sqlite_where=sa.text("alike IS NOT NULL"), postgresql_where=sa.text("alike IS NOT NULL")),
    sa.Index("findings_due", "due"),
    sa.Index("findings_ended", "ended", "status", "severity", sqlite_where=sa.text("ended IS NOT NULL"), postgresql_where=sa.text("ended IS NOT NULL")),
)  # fmt: skip
#: Findings by their resource: by its beginning, since no index takes names of any length.
FINDINGS_BEGINNING: Final = beginning(FINDINGS.c.resource)
sa.Index("findings_by_resource", FINDINGS_BEGINNING)
#: Calls that changed policies, each once: what the finding of a resource says of who changed its policy.
POLICY_CHANGES = sa.Table(
    "policy_changes", METADATA,
    sa.Column("place", sa.LargeBinary(16), primary_key=True),  # hashed resource
    sa.Column("time", Text, primary_key=True),
    sa.Column("mark", sa.LargeBinary(16), primary_key=True),  # hashed event
    sa.Column("resource", Text, nullable=False),
    sa.Column("event_name", Text, nullable=False),
    sa.Column("principal", Text, nullable=False),
    sa.Column("source_ip", Text),
    sa.Column("user_agent", Text),
    sa.Column("event_id", Text),
    sa.Column("shared_id", Text),
    sa.Column("policy", Text),  # JSON; null where it was removed or is not recorded, and where it is longer than is kept
    sa.Index("policy_changes_by_time", "time"),
)  # fmt: skip
#: The latest event of each account.
ACCOUNTS = sa.Table(
    "accounts", METADATA,
    sa.Column("account", Text, primary_key=True),
    sa.Column("last_seen", Text, nullable=False),
)  # fmt: skip
COUNTERS = sa.Table(
    "counters", METADATA,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)  # fmt: skip
MUTES = sa.Table(
    "mutes", METADATA,
    sa.Column("id", Text, primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("body", Text, nullable=False),
)  # fmt: skip
#: Notifications on their way, one row for each target; `target` names it without its secrets.
OUTBOX = sa.Table(
    "outbox", METADATA,
    sa.Column("id", Text, primary_key=True),
    sa.Column("target", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", Text, nullable=False),  # waiting, sent, held, merged, dead
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", Text),
    sa.Column("incident", Text, nullable=False),  # dedup_key
    sa.Index("outbox_due", "target", "state", "due"),
)  # fmt: skip

#: Metrics: each namespace, name, set of dimensions and unit once, under a number.
SERIES = sa.Table(
    "series", METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("digest", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("metric", sa.LargeBinary(16), nullable=False, index=True),  # the same without the unit
    sa.Column("namespace", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("dimensions", Text, nullable=False),  # JSON in ASCII: values come from records, and have any length
    sa.Column("unit", Text, nullable=False),
)  # fmt: skip
#: Datapoints: how often each value was published in a minute (its start in seconds since 1970).
DATAPOINTS = sa.Table(
    "datapoints", METADATA,
    sa.Column("series", sa.Integer, primary_key=True),
    sa.Column("minute", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.Double, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Index("datapoints_by_minute", "minute"),
    sqlite_with_rowid=False,
)  # fmt: skip
#: The same, not to be seen by evaluations before a time (`seen`, in seconds): what arrived later than an evaluation that is due.
ARRIVING = sa.Table(
    "arriving", METADATA,
    sa.Column("seen", sa.BigInteger, primary_key=True),
    sa.Column("series", sa.Integer, primary_key=True),
    sa.Column("minute", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.Double, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
#: Alarms of templates as they are now. Times are in seconds since 1970, as CloudWatch's are whole minutes.
ALARMS = sa.Table(
    "alarms", METADATA,
    sa.Column("name", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),  # metric, composite or log
    sa.Column("arn", Text, nullable=False),
    sa.Column("description", Text),
    sa.Column("digest", sa.LargeBinary(16), nullable=False),  # of its definition
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("updated", sa.BigInteger, nullable=False),  # when its definition changed last
    sa.Column("state", Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("reason_data", Text),
    sa.Column("open", sa.Boolean, nullable=False),  # whether people were told that it rings, and not that it is over
    sa.Column("definition", Text),  # JSON: what there is to know for those who only look at it
)  # fmt: skip
#: What alarms did: their changes of state, and those of the contributors of log alarms.
TRANSITIONS = sa.Table(
    "transitions", METADATA,
    sa.Column("alarm", Text, primary_key=True),
    sa.Column("contributor", sa.LargeBinary(16), primary_key=True),  # hashed attributes; empty: the alarm's own
    sa.Column("time", sa.BigInteger, primary_key=True),
    sa.Column("before", Text, nullable=False),
    sa.Column("after", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("reason_data", Text),
    sa.Column("actions", Text, nullable=False),  # JSON: those that it invoked
    sa.Column("acted", sa.BigInteger),  # when it did
    sa.Column("suppressed_by", Text),
    sa.Column("waiting", sa.Boolean, nullable=False),  # whether it may still invoke any
    sa.Column("notification", Text),  # the id of what people were told
    sa.Column("attributes", Text),  # JSON in ASCII: those of the contributor
    sa.Column("lines", Text),  # JSON in ASCII: the log lines that go with it
    sa.Index("transitions_by_time", "time"),
    sa.Index("transitions_waiting", "alarm", sqlite_where=sa.text("waiting"), postgresql_where=sa.text("waiting")),
)  # fmt: skip
#: Records that queries of log alarms look at, by the query; what is the same several times is one row.
LOG_RECORDS = sa.Table(
    "log_records", METADATA,
    sa.Column("query", sa.LargeBinary(16), primary_key=True),
    sa.Column("time", sa.BigInteger, primary_key=True),  # of the event, in milliseconds
    sa.Column("digest", sa.LargeBinary(16), primary_key=True),  # of its text, or of its fields
    sa.Column("seen", sa.BigInteger, primary_key=True),  # not by runs before this (seconds), as `arriving`; 0: by all that come
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("fields", sa.LargeBinary, nullable=False),
    sa.Column("message", sa.LargeBinary),  # its text in UTF-8, where an alarm tells log lines
)  # fmt: skip
#: What evaluating log alarms has left, beside their states.
LOG_ALARMS = sa.Table(
    "log_alarms", METADATA,
    sa.Column("alarm", Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary(16), nullable=False),  # of the query that it is about
    sa.Column("memory", sa.LargeBinary, nullable=False),
)  # fmt: skip

#: Who changed what through the dashboard and its API.
AUDIT = sa.Table(
    "audit", METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", Text, nullable=False),
    sa.Column("how", Text, nullable=False),  # by a token, a session, a proxy
    sa.Column("action", Text, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("details", Text, nullable=False),  # JSON
    sa.Index("audit_by_time", "at"),
)  # fmt: skip
#: Queries that people saved in the dashboard.
SAVED = sa.Table(
    "saved_queries", METADATA,
    sa.Column("name", Text, primary_key=True),
    sa.Column("query", Text, nullable=False),
    sa.Column("by", Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)  # fmt: skip

_DAYS: Final = "identities_"


def day_table(day: str, metadata: sa.MetaData | None = None) -> sa.Table:
    """Give the table of the denials of one event day, `YYYY-MM-DD`: each identity, once.

    `event` is the event id where the identity does not spell it, `at` the second of the day.
    """
    name = f"{_DAYS}{date.fromisoformat(day):%Y%m%d}"
    return sa.Table(
        name, metadata if metadata is not None else sa.MetaData(),
        sa.Column("identity", sa.LargeBinary(16), primary_key=True),
        sa.Column("case", sa.Integer, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("event", Text),
        sqlite_with_rowid=False,  # the rows lie in the tree of their primary key
    )  # fmt: skip


def day_of(name: str) -> str | None:
    """Give the day of such a table by its name; None for any other table."""
    digits = name.removeprefix(_DAYS)
    if digits == name or len(digits) != 8 or not digits.isdigit():
        return None
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
