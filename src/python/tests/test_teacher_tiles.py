"""The tile budget: by the processors of the published models, and through the teacher."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers as hf
from PIL import Image
from test_teacher_judge import PROMPTS, opening
from tiny_vlm import make, tokenizer

from leaf.contract.teacher import Measure
from leaf.teacher.count_tokens import measure
from leaf.teacher.features import prepare
from leaf.teacher.load import load, without_videos
from leaf.teacher.question import image_token
from leaf.teacher.tiles import set_tile_budget

SIZES = ((512, 384), (512, 512), (1024, 768), (1024, 1024), (1920, 1080), (4032, 3024))


def internvl(folder: Path) -> Any:
    """As that of InternVL3_5-*-HF: tiles of 448 pixels, at most 12, and a thumbnail."""
    images = hf.GotOcr2ImageProcessorPil(
        size={"height": 448, "width": 448}, crop_to_patches=True, min_patches=1, max_patches=12
    )
    settings = {"processor_class": "InternVLProcessor", "image_seq_length": 256}
    return _processor(folder, "internvl", images, settings)


def qwen3(folder: Path) -> Any:
    """As Qwen3-VL has it: patches of 16 pixels, four of them a token, 65,536 to 16,777,216 pixels."""
    pixels = {"shortest_edge": 65_536, "longest_edge": 16_777_216}
    images = hf.Qwen2VLImageProcessorPil(size=pixels, patch_size=16, merge_size=2)
    return _processor(folder, "qwen3_vl", images, {"processor_class": "Qwen3VLProcessor"})


def _processor(folder: Path, family: str, images: Any, settings: dict[str, Any]) -> Any:
    tokenizer(family, ()).save_pretrained(folder)
    images.save_pretrained(folder)
    (folder / "processor_config.json").write_text(json.dumps(settings))
    with without_videos():
        return hf.AutoProcessor.from_pretrained(folder)


# What docs/teachers.md tells. InternVL enlarges 512 x 384 to 12 tiles, since only the shape chooses the grid.
@pytest.mark.parametrize(
    ("make_processor", "tiles", "expected"),
    [
        (internvl, None, (3328, 256, 3328, 2560, 2304, 3328)),
        (internvl, 6, (1792, 256, 1792, 1280, 768, 1792)),
        (internvl, 1, (256, 256, 256, 256, 256, 256)),
        (qwen3, None, (192, 256, 768, 1024, 2040, 11844)),
        (qwen3, 6, (192, 256, 768, 1024, 1508, 1485)),
        (qwen3, 1, (192, 256, 234, 256, 252, 234)),
    ],
)
def test_tokens_of_published_processors(
    tmp_path: Path, make_processor: Any, tiles: int | None, expected: tuple[int, ...]
) -> None:
    processor = make_processor(tmp_path)
    assert set_tile_budget(processor, tiles) is (tiles is not None)
    mark = image_token(processor)
    sizes = SIZES[:3]  # Larger ones take their time.
    found = tuple(prepare(processor, Image.new("RGB", size)).tokens.count(mark) for size in sizes)
    assert found == expected[: len(sizes)]
    # What vLLM plans with, for all sizes.
    images = processor.image_processor
    counts = [images.get_number_of_image_patches(height, width, {}) for width, height in SIZES]
    per = 256 if make_processor is internvl else 1 / images.merge_size**2
    assert tuple(int(count * per) for count in counts) == expected


@pytest.mark.parametrize(("tiles", "longest"), [(None, 5), (2, 3), (1, 1)])
def test_the_teacher_keeps_to_the_budget(tmp_path: Path, tiles: int | None, longest: int) -> None:
    """The tiny model shows a picture of 300 x 200 as 4 tiles and a thumbnail, of 4 tokens each."""
    make("internvl", tmp_path)
    loaded = load(opening(tmp_path, max_tiles=tiles))
    picture = Image.new("RGB", (300, 200))
    prepared = prepare(loaded.processor, picture)
    assert len(prepared.tokens) == 4 * longest + 2
    found = measure(
        Measure(
            v=1,
            model=str(tmp_path),
            local=True,
            revision=None,
            max_tiles=tiles,
            prompts=PROMPTS,
            sizes=[(300, 200), (60, 60)],
        )
    )
    # Independent of it: the processor on the whole prompt.
    whole = loaded.processor(text=["Why?<IMG_CONTEXT>"], images=[picture], return_tensors="pt")
    alone = loaded.processor(text=["Why?"], return_tensors="pt")
    assert found.images == [whole["input_ids"].shape[1] - alone["input_ids"].shape[1], 6]


def test_measured_text_and_images_make_the_whole_prompt(tmp_path: Path) -> None:
    make("internvl", tmp_path)
    from leaf.teacher.judge import Judge

    request = opening(tmp_path)
    judge = Judge(load(request), PROMPTS, batch=2)
    found = measure(
        Measure(v=1, model=str(tmp_path), local=True, revision=None, prompts=PROMPTS, sizes=[(300, 200)])
    )
    picture = Image.new("RGB", (300, 200))
    for asked, images, text in ((judge.point, 1, found.point), (judge.pair, 2, found.pair)):
        made = judge.loaded.processor(
            text=[asked.question.rendered], images=[picture] * images, return_tensors="pt"
        )
        assert made["input_ids"].shape[1] == text + images * found.images[0]


def test_a_processor_without_such_a_limit_is_left_alone(tmp_path: Path) -> None:
    make("llava", tmp_path)
    with without_videos():
        processor = hf.AutoProcessor.from_pretrained(tmp_path)
    assert set_tile_budget(processor, 1) is False
