"""How fast the student learns, against its bare passes; and what must not change: losses, scores."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from leaf.compiling import measure
from leaf.distributed import World
from leaf.export import export
from leaf.job import parse_job
from leaf.passes import DTYPES, Passes, gradients, passes_of
from leaf.precision import device_facts, precision_of
from leaf.students import Student, _architecture, build, new_student
from teachers import timed
from torch import Tensor
from world import of_type, synthetic, train_here, write_job

HERE = Path(__file__).resolve().parent


def convnext_base(crop: int) -> Student:
    """ConvNeXt-Base with random weights."""
    from transformers import ConvNextConfig

    sizes, depths = [128, 256, 512, 1024], [3, 3, 27, 3]
    config = ConvNextConfig(hidden_sizes=sizes, depths=depths).to_dict()
    return build(_architecture("convnext-base", "convnext", crop, config))


def student(large: bool, crop: int) -> Student:
    torch.manual_seed(0)
    return convnext_base(crop) if large else new_student("atto", crop)


def trained_here(job: dict[str, Any]) -> list[dict[str, Any]]:
    """What a training told, without its export, which takes longer than a short one."""
    with patch("leaf.train._finish", lambda *_: None):
        code, messages = train_here(job)
    if code != 0:
        raise RuntimeError(messages[-1]["message"])
    return messages


def throughput(large: bool, device: torch.device, batch: int, steps: int, folder: Path) -> dict[str, Any]:
    """Images a second of the trainer, against bare passes on pixels that lie on the device already."""
    crop = 224 if large else 32
    job, _ = synthetic(folder, n=steps * batch, val=0, crop=crop)
    network = student(large, crop)
    saved = folder / "network"
    network.backbone.model.save_pretrained(saved)  # type: ignore[union-attr,operator]
    job |= {"batch": batch, "epochs": 2, "keep": "last", "device": device.type, "threads": None}
    job["student"] = {"model": str(saved), "crop": crop, "views": 1, "backbone": None}
    messages = trained_here(job)
    # The second epoch: the first one also chooses kernels.
    trained = [one["imagesPerS"] for one in of_type(messages, "metrics")][-1]
    network.to(device)
    if device.type == "cuda":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    precision = passes_of(parse_job(job), World(0, 1, device)).precision
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6, fused=device.type == "cuda" or None)
    pixels = torch.randint(0, 256, (batch, crop, crop, 3), dtype=torch.uint8, device=device)

    def step() -> None:
        with torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32"):
            scores = network(pixels)[0]
        scores.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()
    _, bare = timed(device, lambda: [step() for _ in range(steps)])
    return {
        "precision": of_type(messages, "hello")[0]["amp"],
        "images_per_s": trained,
        "bare_images_per_s": steps * batch / bare,
        "share_of_bare": trained * bare / (steps * batch),
    }


def compiling(large: bool, device: torch.device, batch: int) -> dict[str, Any]:
    """The trial of a long training: a step without and with torch.compile, and how long the first takes."""
    network = student(large, 224 if large else 32).to(device)
    if device.type == "cuda":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    precision = precision_of("auto", device_facts(str(device)))
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def compiler(model: torch.nn.Module) -> Any:
        # The tracer alone on a CPU: code for it would want a C++ compiler.
        return torch.compile(model) if device.type == "cuda" else torch.compile(model, backend="eager")

    trial, _ = measure(network, Passes(World(0, 1, device), precision, scaler), batch, compiler)
    if trial is None:
        return {"compiles": False}
    return {"compiles": True, **asdict(trial), "speed-up": trial.eager_s / trial.compiled_s}


def out_of_memory(large: bool, device: torch.device, batch: int) -> dict[str, Any]:
    """A batch that does not fit goes through in parts, with the same gradient. On CUDA it really does not."""
    crop = 224 if large else 32
    network = student(large, crop).to(device)
    world = World(0, 1, device)
    pixels = torch.randint(0, 256, (batch, crop, crop, 3), dtype=torch.uint8)
    real = network.forward

    def mean(scores: Tensor) -> tuple[Tensor, None]:
        return (scores - torch.linspace(1, 5, len(scores), device=scores.device)).square().mean(), None

    def run() -> tuple[Passes, float, float]:
        passes = Passes(world, "fp32", torch.amp.GradScaler(device.type, enabled=False))
        loss, _ = gradients(passes, network, pixels, mean)
        norm = torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
        return passes, float(loss), float(norm)

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    _, loss, norm = run()
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
        total = torch.cuda.get_device_properties(device).total_memory
        network.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(0.6 * peak / total, device)
    else:

        def short(given: Tensor) -> Any:
            if len(given) > batch // 3:
                raise torch.OutOfMemoryError("out of memory")
            return real(given)

        network.forward = short  # type: ignore[method-assign]
    passes, again, other = run()
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    if passes.most is None:
        raise RuntimeError("memory did not run out")
    return {
        "batch": batch,
        "part": passes.most,
        "loss_difference": abs(again - loss),
        "gradient_difference": abs(other - norm) / norm,
    }


def rates(device: torch.device, epochs: int, folder: Path) -> dict[str, Any]:
    """Agreement with the truth by the backbone's rate, on blurred textures."""
    found = {}
    for rate in (1e-5, 1e-4, 1e-3):
        job, _ = synthetic(folder / f"{rate}", n=96, val=32)
        job |= {"epochs": epochs, "device": device.type, "lr": {"backbone": rate, "head": 3 * rate}}
        found[str(rate)] = [
            one["val"]["srcc"] for one in of_type(trained_here(job), "metrics") if one["val"]
        ][-1]
    return found


def two_ranks(gpus: int, folder: Path) -> dict[str, Any]:
    """Losses of two processes against one: over NCCL on two GPUs, else over Gloo on the CPU."""
    device = "cuda" if gpus > 1 else "cpu"

    def job(name: str) -> dict[str, Any]:
        made, _ = synthetic(folder / name, n=24, val=0)
        return made | {"epochs": 1, "batch": 12, "keep": "last", "device": device, "amp": "off"}

    alone = of_type(trained_here(job("one")), "metrics")[-1]["loss"]
    shared = job("two")
    file = write_job(shared)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    program = [*launch, str(HERE / "rank.py"), str(file)]
    subprocess.run(program, check=True, env=os.environ, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    together = json.loads((Path(shared["out"]) / "metrics.jsonl").read_text().splitlines()[-1])["loss"]
    return {"device": device, "loss_difference": abs(alone - together)}


def onnx_runtime(large: bool, device: torch.device, batch: int, folder: Path) -> dict[str, Any]:
    """Scores and speed of the exported student by each provider of ONNX Runtime that is installed."""
    import onnxruntime

    crop = 224 if large else 32
    network = student(large, crop)
    pixels = np.random.default_rng(0).integers(0, 256, (batch, crop, crop, 3), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "student.onnx"
    export(network, list(pixels[:2]), path)
    found: dict[str, Any] = {"available": onnxruntime.get_available_providers()}
    scores: dict[str, Any] = {}
    for provider in ("CPUExecutionProvider", "CUDAExecutionProvider"):
        if provider not in found["available"]:
            continue
        session = onnxruntime.InferenceSession(path, providers=[provider])
        scores[provider] = session.run(["score"], {"pixels": pixels})[0]
        began = time.perf_counter()
        session.run(["score"], {"pixels": pixels})
        found[provider] = {"images_per_s": batch / (time.perf_counter() - began)}
    first = next(iter(scores.values()))
    found["largest_difference"] = max(float(np.abs(one - first).max()) for one in scores.values())
    return found
