"""The teacher itself: questions in, probabilities of answers out. Knows nothing of messages or of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image

from leaf.contract.teacher import Inspection, NamedAnswer, Prompts, TopToken
from leaf.errors import TrainerError
from leaf.teacher import plain
from leaf.teacher.answers import (
    Answers,
    Probability,
    find_answers,
    needed_tokens,
    probabilities,
    reach,
)
from leaf.teacher.batches import Batches
from leaf.teacher.features import CannotReuse, Features, Prepared, encode, prepare
from leaf.teacher.load import Loaded
from leaf.teacher.plain import Pixels
from leaf.teacher.question import Question, Tokens, ask
from leaf.teacher.shared import Row, SharedForward

REASON_TOKENS = 24
TOP_TOKENS = 20
LITTLE_MASS, ENOUGH_MASS = 0.25, 0.5
"""A model with little of its answer on the words would think first, or talk; a way out brings enough."""
NEGLIGIBLE = 1e-5
"""What follows a beginning that several answers share is looked at where it is more probable than this."""

Seen = Features | Pixels
"""What is kept of an image: features, or the picture itself where features cannot be reused."""


Prompt = tuple[tuple[Seen, ...], Tokens]
"""Images, and the beginning of an answer."""


@dataclass(frozen=True)
class Rating:
    """Mass on each answer before normalising, in the order of the words or letters; a tie comes last."""

    masses: tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    question: Question
    answers: Answers


class Judge:
    """Opens on a loaded model. `why_plain` says why image features are not reused, or is None."""

    def __init__(self, loaded: Loaded, prompts: Prompts, batch: int) -> None:
        self.loaded = loaded
        self.prompts = prompts
        self.batches = Batches(batch, loaded.room)
        self.shared: SharedForward | None = None
        self.why_plain: str | None = None
        self._ask(closed=False)
        if self._neutral_mass() < LITTLE_MASS:
            self._ask(closed=True)
            if self._neutral_mass() < ENOUGH_MASS:
                self._ask(closed=False)
        try:
            self.shared = SharedForward(loaded)
            self._compare_with_plain()
        except CannotReuse as error:
            self.shared, self.why_plain = None, str(error)

    def _ask(self, closed: bool) -> None:
        """The three questions; `closed`: behind an empty thought."""
        prompts, processor = self.prompts, self.loaded.processor
        point = ask(processor, prompts.point, prompts.prefill, closed)
        pair = ask(processor, prompts.pair, closed=closed)
        tie = () if prompts.tie is None else (prompts.tie,)
        self.point = Asked(point, find_answers(processor.tokenizer, point, prompts.words))
        self.pair = Asked(pair, find_answers(processor.tokenizer, pair, (*prompts.letters, *tie)))
        self.reason = ask(processor, prompts.reason, closed=closed)

    def _neutral_mass(self) -> float:
        """How much of the answer about a made-up picture is on the words, by the plain way."""
        picture, _ = _made_up_pictures()
        [rating] = self.rate(self.point, [(Pixels(picture),)])
        return sum(rating.masses)

    def prepare(self, image: Image) -> Prepared | Pixels:
        """The part of looking that the processor does. Any thread may do it."""
        return (
            Pixels(image)
            if self.shared is None
            else prepare(self.loaded.processor, image, self.loaded.device)
        )

    def look(self, prepared: Prepared | Pixels) -> Seen:
        """The vision encoder, once for an image. Raises TrainerError("oom")."""
        if isinstance(prepared, Pixels):
            return prepared
        [seen] = Batches(1).run([prepared], lambda _: 0, lambda one: [encode(self.loaded, one[0])])
        return seen

    def rate(self, asked: Asked, sets: Sequence[tuple[Seen, ...]]) -> list[Rating]:
        """Mass on the answers for each set of images."""
        needed = needed_tokens(asked.answers)
        tables: list[dict[Tokens, dict[int, float]]] = [{} for _ in sets]

        def probability(table: dict[Tokens, dict[int, float]]) -> Probability:
            return lambda before, token: table.get(before, {}).get(token, 0.0)

        def read(batch: Sequence[Prompt]) -> list[list[float]]:
            log = self._log_probabilities(asked.question, batch)
            return [log[i, needed[begun]].exp().tolist() for i, (_, begun) in enumerate(batch)]

        for begun in sorted(needed, key=len):
            likely = [i for i, table in enumerate(tables) if reach(begun, probability(table)) > NEGLIGIBLE]
            prompts = [(sets[i], begun) for i in likely]
            found = self.batches.run(prompts, self._length(asked.question), read, _first_image)
            for i, values in zip(likely, found, strict=True):
                tables[i][begun] = dict(zip(needed[begun], values, strict=True))
        return [Rating(tuple(probabilities(asked.answers, probability(table)))) for table in tables]

    def explain(self, sets: Sequence[tuple[Seen, ...]]) -> list[str]:
        """A short answer to the reason's question, one line each."""
        tokenizer = self.loaded.processor.tokenizer
        ends = _end_tokens(self.loaded)

        def write(batch: Sequence[Prompt]) -> list[list[int]]:
            if self.shared is None:
                return [
                    plain.write(self.loaded, self.reason, _pictures(images), REASON_TOKENS, ends)
                    for images, _ in batch
                ]
            rows = [Row(_features(images)) for images, _ in batch]
            return self.shared.write(self.reason, rows, REASON_TOKENS, ends)

        written = self.batches.run([(images, ()) for images in sets], self._length(self.reason), write)
        return [" ".join(tokenizer.decode(tokens, skip_special_tokens=True).split()) for tokens in written]

    def inspect(self, asked: Asked, images: tuple[Seen, ...]) -> Inspection:
        """What stands behind one judgement."""
        tokenizer = self.loaded.processor.tokenizer
        [log] = self._log_probabilities(asked.question, [(images, ())])
        top = torch.topk(log.exp(), min(TOP_TOKENS, log.shape[0]))
        [rating] = self.rate(asked, [images])
        beginnings = [(*e, *w) for e, w in zip(asked.answers.endings, asked.answers.whole, strict=True)]
        return Inspection(
            ok=True,
            rendered=asked.question.rendered,
            prefill=self.prompts.prefill if asked is self.point else None,
            top=[
                TopToken(token=tokenizer.decode([token]), probability=probability)
                for token, probability in zip(top.indices.tolist(), top.values.tolist(), strict=True)
            ],
            answers=[
                NamedAnswer(
                    answer=name,
                    tokens=[tokenizer.decode(list(path)) for path in some],
                    probability=mass,
                )
                for name, some, mass in zip(asked.answers.names, beginnings, rating.masses, strict=True)
            ],
            mass=sum(rating.masses),
        )

    def _log_probabilities(self, question: Question, batch: Sequence[Prompt]) -> torch.Tensor:
        if self.shared is not None:
            return self.shared.log_probabilities(question, [Row(_features(s), begun) for s, begun in batch])
        return torch.stack(
            [
                plain.log_probabilities(self.loaded, question, _pictures(images), begun)
                for images, begun in batch
            ]
        )

    def _length(self, question: Question) -> Any:
        def length(prompt: Prompt) -> int:
            images, begun = prompt
            return 0 if self.shared is None else Row(_features(images), begun).length(question)

        return length

    def _compare_with_plain(self) -> None:
        """Both ways on two made-up pictures; raises CannotReuse where they differ or the fast one fails."""
        assert self.shared is not None
        pictures = _made_up_pictures()
        exact = self.loaded.dtype == torch.float32
        try:
            device = self.loaded.device
            features = [
                encode(self.loaded, prepare(self.loaded.processor, picture, device)) for picture in pictures
            ]
            # Two of the pairs begin with the same picture.
            for asked, sets in ((self.point, [(0,), (1,)]), (self.pair, [(0, 1), (1, 0), (0, 0)])):
                rows = [Row(tuple(features[i] for i in some)) for some in sets]
                fast = self.shared.log_probabilities(asked.question, rows)
                for row, some in zip(fast, sets, strict=True):
                    images = [pictures[i] for i in some]
                    slow = plain.log_probabilities(self.loaded, asked.question, images)
                    distance = float((row.exp() - slow.exp()).abs().sum() / 2)
                    # 16-bit sums depend on the order in which they are taken.
                    if not distance <= (1e-3 if exact else 0.1):
                        raise CannotReuse(f"reusing them changes an answer by {distance:.3f}")
        except (CannotReuse, TrainerError):
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            raise CannotReuse(f"{type(error).__name__}: {text[:160]}") from error


def _made_up_pictures() -> list[Image]:
    """A coarse noise and a ramp, of different size and shape."""
    from PIL import Image as images

    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (12, 8, 3), generator=generator, dtype=torch.uint8)
    ramp = torch.arange(256, dtype=torch.uint8).expand(3, 128, 256).permute(1, 2, 0).contiguous()
    return [
        images.fromarray(noise.numpy()).resize((224, 336)),
        images.fromarray(ramp.numpy()).resize((640, 320)),
    ]


def _first_image(prompt: Prompt) -> int:
    """Prompts of two images go with those that begin with the same one: see SharedForward."""
    images, _ = prompt
    return id(images[0]) if len(images) == 2 else id(prompt)


def _features(images: tuple[Seen, ...]) -> tuple[Features, ...]:
    return tuple(image for image in images if isinstance(image, Features))


def _pictures(images: tuple[Seen, ...]) -> list[Image]:
    return [image.image for image in images if isinstance(image, Pixels)]


def _end_tokens(loaded: Loaded) -> set[int]:
    configured = getattr(loaded.model.generation_config, "eos_token_id", None)
    found = configured if isinstance(configured, list) else [configured]
    return {int(token) for token in (*found, loaded.processor.tokenizer.eos_token_id) if token is not None}
