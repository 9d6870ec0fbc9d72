"""The rate of each group of weights, against the grouping that ConvNeXt's authors publish."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import ConvNextConfig
from world import base_job, write_job

from leaf.job import read_job
from leaf.optim import optimiser, rate, set_rate, told_rate
from leaf.students import Architecture, Student, build, new_student


def job_of(folder: Path, **keys: Any) -> Any:
    job = base_job("distill", folder)
    job.update(lr={"backbone": 1e-3, "head": 4e-3}, weightDecay=0.05, **keys)
    return read_job(write_job(job))


def rates_of(student: Student, job: Any) -> dict[str, tuple[float, float]]:
    """Of each parameter by name: its peak rate and its weight decay."""
    found = {}
    for group in optimiser(student, job).param_groups:
        for parameter in group["params"]:
            assert id(parameter) not in found
            found[id(parameter)] = (group["peak"], group["weight_decay"])
    return {name: found[id(p)] for name, p in student.named_parameters() if id(p) in found}


def base_like() -> Student:
    """ConvNeXt-Base's depths at tiny widths."""
    config = ConvNextConfig(hidden_sizes=[4, 4, 4, 4], depths=[3, 3, 27, 3]).to_json_string(use_diff=False)
    zeros, ones = [0.0] * 3, [1.0] * 3
    return build(Architecture(model="b", family="convnext", crop=32, config=config, mean=zeros, std=ones))


def published_layer(name: str) -> int:
    """get_num_layer_for_convnext of the authors' optim_factory.py, for the names that transformers gives."""
    if ".embeddings." in name:
        return 0
    stage = re.search(r"stages\.(\d)\.(?:layers\.(\d+))?", name)
    if stage is None:
        return 13
    number, block = int(stage[1]), int(stage[2] or 0)
    return {0: 1, 1: 2, 2: 3 + block // 3, 3: 12}[number]


def test_convnexts_layers_are_those_of_its_authors(tmp_path: Path) -> None:
    student = base_like()
    found = rates_of(student, job_of(tmp_path, layerDecay=0.8))
    assert found.keys() == {name for name, _ in student.named_parameters()}
    for name, parameter in student.named_parameters():
        is_head = not name.startswith("backbone.")
        expected = 4e-3 if is_head else 1e-3 * 0.8 ** (13 - published_layer(name))
        assert found[name][0] == pytest.approx(expected, rel=1e-9), name
        assert found[name][1] == (0.05 if parameter.ndim > 1 else 0), name


def test_each_block_of_lite0_is_a_layer(tmp_path: Path) -> None:
    student = new_student("efficientnet-lite0", 32)
    found = rates_of(student, job_of(tmp_path, layerDecay=0.5))
    assert found.keys() == {name for name, _ in student.named_parameters()}
    for name, (peak, _) in found.items():
        block = re.search(r"_blocks\.(\d+)\.", name)
        layer = int(block[1]) + 1 if block else 0 if re.search("_conv_stem|_bn0", name) else 17
        expected = 1e-3 * 0.5 ** (17 - layer) if name.startswith("backbone.") else 4e-3
        assert peak == pytest.approx(expected, rel=1e-9), name


def test_without_layer_decay_there_are_four_groups(tmp_path: Path) -> None:
    groups = optimiser(new_student("atto", 32), job_of(tmp_path)).param_groups
    assert sorted((g["peak"], g["weight_decay"]) for g in groups) == [
        (1e-3, 0), (1e-3, 0.05), (4e-3, 0), (4e-3, 0.05)
    ]  # fmt: skip


@pytest.mark.parametrize(("head_only", "peak"), [(False, 1e-3), (True, 4e-3)])
def test_the_rate_that_is_told_is_that_of_the_last_layer(
    tmp_path: Path, head_only: bool, peak: float
) -> None:
    job = job_of(tmp_path, layerDecay=0.8, headOnly=head_only)
    student = new_student("atto", 32)
    optimizer = optimiser(student, job)
    share = rate(30, 100, 0.1)
    set_rate(optimizer, share)
    assert told_rate(optimizer, job) == pytest.approx(peak * share)
    before = {name: p.detach().clone() for name, p in student.named_parameters()}
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    student(pixels)[0].sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    moved = {name for name, p in student.named_parameters() if not torch.equal(before[name], p)}
    assert all(not name.startswith("backbone.") for name in moved) == head_only and moved
