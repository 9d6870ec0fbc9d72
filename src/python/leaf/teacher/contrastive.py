"""Quality by antonyms with a contrastive image-text model: CLIP-IQA (Wang et al., AAAI 2023).

Of two opposite texts ("Good photo." and "Bad photo.") the probability of the first is a softmax over the
cosine similarities of both with the image, times the model's own learnt scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from leaf.contract.teacher import Antonyms
from leaf.teacher.batches import Batches
from leaf.teacher.load_contrastive import LoadedContrastive


@dataclass(frozen=True)
class View:
    """What the vision tower takes of one image, each with a batch dimension of 1. CPU tensors."""

    inputs: dict[str, torch.Tensor]

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.inputs.values())

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.inputs["pixel_values"].shape[1:])


class Contrastive:
    """Opens on a loaded model: the texts are encoded once."""

    def __init__(self, loaded: LoadedContrastive, antonyms: Sequence[Antonyms], batch: int) -> None:
        self.loaded = loaded
        self.batches = Batches(batch)
        texts = [text for pair in antonyms for text in pair]
        with torch.inference_mode():
            tokens = tokenise(loaded, texts)
            features = pooled(loaded.model.get_text_features(**tokens))
        # (pairs, 2, width), of length 1 each.
        self._texts = unit(features).reshape(len(antonyms), 2, -1)
        self._scale = loaded.model.logit_scale.float().exp()

    def prepare(self, image: Image.Image) -> View:
        """The picture as the vision tower takes it. Any thread may do it."""
        processor = self.loaded.image_processor
        if not self.loaded.interpolates:
            return View(dict(processor(images=[image], return_tensors="pt")))
        whole = to_patches(image, self.loaded.patch, self.loaded.side)
        options = {"do_resize": False, "do_center_crop": False}
        return View(dict(processor(images=[whole], return_tensors="pt", **options)))

    def look(self, view: View) -> View:
        return view

    def first(self, views: Sequence[View]) -> list[list[float]]:
        """For each image the probability of each pair's first text. Raises TrainerError("oom")."""
        return self.batches.run(views, lambda view: view.nbytes, self._first)

    @torch.inference_mode()
    def _first(self, views: Sequence[View]) -> list[list[float]]:
        found: list[list[float]] = [[] for _ in views]
        for shape in dict.fromkeys(view.shape for view in views):
            like = [i for i, view in enumerate(views) if view.shape == shape]
            inputs = {
                name: torch.cat([views[i].inputs[name] for i in like]).to(self.loaded.device)
                for name in views[like[0]].inputs
            }
            more: dict[str, Any] = {"interpolate_pos_encoding": True} if self.loaded.interpolates else {}
            images = unit(pooled(self.loaded.model.get_image_features(**inputs, **more)))
            cosines = torch.einsum("nd,kcd->nkc", images, self._texts)
            probabilities = (self._scale * cosines).softmax(-1)[..., 0]
            for i, row in zip(like, probabilities.tolist(), strict=True):
                found[i] = row
        return found


def tokenise(loaded: LoadedContrastive, texts: list[str]) -> dict[str, torch.Tensor]:
    """SigLIP's text tower was trained on texts filled up to its full length, CLIP's ends at its end token."""
    padding: dict[str, Any] = {"padding": True}
    if loaded.pads:
        padding = {"padding": "max_length"}
    made = loaded.tokenizer(texts, **padding, truncation=True, max_length=loaded.length, return_tensors="pt")
    return {name: value.to(loaded.device) for name, value in made.items()}


def pooled(out: Any) -> torch.Tensor:
    """(items, width), whether the model gives it bare or among other outputs."""
    found = out if isinstance(out, torch.Tensor) else out.pooler_output
    return torch.as_tensor(found)


def unit(features: torch.Tensor) -> torch.Tensor:
    """float32, of length 1."""
    return torch.nn.functional.normalize(features.float(), dim=-1)


def to_patches(image: Image.Image, patch: int, side: int) -> Image.Image:
    """The picture cut at its edges to whole patches; its long side is enlarged to `side` if need be."""
    factor = max(1.0, side / max(image.size))
    size = [max(patch, round(length * factor)) for length in image.size]
    if tuple(size) != image.size:
        image = image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    width, height = (length // patch * patch for length in size)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return image.crop((left, top, left + width, top + height))
