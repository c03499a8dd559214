"""The columns of a lake's files: the fields that people query, by the names of the fields, and the whole record.

A column's name is the field's, with `_` for each dot: `userIdentity_sessionContext_sessionIssuer_arn`. The schema is a part
of the format: another set of columns is another version of it.
"""

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "truth", "time"]
Steps = tuple[str, ...]

RECORD: Final = "record"  # the whole record as one line of JSON
INEXACT: Final = (
    "inexact"  # whether a reader of JSON may spell something in the record otherwise than the record does
)
EVENT_TIME: Final = "eventTime"


class Field(NamedTuple):
    """A field of the record with a column of its own."""

    steps: Steps
    kind: Kind = "text"

    @property
    def column(self) -> str:
        """The name of its column."""
        return "_".join(self.steps)


_TOP = (
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode",
    "errorMessage", "requestID", "eventID", "readOnly", "eventType", "apiVersion", "managementEvent", "recipientAccountId",
    "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "sessionCredentialFromConsole", "annotation",
)  # fmt: skip
_IDENTITY = (
    "type", "principalId", "arn", "accountId", "accessKeyId", "userName", "invokedBy", "identityProvider", "credentialId",
)  # fmt: skip
_ISSUER = ("type", "principalId", "arn", "accountId", "userName")
_KINDS: Final[dict[str, Kind]] = {"eventTime": "time", "readOnly": "truth", "managementEvent": "truth"}

#: Source: CloudTrail record contents (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html),
#: its scalar fields at the top, and of userIdentity (…-user-identity.html) those that all kinds of identities share.
FIELDS: Final = (
    *(Field((name,), _KINDS.get(name, "text")) for name in _TOP),
    *(Field(("userIdentity", name)) for name in _IDENTITY),
    Field(("userIdentity", "sessionContext", "sourceIdentity")),
    *(Field(("userIdentity", "sessionContext", "sessionIssuer", name)) for name in _ISSUER),
    *(
        Field(("userIdentity", "sessionContext", "attributes", name))
        for name in ("creationDate", "mfaAuthenticated")
    ),
    Field(("resources", "0", "ARN")),
    Field(("tlsDetails", "tlsVersion")),
    Field(("addendum", "originalEventID")),
)
COLUMNS: Final = {field.steps: field for field in FIELDS}


def arrow_schema() -> "pa.Schema":
    """Give the schema of a file; the day is in the name of its folder."""
    import pyarrow as pa  # noqa: PLC0415 - takes a while, and only writing needs it

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "truth": pa.bool_(),
        "time": pa.timestamp("ms", tz="UTC"),
    }
    columns = [pa.field(field.column, types[field.kind]) for field in FIELDS]
    return pa.schema(
        [
            *columns,
            pa.field(INEXACT, pa.bool_(), nullable=False),
            pa.field(RECORD, pa.string(), nullable=False),
        ]
    )
