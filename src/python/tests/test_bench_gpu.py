"""The script for a GPU, with tiny sizes on this CPU: on a GPU only sizes change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Two ranks take three processes, each of which loads PyTorch: test_process.py has them.
PARTS = (
    "internvl",
    "qwen3_vl",
    "precisions",
    "training",
    "compiling",
    "rates",
    "out_of_memory",
    "onnx_runtime",
)
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="run.sh wants a POSIX shell")
def test_it_measures_everything_and_what_must_not_change_does_not(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    run = subprocess.run(
        ["sh", str(ROOT / "bench/gpu/run.sh"), "--size", "tiny", "--out", str(out), "--only", *PARTS],
        env={**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(out.read_text())
    assert json.loads(run.stdout) == told
    for family in ("internvl", "qwen3_vl"):
        assert told[family]["features"] == "reused"
        assert told[family]["prefill_tokens"] > 0 and told[family]["pairs_per_s"] > 0
    assert told["precisions"]["largest_difference"] < 0.05
    assert told["training"]["images_per_s"] > 0
    assert told["compiling"]["compiles"] is True and told["compiling"]["compiled_s"] > 0
    assert set(told["rates"]) == {"1e-05", "0.0001", "0.001", "seconds"}
    short = told["out_of_memory"]
    assert short["part"] < short["batch"]
    assert short["loss_difference"] < 1e-4 and short["gradient_difference"] < 1e-3
    assert told["onnx_runtime"]["CPUExecutionProvider"]["images_per_s"] > 0
    assert told["onnx_runtime"]["largest_difference"] < 1e-3
