"""Several series of one metric in (one for each unit), one series of all their datapoints out."""

from collections.abc import Iterable

from rolewatch.metrics.series import Series, merged, series_of


def combined(parts: Iterable[Series]) -> Series:
    """Put series together as if all their values had been published without a unit; what falls on one time is added up."""
    series = [part for part in parts if len(part.times)]
    if len(series) == 1:
        return series[0]
    return series_of(merged(_datapoints(part) for part in series))


def _datapoints(series: Series) -> dict[int, dict[float, int]]:
    values, weights, offsets = series.values.tolist(), series.weights.tolist(), series.offsets.tolist()
    return {
        time: dict(zip(values[low:high], weights[low:high], strict=True))
        for time, low, high in zip(series.times.tolist(), offsets, offsets[1:], strict=False)
    }
