"""The parts of a watcher, put together as options and settings say."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from rolewatch import __version__
from rolewatch.base.errors import CannotDo, RolewatchError
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.enriching import shown
from rolewatch.cli.lakes import EXTRA, lake_of
from rolewatch.cli.replay import INVALID
from rolewatch.cli.shared import requested
from rolewatch.cli.watch_beside import Beside
from rolewatch.cli.watch_sources import followed
from rolewatch.cli.watch_targets import Targets, now, targets_of
from rolewatch.notify.notification import Notification
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Window
from rolewatch.sources.live import LiveSource, Told
from rolewatch.store import deliveries, findings
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State, Unavailable
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import SHORT_SECONDS, WAIT_SECONDS, Feed
from rolewatch.watch.health import Pulse
from rolewatch.watch.housekeeping import Retention
from rolewatch.watch.kept import Spans
from rolewatch.watch.lateness import Lateness, word_of
from rolewatch.watch.log import Log
from rolewatch.watch.log_lines import LogLines
from rolewatch.watch.manner import MANNER, Manner
from rolewatch.watch.memory import StateMemory
from rolewatch.watch.observer import AT_MOST, Observer, Observers
from rolewatch.watch.selfcheck import Limits
from rolewatch.watch.selfcheck_keeper import Clocks, Selfcheck
from rolewatch.watch.sender import Sender
from rolewatch.watch.telling import Teller
from rolewatch.watch.watcher import Watcher

if TYPE_CHECKING:
    from rolewatch.cli.watch_alarms import Templates
    from rolewatch.watch.alarm_groups import Groups
    from rolewatch.watch.explaining import Explainer
    from rolewatch.watch.lakeward import Lakeward

NO_GROUPS: "Final[Groups]" = {}
PATIENCE: Final = (
    7200.0  # seconds that reading a backlog may take before it counts as late, if nothing else is said
)


class Watching:
    """A watcher and what goes on beside it, over a state that is held; `sources` in place of those that are typed."""

    def __init__(
        self, called: Called, state: State, log: Log, sources: Sequence[LiveSource] | None = None
    ) -> None:
        values = called.values
        self._called, self._state, self._log = called, state, log
        self._once: bool = values["once"]
        self._targets = targets_of(called)
        prepare(state)
        self._pulse, self._lines = Pulse(), LogLines(log)
        self._observers = Observers([self._pulse, self._lines, _Between(self._between)])
        self._beside = Beside(values, called.environ, self._pulse)
        self._beside.show(called)
        self._stopped = self._again = False
        request = requested(
            values,
            Window(),
            principals=frozenset(("slr", *values["principals"])),
            authentication=values["authentication"],
        )
        typed, stop, groups = sources is None, threading.Event(), NO_GROUPS
        if sources is None:
            sources, groups = followed(values, StateMemory(state, self._tell, stop), self._tell)
        spans = Spans(values["silent-after"], values["settle"])
        self._lake = _lakeward(called, state, request, self._tell) if values["lake"] else None
        self._teller = Teller(self._targets.routing.routes.targets_of, self._targets.addresses)
        self._templates = (
            _templates(called, self._targets, self._tell, groups) if values["template"] else None
        )
        alarms = self._templates.alarms if self._templates else None
        rules = Rules(
            spans, self._teller, now,
            lake=self._lake is not None, alarms=alarms, explainer=_explainer(values["policies"], self._tell),
            blame=values["blame"],
        )  # fmt: skip
        self._sender = self._sending(self._targets)
        feed = Feed(sources, self._tell, SHORT_SECONDS if self._once else WAIT_SECONDS, stop, now)
        limits = Limits(values["quiet-alarm"], values["late-alarm"])
        lateness = Lateness(sources, time.monotonic, limits.late.total_seconds() if limits.late else PATIENCE)
        self._selfcheck = None
        if typed:  # what is handed over comes when it comes
            self._selfcheck = Selfcheck(
                state, feed, self._teller, lateness, limits,
                clocks=Clocks(now), told=self._tell, announced=self._announced,
            )  # fmt: skip
            self._observers.all.append(self._selfcheck)
            self._beside.check(self._selfcheck, once=self._once)
        self._beside.measure(state, feed, self._observers, self._tell)
        self._words = [word_of(source) for source in sources]
        self._manner = Manner.of(request, spans, lake=self._lake is not None, blame=values["blame"])
        self._watcher = Watcher(
            state, feed, request, rules,
            told=self._tell, committed=self._wake, observer=self._observers, lateness=lateness,
            retention=Retention(
                sent=values["keep-sent"], ended=values["keep-ended"], changes=values["keep-changes"]
            ),
        )  # fmt: skip

    @property
    def status(self) -> int:
        """The exit status of a run with `--once`: 3 if something could not be read, 2 if a template is invalid in part."""
        if self._once and self._templates and self._templates.invalid:
            return INVALID
        return UNREAD if self._once and self._lines.sums["failed"] else 0

    def stop(self) -> None:
        """Finish what was begun, and end. For a signal's handler."""
        self._stopped = True
        self._watcher.stop()

    def read_again(self) -> None:
        """Read the settings about telling again, between two batches. For a signal's handler."""
        self._again = True

    def run(self) -> None:
        """Watch, and send what there is to tell, until it is stopped or all is done."""
        began = time.monotonic()
        self._state.write(
            lambda connection: deliveries.keep_notes(connection, {MANNER: self._manner.encode()})
        )
        self._log.info(
            "watching",
            version=__version__,
            sources=self._words,
            state=self._state.name,
            targets=self._targets.names,
            settings=self._targets.routing.path,
            metrics=self._beside.address,
            dashboard=self._beside.dashboard.address if self._beside.dashboard else None,
        )
        with self._beside:
            self._sender.start()
            try:
                self._work()
            finally:
                if self._once and not self._stopped:
                    self._sender.drain()
                else:
                    self._sender.stop()
        self._log.info(
            "stopped" if self._stopped else "done",
            seconds=time.monotonic() - began,
            **self._lines.totals(),
            **self._standing(),
        )

    def _work(self) -> None:
        if self._lake and not self._once:
            self._lake.start()
        try:
            self._watcher.run(once=self._once)
            if self._once and not self._stopped:
                if self._lake:
                    self._lake.take()
                if self._selfcheck:
                    self._selfcheck.look(last=True)
        except Unavailable as error:
            if not self._stopped:
                raise
            self._tell("state", f"{error}; what was not committed is given back")
        finally:
            if self._lake:
                self._lake.stop()

    def _standing(self) -> dict[str, int]:
        """Count the findings by status; nothing if the state does not answer at the end."""
        try:
            numbers = self._state.read(findings.numbers)
        except Unavailable:
            return {}
        found = dict.fromkeys(("blocked", "silent", "recovered", "gone"), 0)
        for (status, _), number in numbers.items():
            found[status] = found.get(status, 0) + number
        return found

    def _between(self) -> None:
        if self._again:
            self._again = False
            self._beside.supervisor.reloading()
            self._turn_to_settings()
            self._beside.supervisor.ready()

    def _turn_to_settings(self) -> None:
        """Tell others, at other times, as the settings say now; those that make no sense change nothing."""
        try:
            targets = targets_of(self._called)
        except RolewatchError as error:
            self._log.error("settings not read, the old ones stay", reason=str(error))
            return
        self._teller.turn_to(targets.routing.routes.targets_of, targets.addresses)
        if self._templates:
            self._templates.turn_to(targets)
        before, self._targets = self._sender, targets
        before.leave()
        self._sender = self._sending(targets)
        self._sender.start()
        self._log.info("settings read", targets=targets.names, settings=targets.routing.path)

    def _sending(self, targets: Targets) -> Sender:
        return Sender(
            self._state, targets.by_digest, targets.manners, told=self._tell, clock=now, observer=self._observers
        )  # fmt: skip

    def _wake(self) -> None:
        self._sender.wake()

    def _tell(self, name: str, reason: str) -> None:
        self._log.told(name, reason)
        self._pulse.told(name, reason)

    def _announced(self, notification: Notification) -> None:
        self._lines.announced(notification)
        self._wake()


def _explainer(folder: str | None, told: Told) -> "Explainer | None":
    """Make what explains findings by collected policies, if there are any."""
    if not folder:
        return None
    from rolewatch.watch.explaining import Explainer  # noqa: PLC0415 - only where asked for

    return Explainer(folder, shown, told)


class _Between(Observer):
    """Does something in each turn."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do

    def turn(self, seconds: float = AT_MOST) -> None:
        del seconds
        self._do()


def _templates(called: Called, targets: Targets, tell: Told, groups: "Groups") -> "Templates":
    """Read the templates whose alarms are evaluated."""
    from rolewatch.cli.watch_alarms import Templates  # noqa: PLC0415 - only where there are any

    return Templates(called, targets, tell, groups)


def _lakeward(called: Called, state: State, request: ScanRequest, tell: Told) -> "Lakeward":
    """Prepare to take deliveries into a lake; CannotDo without what writes it."""
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - it is an extra
    except ImportError:
        raise CannotDo("a lake is written by pyarrow, which is not installed", remedy=EXTRA) from None
    from rolewatch.watch.lakeward import Lakeward  # noqa: PLC0415 - only where a lake is wanted

    # In this process: one forked beside threads may wait for ever for what they held.
    alone = msgspec.structs.replace(request, jobs=1)
    return Lakeward(state, lambda: lake_of(called), alone, tell)
