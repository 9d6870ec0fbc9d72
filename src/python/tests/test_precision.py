"""What a device computes in, chosen by its facts: no such device has to be here."""

import pytest
import torch

from leaf.device import workers_for
from leaf.precision import DeviceFacts, Precision, Wanted, device_facts, precision_of
from leaf.teacher.load import dtype_for

T4, V100, RTX20 = (DeviceFacts("cuda", c) for c in ((7, 5), (7, 0), (7, 5)))
P100, A100 = DeviceFacts("cuda", (6, 0)), DeviceFacts("cuda", (8, 0), True)
H100, CPU, MPS = DeviceFacts("cuda", (9, 0), True), DeviceFacts("cpu"), DeviceFacts("mps")


@pytest.mark.parametrize(
    ("wanted", "facts", "trainer", "teacher"),
    [
        ("auto", T4, "fp16", torch.float16),
        ("auto", V100, "fp16", torch.float16),
        ("auto", RTX20, "fp16", torch.float16),
        ("auto", P100, "fp32", torch.float16),
        ("auto", A100, "bf16", torch.bfloat16),
        ("auto", H100, "bf16", torch.bfloat16),
        ("auto", CPU, "fp32", torch.float32),
        ("auto", MPS, "fp32", torch.bfloat16),
        ("bf16", T4, "bf16", torch.bfloat16),
        ("fp16", A100, "fp16", torch.float16),
        ("fp32", A100, "fp32", torch.float32),
        ("fp16", CPU, "fp32", torch.float32),
    ],
)
def test_a_gpu_gets_what_it_has(
    wanted: Wanted, facts: DeviceFacts, trainer: Precision, teacher: torch.dtype
) -> None:
    assert precision_of(wanted, facts) == trainer
    assert dtype_for(wanted, facts) == teacher


def test_this_machine_is_asked() -> None:
    assert device_facts("cpu") == CPU


def test_a_gpu_gets_threads_that_cut_pixels() -> None:
    assert [workers_for("cuda", cores) for cores in (1, 4, 16, 128)] == [1, 2, 8, 8]
    assert workers_for("cpu", 16) == 1
