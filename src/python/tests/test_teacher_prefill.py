"""What the teacher reads twice and what once: tokens counted at the model, memory by numbers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_teacher_judge import PROMPTS, SIZES, check, look, opening, pictures
from tiny_vlm import FAMILIES, make
from transformers import AttentionInterface

from leaf.teacher import attention
from leaf.teacher.batches import Batches
from leaf.teacher.features import Features, prepare, processor_device
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


@pytest.mark.parametrize(
    ("backend", "device", "expected"),
    [
        ("torchvision", "cuda:0", "cuda:0"),
        ("torchvision", "cpu", None),
        ("pil", "cuda:0", None),
        (None, "cuda:0", None),
    ],
)
def test_a_processor_goes_to_the_gpu_where_it_can(
    backend: str | None, device: str, expected: str | None
) -> None:
    image_processor = SimpleNamespace(backend=backend) if backend else SimpleNamespace()
    assert processor_device(image_processor, torch.device(device)) == expected


class StubProcessor:
    """Of torchvision, as transformers calls it: `full` is a GPU without memory."""

    image_token = "<image>"
    image_processor = SimpleNamespace(backend="torchvision")

    def __init__(self, full: bool) -> None:
        self.full = full
        self.devices: list[str | None] = []

    def __call__(self, device: str | None = None, **_: Any) -> dict[str, torch.Tensor]:
        self.devices.append(device)
        if device is not None and self.full:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return {
            "input_ids": torch.tensor([[7, 7]]),
            "mm_token_type_ids": torch.tensor([[1, 1]]),
            "pixel_values": torch.zeros(1, 3, 4, 4),
        }


@pytest.mark.parametrize(("full", "devices"), [(False, ["cuda:0"]), (True, ["cuda:0", None])])
def test_a_full_gpu_leaves_the_processor_on_the_cpu(full: bool, devices: list[str | None]) -> None:
    processor = StubProcessor(full)
    made = prepare(processor, pictures()[0], torch.device("cuda:0"))
    assert made.tokens == (7, 7) and processor.devices == devices


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

    pad = judge.loaded.processor.tokenizer.pad_token_id

    def count(_: Any, __: Any, given: dict[str, Any]) -> None:
        read.append(int((given["input_ids"] != pad).sum()))

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


@pytest.mark.parametrize("family", FAMILIES)
def test_no_mask_keeps_flash_from_being_used(tmp_path: Path, family: str) -> None:
    make(family, tmp_path)
    judge = Judge(load(opening(tmp_path)), PROMPTS, batch=8)
    assert judge.shared is not None
    seen = look(judge, pictures())
    passed: list[tuple[bool, bool]] = []

    def record(module: Any, query: Any, key: Any, value: Any, mask: Any, **more: Any) -> Any:
        passed.append((mask is None, query.shape[2] < key.shape[2]))
        return attention.attend(module, query, key, value, mask, **more)

    AttentionInterface.register(attention.NAME, record)
    # Pictures of several lengths, alone and after one another; three pairs begin with the same one.
    check(judge, judge.point, [(i,) for i in range(len(SIZES))], seen)
    check(judge, judge.pair, [(0, 1), (0, 2), (0, 3), (2, 1), (3, 3)], seen)
    AttentionInterface.register(attention.NAME, attention.attend)
    assert all(without for without, _ in passed)
    assert any(continued for _, continued in passed)


@pytest.mark.parametrize(
    ("queries", "keys", "before", "plain", "window", "expected"),
    [
        (5, 9, 4, True, None, True),
        (9, 9, 0, True, None, True),
        (5, 9, 4, False, None, False),
        (5, 9, 4, True, 9, False),
        (5, 9, 4, True, 10, True),
        # Keys beyond the queries, as in a cache of fixed length.
        (5, 12, 4, True, None, False),
    ],
)
def test_a_mask_is_left_out_where_the_corner_tells(
    queries: int, keys: int, before: int, plain: bool, window: int | None, expected: bool
) -> None:
    assert attention.corner_tells(queries, keys, before, plain, window) is expected


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(1, 7), st.integers(1, 2), st.integers(1, 3))
def test_attention_on_kept_keys_is_that_of_the_whole(
    queries: int, before: int, groups: int, rows: int
) -> None:
    module = torch.nn.Module()
    module.num_key_value_groups = groups  # type: ignore[assignment]
    generator = torch.Generator().manual_seed(queries * 100 + before)
    keys = before + queries
    whole, key, value = (
        torch.randn(rows, heads, keys, 8, generator=generator) for heads in (2 * groups, 2, 2)
    )
    expected, _ = attention.attend(module, whole, key, value, None)
    found, _ = attention.attend(module, whole[:, :, before:], key, value, None)
    assert torch.allclose(found, expected[:, before:], atol=1e-5)


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
