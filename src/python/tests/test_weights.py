"""Pretrained students: `.bin` weights are converted once, timm's checkpoints read by their names."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from leaf.errors import TrainerError
from leaf.students import Student, build, new_student

WIDTHS, DEPTHS = (8, 12, 16, 24), (1, 1, 2, 1)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    monkeypatch.setenv("LEAF_WEIGHTS", str(folder))
    return folder


def write_bin(folder: Path) -> dict[str, Tensor]:
    """As facebook/convnext-base-224 has been published."""
    from transformers import ConvNextConfig, ConvNextModel

    config = ConvNextConfig(hidden_sizes=list(WIDTHS), depths=list(DEPTHS))
    made = ConvNextModel(config).state_dict()  # type: ignore[no-untyped-call]
    folder.mkdir(exist_ok=True)
    config.save_pretrained(folder)
    classified = {f"convnext.{name}": tensor for name, tensor in made.items()}
    torch.save({**classified, "classifier.bias": torch.zeros(3)}, folder / "pytorch_model.bin")
    return dict(made)


def assert_has(student: Student, weights: dict[str, Tensor]) -> None:
    state = student.state_dict()
    for name, tensor in weights.items():
        assert torch.equal(state[f"backbone.model.{name}"], tensor)


def test_a_bin_is_read_once(tmp_path: Path, kept: Path) -> None:
    folder = tmp_path / "model"
    weights = write_bin(folder)
    assert_has(new_student(str(folder), 32), weights)
    assert len(list(kept.glob("*/model.safetensors"))) == 1
    # From now on reading it would fail.
    file = folder / "pytorch_model.bin"
    facts = file.stat()
    file.write_bytes(bytes(facts.st_size))
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert_has(new_student(str(folder), 32), weights)


def test_another_bin_is_converted_anew(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    first = write_bin(folder)
    new_student(str(folder), 32)
    second = write_bin(folder)
    os.utime(folder / "pytorch_model.bin", ns=(1, 1))
    assert not torch.equal(
        first["embeddings.patch_embeddings.weight"], second["embeddings.patch_embeddings.weight"]
    )
    assert_has(new_student(str(folder), 32), second)


def test_few_converted_ones_are_kept(tmp_path: Path, kept: Path) -> None:
    for i in range(6):
        write_bin(tmp_path / f"model{i}")
        new_student(str(tmp_path / f"model{i}"), 32)
    assert len(list(kept.iterdir())) == 4


def test_it_loads_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = write_bin(tmp_path / "model")
    monkeypatch.delenv("LEAF_WEIGHTS")
    assert_has(new_student(str(tmp_path / "model"), 32), weights)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LEAF_WEIGHTS", str(tmp_path / "file"))
    assert_has(new_student(str(tmp_path / "model"), 32), weights)


def test_weights_that_lack_a_part_are_refused(tmp_path: Path) -> None:
    weights = write_bin(tmp_path / "model")
    del weights["layernorm.weight"]
    torch.save(weights, tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(TrainerError, match=r"lack layernorm\.weight"):
        new_student(str(tmp_path / "model"), 32)


def timm_weights(second: bool = False, convolutions: bool = False, scaled: bool = True) -> dict[str, Tensor]:
    """A checkpoint with random numbers and the names that timm's ConvNeXt has."""
    generator = torch.Generator().manual_seed(0)

    def some(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / (np.prod(shape[1:]) if shape[1:] else 1) ** 0.5

    found = {"stem.0.weight": some(WIDTHS[0], 3, 4, 4), "stem.0.bias": some(WIDTHS[0])}
    found |= {"stem.1.weight": 1 + some(WIDTHS[0]) / 4, "stem.1.bias": some(WIDTHS[0])}
    for i, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
        if i > 0:
            before, at = WIDTHS[i - 1], f"stages.{i}.downsample."
            found |= {f"{at}0.weight": 1 + some(before) / 4, f"{at}0.bias": some(before)}
            found |= {f"{at}1.weight": some(width, before, 2, 2), f"{at}1.bias": some(width)}
        for j in range(depth):
            at, end = f"stages.{i}.blocks.{j}.", (1, 1) if convolutions else ()
            found |= {f"{at}conv_dw.weight": some(width, 1, 7, 7), f"{at}conv_dw.bias": some(width)}
            found |= {f"{at}norm.weight": 1 + some(width) / 4, f"{at}norm.bias": some(width)}
            found |= {
                f"{at}mlp.fc1.weight": some(4 * width, width, *end),
                f"{at}mlp.fc1.bias": some(4 * width),
            }
            found |= {f"{at}mlp.fc2.weight": some(width, 4 * width, *end), f"{at}mlp.fc2.bias": some(width)}
            if second:
                found |= {f"{at}mlp.grn.weight": some(4 * width), f"{at}mlp.grn.bias": some(4 * width)}
            elif scaled:
                found[f"{at}gamma"] = some(width)
    found |= {"head.norm.weight": 1 + some(WIDTHS[3]) / 4, "head.norm.bias": some(WIDTHS[3])}
    return {**found, "head.fc.weight": some(10, WIDTHS[3]), "head.fc.bias": some(10)}


def by_the_paper(w: dict[str, Tensor], x: Tensor) -> Tensor:
    """Pooled features, written from the figures of ConvNeXt (2201.03545) and V2's GRN (2301.00808)."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

    def channels_last(x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)

    def channels_first(x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)

    def product(x: Tensor, name: str) -> Tensor:
        weight = w[f"{name}.weight"]
        return x @ weight.reshape(weight.shape[0], -1).T + w[f"{name}.bias"]

    x = norm(channels_last(F.conv2d(x, w["stem.0.weight"], w["stem.0.bias"], stride=4)), "stem.1")
    for i, depth in enumerate(DEPTHS):
        if i > 0:
            at = f"stages.{i}.downsample."
            x = channels_first(norm(x, f"{at}0"))
            x = channels_last(F.conv2d(x, w[f"{at}1.weight"], w[f"{at}1.bias"], stride=2))
        for j in range(depth):
            at = f"stages.{i}.blocks.{j}."
            kernel, bias = w[f"{at}conv_dw.weight"], w[f"{at}conv_dw.bias"]
            h = F.conv2d(channels_first(x), kernel, bias, padding=3, groups=x.shape[-1])
            h = F.gelu(product(norm(channels_last(h), f"{at}norm"), f"{at}mlp.fc1"))
            if f"{at}mlp.grn.weight" in w:
                each = h.pow(2).sum(dim=(1, 2), keepdim=True).sqrt()
                each = each / (each.mean(dim=-1, keepdim=True) + 1e-6)
                h = h + w[f"{at}mlp.grn.weight"] * (h * each) + w[f"{at}mlp.grn.bias"]
            h = product(h, f"{at}mlp.fc2")
            x = x + h * w.get(f"{at}gamma", torch.ones(1))
    return norm(x.mean(dim=(1, 2)), "head.norm")


def write_timm(folder: Path, weights: dict[str, Tensor], **described: Any) -> str:
    folder.mkdir()
    about = {
        "architecture": "convnext_tiny",
        "num_classes": 10,
        "pretrained_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
    }
    (folder / "config.json").write_text(json.dumps({**about, **described}))
    save_file(weights, folder / "model.safetensors")
    return str(folder)


@pytest.mark.parametrize(
    "kind",
    [{}, {"second": True}, {"convolutions": True}, {"second": True, "convolutions": True}, {"scaled": False}],
)
def test_timms_checkpoint_computes_what_the_paper_says(tmp_path: Path, kind: dict[str, bool]) -> None:
    weights = timm_weights(**kind)
    name = "convnextv2_nano" if kind.get("second") else "convnext_nano"
    student = new_student(write_timm(tmp_path / "timm", weights, architecture=name), 64)
    pixels = torch.randint(
        0, 256, (2, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.25, 0.3])
    expected = by_the_paper(weights, ((pixels / 255 - mean) / std).permute(0, 3, 1, 2))
    with torch.no_grad():
        features = student(pixels)[1]
    assert expected.std() > 0.1
    assert torch.allclose(features, expected, atol=1e-4)
    # A checkpoint of LEAF needs neither timm's file nor its names.
    again = build(student.architecture)
    again.load_state_dict(student.state_dict())
    with torch.no_grad():
        assert torch.equal(again(pixels)[1], features)


def test_timms_bin_is_converted_too(tmp_path: Path, kept: Path) -> None:
    folder = Path(write_timm(tmp_path / "timm", weights := timm_weights()))
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    first = new_student(str(folder), 32)
    assert len(list(kept.glob("*/model.safetensors"))) == 1
    stem = first.state_dict()["backbone.model.embeddings.patch_embeddings.weight"]
    assert torch.equal(stem, weights["stem.0.weight"])


@pytest.mark.parametrize(
    ("change", "described", "words"),
    [
        ({"norm_pre.weight": 24}, {}, "norm_pre.weight"),
        ({"stem.2.weight": 8}, {}, "stem.2.weight"),
        ({}, {"architecture": "convnext_xxlarge"}, "convnext_xxlarge"),
        ({}, {"architecture": "resnet50"}, "resnet50"),
        ({}, {"model_args": {"depths": [1], "norm_eps": 1e-5}}, "norm_eps"),
        ({"stem.1.bias": None}, {}, "cannot be loaded"),
    ],
)
def test_what_transformers_does_not_compute_is_refused(
    tmp_path: Path, change: dict[str, int | None], described: dict[str, Any], words: str
) -> None:
    weights = timm_weights()
    for name, size in change.items():
        if size is None:
            del weights[name]
        else:
            weights[name] = torch.ones(size)
    with pytest.raises(TrainerError, match=words):
        new_student(write_timm(tmp_path / "timm", weights, **described), 32)
