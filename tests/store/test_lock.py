"""One watcher for each state folder, whatever becomes of the one before."""

import subprocess
import sys

import pytest

from rolewatch.base.errors import CannotDo
from rolewatch.store.lock import Lock

HOLD = "import sys, time; from pathlib import Path; from rolewatch.store.lock import Lock; Lock(Path(sys.argv[1]), 'T0'); print('held', flush=True); time.sleep(60)"


def test_a_second_watcher_is_refused_and_told_who_is_first(tmp_path):
    """The error names the process that watches already; a watcher that was killed blocks nobody."""
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(CannotDo, match=f"process {first.pid} on .* since T0"):
            Lock(tmp_path, "T1")
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    Lock(tmp_path, "T2").release()
    Lock(tmp_path, "T3").release()
