"""torch.compile where it pays: measured by a short trial before a long training, and remembered.

Only on a GPU: a CPU promises the same bits for the same job, whatever a clock says.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from leaf.device import wait_for
from leaf.environment import device_name
from leaf.errors import is_out_of_memory
from leaf.passes import Passes, in_precision
from leaf.students import Student

LONG_S = 1200.0
"""Of a training: the trial itself takes a minute or two."""
GAIN = 0.95
"""A step must get at least this much shorter; less is chance."""
CLOSE = 0.05
"""Points by which 16-bit scores may differ."""
STEPS = 3

Compiler = Callable[[nn.Module], Any]


@dataclass(frozen=True)
class Trial:
    eager_s: float
    """A step as it is."""
    compiled_s: float
    compile_s: float
    """Until the first compiled step is done."""


def worth_a_trial(device: str, ranks: int, seconds: float) -> bool:
    """`seconds`: of the training that is ahead. Ranks would have to agree on what each clock says."""
    return device == "cuda" and ranks == 1 and seconds >= LONG_S


def pays(trial: Trial | None, steps: int) -> bool:
    """None: it cannot be compiled."""
    if trial is None or trial.compiled_s > GAIN * trial.eager_s:
        return False
    return (trial.eager_s - trial.compiled_s) * steps > trial.compile_s


def compiled_if_it_pays(
    student: Student, passes: Passes, batch: int, steps: int, compiler: Compiler = torch.compile
) -> nn.Module:
    """The student itself, or a module with its parameters that runs a compiled one."""
    size = min(batch, passes.most or batch)
    file = _file(student, passes, size)
    known, trial = _read(file)
    compiled: Any = None
    if not known:
        trial, compiled = measure(student, passes, size, compiler)
        _keep(file, trial)
    if not pays(trial, steps):
        return student
    return WithFallback(student, compiled or compiler(student))


def measure(
    student: Student, passes: Passes, size: int, compiler: Compiler
) -> tuple[Trial | None, nn.Module | None]:
    """Times forward and backward of both; leaves weights and gradients as they were. None where it fails."""
    crop = student.architecture["crop"]
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (size, crop, crop, 3), dtype=torch.uint8, generator=generator)
    pixels = pixels.to(passes.world.device)
    try:
        _step(student, student, passes, pixels)
        eager_s, scores = _timed(student, student, passes, pixels)
        started = time.perf_counter()
        compiled = compiler(student)
        _step(student, compiled, passes, pixels)
        compile_s = time.perf_counter() - started
        compiled_s, theirs = _timed(student, compiled, passes, pixels)
    except Exception as error:
        if is_out_of_memory(error) and torch.cuda.is_available():
            torch.cuda.empty_cache()
        tell(error)
        return None, None
    finally:
        student.zero_grad(set_to_none=True)
    if not float((scores - theirs).abs().max()) <= CLOSE:
        print("torch.compile changes the scores: training goes on without it.", file=sys.stderr)
        return None, None
    return Trial(eager_s, compiled_s, compile_s), compiled


def _step(student: Student, model: nn.Module, passes: Passes, pixels: Tensor) -> Tensor:
    student.zero_grad(set_to_none=True)
    with in_precision(passes):
        scores: Tensor = model(pixels)[0]
    torch.autograd.backward(scores.float().sum())
    wait_for(passes.world.device)
    return scores.detach()


def _timed(student: Student, model: nn.Module, passes: Passes, pixels: Tensor) -> tuple[float, Tensor]:
    times = []
    for _ in range(STEPS):
        started = time.perf_counter()
        scores = _step(student, model, passes, pixels)
        times.append(time.perf_counter() - started)
    return min(times), scores


class WithFallback(nn.Module):
    """The compiled student, and the student itself from the first error on."""

    def __init__(self, student: Student, compiled: nn.Module) -> None:
        super().__init__()
        self.student = student
        # No module of this one: its parameters are the student's.
        self._run: list[nn.Module] = [compiled]

    def forward(self, pixels: Tensor) -> Any:
        if self._run:
            try:
                return self._run[0](pixels)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                self._run.clear()
                tell(error)
        return self.student(pixels)


def tell(error: Exception) -> None:
    """One line of the trainer's log."""
    said = " ".join(str(error).split())[:160]
    print(f"torch.compile is not used ({type(error).__name__}): {said}", file=sys.stderr)


def _file(student: Student, passes: Passes, size: int) -> Path | None:
    """By GPU, student and versions."""
    named = os.environ.get("LEAF_TRIALS")
    if not named:
        return None
    shapes = [(name, list(value.shape)) for name, value in student.state_dict().items()]
    facts = [
        device_name(str(passes.world.device)),
        torch.__version__,
        torch.version.cuda,
        passes.precision,
        size,
        student.architecture["family"],
        student.architecture["crop"],
        shapes,
    ]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    return Path(named) / f"compile-{digest}.json"


def _read(file: Path | None) -> tuple[bool, Trial | None]:
    """Whether it was tried, and what came of it."""
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file is not None else {}
        trial = found["trial"]
        return True, None if trial is None else Trial(**{name: float(s) for name, s in trial.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False, None


def _keep(file: Path | None, trial: Trial | None) -> None:
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(
            json.dumps({"trial": None if trial is None else asdict(trial)}), encoding="utf-8"
        )
        temporary.replace(file)
    except OSError:  # The next training tries it again.
        return
