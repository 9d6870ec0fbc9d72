"""All that wants a GPU to be known, in one run: prints one JSON document, and writes it where `--out` says.

usage: python bench/gpu/bench.py [--size tiny|full] [--out FILE] [--only NAME …]

`tiny` is the same on a CPU, in seconds. `full` has the published shapes with random weights and wants a card
of 40 GB or more; it takes some minutes. Nothing is downloaded. Where a part failed the others are told, and
the exit code is 1.
"""

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent / "src" / "python"
sys.path[:0] = [str(HERE), str(SOURCE), str(SOURCE / "tests")]

if importlib.util.find_spec("jsonschema") is None:
    # The tests check each line of the trainer by it; a machine without it is told apart here alone.
    sys.modules["contracts"] = types.ModuleType("contracts")
    sys.modules["contracts"].checked = json.loads  # type: ignore[attr-defined]

import leaf  # noqa: E402, F401  # before a library can report home
import teachers  # noqa: E402
import torch  # noqa: E402
import trainers  # noqa: E402
import transformers  # noqa: E402
from leaf.environment import device_name  # noqa: E402
from leaf.precision import device_facts  # noqa: E402
from leaf.teacher.load import dtype_for  # noqa: E402

# Dense bf16 (fp16 on Turing) operations a second, by the card's name; unknown ones count as 100.
PEAKS = {
    "H200": 989e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40": 181e12,
    "4090": 165e12,
    "3090": 71e12,
    "L4": 121e12,
}
PEAKS |= {"T4": 65e12, "V100": 125e12}


def peak_of(name: str) -> float:
    return next((peak for key, peak in PEAKS.items() if key in name), 100e12)


def parts(large: bool, device: torch.device, folder: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    dtype = dtype_for("auto", device_facts(str(device)))
    peak = peak_of(device_name(str(device)))
    images, tiles, batch = (24, 6, 64) if large else (4, 2, 12)

    def labelling(family: str) -> Callable[[], dict[str, Any]]:
        return lambda: teachers.labelling(family, large, device, dtype, images, tiles, peak)

    return {
        "internvl": labelling("internvl"),
        "qwen3_vl": labelling("qwen3_vl"),
        "precisions": lambda: teachers.precisions(device),
        "training": lambda: trainers.throughput(
            large, device, batch, 30 if large else 3, folder / "training"
        ),
        "compiling": lambda: trainers.compiling(large, device, batch),
        "rates": lambda: trainers.rates(device, 8 if large else 1, folder / "rates"),
        "out_of_memory": lambda: trainers.out_of_memory(large, device, batch),
        "two_ranks": lambda: trainers.two_ranks(torch.cuda.device_count(), folder / "ranks"),
        "onnx_runtime": lambda: trainers.onnx_runtime(large, device, batch, folder / "onnx"),
    }


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--size", choices=("tiny", "full"), default="full")
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--only", nargs="*")
    given = arguments.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    told: dict[str, Any] = {
        "size": given.size,
        "device": device_name(str(device)),
        "facts": vars(device_facts(str(device))),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "transformers": str(transformers.__version__),
    }
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, work in parts(given.size == "full", device, Path(folder)).items():
            if given.only and name not in given.only:
                continue
            began = time.perf_counter()
            try:
                told[name] = work()
            except Exception as error:
                traceback.print_exc()
                told[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
                failed += 1
            told[name]["seconds"] = round(time.perf_counter() - began, 2)
            print(f"{name}: {told[name]}", file=sys.stderr)
            if device.type == "cuda":
                torch.cuda.empty_cache()
    text = json.dumps(told, indent=2)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
