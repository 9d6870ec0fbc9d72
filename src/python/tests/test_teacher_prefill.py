"""What the teacher reads twice and what once: tokens counted at the model, memory by numbers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from test_teacher_judge import PROMPTS, SIZES, check, look, opening, pictures
from tiny_vlm import make

from leaf.teacher.batches import Batches
from leaf.teacher.features import Features
from leaf.teacher.judge import Judge
from leaf.teacher.load import load
from leaf.teacher.memory import kv_bytes_per_token, room_on, spread, tokens_that_fit
from leaf.teacher.shared import Row

QWEN3_8B = SimpleNamespace(
    num_hidden_layers=36,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=128,
    hidden_size=4096,
    intermediate_size=12288,
)
"""The language model of InternVL3.5-8B and Qwen3-VL-8B."""


@pytest.mark.parametrize("family", ["internvl", "qwen3_vl"])
def test_pairs_that_begin_with_the_same_image_read_it_once(tmp_path: Path, family: str) -> None:
    make(family, tmp_path)
    judge = Judge(load(opening(tmp_path)), PROMPTS, batch=8)
    assert judge.shared is not None
    seen = look(judge, pictures())
    # A path, as a round of pairs is drawn, in both orders: each image but the ends begins two prompts.
    path = [(i, i + 1) for i in range(len(SIZES) - 1)]
    sets = [*path, *[(b, a) for a, b in path]]
    read: list[int] = []

    def count(_: Any, __: Any, given: dict[str, Any]) -> None:
        # Without padding: the mask also covers the keys that are there already.
        mask, tokens = given.get("attention_mask"), given["input_ids"]
        read.append(tokens.numel() if mask is None else int(mask[:, -tokens.shape[1] :].sum()))

    hook = judge.loaded.model.register_forward_pre_hook(count, with_kwargs=True)
    question = judge.pair.question
    features = [one for one in seen if isinstance(one, Features)]
    judge.shared.log_probabilities(question, [Row((features[a], features[b])) for a, b in sets])
    hook.remove()
    start, middle, end = map(len, question.pieces)
    images = [len(one.tokens) for one in features]
    begin = {a for a, _ in sets}
    shared = {a for a in begin if sum(first == a for first, _ in sets) > 1}
    expected = sum(start + images[a] + middle for a in shared) + sum(
        images[b] + end + (0 if a in shared else images[a] + middle) for a, b in sets
    )
    alone = sum(images[a] + middle + images[b] + end for a, b in sets)
    # The text before the first image of the others was read when the model was opened.
    assert sum(read) == expected < alone
    # 13 images are read for 16 that are shown.
    assert len(sets) * 2 - len(shared) == 13
    check(judge, judge.pair, sets, seen)


def test_keys_and_values_of_a_published_model() -> None:
    # 36 layers x 2 x 8 heads x 128 numbers of 2 bytes; 16 pairs of 6.7 thousand tokens ask for 15.7 GB.
    assert kv_bytes_per_token(QWEN3_8B, 2) == 147_456
    assert 15.6e9 < 16 * 6_700 * kv_bytes_per_token(QWEN3_8B, 2) < 15.9e9
    # 24 GB with 17 GB of weights: some 3 pairs of 12 tiles, or 5 of 6.
    room = tokens_that_fit(7 << 30, QWEN3_8B, 2)
    assert 3 * 6_700 <= room < 4 * 6_700
    assert room >= 5 * 3_700
    assert room_on(torch.device("cpu"), QWEN3_8B, 4) is None


def test_a_model_is_spread_where_one_gpu_does_not_hold_it() -> None:
    gib = 1 << 30
    assert spread(76 * gib, [80 * gib, 80 * gib]) == "auto"
    assert spread(16 * gib, [24 * gib, 24 * gib]) == "one"
    assert spread(76 * gib, [80 * gib]) == "one"


@pytest.mark.parametrize(("room", "expected"), [(None, [4, 2]), (100, [4, 2]), (25, [2, 3, 1]), (1, [1] * 6)])
def test_a_batch_is_no_longer_than_there_is_room(room: int | None, expected: list[int]) -> None:
    sizes: list[int] = []

    def work(batch: list[int]) -> list[int]:
        sizes.append(len(batch))
        return [2 * one for one in batch]

    items = [5, 12, 8, 3, 11, 4]
    assert Batches(4, room).run(items, lambda one: one, work) == [2 * one for one in items]
    assert sizes == expected


def test_items_of_a_group_go_together() -> None:
    batches: list[list[str]] = []

    def work(batch: list[str]) -> list[str]:
        batches.append(batch)
        return batch

    items = ["a1", "b333", "a22", "c4444", "b1"]
    assert Batches(2).run(items, len, work, lambda one: one[0]) == items
    assert batches == [["c4444", "b333"], ["b1", "a22"], ["a1"]]
