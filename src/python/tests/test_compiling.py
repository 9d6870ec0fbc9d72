"""torch.compile: when it is tried, when it is taken, and that training goes on without it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from leaf.compiling import Trial, WithFallback, compiled_if_it_pays, measure, pays, worth_a_trial
from leaf.distributed import World
from leaf.passes import Passes
from leaf.students import Student, new_student


@pytest.fixture(autouse=True)
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEAF_TRIALS", str(tmp_path / "trials"))
    return tmp_path / "trials"


@pytest.fixture(scope="module")
def student() -> Student:
    return new_student("atto", 32)


def passes() -> Passes:
    return Passes(World(0, 1, torch.device("cpu")), "fp32", torch.amp.GradScaler("cpu", enabled=False))


PIXELS = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("device", "ranks", "seconds", "expected"),
    [
        ("cuda", 1, 3600, True),
        ("cuda", 1, 600, False),
        ("cuda", 2, 3600, False),
        ("cpu", 1, 36_000, False),
        ("mps", 1, 36_000, False),
    ],
)
def test_long_trainings_on_a_gpu_try_it(device: str, ranks: int, seconds: float, expected: bool) -> None:
    assert worth_a_trial(device, ranks, seconds) is expected


@pytest.mark.parametrize(
    ("trial", "steps", "expected"),
    [
        (Trial(0.2, 0.1, 60), 1000, True),
        (Trial(0.2, 0.1, 60), 500, False),
        (Trial(0.2, 0.195, 1), 1_000_000, False),
        (Trial(0.2, 0.3, 0), 1000, False),
        (None, 1_000_000, False),
    ],
)
def test_it_pays_where_it_saves_more_than_it_takes(trial: Trial | None, steps: int, expected: bool) -> None:
    assert pays(trial, steps) is expected


def test_a_compiled_student_learns_the_same(student: Student) -> None:
    """By PyTorch's own tracer, without the code generator, which would want a C++ compiler."""
    weights = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    trial, compiled = measure(student, passes(), 2, lambda one: torch.compile(one, backend="eager"))
    assert trial is not None and compiled is not None and trial.compile_s > 0
    assert all(p.grad is None for p in student.parameters())
    assert all(torch.equal(weights[name], tensor) for name, tensor in student.state_dict().items())

    def gradient(model: nn.Module) -> torch.Tensor:
        model.zero_grad(set_to_none=True)
        torch.autograd.backward(model(PIXELS)[0].sum())
        assert student.linear.weight.grad is not None
        return student.linear.weight.grad.clone()

    wrapped = WithFallback(student, compiled)
    assert {id(p) for p in wrapped.parameters()} == {id(p) for p in student.parameters()}
    assert torch.allclose(gradient(wrapped), gradient(student))


def test_a_trial_is_made_once_for_a_gpu_a_student_and_versions(student: Student, trials: Path) -> None:
    tried: list[int] = []

    def compiler(model: nn.Module) -> nn.Module:
        tried.append(1)
        return model

    # A training without steps gains nothing, whatever a busy machine's clock says.
    assert compiled_if_it_pays(student, passes(), 2, 0, compiler) is student
    assert len(tried) == len(list(trials.iterdir())) == 1
    assert compiled_if_it_pays(student, passes(), 2, 0, compiler) is student
    assert len(tried) == 1
    compiled_if_it_pays(student, passes(), 3, 0, compiler)
    assert len(tried) == len(list(trials.iterdir())) == 2
    for file in trials.iterdir():
        file.write_text(json.dumps({"trial": {"eager_s": 0.2, "compiled_s": 0.1, "compile_s": 60}}))
    # Known to pay, for a training that is long enough.
    assert isinstance(compiled_if_it_pays(student, passes(), 2, 1000, compiler), WithFallback)
    assert compiled_if_it_pays(student, passes(), 2, 10, compiler) is student
    for file in trials.iterdir():
        file.write_text("{")
    assert compiled_if_it_pays(student, passes(), 2, 0, compiler) is student
    assert len(tried) == 4


class Breaks(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, _: Any) -> Any:
        raise self.error


def test_what_cannot_be_compiled_is_trained_as_it_is(
    student: Student, trials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def compiler(_: nn.Module) -> nn.Module:
        return Breaks(RuntimeError("no Triton\nhere"))

    assert compiled_if_it_pays(student, passes(), 2, 1000, compiler) is student
    assert capsys.readouterr().err == "torch.compile is not used (RuntimeError): no Triton here\n"
    assert compiled_if_it_pays(student, passes(), 2, 1000, compiler) is student
    assert capsys.readouterr().err == "" and len(list(trials.iterdir())) == 1


def test_an_error_in_the_middle_ends_it_and_a_full_gpu_does_not(
    student: Student, capsys: pytest.CaptureFixture[str]
) -> None:
    wrapped = WithFallback(student, Breaks(RuntimeError("recompiling failed")))
    with torch.no_grad():
        expected = student(PIXELS)[0]
        assert torch.equal(wrapped(PIXELS)[0], expected)
        assert torch.equal(wrapped(PIXELS)[0], expected)
    assert capsys.readouterr().err.count("\n") == 1
    # The batch is halved then, compiled or not.
    full = WithFallback(student, Breaks(torch.cuda.OutOfMemoryError("CUDA out of memory.")))
    with pytest.raises(torch.cuda.OutOfMemoryError):
        full(PIXELS)


def test_other_scores_are_not_taken(student: Student, capsys: pytest.CaptureFixture[str]) -> None:
    class Other(nn.Module):
        def forward(self, pixels: torch.Tensor) -> Any:
            return student(pixels)[0] + 1, None

    assert measure(student, passes(), 2, lambda _: Other()) == (None, None)
    assert "changes the scores" in capsys.readouterr().err
