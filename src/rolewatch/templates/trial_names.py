"""A template in; what a test of it names that is not there, out."""

from collections.abc import Iterator

from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm, Metric, Template
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.structure import nearest
from rolewatch.templates.trials import Trial


class Known:
    """The names that a test of a template may use: of alarms (logical ids, too) and of the metrics that these look at."""

    def __init__(self, template: Template) -> None:
        every: list[Alarm | CompositeAlarm | LogAlarm] = [
            *template.alarms,
            *template.log_alarms,
            *template.composites,
        ]
        names = [*every, *template.left_out]
        self._alarms = dict.fromkeys([*(each.name for each in names), *(each.logical_id for each in names)])
        self._metrics = dict.fromkeys(
            _shown(metric) for alarm in template.alarms for metric in _watched(alarm)
        )
        told = (each.transformation for each in template.filters)
        self._published = {(each.namespace, each.name) for each in told}
        # What was left out with an error may have looked at any metric.
        self._whole = not any(notice.level == "error" for notice in template.notices)

    def wrong(self, trial: Trial) -> Iterator[TemplateError]:
        """Yield an error for each alarm that there is not, and for each metric that no alarm looks at: a test of it shows nothing."""
        for alarm, place in [
            *((expected.alarm, expected.place) for expected in trial.expect),
            *trial.initial_state,
        ]:
            if alarm not in self._alarms:
                yield TemplateError(
                    f"there is no alarm {alarm!r}", place, remedy=nearest(alarm, self._alarms)
                )
        for metric, _, _, place in trial.metrics if self._whole else ():
            shown = _shown(metric)
            if shown not in self._metrics and (metric.namespace, metric.name) not in self._published:
                text = f"no alarm looks at the metric {shown}"
                yield TemplateError(text, place, remedy=nearest(shown, self._metrics))


def _watched(alarm: Alarm) -> Iterator[Metric]:
    for stat in (alarm.stat, *(query.stat for query in alarm.queries)):
        if stat is not None:
            yield stat.metric


def _shown(metric: Metric) -> str:
    """Write a metric as in `Local/Denied {role: a}`."""
    dimensions = ", ".join(f"{name}: {value}" for name, value in metric.dimensions)
    return f"{metric.namespace}/{metric.name}{f' {{{dimensions}}}' if dimensions else ''}"
