"""A GPU that PyTorch does not see, by facts of machines that need not be here."""

import pytest

from leaf.notices import long_notice
from leaf.unseen_gpu import GpuFacts, gpu_facts, why_unseen


def facts(**changes: object) -> GpuFacts:
    found: dict[str, object] = {"driver": "550.54", "node": True, "amd": False, "built_for": "13.0"}
    return GpuFacts(**{**found, "visible": None, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why", "remedy"),
    [
        ({"built_for": None}, "built for the CPU alone", "python.interpreter"),
        ({"visible": ""}, "CUDA_VISIBLE_DEVICES hides it", "Unset"),
        ({"visible": "-1"}, "CUDA_VISIBLE_DEVICES hides it", "Unset"),
        ({"node": False}, "cannot be opened from here", "--gpus all"),
        ({}, "550.54 is here, and this PyTorch (CUDA 13.0) cannot use it", "Update the driver"),
        ({"driver": ""}, "NVIDIA's driver is here", "Update the driver"),
        ({"driver": None, "amd": True, "built_for": None}, "AMD", "ROCm"),
    ],
)
def test_it_says_why_and_what_to_do(changes: dict[str, object], why: str, remedy: str) -> None:
    told = why_unseen(facts(**changes))
    assert told is not None and why in told[0] and remedy in told[1]


def test_without_a_gpu_nothing_is_missed() -> None:
    assert why_unseen(facts(driver=None)) is None
    assert why_unseen(facts(driver=None, amd=True, built_for="6.4")) is None


def test_this_machine_tells_its_facts() -> None:
    found = gpu_facts()
    assert found.driver is None or isinstance(found.driver, str)


def test_an_hour_is_told_beforehand_with_a_smaller_student_for_a_large_one() -> None:
    assert long_notice(3599, 88_000_000) is None
    large, small = long_notice(7 * 3600, 88_000_000), long_notice(7 * 3600, 3_400_000)
    assert large is not None and "about 7 hours" in large.message
    assert "efficientnet-lite0" in str(large.remedy)
    assert small is not None and "efficientnet-lite0" not in str(small.remedy)


def test_hours_on_a_gpu_are_told_too() -> None:
    assert long_notice(3599, 88_000_000, "cuda") is None
    large, small = long_notice(9 * 3600, 88_000_000, "cuda"), long_notice(9 * 3600, 28_000_000, "cuda")
    assert large is not None and "On this GPU" in large.message and "about 9 hours" in large.message
    assert "convnext-tiny" in str(large.remedy)
    assert small is not None and "convnext-tiny" not in str(small.remedy) and "epochs" in str(small.remedy)
