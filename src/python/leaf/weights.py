"""A student's pretrained weights: of transformers or timm; safetensors, or a `.bin` converted once."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from leaf.errors import TrainerError
from leaf.timm_names import NotOurs, translate

# Of up to 1.4 GB each.
MOST_KEPT = 4
SAFE, PICKLED = "model.safetensors", "pytorch_model.bin"


@dataclass(frozen=True)
class Pretrained:
    family: Literal["convnext", "convnextv2"]
    config: dict[str, Any]
    network: nn.Module
    mean: list[float] | None = None
    """What pictures were normalised with, on 0..1; None: as ImageNet's are."""
    std: list[float] | None = None


def pretrained(model: str, local: bool) -> Pretrained:
    """Raises what transformers raises, ValueError where a checkpoint does not fit, TrainerError."""
    from transformers import PretrainedConfig

    described, _ = PretrainedConfig.get_config_dict(model, local_files_only=local)
    if not described:
        raise OSError("there is no config.json")
    if "pretrained_cfg" in described:
        return _of_timm(model, local, described)
    family = described.get("model_type")
    if family not in ("convnext", "convnextv2"):
        raise _no_convnext(model, str(family or "model of an unknown kind"))
    config, network = _classes(family)
    found = config.from_pretrained(model, trust_remote_code=False, local_files_only=local)
    return Pretrained(family, found.to_dict(), _weights(network, model, local))


def _classes(family: str) -> tuple[Any, Any]:
    from transformers import ConvNextConfig, ConvNextModel, ConvNextV2Config, ConvNextV2Model

    if family == "convnext":
        return ConvNextConfig, ConvNextModel
    return ConvNextV2Config, ConvNextV2Model


def _no_convnext(model: str, kind: str) -> TrainerError:
    return TrainerError(
        "input",
        f"The student {model} is a {kind}, not a ConvNeXt.",
        "Choose a ConvNeXt, atto or efficientnet-lite0 as student.model.",
    )


def _weights(kind: Any, model: str, local: bool) -> nn.Module:
    # Else a thread would have a bot of the hub write safetensors, in public.
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local, "dtype": torch.float32}
    options["output_loading_info"] = True
    try:
        return _whole(kind.from_pretrained(model, use_safetensors=True, **options))
    except OSError as error:
        without_safetensors = error
    try:
        kept = _converted(_file(model, PICKLED, local))
        if kept is None:
            found = kind.from_pretrained(model, use_safetensors=False, weights_only=True, **options)
        else:
            shutil.copyfile(_file(model, "config.json", local), kept / "config.json")
            options["local_files_only"] = True
            found = kind.from_pretrained(str(kept), use_safetensors=True, **options)
    except OSError:
        raise without_safetensors from None
    return _whole(found)


def _whole(loaded: tuple[nn.Module, Any]) -> nn.Module:
    """transformers would draw at random what a file lacks."""
    network, report = loaded
    if report["missing_keys"]:
        raise ValueError(f"its weights lack {min(report['missing_keys'])}")
    return network


def _of_timm(model: str, local: bool, described: dict[str, Any]) -> Pretrained:
    from safetensors.torch import load_file

    if not str(described.get("architecture", "")).startswith("convnext"):
        raise _no_convnext(model, f"{described.get('architecture')} of timm")
    try:
        file: Path | None = _file(model, SAFE, local)
    except OSError:
        pickled = _file(model, PICKLED, local)
        kept = _converted(pickled)
        file = None if kept is None else kept / SAFE
    weights = load_file(file) if file is not None else _tensors(pickled)
    try:
        translated = translate(described, weights)
    except NotOurs as error:
        raise TrainerError(
            "input",
            f"The student {model} cannot be loaded: {error}.",
            "Choose another ConvNeXt, such as facebook/convnext-base-224-22k-1k.",
        ) from error
    config, kind = _classes(translated.family)
    made = config.from_dict(translated.config)
    network = cast(nn.Module, kind(made))
    network.load_state_dict({key: tensor.float() for key, tensor in translated.weights.items()})
    normalised = described["pretrained_cfg"]
    return Pretrained(
        translated.family,
        made.to_dict(),
        network.eval(),
        _channels(normalised.get("mean")),
        _channels(normalised.get("std")),
    )


def _channels(value: object) -> list[float] | None:
    return [float(x) for x in value] if isinstance(value, list | tuple) and len(value) == 3 else None


def _file(model: str, name: str, local: bool) -> Path:
    """Of a folder or of the hub, whose cache it then is in. Raises OSError where there is none."""
    from transformers.utils.hub import cached_file

    found = cached_file(model, name, local_files_only=local)
    if found is None:
        raise OSError(f"{model} has no {name}")
    return Path(found)


def _tensors(file: Path) -> dict[str, Tensor]:
    """Tensors alone are read: no pickle is run."""
    found: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return found


def _converted(file: Path) -> Path | None:
    """The folder with the same tensors as safetensors, made once; None where none can be kept."""
    named = os.environ.get("LEAF_WEIGHTS")
    if not named:
        return None
    # The hub's cache names a file by its content, so that another revision is another file.
    whole, facts = file.resolve(), file.stat()
    key = hashlib.sha256(json.dumps([str(whole), facts.st_size, facts.st_mtime_ns]).encode()).hexdigest()[:32]
    kept = Path(named) / key
    if not (kept / SAFE).exists():
        temporary = kept.with_name(f"{key}.{os.getpid()}.tmp")
        try:
            _write(_tensors(file), temporary)
            temporary.replace(kept)
            for old in _oldest(kept.parent):
                shutil.rmtree(old, ignore_errors=True)
        except OSError:  # It cannot be written, or another process was quicker.
            shutil.rmtree(temporary, ignore_errors=True)
    return kept if (kept / SAFE).exists() else None


def _write(tensors: dict[str, Tensor], folder: Path) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    apart = {key: tensor.clone().contiguous() for key, tensor in tensors.items()}
    save_file(apart, folder / SAFE, metadata={"format": "pt"})


def _oldest(at: Path) -> Iterator[Path]:
    found = sorted(at.glob(f"*/{SAFE}"), key=lambda one: one.stat().st_mtime, reverse=True)
    yield from (one.parent for one in found[MOST_KEPT:])
