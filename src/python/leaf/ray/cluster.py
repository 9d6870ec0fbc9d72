"""A cluster to work on: one that runs already, or one on this machine that ends with the job."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import ray
import ray.data

from leaf.contract.cluster import LabelJob, ScoreJob
from leaf.errors import TrainerError
from leaf.ray.images import reason_of
from leaf.signals import CANCELLED

# Above Ray's own start, which may take half a minute on a busy machine.
_SHUTDOWN_S = 10.0
_CONNECT_S = 60.0
_KNOCK_S = 10.0


@dataclass(frozen=True)
class Cluster:
    workers: int
    nodes: int


def ray_version() -> str:
    return str(ray.__version__)


@contextmanager
def cluster(job: ScoreJob | LabelJob, listens: bool = True) -> Iterator[Cluster]:
    """Connects or starts, and leaves nothing behind: a local cluster ends, and of another only this job.

    `listens`: to standard input, whose end is that of the job; who reads it itself ends by itself.
    """
    quiet()
    # Names of sockets may not be long, and a folder of the user's own often is.
    place = "/tmp" if os.name == "posix" else None
    local = Path(tempfile.mkdtemp(prefix="leaf-ray-", dir=place)) if job.address is None else None
    watching = _Stop(local, listens)
    try:
        if local is None:
            _connect(job)
        else:
            _start(job, local)
        watching.begin()
        nodes = [node for node in ray.nodes() if node["Alive"]]
        room = int(ray.cluster_resources().get("CPU", 0)) // job.cpus
        if isinstance(job, LabelJob) and job.gpus > 0:
            room = min(room, int(ray.cluster_resources().get("GPU", 0) / job.gpus))
        if room < 1:
            raise TrainerError(
                "environment",
                "No worker fits into the cluster.",
                "Ask for fewer processors or GPUs a worker (--worker-cpus, --worker-gpus).",
            )
        yield Cluster(workers=min(job.workers or room, room), nodes=len(nodes))
    finally:
        watching.end()


def _start(job: ScoreJob | LabelJob, folder: Path) -> None:
    # What its workers keep on the disk goes with it, however they end.
    os.environ["TMPDIR"] = str(folder)
    cpus = job.workers * job.cpus if job.workers else max(os.cpu_count() or 1, job.cpus)
    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(folder),
    )


def _connect(job: ScoreJob | LabelJob) -> None:
    environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "RAY_USAGE_STATS_ENABLED": "0"}
    failed: list[Exception] = []

    def connect() -> None:
        try:
            _knock(str(job.address))
            ray.init(
                address=job.address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": environment},
            )
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            failed.append(error)

    # Ray itself waits for ever where no Ray answers.
    connecting = threading.Thread(target=connect, daemon=True)
    connecting.start()
    connecting.join(_CONNECT_S)
    if not connecting.is_alive() and not failed:
        return
    said = reason_of(failed[0]) if failed else f"no answer within {_CONNECT_S:.0f} s"
    remedy = "Check the address, and that the cluster has the same Python and Ray."
    if str(job.address).startswith("ray://"):
        remedy = "Run LEAF on a machine of the cluster, and name the address as HOST:PORT."
    raise TrainerError(
        "environment", f"LEAF cannot connect to the Ray cluster {job.address} ({said}).", remedy
    ) from (failed[0] if failed else None)


def _knock(address: str) -> None:
    """Raises OSError or ValueError at once where nobody listens, for which Ray would wait long."""
    if address == "auto":
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    if not parts.hostname or not parts.port:
        raise ValueError("it is no host with a port")
    socket.create_connection((parts.hostname, parts.port), timeout=_KNOCK_S).close()


def quiet() -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False


class _Stop:
    """Ends the job on Ray, however LEAF ends it: by a signal, or by its death (standard input closes)."""

    def __init__(self, local: Path | None, listens: bool) -> None:
        self._local = local
        self._once = threading.Lock()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._leave())
        if listens and os.environ.get("LEAF_PARENT_PIPE") == "1":
            threading.Thread(target=self._with_parent, name="parent", daemon=True).start()

    def begin(self) -> None:
        # Ray has put its own in place.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._leave())

    def _with_parent(self) -> None:
        while os.read(0, 65_536):
            pass
        self._leave()

    def _leave(self) -> None:
        threading.Thread(target=self._end_and_exit, daemon=True).start()

    def _end_and_exit(self) -> None:
        threading.Timer(_SHUTDOWN_S, os._exit, [CANCELLED]).start()
        self.end()
        os._exit(CANCELLED)

    def end(self) -> None:
        with self._once:
            try:
                ray.shutdown()
            except Exception as error:
                print(f"Ray did not end well: {error}", file=sys.stderr)
            if self._local:
                _end_session()
                shutil.rmtree(self._local, ignore_errors=True)


def _end_session() -> None:
    """Ray's processes end by themselves, some of them seconds later: all of this session are of this job."""
    if not hasattr(os, "getsid") or os.getsid(0) != os.getpid():
        return
    for _ in range(3):
        listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True).stdout.split()
        ours = [pid for pid in map(int, listed) if pid != os.getpid() and _session(pid) == os.getpid()]
        for pid in ours:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not ours:
            return
        time.sleep(0.1)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
