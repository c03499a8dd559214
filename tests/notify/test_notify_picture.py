"""The picture of an alarm's metric: what is drawn, and that a message never fails for it."""

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, about, alarm, finding

from rolewatch.notify import picture as drawing
from rolewatch.notify.notification import Notification
from rolewatch.notify.picture import picture
from rolewatch.report.query_chart_picture import specification

PNG = b"\x89PNG\r\n\x1a\n"


def chart(*datapoints, threshold=None, **facts):
    """Return the chart that is drawn of datapoints."""
    notification = Notification(
        id="n", kind="alarm", dedup_key="k", time="", datapoints=datapoints, threshold=threshold, **facts
    )
    return drawing._chart(notification, drawing._points(datapoints))


def test_png():
    """An alarm with datapoints is drawn as PNG."""
    assert picture(alarm()).startswith(PNG)


def test_no_picture():
    """Without datapoints, or of findings, there is none."""
    assert picture(alarm(points=0)) is None
    assert picture(about(finding())) is None
    assert picture(alarm(points=0).__class__(**{**_fields(alarm()), "datapoints": ({"value": 1},)})) is None


def _fields(notification):
    return {name: getattr(notification, name) for name in notification.__struct_fields__}


def test_gaps_and_threshold():
    """Values lie in columns of the shortest distance; a missing one is a gap; the threshold goes all the way."""
    made = chart(
        {"timestamp": "2026-03-01T10:00:00Z", "value": 1},
        {"timestamp": "2026-03-01T10:01:00Z", "value": 2.5},
        {"timestamp": "2026-03-01T10:03:00Z", "value": 0},
        threshold=2.0,
    )
    (panel,) = made.panels
    assert [(series.label, series.values) for series in panel.series] == [
        ("value", (1.0, 2.5, None, 0.0)),
        ("threshold", (2.0,) * 4),
    ]
    assert [after - before for before, after in zip(made.times, made.times[1:], strict=False)] == [60_000] * 4


@pytest.mark.parametrize("time", ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00", "2026-03-01T11:00:00+01:00", 1772359200, 1772359200.0])  # fmt: skip
def test_times(time):
    """ISO times and seconds since 1970 are the same moment."""
    assert chart({"timestamp": time, "value": 1}).times[0] == 1_772_359_200_000


def test_a_year_of_minutes_is_cut():
    """Of many datapoints the latest are drawn."""
    made = chart(*({"timestamp": 60 * at, "value": at} for at in range(100_000)))
    assert (len(made.times), made.panels[0].series[0].values[-1]) == (1441, 99_999.0)


def test_what_is_drawn_of_names_is_text():
    """An alarm's name is shown as it is, not as what a terminal or Vega would obey."""
    made = chart(
        {"timestamp": 0, "value": 1}, alarm={"AlarmName": HOSTILE, "Trigger": {"MetricName": HOSTILE}}
    )
    assert "\x1b" not in str(specification(made))
    assert picture(alarm(said={"AlarmName": HOSTILE, "Trigger": {"MetricName": HOSTILE}})).startswith(PNG)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "timestamp": st.one_of(st.integers(-(10**12), 10**12), st.text(max_size=20), st.none(), st.floats()),
                "value": st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=3), st.booleans()),
            },
        ),
        max_size=8,
    )
)  # fmt: skip
def test_whatever_the_datapoints_are(points):
    """Any datapoints make a chart of a bounded size, or none."""
    found = drawing._points(points)
    if found:
        made = chart(*points)
        assert 2 <= len(made.times) <= 1441


def test_without_vl_convert(monkeypatch):
    """Without the extra `web` there is no picture, and no error."""
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "vl_convert":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert picture(alarm()) is None


def test_a_drawing_that_fails(monkeypatch):
    """A message goes out without its picture rather than not at all."""

    def fail(_):
        raise ValueError("Vega-Lite to PNG conversion failed")

    monkeypatch.setattr("rolewatch.report.query_chart_picture.png", fail)
    assert picture(alarm()) is None
