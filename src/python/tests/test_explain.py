"""The outputs beside the score: the map it is the mean of, and the distance from the training images."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf

from leaf.domain import choose, fit_domain, ledoit_wolf
from leaf.export import Exported, export
from leaf.heatmap import local_scores
from leaf.students import Student, new_student

SIDE = 96


def student_of(model: str) -> Student:
    """With a head and norms that are not the identity, as after training."""
    torch.manual_seed(3)
    student = new_student(model, SIDE)
    norms = [n for n in (student.backbone.pooled_norm, student.norm) if n is not None]
    with torch.no_grad():
        student.linear.weight.mul_(10)
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
    return student


def pictures(n: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (n, 6, 6, 3), dtype=np.uint8)
    noise = rng.integers(-30, 30, (n, SIDE, SIDE, 3))
    return np.clip(coarse.repeat(16, axis=1).repeat(16, axis=2) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("model", ["atto", "efficientnet-lite0"])
def test_the_map_is_what_the_score_is_the_mean_of(model: str, tmp_path: Path) -> None:
    student, pixels = student_of(model), pictures(4)
    with torch.no_grad():
        score, _, last = student.look(torch.from_numpy(pixels))
        expected = local_scores(student, last)
    assert expected.shape == (4, SIDE // 32, SIDE // 32)
    assert torch.allclose(expected.mean(dim=(1, 2)), score, atol=1e-4)
    assert float(expected.std(dim=(1, 2)).min()) > 1e-3
    path = tmp_path / "student.onnx"
    export(student, list(pixels), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 4):
        found_score, found = session.run(["score", "map"], {"pixels": pixels[:n]})
        assert np.abs(found - expected[:n].numpy()).max() < 1e-4
        assert np.abs(found.mean(axis=(1, 2)) - found_score).max() < 1e-4


def test_the_map_is_the_gradient_with_the_scales_held() -> None:
    """An independent way: autograd through the head with each LayerNorm's deviation detached."""
    student, pixels = student_of("atto"), torch.from_numpy(pictures(2))
    with torch.no_grad():
        score, _, last = student.look(pixels)
        found = local_scores(student, last)
    last.requires_grad_(True)
    x = last.mean(dim=(2, 3))
    for norm in (student.backbone.pooled_norm, student.norm):
        assert norm is not None
        deviation = (x.var(dim=1, keepdim=True, unbiased=False) + norm.eps).sqrt().detach()
        x = (x - x.mean(dim=1, keepdim=True)) / deviation * norm.weight + norm.bias
    student.linear(x).sum().backward()  # type: ignore[no-untyped-call]
    gradient = last.grad
    assert gradient is not None
    part = (gradient * last).sum(dim=1) * last.shape[2] * last.shape[3]
    expected = part + (score - part.mean(dim=(1, 2)))[:, None, None]
    assert torch.allclose(found, expected.detach(), atol=1e-4)


@given(n=st.integers(2, 40), width=st.integers(2, 30), seed=st.integers(0, 2**31), scale=st.floats(1e-3, 1e3))
def test_the_covariance_is_scikit_learns(n: int, width: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(n, width)) @ rng.normal(size=(width, width))
    reference = LedoitWolf().fit(x)
    covariance, shrinkage = ledoit_wolf(x)
    assert np.isclose(shrinkage, reference.shrinkage_, atol=1e-9)
    assert np.allclose(covariance, reference.covariance_, rtol=1e-7, atol=1e-9 * scale**2)


def test_distances_are_mahalanobis_and_the_threshold_a_quantile(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(20, 20))
    fit, held = (
        rng.normal(size=(n, 1, 20)).astype(np.float32) @ mixing.astype(np.float32) for n in (300, 200)
    )
    made = fit_domain(fit, held)
    assert made is not None
    domain, facts = made
    reference = LedoitWolf().fit(fit[:, 0])
    expected = np.sqrt(reference.mahalanobis(held[:, 0]))
    with torch.no_grad():
        found = domain(torch.from_numpy(held[:, 0])).numpy()
    assert np.allclose(found, expected, rtol=1e-3)
    assert np.isclose(facts.threshold, np.quantile(expected, 0.99), rtol=1e-3)
    assert (facts.fitted, facts.held_out) == (300, 200)
    far = domain(torch.from_numpy(held[:, 0] + 20 * mixing[0].astype(np.float32)))
    assert bool((far > facts.threshold).all())


def test_the_distance_is_an_output(tmp_path: Path) -> None:
    student, pixels = student_of("atto"), pictures(60)
    with torch.no_grad():
        features = student(torch.from_numpy(pixels))[1].numpy()[:, None]
    made = fit_domain(features[:40], features[40:])
    assert made is not None
    path = tmp_path / "student.onnx"
    export(student, list(pixels[:4]), path, made[0])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [o.name for o in session.get_outputs()] == Exported(student, made[0]).names
    (found,) = session.run(["distance"], {"pixels": pixels[:6]})
    expected = np.sqrt(LedoitWolf().fit(features[:40, 0]).mahalanobis(features[:6, 0]))
    assert found.shape == (6,) and np.allclose(found, expected, rtol=0.01)


def test_the_sample_is_bounded_seeded_and_needs_enough_images() -> None:
    many = choose(np.arange(20_000), np.arange(20_000, 30_000), 0)
    assert many is not None and (len(many.fit), len(many.held_out)) == (2048, 1024)
    again, other = (choose(np.arange(20_000), np.arange(20_000, 30_000), seed) for seed in (0, 1))
    assert again is not None and other is not None
    assert np.array_equal(many.fit, again.fit) and not np.array_equal(many.fit, other.fit)
    alone = choose(np.arange(100), np.arange(100, 105), 0)
    assert alone is not None and len(alone.held_out) == 20 and len(alone.fit) == 80
    assert not set(alone.fit.tolist()) & set(alone.held_out.tolist())
    assert choose(np.arange(20), np.arange(20, 60), 0) is None
    assert choose(np.arange(40), np.arange(0), 0) is None
    assert fit_domain(np.ones((30, 1, 4), np.float32), np.ones((20, 1, 4), np.float32)) is None
