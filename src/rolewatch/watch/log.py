"""What a watcher says on stderr: a line for each thing that happened, for people or for programs."""

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TextIO

from rolewatch.base.sanitise import terminal

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
SAME_SECONDS: Final = 60.0  # within which the same complaint is made once …
MOST: Final = 100  # … and lines of one message are written, beyond which they are counted
LONGEST: Final = 2000  # characters of a value
_PLAIN: Final = re.compile(r'[^\s"=\\]+')


class Line(NamedTuple):
    """One line: when, how bad, what, and the facts about it."""

    time: datetime
    level: Level
    message: str
    fields: Mapping[str, Any]


class Log:
    """Writes lines of a level and those above. Safe for several threads; whoever does not listen stops nothing.

    A message that comes more than MOST times a minute is counted then, and the number said with the next.
    """

    def __init__(
        self,
        form: str = "text",
        level: Level = "info",
        *,
        stream: TextIO | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = {"text": as_text, "json": as_json}[form]
        self._least = LEVELS.index(level)
        self._stream, self._clock, self._monotonic = stream, clock, monotonic
        self._said: dict[tuple[str, str], float] = {}
        self._flood: dict[str, _Flood] = {}
        self._lock = threading.Lock()

    def debug(self, message: str, **fields: Any) -> None:
        """Say what only matters to who looks for a mistake."""
        self._say("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """Say what happened."""
        self._say("info", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Say what somebody may have to look at, although the work goes on."""
        self._say("warning", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Say what went wrong."""
        self._say("error", message, fields)

    def told(self, name: str, reason: str) -> None:
        """Say what goes wrong somewhere and is tried again, the same thing once a minute at most."""
        now = self._monotonic()
        with self._lock:
            self._said = {what: said for what, said in self._said.items() if now - said < SAME_SECONDS}
            if (name, reason) in self._said:
                return
            self._said[name, reason] = now
        self.warning("trouble", where=name, reason=reason)

    def _say(self, level: Level, message: str, fields: Mapping[str, Any]) -> None:
        if LEVELS.index(level) < self._least:
            return
        with self._lock:
            flood = self._flood.setdefault(message, _Flood())
            left_out = flood.admit(self._monotonic())
            if left_out is None:
                return
            more = {"left_out": left_out} if left_out else {}
            line = self._write(Line(self._clock(), level, message, {**fields, **more}))
            stream = self._stream or sys.stderr
            try:
                stream.write(f"{line}\n")
                stream.flush()
            except (OSError, ValueError, AttributeError):
                return  # nobody listens: it is closed, or there is none


class _Flood:
    """Counts the lines of one message in a minute."""

    def __init__(self) -> None:
        self._since, self._number, self._left_out = -SAME_SECONDS, 0, 0

    def admit(self, now: float) -> int | None:
        """Say how many lines were left out before this one; None if it is left out, too."""
        if now - self._since >= SAME_SECONDS:
            self._since, self._number = now, 0
        self._number += 1
        if self._number > MOST:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        return left_out


def as_text(line: Line) -> str:
    """Write a line as `time level message key=value …`; what is empty is left out."""
    words = [spelled(line.time), f"{line.level:7}", terminal(line.message, LONGEST)]
    words += [f"{name}={_quoted(_shown(value))}" for name, value in line.fields.items() if value not in (None, "", [], ())]  # fmt: skip
    return " ".join(words)


def as_json(line: Line) -> str:
    """Write a line as one JSON object in ASCII: `time`, `level`, `message` and the facts."""
    head = {"time": spelled(line.time), "level": line.level, "message": terminal(line.message, LONGEST)}
    return json.dumps(head | {name: _safe(value) for name, value in line.fields.items() if name not in head})


def spelled(moment: datetime) -> str:
    """Spell a time in UTC, to the millisecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _safe(value: Any) -> Any:
    """Keep numbers, truth and nothing as they are; make all else text that steers no terminal."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, (bool, int)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_safe(each) for each in value]
    return terminal(str(value), LONGEST)


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(_safe(value))


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
