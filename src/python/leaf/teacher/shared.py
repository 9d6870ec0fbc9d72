"""The fast way to the answer's probabilities: image features and the prompt's beginning are computed once.

A prompt is run from its first image on, on top of the keys and values of the text before it. Prompts of a
batch are padded at their end: no token looks there, so that attention needs no mask (see attention.py). Only
answers that are written are padded in front, where one position then holds all next tokens. Positions are
given, not counted: padding takes none.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from leaf.teacher.features import CannotReuse, Features
from leaf.teacher.load import Loaded
from leaf.teacher.question import Question, Tokens


@dataclass(frozen=True)
class Row:
    """A prompt: a question with its images, and the beginning of an answer."""

    images: tuple[Features, ...]
    begun: Tokens = ()

    def length(self, question: Question) -> int:
        return (
            sum(map(len, question.pieces)) + sum(len(image.tokens) for image in self.images) + len(self.begun)
        )


@dataclass(frozen=True)
class _Batch:
    tokens: torch.Tensor
    """(rows, longest), without the shared beginning."""
    mask: torch.Tensor | None
    """(rows, beginning + longest) where padding is in front."""
    positions: torch.Tensor
    """(rows, longest), or (3, rows, longest) where image tokens are placed in two dimensions."""
    last: torch.Tensor
    """(rows): where each row's last token is."""


class SharedForward:
    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._model = loaded.model
        self._beginnings: dict[Tokens, Any] = {}
        if "mm_encoder_outputs" not in inspect.signature(self._model.forward).parameters:
            raise CannotReuse("it takes no image features")

    @torch.inference_mode()
    def log_probabilities(self, question: Question, rows: Sequence[Row]) -> torch.Tensor:
        """(rows, vocabulary) in float32, on the device: of the first token after each prompt.

        Of two images the first is read once for all rows that begin with it.
        """
        found: list[torch.Tensor | None] = [None] * len(rows)
        for some in _by_first_image(rows):
            of = [rows[i] for i in some]
            out = self._after_first(question, of) if len(some) > 1 else None
            if out is None:
                continue
            for i, row in zip(some, out, strict=True):
                found[i] = row
        rest = [i for i, row in enumerate(found) if row is None]
        if rest:
            of = [rows[i] for i in rest]
            batch = self._batch(question, of, len(question.pieces[0]))
            images = [image for row in of for image in row.images]
            out = self._answers(images, batch, self._beginning(question, len(of)))
            for i, row in zip(rest, out, strict=True):
                found[i] = row
        return torch.stack([row for row in found if row is not None])

    def _after_first(self, question: Question, rows: Sequence[Row]) -> torch.Tensor:
        """Rows of two images that begin with the same one: text and first image go through once."""
        first = rows[0].images[0]
        tokens = (*question.pieces[0], *first.tokens, *question.pieces[1])
        types = (*[0] * len(question.pieces[0]), *first.types, *[0] * len(question.pieces[1]))
        whole = torch.ones((1, len(tokens)), dtype=torch.long)
        positions = self._positions(torch.tensor([tokens]), torch.tensor([types]), whole, [Row((first,))])
        device = self._loaded.device
        last = torch.tensor([len(tokens) - 1])
        start = _Batch(torch.tensor([tokens], device=device), None, positions.to(device), last)
        cache = self._new_cache()
        self._run([first], start, cache, 1)
        cache.batch_repeat_interleave(len(rows))
        batch = self._batch(question, rows, len(tokens))
        return self._answers([row.images[1] for row in rows], batch, cache)

    @torch.inference_mode()
    def write(self, question: Question, rows: Sequence[Row], most: int, ends: set[int]) -> list[list[int]]:
        """Greedy answers of at most `most` tokens, without the end token."""
        batch = self._batch(question, rows, len(question.pieces[0]), in_front=True)
        cache = self._beginning(question, len(rows))
        cache = self._new_cache() if cache is None else cache
        out = self._run([image for row in rows for image in row.images], batch, cache, 1)
        mask, position = batch.mask, batch.positions[..., -1:]
        assert mask is not None
        if batch.positions.ndim == 3:
            position = position.max(dim=0, keepdim=True).values.expand(3, -1, -1)
        written: list[list[int]] = [[] for _ in rows]
        going = set(range(len(rows)))
        for _ in range(most):
            chosen = out.logits[:, -1].argmax(-1)
            for i, token in enumerate(chosen.tolist()):
                if i in going and token in ends:
                    going.discard(i)
                elif i in going:
                    written[i].append(token)
            if not going:
                break
            mask = torch.cat((mask, mask.new_ones(len(rows), 1)), dim=1)
            position = position + 1
            out = self._model(
                input_ids=chosen[:, None],
                attention_mask=mask,
                position_ids=position,
                past_key_values=out.past_key_values,
                use_cache=True,
                logits_to_keep=1,
            )
        return written

    def _answers(self, images: Sequence[Features], batch: _Batch, cache: Any) -> torch.Tensor:
        """(rows, vocabulary): of the token after each row's last one."""
        at, which = torch.unique(batch.last, return_inverse=True)
        device = self._loaded.device
        logits = torch.as_tensor(self._run(images, batch, cache, at.to(device)).logits)
        rows = torch.arange(len(which), device=device)
        return logits[rows, which.to(device)].float().log_softmax(-1)

    def _run(self, images: Sequence[Features], batch: _Batch, cache: Any, keep: int | torch.Tensor) -> Any:
        return self._model(
            input_ids=batch.tokens,
            attention_mask=batch.mask,
            position_ids=batch.positions,
            past_key_values=cache,
            use_cache=cache is not None,
            mm_encoder_outputs={"image": self._encoded(images)},
            logits_to_keep=keep,
        )

    def _batch(self, question: Question, rows: Sequence[Row], start: int, in_front: bool = False) -> _Batch:
        """Without the first `start` tokens, which are the same in all rows and whose keys are known."""
        whole = [_assemble(question, row) for row in rows]
        length = max(len(tokens) for tokens, _ in whole)
        pad = self._loaded.processor.tokenizer.pad_token_id or 0
        tokens = torch.full((len(rows), length), pad)
        types = torch.zeros((len(rows), length), dtype=torch.long)
        mask = torch.zeros((len(rows), length), dtype=torch.long)
        for i, (row_tokens, row_types) in enumerate(whole):
            # The beginning stays at the left, as in the shared keys and values.
            gap = length - len(row_tokens) if in_front else 0
            at = torch.cat((torch.arange(start), torch.arange(start + gap, gap + len(row_tokens))))
            tokens[i, at] = torch.tensor(row_tokens)
            types[i, at] = torch.tensor(row_types)
            mask[i, at] = 1
        positions = self._positions(tokens, types, mask, rows)
        device = self._loaded.device
        return _Batch(
            tokens=tokens[:, start:].to(device),
            mask=mask.to(device) if in_front else None,
            positions=positions[..., start:].to(device),
            last=torch.tensor(
                [(length if in_front else len(row_tokens)) - start - 1 for row_tokens, _ in whole]
            ),
        )

    def _positions(
        self, tokens: torch.Tensor, types: torch.Tensor, mask: torch.Tensor, rows: Sequence[Row]
    ) -> torch.Tensor:
        grids = [image.grid for row in rows for image in row.images if image.grid is not None]
        index = getattr(self._model.model, "get_rope_index", None)
        if not grids or index is None:
            # Counted on behind the end: a step back would look like another sequence to transformers.
            return (mask.cumsum(-1) - 1).clamp(min=0) + (mask.flip(-1).cumsum(-1).flip(-1) == 0).cumsum(-1)
        positions, _ = index(tokens, types, image_grid_thw=torch.cat(grids), attention_mask=mask)
        return torch.as_tensor(positions)

    def _encoded(self, images: Sequence[Features]) -> Any:
        """The features of a batch as the model's own encoder would give them."""

        def joined(tensors: list[torch.Tensor]) -> torch.Tensor:
            device = self._loaded.device
            return torch.cat([tensor.to(device, non_blocking=True) for tensor in tensors])

        embeddings = joined([image.embeddings for image in images])
        layers = zip(*(image.deep for image in images), strict=True)
        return SimpleNamespace(
            pooler_output=(embeddings,) if images[0].listed else embeddings[None],
            deepstack_features=[(joined(list(layer)),) for layer in layers],
        )

    def _beginning(self, question: Question, rows: int) -> Any:
        """Keys and values of the text before the first image, once for each row; None without such text."""
        tokens = question.pieces[0]
        if not tokens:
            return None
        if tokens not in self._beginnings:
            cache = self._new_cache()
            device = self._loaded.device
            positions = torch.arange(len(tokens), device=device)[None]
            if getattr(self._model.model, "get_rope_index", None) is not None:
                positions = positions.expand(3, 1, -1)
            self._model(
                input_ids=torch.tensor([tokens], device=device),
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            self._beginnings[tokens] = cache
        cache = copy.deepcopy(self._beginnings[tokens])
        cache.batch_repeat_interleave(rows)
        return cache

    def _new_cache(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self._model.config.get_text_config())


def _by_first_image(rows: Sequence[Row]) -> list[list[int]]:
    """Places of the rows of two images, those that begin with the same one together."""
    found: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        if len(row.images) == 2:
            found.setdefault(id(row.images[0]), []).append(i)
    return list(found.values())


def _assemble(question: Question, row: Row) -> tuple[list[int], list[int]]:
    """All tokens of a prompt, and the type of each."""
    tokens, types = list(question.pieces[0]), [0] * len(question.pieces[0])
    for image, after in zip(row.images, question.pieces[1:], strict=True):
        tokens += (*image.tokens, *after)
        types += (*image.types, *[0] * len(after))
    return [*tokens, *row.begun], [*types, *[0] * len(row.begun)]
