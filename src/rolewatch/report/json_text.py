"""JSON as ASCII text: exact for a parser, harmless on a terminal, encodable everywhere."""

import re
from typing import Any, Final

import msgspec

#: What JSON allows raw inside a string but a terminal may act upon: DEL, C1, bidi overrides and all the rest.
_NOT_PRINTABLE_ASCII: Final = re.compile("[^\n -~]")


def _escaped(match: re.Match[str]) -> str:
    """Write one character as JSON escapes, as a pair of surrogates beyond U+FFFF."""
    code = ord(match.group())
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _without_surrogates(value: Any) -> Any:
    r"""Return value with lone surrogates spelled out as the text ``\ud800``: strict parsers refuse them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def dumps(value: Any, *, indent: int = 0) -> str:
    """Return value as JSON in printable ASCII, on one line or indented by that many spaces."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_without_surrogates(value))
    if indent:
        encoded = msgspec.json.format(encoded, indent=indent)
    if encoded.isascii() and b"\x7f" not in encoded:  # the encoder has escaped all other controls
        return encoded.decode("ascii")
    return _NOT_PRINTABLE_ASCII.sub(_escaped, encoded.decode())
