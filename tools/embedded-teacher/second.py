"""Second edition: whole pictures of any size; little detail and darkness count, which people punish.

Takes the network of fit.py as it is, lets it see pictures of any size, and adds two statistics of the
picture to its quality. Nothing is fitted: both are standardised on undistorted photos, count the same, and
count the less the worse the network finds the picture, since detail in a noisy picture is the noise.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnx
import onnx.compose
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from distortions import Picture
from fit import patterns
from photos import find_photos

MOST_PIXELS = 200_000
SIDES = (256, 448)
# What a standard deviation of either counts for on 1..5.
WEIGHT = 0.4
# They count nothing below the first quality, and in full above the second.
GATE = (2.5, 4.0)
MOST_DEVIATIONS = 2.5
LUMA = (0.299, 0.587, 0.114)


class Statistics(nn.Module):
    """uint8 pixels [N, H, W, 3] to [N, 2]: log of the mean luma gradient, and mean luma; luma is 0..1."""

    def forward(self, pixels: Tensor) -> Tensor:
        y = (pixels.float() * torch.tensor(LUMA)).sum(-1) / 255
        across = y[:, :-1, 1:] - y[:, :-1, :-1]
        down = y[:, 1:, :-1] - y[:, :-1, :-1]
        detail = (across * across + down * down + 1e-12).sqrt().mean((1, 2))
        return torch.stack([(detail + 0.002).log(), y.mean((1, 2))], 1)


class Second(nn.Module):
    """Pixels and the network's quality [N] to the quality of the second edition [N]."""

    centre: Tensor
    scale: Tensor

    def __init__(self, centre: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        super().__init__()
        self.statistics = Statistics()
        self.register_buffer("centre", torch.from_numpy(centre))
        self.register_buffer("scale", torch.from_numpy(1 / deviation))

    def forward(self, seen: Tensor, first: Tensor) -> Tensor:
        standard = (self.statistics(seen) - self.centre) * self.scale
        standard = standard.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        gate = ((first - GATE[0]) / (GATE[1] - GATE[0])).clamp(0, 1)
        return first + WEIGHT * gate * standard.sum(1)


def whole_view(picture: Image.Image) -> Picture:
    """As in src/engine/teachers/embedded/views.ts, for pictures that are not small."""
    factor = (MOST_PIXELS / (picture.width * picture.height)) ** 0.5
    if factor < 1:
        size = (round(picture.width * factor), round(picture.height * factor))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(picture)


def clean_statistics(photos: Path) -> NDArray[np.float32]:
    """Statistics of the undistorted photos, [photos, 2], each at a random size well under its own."""
    rng, rows = np.random.default_rng(2603), []
    for _, file in find_photos(photos):
        photo = Image.open(file).convert("RGB")
        photo.thumbnail((3000, 3000), Image.Resampling.LANCZOS)
        short = np.exp(rng.uniform(np.log(SIDES[0]), np.log(min(SIDES[1], min(photo.size) / 1.7))))
        factor = short / min(photo.size)
        small = photo.resize(
            (round(photo.width * factor), round(photo.height * factor)), Image.Resampling.LANCZOS
        )
        rows.append(Statistics()(torch.from_numpy(np.array(whole_view(small)))[None])[0].numpy())
    return np.array(rows, np.float32)


def any_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network is convolutional, and pools over all it sees: only its input's shape says otherwise."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, name in zip(dims[1:3], ("height", "width"), strict=True):
        dim.ClearField("dim_value")
        dim.dim_param = name
    del model.graph.value_info[:]
    return model


def combined(first: onnx.ModelProto, second: Second) -> onnx.ModelProto:
    """Both as one graph from `pixels` to `mu`."""
    sizes = {n: torch.export.Dim(n, min=2) for n in ("height", "width")}
    batch = torch.export.Dim("n", min=1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "second.onnx"
        torch.onnx.export(
            second, (torch.zeros(2, 200, 220, 3, dtype=torch.uint8), torch.zeros(2)), str(file),
            input_names=["seen", "first"], output_names=["quality"], dynamo=True, opset_version=18,
            dynamic_shapes=({0: batch, 1: sizes["height"], 2: sizes["width"]}, {0: batch}),
            external_data=False,
        )  # fmt: skip
        after = onnx.load(file)
    after.ir_version = first.ir_version
    merged = onnx.compose.merge_models(
        any_size(first), onnx.compose.add_prefix(after, "second_"), io_map=[("mu", "second_first")]
    )
    graph = merged.graph
    for node in graph.node:
        node.input[:] = ["pixels" if name == "second_seen" else name for name in node.input]
        node.input[:] = ["network" if name == "mu" else name for name in node.input]
        node.output[:] = [{"mu": "network", "second_quality": "mu"}.get(name, name) for name in node.output]
    kept = [one for one in graph.input if one.name != "second_seen"]
    del graph.input[:]
    graph.input.extend(kept)
    graph.output[0].name = "mu"
    del graph.value_info[:]
    onnx.checker.check_model(merged)
    return merged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with the unpacked packages")
    parser.add_argument("assets", type=Path, help="with what fit.py wrote there; both are rewritten")
    options = parser.parse_args()
    torch.set_num_threads(1)
    card = json.loads((options.assets / "teacher.json").read_text())
    if card["v"] != 1:
        raise SystemExit("The second edition is made of the first: run fit.py before.")
    first = onnx.load(options.assets / "model.onnx")
    rows = clean_statistics(options.photos)
    centre, deviation = rows.mean(0), rows.std(0)
    second = Second(centre, deviation).eval()
    with torch.inference_mode():
        pixels = torch.from_numpy(patterns())
        check = second(pixels, torch.tensor(card["check"]["mu"])).tolist()
    model = combined(first, second)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"pixels": pixels.numpy()})[0]
    difference = float(np.abs(found - np.array(check)).max())
    if difference > 1e-3:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {difference}")
    card["v"] = 2
    card["input"] |= {"layout": "uint8 [N, height, width, 3], sRGB", "mostPixels": MOST_PIXELS}
    card["check"]["mu"] = check
    card["second"] = {
        "of": "log of the mean luma gradient (plus 0.002), mean luma; standardised on the undistorted photos",
        "mean": [round(float(x), 4) for x in centre],
        "deviation": [round(float(x), 4) for x in deviation],
        "weight": WEIGHT,
        "gate": list(GATE),
        "mostDeviations": MOST_DEVIATIONS,
    }
    onnx.save(model, options.assets / "model.onnx")
    (options.assets / "teacher.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(card["second"]), "largest difference after export", difference)


if __name__ == "__main__":
    main()
