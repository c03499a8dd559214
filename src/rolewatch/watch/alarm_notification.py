"""A change of an alarm that somebody is told of in, the notification with its picture out."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from rolewatch.notify.notification import Notification
from rolewatch.store.alarms import AlarmRow
from rolewatch.templates.definitions import Alarm, CompositeAlarm
from rolewatch.watch.alarm_actions import TELL, Acted
from rolewatch.watch.alarm_definitions import Definitions
from rolewatch.watch.alarm_message import message, of_contributor, shortened
from rolewatch.watch.alarm_picture import Window, picture
from rolewatch.watch.alarm_telling import contributor_id, incident_of, notification_id, spelled
from rolewatch.watch.log_alarms import LogStep

_PICTURE: Final = 3600  # seconds of an alarm's metric in its picture, at least …
_POINTS: Final = 360  # … in so many points at most


class Notifier:
    """Writes notifications of changes of alarms."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions, self._alarms = definitions, definitions.all

    def notification(
        self, connection: sa.Connection, each: Acted, row: AlarmRow, logs: LogStep
    ) -> Notification:
        """Write that of a change of an alarm, which is as its row says."""
        alarm, plain = self._alarms[each.alarm], [name for name in each.change.actions if name != TELL]
        change, whose = each.change._replace(lines=shortened(each.change.lines)), each.contributor
        points: Iterable[dict[str, object]] = logs.picture(each.alarm, whose, each.change.time)
        if isinstance(alarm, Alarm):
            points = self._picture(connection, alarm, each.change.time)
        body = message(alarm, change, row.arn, row.updated)
        return Notification(
            id=notification_id(row.arn, each),
            kind="alarm",
            dedup_key=incident_of(row.arn, whose),
            time=spelled(each.time),
            alarm=body if whose is None else body | of_contributor(whose, contributor_id(whose)),
            datapoints=tuple(points),
            threshold=None if isinstance(alarm, CompositeAlarm) else alarm.threshold,
            reason="alarm-action" if plain else "alarm-changed",
        )

    def _picture(self, connection: sa.Connection, alarm: Alarm, time: int) -> Iterable[dict[str, object]]:
        """Give the values that an alarm has seen up to a time, to be drawn."""
        reach = self._definitions.reaches[alarm.name]
        start = time - max(2 * reach.seconds if alarm.threshold is not None else 0, _PICTURE)
        window = Window(start, time, _POINTS)
        drawn = picture(connection, alarm, reach, window, self._definitions.detectors)
        pairs = zip(drawn.times.tolist(), drawn.values.tolist(), strict=True)
        return [{"timestamp": spelled(when), "value": value} for when, value in pairs if value == value]  # noqa: PLR0124 - NaN
