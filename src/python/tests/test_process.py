"""The trainer as a child process: its channel, signals, resumption and torchrun."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from contracts import checked
from world import environment, of_type, start, synthetic, train, train_here


def small(folder: Path, out: str, epochs: int) -> dict[str, Any]:
    made = folder / "cache"
    job, _ = (
        synthetic(folder, n=64, val=16)
        if not made.exists()
        else (json.loads((folder / "job").read_text()), 0)
    )
    (folder / "job").write_text(json.dumps(job))
    job.update(out=str(folder / out), epochs=epochs, ema=0.9)
    return job


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process")


def results(messages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(m["epoch"], m["step"], m["loss"], m["parts"], m["lr"], m["val"]) for m in messages]


def await_checkpoint(process: "subprocess.Popen[str]", epoch: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        message = checked(line)
        if message["type"] == "checkpoint" and message["epoch"] >= epoch:
            return
    raise AssertionError("no checkpoint came")


def test_resuming_after_kill_gives_the_same_result(folder: Path) -> None:
    code, whole = train_here(small(folder, "whole", 5))
    assert code == 0, whole[-1]
    job = small(folder, "killed", 5)
    process = start(job)
    await_checkpoint(process, 2)
    process.kill()
    process.wait()
    (Path(job["out"]) / "checkpoints/last.pt.tmp-1").write_bytes(b"half")
    with (Path(job["out"]) / "metrics.jsonl").open("a") as file:
        file.write('{"half')
    code, rest = train_here(job)
    assert code == 0, rest[-1]
    first = of_type(rest, "metrics")[0]["epoch"]
    assert first >= 3
    assert results(of_type(rest, "metrics")) == results(of_type(whole, "metrics"))[first - 1 :]
    assert rest[-1]["val"] == whole[-1]["val"] and rest[-1]["bestEpoch"] == whole[-1]["bestEpoch"]
    lines = (Path(job["out"]) / "metrics.jsonl").read_text().splitlines()
    written = [checked(line, name="Metrics") for line in lines]
    assert results(written) == results(of_type(whole, "metrics"))
    assert not list(Path(job["out"]).rglob("*.tmp-*"))
    # Of another job, the checkpoint is not resumed.
    job["seed"] = 1
    job = {**job, "epochs": 1}
    code, other = train_here(job)
    assert code == 0 and of_type(other, "metrics")[0]["epoch"] == 1
    # The same labels in another place are the same job; other labels are not.
    job["labels"] = str(shutil.copy(job["labels"], folder / "moved.sqlite"))
    code, other = train_here(job)
    assert code == 0 and not of_type(other, "metrics")
    with closing(sqlite3.connect(job["labels"], isolation_level=None)) as db:
        db.execute("UPDATE pairs SET weight = weight / 2 WHERE a_id = (SELECT min(a_id) FROM pairs)")
    code, other = train_here(job)
    assert code == 0 and of_type(other, "metrics")[0]["epoch"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds(folder: Path, number: signal.Signals) -> None:
    job = small(folder, f"signal-{int(number)}", 10_000)
    process = start(job)
    await_checkpoint(process, 1)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert time.monotonic() - began < 2
    from leaf import checkpoint

    assert int(str(checkpoint.load(Path(job["out"]) / "checkpoints/last.pt")["epoch"])) >= 1


def test_torchrun_has_the_losses_of_one_process(folder: Path) -> None:
    code, one = train_here({**small(folder, "one", 2), "batch": 11})
    assert code == 0, one[-1]
    # Of a batch of 9 images one rank has 5, in two parts, the other 4, in one.
    code, two, err = train({**small(folder, "two", 2), "batch": 11, "microBatch": 4}, processes=2)
    assert code == 0, err
    assert two[0]["worldSize"] == 2 and len(of_type(two, "hello")) == 1
    for a, b in zip(of_type(one, "metrics"), of_type(two, "metrics"), strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-4)
        assert b["parts"] == pytest.approx(a["parts"], abs=1e-4)
        assert b["val"]["rmse"] == pytest.approx(a["val"]["rmse"], abs=1e-3)


def test_stray_output_does_not_reach_the_channel(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(
        "import os, runpy, sys\n"
        "import leaf.entry as entry\n"
        "real = entry.read_job\n"
        "def read_job(path):\n"
        "    print('stray'); sys.stdout.flush(); os.write(1, b'raw\\n'); os.system('echo child')\n"
        "    return real(path)\n"
        "entry.read_job = read_job\n"
        "sys.argv = ['leaf', 'none.json']\n"
        "runpy.run_module('leaf', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "noisy.py")],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert json.loads(line) == {
        "v": 1,
        "type": "error",
        "code": "input",
        "message": "none.json: cannot be read (FileNotFoundError).",
        "remedy": None,
    }
    assert all(word in done.stderr for word in ("stray", "raw", "child"))


def test_env_describes_this_python() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leaf", "--env"], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert done.returncode == 0
    found = json.loads(done.stdout)
    keys = {"python", "torch", "transformers", "cuda", "device", "deviceName", "mps", "unseen"}
    assert set(found) == keys
    assert found["torch"].startswith("2.")


@pytest.mark.parametrize("name", ["torch", "msgspec"])
def test_env_names_what_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("raise ImportError('broken')")
    env = environment()
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), env["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "leaf", "--env"], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 3
    assert name in json.loads(done.stdout)["missing"]
