"""The functions of the language that are one primitive of an engine each: what they take and give."""

from typing import Final, NamedTuple

from rolewatch.plan import Type

_TEXT, _NUMBER, _TRUTH, _TIME, _STRUCTURE = (
    Type.TEXT,
    Type.NUMBER,
    Type.TRUTH,
    Type.TIME,
    Type.STRUCTURE,
)


class Primitive(NamedTuple):
    """A function, the types it takes and gives; `constants` are arguments that have to be written out."""

    function: str  # as the documentation writes it
    arguments: tuple[Type, ...]
    type: Type
    optional: tuple[Type, ...] = ()
    more: Type | None = None
    constants: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """What engines know it by."""
        return self.function.lower()


def _row(
    function: str, arguments: tuple[Type, ...], type_: Type, *optional: Type,
    more: Type | None = None, constants: tuple[int, ...] = (),
) -> tuple[str, Primitive]:  # fmt: skip
    return function.lower(), Primitive(function, arguments, type_, optional, more, frozenset(constants))


WITH_PERIOD: Final = frozenset(("bin", "datefloor", "dateceil"))
PRIMITIVES: Final = dict((
    *(_row(name, (_NUMBER,), _NUMBER) for name in ("abs", "ceil", "floor", "log", "sqrt", "toInt", "toLong")),
    _row("round", (_NUMBER,), _NUMBER, _NUMBER),
    _row("greatest", (_NUMBER,), _NUMBER, more=_NUMBER),
    _row("least", (_NUMBER,), _NUMBER, more=_NUMBER),
    _row("haversine", (_NUMBER,) * 4, _NUMBER),
    _row("parseDate", (_TEXT, _TEXT), _NUMBER, _TEXT, constants=(1, 2)),
    _row("formatDate", (_TIME, _TEXT), _TEXT, _TEXT, constants=(1, 2)),
    _row("strftime", (_TIME, _TEXT), _TEXT, _TEXT, constants=(1, 2)),
    _row("isempty", (_TEXT,), _NUMBER),
    _row("isblank", (_TEXT,), _NUMBER),
    _row("jsonParse", (_TEXT,), _STRUCTURE),
    _row("jsonStringify", (_STRUCTURE,), _TEXT),
    _row("jsonArraySize", (_STRUCTURE,), _NUMBER),
    _row("jsonArrayContains", (_STRUCTURE, _TEXT), _TRUTH),
    *(_row(name, (_TEXT,), _TRUTH) for name in ("isValidIp", "isValidIpV4", "isValidIpV6", "isPrivateIP", "isPublicIP", "isReservedIP")),
    *(_row(name, (_TEXT, _TEXT), _TRUTH) for name in ("isIpInSubnet", "isIpv4InSubnet", "isIpv6InSubnet")),
    _row("ipv4ToNumber", (_TEXT,), _NUMBER),
    _row("concat", (_TEXT,), _TEXT, more=_TEXT),
    *(_row(name, (_TEXT,), _TEXT, _TEXT) for name in ("trim", "ltrim", "rtrim")),
    _row("strlen", (_TEXT,), _NUMBER),
    *(_row(name, (_TEXT,), _TEXT) for name in ("toupper", "tolower", "urlencode", "urldecode", "base64encode", "base64decode", "md5", "sha256", "hexToAscii")),
    _row("decToHex", (_NUMBER,), _TEXT),
    _row("hexToDec", (_TEXT,), _NUMBER),
    _row("substr", (_TEXT, _NUMBER), _TEXT, _NUMBER),
    _row("replace", (_TEXT, _TEXT, _TEXT), _TEXT),
    _row("strcontains", (_TEXT, _TEXT), _NUMBER, _TRUTH),
    _row("startsWith", (_TEXT, _TEXT), _NUMBER),
    _row("endsWith", (_TEXT, _TEXT), _NUMBER),
    _row("split", (_TEXT, _TEXT), _STRUCTURE),
))  # fmt: skip
