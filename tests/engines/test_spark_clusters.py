"""Real clusters on this machine: executors of their own, a master with two workers, and executors that are lost."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyspark
import pytest
from folding import scanned, write
from test_spark_fold import PLACES

pytestmark = [pytest.mark.slow, pytest.mark.spark]
HOME = Path(pyspark.__file__).parent
ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("ROLEWATCH_", "SPARK_", "PYSPARK_"))},
    "PYSPARK_PYTHON": sys.executable,
    "SPARK_HOME": str(HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_SUBMIT_ARGS": "--driver-memory 512m pyspark-shell",
}  # fmt: skip
SECONDS = 240  # after which a cluster that hangs is a failure


def scan(master, *sources):
    """Scan with the command; returns its report, but for times, and what it said."""
    command = [sys.executable, "-m", "rolewatch", "scan", *map(str, sources), "--format", "json", "--engine"]
    more = ["spark", "--master", master] if master else ["local"]
    done = subprocess.run([*command, *more], env=ENVIRON, capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode in (0, 3), done.stderr
    report = json.loads(done.stdout)
    del report["totals"]["seconds"], report["generated"]
    return report, done.stderr


@pytest.fixture(scope="module")
def standalone(tmp_path_factory):
    """Start a master and two workers of one core each, and end them; gives the master's address."""
    place = tmp_path_factory.mktemp("standalone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    master = ["master.Master", "--port", str(port)]
    worker = ["worker.Worker", "--cores", "1", "--memory", "1g", "--work-dir", str(place / "work"), address]
    log = place / "log"
    started = []
    try:
        with log.open("wb") as out:
            for name, *words in (master, worker, worker):
                command = [str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *words]
                own = ["--host", "127.0.0.1", "--webui-port", "0"]
                started.append(subprocess.Popen([*command[:2], *own, *command[2:]], env=ENVIRON, stdout=out, stderr=out))  # fmt: skip
        for _ in range(600):
            if log.read_text().count("Successfully registered with master") == 2:
                break
            time.sleep(0.1)
        yield address
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


@pytest.fixture
def sources(tmp_path):
    """Give real deliveries and made-up ones that prove something about each other."""
    return [*PLACES, write(tmp_path / "made-up")]


def test_executors_of_their_own(sources):
    """`local-cluster`: two executors that share nothing with this process."""
    assert scan("local-cluster[2,1,1024]", *sources) == scan(None, *sources)


def test_a_master_and_two_workers(standalone, sources):
    """A cluster as one is run: a master, and workers that start executors."""
    assert scan(standalone, *sources) == scan(None, *sources)


def test_submitted(tmp_path, sources):
    """A program that was submitted uses the Spark it was submitted to."""
    script = tmp_path / "job.py"
    script.write_text("import sys\nfrom rolewatch.cli import main\nsys.exit(main())\n")
    words = [
        "scan",
        *map(str, sources),
        "--format",
        "json",
        "--engine",
        "spark",
        "--output",
        str(tmp_path / "out"),
    ]
    submit = [str(HOME / "bin" / "spark-submit"), "--master", "local-cluster[2,1,1024]"]
    environ = {name: value for name, value in ENVIRON.items() if name != "PYSPARK_SUBMIT_ARGS"}
    done = subprocess.run([*submit, str(script), *words], env=environ, capture_output=True, timeout=SECONDS, check=False)  # fmt: skip
    assert done.returncode == 3, done.stdout
    report = json.loads((tmp_path / "out").read_text())
    del report["totals"]["seconds"], report["generated"]
    assert report == scan(None, *sources)[0]


def test_lost_executors(tmp_path):
    """One is killed while it steps and all before they are asked: nothing is lost, nothing counts twice."""
    folder = write(tmp_path / "logs")
    script = Path(__file__).with_name("folding.py")
    command = [sys.executable, str(script), str(folder), str(tmp_path / "killed")]
    done = subprocess.run(command, env=ENVIRON, capture_output=True, timeout=SECONDS, check=True, text=True)
    assert done.stdout == scanned(folder)
