"""A batch in parts gives the gradient of the whole; memory that runs out costs time and changes no loss."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from world import of_type, synthetic, train_here

from leaf.distributed import World
from leaf.passes import Passes, gradients
from leaf.students import Student

CPU = World(0, 1, torch.device("cpu"))


class Short(nn.Module):
    """A network on a device that holds `most` images, with a graph for the backward or without one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))
        self.most, self.seen = most, list[int]()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        self.seen.append(len(x))
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return (self.inner(x).squeeze(-1),)


def correlation(scores: Tensor) -> tuple[Tensor, int]:
    """Reaches over the whole batch, as PLCC and pairs do."""
    target = torch.linspace(0, 1, len(scores))
    return 1 - torch.corrcoef(torch.stack((scores, target)))[0, 1], len(scores)


def run(model: Short, pixels: Tensor, most: int | None = None) -> tuple[Passes, Tensor, list[Tensor]]:
    passes = Passes(CPU, "fp32", torch.amp.GradScaler("cpu", enabled=False), most)
    loss, images = gradients(passes, model, pixels, correlation)
    assert images == len(pixels)
    return passes, loss.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("most", [1, 3, 4, 7, 100])
def test_parts_have_the_gradient_of_the_whole(most: int) -> None:
    pixels = torch.randn(10, 5, generator=torch.Generator().manual_seed(1))
    _, whole, expected = run(Short(100), pixels)
    _, loss, found = run(Short(100), pixels, most)
    assert torch.allclose(loss, whole, atol=1e-6)
    assert len(found) == 4
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_memory_that_runs_out_halves_the_part_and_not_the_batch() -> None:
    pixels = torch.randn(10, 5, generator=torch.Generator().manual_seed(1))
    _, _, expected = run(Short(100), pixels)
    short = Short(3)
    passes, _, found = run(short, pixels)
    # 10, then 5, then 2; each image goes through twice: for its score, and for its gradient.
    assert passes.most == 2 and short.seen == [10, 5, *[2] * 10]
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    with pytest.raises(torch.OutOfMemoryError):
        run(Short(0), pixels)


def test_an_error_of_another_kind_is_no_reason_to_try_again() -> None:
    def wrong(_: Tensor) -> tuple[Tensor, int]:
        raise ValueError("no")

    model = Short(100)
    with pytest.raises(ValueError, match="no"):
        gradients(
            Passes(CPU, "fp32", torch.amp.GradScaler("cpu", enabled=False)), model, torch.ones(4, 5), wrong
        )
    assert model.seen == [4]


def test_a_training_short_of_memory_has_the_losses_of_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its export takes longer than the training.
    monkeypatch.setattr("leaf.train._finish", lambda *_: None)

    def losses(name: str, **further: int) -> list[dict[str, Any]]:
        job, _ = synthetic(tmp_path / name, n=24, val=0)
        code, messages = train_here({**job, "batch": 12, "epochs": 2, "keep": "last", **further})
        assert code == 0, messages[-1]
        return [{"loss": m["loss"], **m["parts"]} for m in of_type(messages, "metrics")]

    whole = losses("roomy")
    real, largest, trains = Student.forward, [0], [False]

    def forward(self: Student, pixels: Tensor) -> Any:
        if trains[0]:
            if len(pixels) > 5:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            largest[0] = max(largest[0], len(pixels))
        return real(self, pixels)

    def guarded(*arguments: Any) -> Any:
        trains[0] = True
        try:
            return gradients(*arguments)
        finally:
            trains[0] = False

    monkeypatch.setattr(Student, "forward", forward)
    monkeypatch.setattr("leaf.step.gradients", guarded)
    asked = losses("asked", microBatch=4)
    assert largest[0] == 4
    largest[0] = 0
    found = losses("short")
    assert largest[0] == 3
    assert len(asked) == len(found) == len(whole) >= 2
    for one, other, third in zip(found, whole, asked, strict=True):
        assert one == pytest.approx(other, rel=1e-4) and third == pytest.approx(other, rel=1e-4)
