"""Exported graphs without their weights, kept for the next student of the same architecture.

Tracing a network takes some 20 s of processor time, however small it is; to put weights into a kept graph
takes 1 or 2 s. Both give the same file, byte for byte.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import nn

# Of a few hundred kilobytes each.
MOST_KEPT = 64


def folder() -> Path | None:
    """Where graphs are kept; whoever starts the trainer names it."""
    named = os.environ.get("LEAF_GRAPHS")
    return Path(named) if named else None


def key_of(module: nn.Module, *facts: object) -> str:
    """Of all that a traced graph depends on: the module but for its weights, facts, versions, this code."""
    import onnxscript

    code = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    shapes = [(name, list(value.shape), str(value.dtype)) for name, value in module.state_dict().items()]
    versions = [torch.__version__, onnx.__version__, onnxscript.__version__]
    told = json.dumps([repr(module), shapes, [repr(fact) for fact in facts], versions, code.hexdigest()])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def read(key: str, module: nn.Module) -> onnx.ModelProto | None:
    """The kept graph with the module's weights; None where there is none that fits."""
    at = folder()
    if at is None:
        return None
    try:
        model = onnx.ModelProto()
        model.ParseFromString((at / f"{key}.onnx").read_bytes())
    except Exception:  # Missing, or damaged in any way: it is traced anew.
        return None
    return model if _fill(model, module) else None


def keep(key: str, model: onnx.ModelProto, module: nn.Module) -> None:
    """Keeps the graph for `read`, if every weight in it is one of the module's."""
    at = folder()
    weights = module.state_dict()
    if at is None or any(one.name not in weights for one in model.graph.initializer):
        return
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for one in bare.graph.initializer:
        one.ClearField("raw_data")
    path = at / f"{key}.onnx"
    temporary = path.with_name(f"{key}.{os.getpid()}.tmp")
    try:
        at.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(bare.SerializeToString())
        temporary.replace(path)
        for old in _oldest(at):
            old.unlink(missing_ok=True)
    except OSError:  # A cache that cannot be written costs time alone.
        temporary.unlink(missing_ok=True)


def optimise(model: onnx.ModelProto) -> onnx.ModelProto:
    """Constants folded, batch normalisation taken into convolutions, what is not needed left out."""
    import onnxscript.optimizer

    return onnxscript.optimizer.optimize(model)


def _fill(model: onnx.ModelProto, module: nn.Module) -> bool:
    weights = module.state_dict()
    for one in model.graph.initializer:
        value = weights.get(one.name)
        if value is None or list(value.shape) != list(one.dims):
            return False
        one.raw_data = value.detach().cpu().numpy().tobytes()
    return True


def _oldest(at: Path) -> Iterator[Path]:
    found = sorted(at.glob("*.onnx"), key=lambda one: one.stat().st_mtime, reverse=True)
    yield from found[MOST_KEPT:]
