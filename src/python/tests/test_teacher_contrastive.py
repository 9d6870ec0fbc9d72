"""The teacher by antonyms, against the models' own forward pass."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import load_file, save_file
from test_teacher_judge import pictures
from test_teacher_process import Child, child  # noqa: F401
from tiny_contrastive import FAMILIES, LENGTH, PATCH, SIDE, make

from leaf.contract.teacher import OpenContrastive
from leaf.teacher.contrastive import Contrastive, to_patches
from leaf.teacher.load_contrastive import load_contrastive
from leaf.teacher.request import parse

ANTONYMS = [("Good photo.", "Bad photo."), ("Sharp photo.", "Blurry photo."), ("A", "A fully dull photo.")]
OPEN: dict[str, Any] = {
    "v": 1,
    "type": "openContrastive",
    "local": True,
    "revision": None,
    "device": "cpu",
    "dtype": "auto",
    "batch": 3,
    "antonyms": ANTONYMS,
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    make(request.param, folder)
    return request.param, folder


def opened(folder: Path, **changes: Any) -> Contrastive:
    request = parse(json.dumps({**OPEN, "model": str(folder), **changes}).encode())
    assert isinstance(request, OpenContrastive)
    return Contrastive(load_contrastive(request), request.antonyms, request.batch)


def reference(family: str, folder: Path, image: Image.Image) -> list[float]:
    """By the model's own logits (SigLIP's bias is the same for both texts) and pixels made by hand."""
    model: Any = hf.AutoModel.from_pretrained(folder).eval()
    tokens: Any = hf.AutoTokenizer.from_pretrained(folder)
    texts = [text for pair in ANTONYMS for text in pair]
    ids = [tokens(text, truncation=True, max_length=LENGTH).input_ids for text in texts]
    longest = max(map(len, ids)) if family == "clip" else LENGTH
    inputs: dict[str, Any] = {
        "input_ids": torch.tensor([some + [tokens.pad_token_id] * (longest - len(some)) for some in ids])
    }
    if family == "clip":
        inputs["attention_mask"] = torch.tensor([[1] * len(x) + [0] * (longest - len(x)) for x in ids])
    if family == "siglip2":
        inputs.update(hf.Siglip2ImageProcessorPil.from_pretrained(folder)(images=image, return_tensors="pt"))
    else:
        width, height = (length - length % PATCH for length in image.size)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        pixels = np.asarray(image, np.float32)[top : top + height, left : left + width] / 255
        settings = json.loads((folder / "preprocessor_config.json").read_text())
        pixels = (pixels - np.float32(settings["image_mean"])) / np.float32(settings["image_std"])
        inputs["pixel_values"] = torch.from_numpy(pixels.transpose(2, 0, 1)[None])
        inputs["interpolate_pos_encoding"] = True
    with torch.inference_mode():
        logits = model(**inputs).logits_per_image[0].reshape(-1, 2)
    first: list[float] = (1 / (1 + (logits[:, 1] - logits[:, 0]).exp())).tolist()
    return first


def test_it_gives_what_the_models_own_logits_give(folder: tuple[str, Path]) -> None:
    family, path = folder
    judge = opened(path)
    # Of several shapes, so that a batch is split, and more of one shape than fit into a batch.
    turned = [image.rotate(180) for image in pictures()]
    images = [*pictures(), *turned, pictures()[0].transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    found = judge.first([judge.prepare(image) for image in images])
    expected = [reference(family, path, image) for image in images]
    assert np.asarray(found) == pytest.approx(np.asarray(expected), abs=2e-5)
    # They differ: by image and by pair.
    assert np.ptp(np.asarray(expected), axis=0).min() > 1e-3


def test_a_picture_keeps_all_but_its_edge_and_small_ones_grow() -> None:
    image = pictures()[0].resize((101, 67))
    whole = to_patches(image, 16, 32)
    assert whole.size == (96, 64)
    assert np.array_equal(np.asarray(whole), np.asarray(image)[1:65, 2:98])
    assert to_patches(image.resize((10, 5)), 16, 32).size == (32, 16)
    assert to_patches(image.resize((500, 1)), 16, 32).size == (496, 16)


def test_swapped_texts_give_the_rest(folder: tuple[str, Path]) -> None:
    _, path = folder
    image = pictures()[0]
    one = opened(path)
    other = opened(path, antonyms=[(bad, good) for good, bad in ANTONYMS])
    [a], [b] = ([*judge.first([judge.prepare(image)])] for judge in (one, other))
    assert np.asarray(a) + np.asarray(b) == pytest.approx(np.ones(len(ANTONYMS)), abs=1e-6)


def test_as_a_child_it_answers_points_alone(tmp_path: Path, child: Child) -> None:  # noqa: F811
    make("siglip", tmp_path)
    child.say(**{**OPEN, "model": str(tmp_path)})
    hello = child.hear()
    assert hello["type"] == "helloContrastive" and hello["sees"] == "whole" and hello["dtype"] == "float32"
    a, b, *_ = pictures()
    child.say(type="points", id=1, images=["a", "b", "gone"])
    assert child.hear() == {"type": "need", "id": 1, "images": ["a", "b", "gone"]}
    child.show("a", a)
    child.show("b", b)
    child.say(type="unreadable", image="gone", reason="gone.png: it is gone")
    answers = child.hear()["answers"]
    assert answers[0]["first"] == pytest.approx(reference("siglip", tmp_path, a), abs=2e-5)
    assert answers[1]["ok"] and answers[2] == {"ok": False, "reason": "gone.png: it is gone"}
    child.say(type="explain", id=2, images=["a"])
    child.hear()
    child.show("a", a)
    heard = child.hear()
    assert heard["type"] == "error" and heard["id"] == 2 and "single images" in heard["message"]


def test_a_model_that_gives_no_numbers_refuses_each_image(tmp_path: Path, child: Child) -> None:  # noqa: F811
    make("clip", tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    weights["visual_projection.weight"][:] = float("nan")
    save_file(weights, file, {"format": "pt"})
    child.say(**{**OPEN, "model": str(tmp_path)})
    child.hear()
    child.say(type="points", id=1, images=["a"])
    child.hear()
    child.show("a", pictures()[0])
    assert child.hear()["answers"] == [{"ok": False, "reason": "the model gave no number"}]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("vision", "cannot be a teacher by antonyms: it has no text tower."),
        ("half", "cannot be a teacher by antonyms: it has no text tower."),
        ("other", "cannot be a teacher by antonyms: it is no contrastive image-text model."),
        ("empty", "cannot be loaded"),
        ("pickle", "it has no safetensors file that can be read"),
    ],
)
def test_it_says_in_one_sentence_why_it_cannot_open(
    tmp_path: Path,
    child: Child,  # noqa: F811
    kind: str,
    says: str,
) -> None:
    folder = tmp_path / "model"
    make("clip", folder)
    weights = folder / "model.safetensors"
    if kind == "vision":
        model: Any = hf.CLIPModel.from_pretrained(folder)
        hf.CLIPVisionModel(model.config.vision_config).save_pretrained(folder)
    elif kind == "half":
        kept = {name: value for name, value in load_file(weights).items() if not name.startswith("text_")}
        save_file(kept, weights, {"format": "pt"})
    elif kind == "other":
        config = hf.ViTConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
            image_size=SIDE, patch_size=PATCH,
        )  # fmt: skip
        hf.ViTModel(config).save_pretrained(folder)
    elif kind == "empty":
        for file in folder.iterdir():
            file.unlink()
    else:
        torch.save(load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()
    child.say(**{**OPEN, "model": str(folder)})
    heard = child.hear()
    assert heard["type"] == "error" and heard["id"] is None and heard["code"] == "environment"
    assert says in heard["message"] and heard["message"].count(". ") == (kind == "empty")
    assert str(tmp_path) not in heard["message"] and heard["remedy"]
    assert child.process.wait(timeout=60) == 1
