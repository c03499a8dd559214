"""What goes on beside a watcher as a service: metrics and probes, the watch over itself, and what systemd wants to hear."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rolewatch.cli.commands import Called
from rolewatch.cli.states import place_of
from rolewatch.cli.watch_systemd import Supervisor
from rolewatch.cli.watch_targets import now
from rolewatch.sources.live import Told
from rolewatch.store.state import State
from rolewatch.watch.feed import Feed
from rolewatch.watch.health import Pulse
from rolewatch.watch.observer import Observers
from rolewatch.watch.selfcheck_keeper import Selfcheck
from rolewatch.watch.telemetry_census import Counting
from rolewatch.watch.telemetry_http import Served, metrics, probe

if TYPE_CHECKING:
    from rolewatch.cli.serving import Serving


class Beside:
    """Runs it while it is entered. `address` is where metrics are served, None if nowhere; `dashboard` is that, if any."""

    def __init__(self, values: Mapping[str, Any], environ: Mapping[str, str], pulse: Pulse) -> None:
        self._pulse = pulse
        self.supervisor = Supervisor(environ, lambda: pulse.alive)
        self._served = Served(*values["metrics"]) if values["metrics"] else None
        self.dashboard: Serving | None = None
        self._begin: list[Callable[[], None]] = []
        self._end: list[Callable[[], None]] = []

    @property
    def address(self) -> str | None:
        """Give the HOST:PORT of metrics and probes."""
        return self._served.address if self._served else None

    def measure(self, state: State, feed: Feed, observers: Observers, told: Told) -> None:
        """Serve metrics and probes, if they are asked for."""
        served, pulse = self._served, self._pulse
        if served is None:
            return
        from rolewatch.watch.telemetry import Telemetry  # noqa: PLC0415 - prometheus_client, where it is asked for

        counting = Counting(state, pulse, told)
        telemetry = Telemetry(feed, pulse, lambda: counting.latest, now)
        observers.all.append(telemetry)
        pages = {
            "/metrics": metrics(telemetry.registry),
            "/healthz": probe(pulse.healthy),
            "/readyz": probe(lambda: pulse.ready(feed)),
        }
        self._begin += [counting.start, lambda: served.start(pages)]
        self._end += [served.stop, counting.stop]

    def show(self, called: Called) -> None:
        """Serve the dashboard, if it is asked for, with connections of its own to the state."""
        if not called.values["serve"]:
            return
        from rolewatch.cli.serving import Serving  # noqa: PLC0415 - only where it is asked for

        state = State(place_of(called))
        self.dashboard = Serving(called, state, called.values["serve"])
        self._begin.append(self.dashboard.start)
        self._end += [state.close, self.dashboard.stop]

    def check(self, selfcheck: Selfcheck, *, once: bool) -> None:
        """Watch over the watcher; one that ends by itself is looked at then."""
        self._begin.append(selfcheck.begin)
        if not once:
            self._begin.append(selfcheck.start)
            self._end.append(selfcheck.stop)

    def __enter__(self) -> None:
        for begin in self._begin:
            begin()
        self.supervisor.start()

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        with ExitStack() as ends:  # each of them, whatever becomes of the others
            for end in self._end:
                ends.callback(end)
