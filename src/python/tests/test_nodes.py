"""Training over nodes: two torchrun agents on loopback, as the engine and `leaf join` start them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from contracts import checked
from world import environment, of_type, synthetic, train_here, write_job

from leaf.launched import is_main


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Nodes:
    """Starts nodes of one job; ends what is left of them."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.file = write_job(job)
        self.port = free_port()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, main: bool) -> "subprocess.Popen[str]":
        conf = f"is_host={int(main)},keep_alive_interval=1,keep_alive_max_attempt=2"
        arguments = [
            "--nnodes",
            "2",
            "--max-restarts",
            "3",
            "--nproc-per-node",
            "1",
            "--rdzv-backend",
            "c10d",
        ]
        arguments += ["--rdzv-endpoint", f"127.0.0.1:{self.port}", "--rdzv-id", "test", "--rdzv-conf", conf]
        node = subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *arguments, "-m", "leaf", str(self.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.file.parent / f"node-{len(self.started)}.log").open("w"),
            text=True,
            env={
                **environment(),
                "LEAF_NODE": "main" if main else "joined",
                "LEAF_PARENT_PIPE": "1",
                "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            },
            start_new_session=True,
        )
        self.started.append(node)
        return node


@pytest.fixture
def nodes_of() -> Iterator[Any]:
    all_nodes: list[Nodes] = []

    def make(job: dict[str, Any]) -> Nodes:
        all_nodes.append(Nodes(job))
        return all_nodes[-1]

    yield make
    for node in (node for nodes in all_nodes for node in nodes.started):
        kill(node)


def kill(node: "subprocess.Popen[str]") -> None:
    """As a machine that loses its power: the agent, and by the end of its input the worker, too."""
    with suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    node.wait()
    for pipe in (node.stdin, node.stdout):
        assert pipe is not None
        pipe.close()


@pytest.mark.parametrize(
    ("environ", "main"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "1", "LOCAL_RANK": "1"}, False),
        # Over nodes, whatever rank it has.
        ({"LEAF_NODE": "main", "RANK": "5", "LOCAL_RANK": "0"}, True),
        ({"LEAF_NODE": "main", "RANK": "6", "LOCAL_RANK": "1"}, False),
        ({"LEAF_NODE": "joined", "RANK": "0", "LOCAL_RANK": "0"}, False),
    ],
)
def test_one_process_is_the_main_one(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], main: bool
) -> None:
    for name in ("LEAF_NODE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert is_main() is main


def test_two_nodes_have_the_losses_of_one_process_and_a_lost_one_comes_back(
    tmp_path: Path, nodes_of: Any
) -> None:
    job, _ = synthetic(tmp_path, n=40, val=16)
    # More than one can do while the other is being killed.
    job.update(epochs=12, batch=11)
    code, alone = train_here({**job, "out": str(tmp_path / "alone")})
    assert code == 0, alone[-1]
    nodes = nodes_of({**job, "out": str(tmp_path / "nodes")})
    # The one that stays starts first and has rank 0 in both rounds: it must tell the newcomer again.
    main, joined = nodes.start(main=True), nodes.start(main=False)
    told: list[dict[str, Any]] = []
    assert main.stdout is not None and joined.stdout is not None
    for line in main.stdout:
        told.append(checked(line))
        if told[-1]["type"] == "checkpoint" and len(nodes.started) == 2:
            kill(joined)
            joined = nodes.start(main=False)
    assert joined.stdout is not None
    assert main.wait(timeout=60) == 0, told[-1]
    assert joined.wait(timeout=60) == 0 and joined.stdout.read() == ""
    assert told[-1]["type"] == "done" and [one["worldSize"] for one in of_type(told, "hello")] == [2, 2]
    # Each epoch came once, the later ones after the checkpoint.
    lines = (tmp_path / "nodes" / "metrics.jsonl").read_text().splitlines()
    written = [checked(line, name="Metrics") for line in lines]
    assert [one["epoch"] for one in written] == list(range(1, 13))
    for a, b in zip(of_type(alone, "metrics"), written, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-4)
        assert b["val"]["rmse"] == pytest.approx(a["val"]["rmse"], abs=1e-3)
