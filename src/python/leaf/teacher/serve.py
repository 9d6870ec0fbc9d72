"""Reads requests, judges, writes answers: until standard input ends."""

import math
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from leaf.channel import Outbox
from leaf.contract.teacher import (
    Answer,
    Failure,
    Fit,
    Hello,
    HelloContrastive,
    Measure,
    Need,
    Open,
    OpenContrastive,
    Preference,
    Rating,
    Reason,
    Refusal,
    TeacherAnswer,
)
from leaf.environment import device_name
from leaf.errors import TrainerError, is_out_of_memory
from leaf.signals import CANCELLED
from leaf.teacher.request import Ask, Request, parse

REQUIRED = ("torch", "transformers", "numpy", "PIL", "safetensors")


def serve(lines: BinaryIO, fd: int) -> int:
    """Returns the exit code. The first line opens the model; a failure to do so ends the teacher."""
    out = Outbox(fd)
    try:
        request = parse(lines.readline())
        if not isinstance(request, Open | OpenContrastive | Measure):
            raise TrainerError("input", "The first message to the teacher must open a model.")
        _need_packages()
        if isinstance(request, Measure):
            from leaf.teacher.count_tokens import measure

            out.send(measure(request))
            return 0
        _Session(request, out).run(lines)
        return 0
    except Exception as error:
        out.send(_failure(None, error))
        return 1


class _Session:
    def __init__(self, request: Open | OpenContrastive, out: Outbox) -> None:
        import transformers

        from leaf.teacher.cache import Recent
        from leaf.teacher.request_queue import RequestQueue

        logging: Any = transformers.utils.logging
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._out = out
        self._opened = request
        self._judge: Any
        hello: Hello | HelloContrastive
        if isinstance(request, Open):
            self._judge, hello = _open(request)
            memory = request.feature_memory << 20
        else:
            # The engine remembers what was answered: no image comes again.
            self._judge, hello = _open_contrastive(request)
            memory = 0
        self._seen: Recent[Any] = Recent(memory)
        self._queue = RequestQueue(
            prepare=self._judge.prepare,
            remembered=self._seen.__contains__,
            need=lambda id, images: out.send(Need(v=1, id=id, images=images)),
            threads=min(4, os.cpu_count() or 1),
        )
        out.send(hello)

    def run(self, lines: BinaryIO) -> None:
        threading.Thread(target=self._read, args=(lines,), name="requests", daemon=True).start()
        while (ask := self._queue.take()) is not None:
            try:
                answers = self._answers(ask)
                self._out.send(Answer(v=1, id=ask.id, answers=answers))
            except Exception as error:
                self._out.send(_failure(ask.id, error))
            finally:
                self._queue.forget(ask)

    def _read(self, lines: BinaryIO) -> None:
        for line in lines:
            try:
                request: Request = parse(line)
                if isinstance(request, Open | OpenContrastive | Measure):
                    raise TrainerError("input", "The teacher is open already.")
            except TrainerError as error:
                self._out.send(_failure(None, error))
                break
            if isinstance(request, Ask):
                self._queue.put(request)
            else:
                self._queue.arrive(request)
        # The engine closed the pipe or died: nobody waits for what is under way.
        os._exit(CANCELLED)

    def _answers(self, ask: Ask) -> list[TeacherAnswer]:
        seen, bad = self._look(ask)
        good = [some for some in ask.sets if not any(image in bad for image in some)]
        sets = [tuple(seen[image] for image in some) for some in good]
        found = dict(zip(good, self._judged(ask, sets), strict=True)) if sets else {}
        return [
            found[some]
            if some in found
            else Refusal(ok=False, reason=next(bad[image] for image in some if image in bad))
            for some in ask.sets
        ]

    def _look(self, ask: Ask) -> tuple[dict[str, Any], dict[str, str]]:
        """What is seen of each image of a request, and why the others cannot be read."""
        from leaf.teacher.request_queue import BadImage

        seen: dict[str, Any] = {}
        bad: dict[str, str] = {}
        for image in dict.fromkeys(image for some in ask.sets for image in some):
            found = self._seen.get(image)
            if found is None:
                try:
                    found = self._judge.look(self._queue.image(ask, image))
                except BadImage as error:
                    bad[image] = str(error)
                    continue
                self._seen.put(image, found)
            seen[image] = found
        return seen, bad

    def _judged(self, ask: Ask, sets: Sequence[tuple[Any, ...]]) -> list[TeacherAnswer]:
        judge = self._judge
        if isinstance(self._opened, OpenContrastive):
            if ask.kind != "points":
                raise TrainerError("input", "A contrastive model is asked about single images only.")
            found = judge.first([images[0] for images in sets])
            return [_numbers(Fit(ok=True, first=first), first) for first in found]
        if ask.kind == "points":
            return [
                _numbers(Rating(ok=True, masses=list(rating.masses)), rating.masses)
                for rating in judge.rate(judge.point, sets)
            ]
        if ask.kind == "explain":
            return [Reason(ok=True, text=text) for text in judge.explain(sets)]
        if ask.kind == "inspect":
            shown = [judge.inspect(judge.point if len(s) == 1 else judge.pair, s) for s in sets]
            return [_numbers(one, [one.mass, *(top.probability for top in one.top)]) for one in shown]
        turned = [images[::-1] for images in sets] if ask.orders == "both" else []
        ratings = judge.rate(judge.pair, [*sets, *turned])
        backwards = ratings[len(sets) :] if turned else [None] * len(sets)
        return [
            _numbers(
                Preference(ok=True, ab=list(ab.masses), ba=None if ba is None else list(ba.masses)),
                (*ab.masses, *(() if ba is None else ba.masses)),
            )
            for ab, ba in zip(ratings[: len(sets)], backwards, strict=True)
        ]


def _open(request: Open) -> tuple[Any, Hello]:
    import torch
    import transformers

    from leaf.teacher.judge import Judge
    from leaf.teacher.load import load
    from leaf.teacher.load_errors import name_of

    loaded = load(request)
    judge = Judge(loaded, request.prompts, request.batch)
    return judge, Hello(
        v=1,
        model=name_of(request),
        commit=loaded.commit,
        device=str(loaded.device),
        device_name=device_name(str(loaded.device)),
        dtype=str(loaded.dtype).removeprefix("torch."),
        quantize=request.quantize,
        attention=loaded.attention,
        features="reused" if judge.shared else "plain",
        why_plain=judge.why_plain,
        thinking=judge.point.question.quieted,
        torch=str(torch.__version__),
        transformers=str(transformers.__version__),
    )


def _open_contrastive(request: OpenContrastive) -> tuple[Any, HelloContrastive]:
    from leaf.teacher.contrastive import Contrastive
    from leaf.teacher.load_contrastive import load_contrastive
    from leaf.teacher.load_errors import name_of

    loaded = load_contrastive(request)
    return Contrastive(loaded, request.antonyms, request.batch), HelloContrastive(
        v=1,
        model=name_of(request),
        commit=loaded.commit,
        device=str(loaded.device),
        device_name=device_name(str(loaded.device)),
        dtype=str(loaded.dtype).removeprefix("torch."),
        sees="whole" if loaded.interpolates else "processor",
    )


def _numbers(answer: TeacherAnswer, numbers: Iterable[float]) -> TeacherAnswer:
    """The answer, or a refusal of it alone where a number is none: 16-bit weights may overflow."""
    if all(math.isfinite(number) for number in numbers):
        return answer
    return Refusal(ok=False, reason="the model gave no number")


def _need_packages() -> None:
    from leaf.environment import missing_packages

    missing = missing_packages(REQUIRED)
    if missing:
        names = ["pillow" if name == "PIL" else name for name in missing]
        raise TrainerError(
            "environment",
            f"This Python ({sys.executable}) lacks {', '.join(names)}.",
            "Run `leaf env` to set up the Python environment, or set `python.interpreter`.",
        )


def _failure(id: int | None, error: Exception) -> Failure:
    if not isinstance(error, TrainerError):
        if is_out_of_memory(error):
            error = TrainerError(
                "oom",
                "The teacher ran out of memory.",
                "Lower `teacher.batch` or `maxTiles`, or choose a smaller model.",
            )
        else:
            traceback.print_exception(error)
            text = " ".join(str(error).split()) or type(error).__name__
            error = TrainerError("failed", f"The teacher failed ({type(error).__name__}): {text[:500]}")
    return Failure(v=1, id=id, code=error.code, message=error.message, remedy=error.remedy)
