"""The plain way to the answer's probabilities: processor and model as they are, one prompt at a time.

`shared.py` is compared with it when a model is opened, and it serves the models on which the two differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image

from leaf.teacher.load import Loaded
from leaf.teacher.question import Question, Tokens


@dataclass(frozen=True)
class Pixels:
    """A decoded image that waits to be asked about."""

    image: Image

    @property
    def nbytes(self) -> int:
        return self.image.width * self.image.height * 3


@torch.inference_mode()
def log_probabilities(
    loaded: Loaded, question: Question, images: Sequence[Image], begun: Tokens = ()
) -> torch.Tensor:
    """(vocabulary) in float32, on the device: of the first token after the prompt."""
    out = loaded.model(**_inputs(loaded, question, images, begun), logits_to_keep=1)
    return torch.as_tensor(out.logits)[0, -1].float().log_softmax(-1)


@torch.inference_mode()
def write(
    loaded: Loaded, question: Question, images: Sequence[Image], most: int, ends: set[int]
) -> list[int]:
    """A greedy answer of at most `most` tokens, without the end token."""
    inputs = _inputs(loaded, question, images, ())
    written = loaded.model.generate(**inputs, max_new_tokens=most, do_sample=False)
    tokens = written[0, inputs["input_ids"].shape[1] :].tolist()
    return [token for token in tokens if token not in ends]


def _inputs(loaded: Loaded, question: Question, images: Sequence[Image], begun: Tokens) -> dict[str, Any]:
    made = loaded.processor(
        text=[question.rendered],
        images=list(images),
        return_tensors="pt",
        add_special_tokens=question.adds_special,
    )
    inputs = {name: value.to(loaded.device) for name, value in made.items()}
    if begun:
        more = torch.tensor([begun], device=loaded.device)
        inputs["input_ids"] = torch.cat((inputs["input_ids"], more), dim=1)
        for name, value in (("attention_mask", 1), ("mm_token_type_ids", 0)):
            if name in inputs:
                inputs[name] = torch.cat((inputs[name], torch.full_like(more, value)), dim=1)
    return inputs
