"""The teacher's probabilities against the plain model: processor and full forward, one prompt at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from PIL import Image
from tiny_vlm import ANSWERS, FAMILIES, OTHER_WORDS, make

from leaf.contract.teacher import ImagePart, Open, Prompts, TextPart
from leaf.errors import TrainerError
from leaf.teacher.answers import variants
from leaf.teacher.features import Features
from leaf.teacher.judge import Asked, Judge, Seen
from leaf.teacher.load import Loaded, load
from leaf.teacher.question import EMPTY_THOUGHT, ask

PROMPTS = Prompts(
    point=[ImagePart(image=0), TextPart(text="Rate the quality of this image.")],
    pair=[
        TextPart(text="Image A:"),
        ImagePart(image=0),
        TextPart(text="Image B:"),
        ImagePart(image=1),
        TextPart(text="Which is better?"),
    ],
    reason=[ImagePart(image=0), TextPart(text="Why?")],
    words=["excellent", "good", "fair", "poor", "bad"],
    letters=("A", "B"),
    tie="same",
    prefill=None,
)
SIZES = ((150, 80), (60, 200), (230, 230), (56, 56), (300, 110))


def opening(folder: Path, **changes: Any) -> Open:
    values: dict[str, Any] = {
        "v": 1,
        "model": str(folder),
        "local": True,
        "revision": None,
        "device": "cpu",
        "dtype": "auto",
        "quantize": "none",
        "attention": "auto",
        "batch": 3,
        "feature_memory": 1024,
        "prompts": PROMPTS,
    }
    return Open(**{**values, **changes})


def pictures() -> list[Image.Image]:
    generator = torch.Generator().manual_seed(1)
    small = [torch.randint(0, 256, (9, 7, 3), generator=generator, dtype=torch.uint8) for _ in SIZES]
    return [Image.fromarray(s.numpy()).resize(size) for s, size in zip(small, SIZES, strict=True)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """Each family once; a test may wrap the model but must put it back."""
    made: dict[str, Loaded] = {}

    def model(family: str) -> Loaded:
        if family not in made:
            folder = tmp_path_factory.mktemp(family)
            make(family, folder)
            made[family] = load(opening(folder))
        return made[family]

    return model


def reference(loaded: Loaded, rendered: str, images: Sequence[Image.Image]) -> torch.Tensor:
    """Log-probabilities over the vocabulary at the end of a prompt, by Hugging Face's own code alone."""
    inputs = loaded.processor(text=[rendered], images=list(images), return_tensors="pt")
    with torch.no_grad():
        logits = loaded.model(**inputs).logits
    return torch.as_tensor(logits)[0, -1].log_softmax(-1)


def masses(
    loaded: Loaded, rendered: str, images: Sequence[Image.Image], names: Sequence[str]
) -> dict[str, float]:
    """Mass of each answer: the answers are told apart token by token, as a reader would."""
    tokenizer = loaded.processor.tokenizer
    before = len(tokenizer(rendered).input_ids)
    paths = {
        (name, tuple(tokenizer(rendered + form).input_ids[before:]))
        for name in names
        for form in variants(name)
    }
    totals = dict.fromkeys(names, 0.0)

    def walk(said: tuple[int, ...], going: set[tuple[str, tuple[int, ...]]], weight: float) -> None:
        log = reference(loaded, rendered + tokenizer.decode(list(said)), images)
        left = 1.0
        for token in {rest[0] for _, rest in going if rest}:
            after = {(name, rest[1:]) for name, rest in going if rest and rest[0] == token}
            p = float(log[token].exp())
            left -= p
            owners = {name for name, _ in after}
            if len(owners) == 1:
                totals[owners.pop()] += weight * p
            else:
                walk((*said, token), after, weight * p)
        for name in {name for name, rest in going if not rest}:
            totals[name] += weight * left

    walk((), paths, 1.0)
    return totals


def look(judge: Judge, images: Sequence[Image.Image]) -> list[Seen]:
    return [judge.look(judge.prepare(image)) for image in images]


def check(judge: Judge, asked: Asked, sets: Sequence[tuple[int, ...]], seen: Sequence[Seen]) -> None:
    images = pictures()
    ratings = judge.rate(asked, [tuple(seen[i] for i in some) for some in sets])
    for rating, some in zip(ratings, sets, strict=True):
        expected = masses(
            judge.loaded, asked.question.rendered, [images[i] for i in some], asked.answers.names
        )
        assert rating.masses == pytest.approx(tuple(expected.values()), abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_reused_features_and_batches_change_nothing(family: str, models: Callable[[str], Loaded]) -> None:
    loaded = models(family)
    judge = Judge(loaded, PROMPTS, batch=3)
    assert judge.why_plain is None
    encoder = getattr(loaded.model.model, "vision_tower", None) or loaded.model.model.visual
    encoded: list[int] = []
    counting = encoder.register_forward_hook(lambda *_: encoded.append(1))
    seen = look(judge, pictures())
    points = [(i,) for i in range(len(SIZES))]
    pairs = [(0, 1), (1, 0), (0, 2), (2, 0), (4, 3), (3, 4), (1, 4)]
    point_ratings = judge.rate(judge.point, [(seen[i],) for (i,) in points])
    judge.rate(judge.pair, [(seen[a], seen[b]) for a, b in pairs])
    counting.remove()
    assert len(encoded) == len(SIZES)
    # Images and their order must matter, or the comparison below would mean nothing.
    assert len({round(rating.masses[0], 4) for rating in point_ratings}) == len(SIZES)
    lengths = {len(image.tokens) for image in seen if isinstance(image, Features)}
    assert len(lengths) > 1 or family == "llava"
    check(judge, judge.point, points, seen)
    check(judge, judge.pair, pairs, seen)


def test_a_begun_answer_is_followed_by_words_with_a_space(models: Callable[[str], Loaded]) -> None:
    loaded = models("internvl")
    begun = replace(PROMPTS, prefill="The quality of the image is")
    judge = Judge(loaded, begun, batch=8)
    assert judge.point.question.rendered.endswith("assistant\nThe quality of the image is")
    check(judge, judge.point, [(0,), (1,)], look(judge, pictures()))


@pytest.mark.parametrize(
    "words",
    [("prime", "plain", "poor", "pad", "pure"), ("good", "goods", "fair", "poor", "bad")],
    ids=["a common first token", "one answer goes on from another"],
)
def test_answers_that_begin_alike_are_told_apart(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The tiny vocabulary spells unknown words byte by byte."""
    letters = ["p", "P", "l", "a", "o", "u", "r", *(word[:2] for word in words)]
    make("internvl", tmp_path, words=(*ANSWERS, *OTHER_WORDS), lifted=[*letters, "good", "s"])
    prompts = replace(PROMPTS, words=list(words))
    judge = Judge(load(opening(tmp_path)), prompts, batch=4)
    seen = look(judge, pictures()[:2])
    check(judge, judge.point, [(0,), (1,)], seen)
    assert sum(judge.rate(judge.point, [(seen[0],)])[0].masses) > 0.05


def test_answers_of_the_same_tokens_are_refused(models: Callable[[str], Loaded]) -> None:
    same = replace(PROMPTS, words=["good", "Good", "fair", "poor", "bad"])
    with pytest.raises(TrainerError, match="“Good”"):
        Judge(models("internvl"), same, batch=4)


def test_a_model_whose_features_are_not_what_it_uses_is_asked_plainly(
    models: Callable[[str], Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = models("qwen2_5_vl")
    real = loaded.model.get_image_features

    def other(**inputs: Any) -> Any:
        out = real(**inputs)
        out.pooler_output = tuple(torch.zeros_like(part) for part in out.pooler_output)
        return out

    monkeypatch.setattr(loaded.model, "get_image_features", other)
    judge = Judge(loaded, PROMPTS, batch=2)
    assert judge.why_plain is not None and "changes an answer" in judge.why_plain
    seen = look(judge, pictures())
    check(judge, judge.point, [(0,), (1,)], seen)
    check(judge, judge.pair, [(0, 1), (1, 0)], seen)
    assert len(judge.explain([(seen[0],)])) == 1


def test_a_batch_that_does_not_fit_is_halved(
    models: Callable[[str], Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = models("internvl")
    judge = Judge(loaded, PROMPTS, batch=5)
    seen = look(judge, pictures())
    sets = [(image,) for image in seen]
    expected = [rating.masses for rating in judge.rate(judge.point, sets)]
    real, fits, tried = loaded.model.forward, 2, []

    def forward(*arguments: Any, **inputs: Any) -> Any:
        tried.append(inputs["input_ids"].shape[0])
        if tried[-1] > fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(*arguments, **inputs)

    monkeypatch.setattr(loaded.model, "forward", forward)
    found = [rating.masses for rating in judge.rate(judge.point, sets)]
    for some, other in zip(found, expected, strict=True):
        assert some == pytest.approx(other, abs=1e-4)
    assert tried[0] == 5 and max(tried[1:]) <= 2 and judge.batches.limit == 2
    fits = 0
    with pytest.raises(TrainerError, match="single prompt") as caught:
        judge.rate(judge.point, sets)
    assert caught.value.code == "oom" and "maxTiles" in str(caught.value.remedy)


@pytest.mark.parametrize("family", FAMILIES)
def test_reasons_are_what_the_model_generates_by_itself(family: str, models: Callable[[str], Loaded]) -> None:
    loaded = models(family)
    judge = Judge(loaded, PROMPTS, batch=2)
    images = pictures()[:3]
    found = judge.explain([(image,) for image in look(judge, images)])
    for text, image in zip(found, images, strict=True):
        inputs = loaded.processor(text=[judge.reason.rendered], images=[image], return_tensors="pt")
        written = loaded.model.generate(**inputs, max_new_tokens=24, do_sample=False)
        new = written[0, inputs["input_ids"].shape[1] :]
        expected = loaded.processor.tokenizer.decode(new, skip_special_tokens=True)
        assert text == " ".join(expected.split())


def test_sixteen_bits_read_the_answer_in_float32(models: Callable[[str], Loaded], tmp_path: Path) -> None:
    make("internvl", tmp_path)
    half = Judge(load(opening(tmp_path, dtype="bfloat16")), PROMPTS, batch=3)
    assert half.why_plain is None
    assert half.loaded.model.lm_head.weight.dtype == torch.float32
    whole = Judge(models("internvl"), PROMPTS, batch=3)
    images = pictures()
    pairs = zip(
        half.rate(half.point, [(image,) for image in look(half, images)]),
        whole.rate(whole.point, [(image,) for image in look(whole, images)]),
        strict=True,
    )
    for some, other in pairs:
        assert some.masses == pytest.approx(other.masses, abs=0.05)


THINKS = "{% if not (enable_thinking is defined and enable_thinking is false) %}<think>\n{% endif %}"
ALWAYS = "<think>\n"
DEFAULT = "{% if add_generation_prompt %}<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("opening", "end", "how"),
    [
        ("", "assistant\n", None),
        (THINKS, "assistant\n", "enable_thinking=False"),
        (ALWAYS, "assistant\n<think>\n\n</think>\n\n", "an empty thought"),
    ],
)
def test_a_template_that_opens_a_thought_is_quieted(
    models: Callable[[str], Loaded], opening: str, end: str, how: str | None
) -> None:
    loaded = models("internvl")
    processor = loaded.processor
    before = processor.chat_template or processor.tokenizer.chat_template
    template = before.replace(DEFAULT, DEFAULT + opening)
    assert opening == "" or template != before
    processor.chat_template = template
    try:
        question = ask(processor, PROMPTS.point)
    finally:
        processor.chat_template = before
    assert question.rendered.endswith(end)
    assert question.quieted == how


def test_a_model_that_thinks_unasked_gets_an_empty_thought(models: Callable[[str], Loaded]) -> None:
    """Told by the probability: the words get it behind a closed thought only."""
    loaded = models("internvl")
    tokenizer = loaded.processor.tokenizer
    good, image = (tokenizer(word, add_special_tokens=False).input_ids[0] for word in ("good", "image"))
    forward = loaded.model.forward

    def lifted(*args: Any, **options: Any) -> Any:
        out = forward(*args, **options)
        behind = tokenizer.decode(options["input_ids"][0].tolist()).endswith(EMPTY_THOUGHT)
        out.logits[:, -1, good if behind else image] += 50
        return out

    loaded.model.forward = lifted
    try:
        judge = Judge(loaded, PROMPTS, 2)
        [rating] = judge.rate(judge.point, [(judge.look(judge.prepare(pictures()[0])),)])
    finally:
        loaded.model.forward = forward
    assert judge.point.question.quieted == judge.pair.question.quieted == "an empty thought"
    assert sum(rating.masses) > 0.99
    assert Judge(loaded, PROMPTS, 2).point.question.quieted is None
