import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from world import base_job

from leaf.agreement import agreement, merit, pearson, ranks
from leaf.batches import PairGraph
from leaf.contract.trainer import CalibrateLoss, DistillLoss
from leaf.data import Data
from leaf.errors import TrainerError
from leaf.job import parse_job
from leaf.labels import NO_PAIRS, Pairs
from leaf.losses import mse_loss, pair_loss, plcc_loss, point_loss
from leaf.rows import NO_IMAGES, Split
from leaf.step import Epoch, Told, batch_loss

scores = st.floats(-5, 10, allow_nan=False, width=32)


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=30), st.floats(0.1, 3))
def test_point_loss_is_huber(pairs: list[tuple[float, float]], delta: float) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    error = np.abs(x - y)
    expected = np.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta)).mean()
    found = point_loss(torch.tensor(x), torch.tensor(y), delta)
    assert found is not None and float(found) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_point_loss_skips_images_without_a_target() -> None:
    found = point_loss(torch.tensor([1.0, 9.0]), torch.tensor([2.0, math.nan]), 1)
    assert found is not None and float(found) == 0.5
    assert point_loss(torch.tensor([1.0]), torch.tensor([math.nan]), 1) is None


@given(
    st.lists(scores, min_size=2, max_size=12),
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 99), st.floats(0, 1), st.floats(0.01, 1)), max_size=20
    ),
    st.floats(0.2, 4),
)
def test_pair_loss_is_weighted_cross_entropy(
    values: list[float], edges: list[tuple[int, int, float, float]], temperature: float
) -> None:
    n = len(values)
    a, b = [e[0] % n for e in edges], [e[1] % n for e in edges]
    p, w = [e[2] for e in edges], [e[3] for e in edges]
    found = pair_loss(
        torch.tensor(values, dtype=torch.float64),
        torch.tensor(a, dtype=torch.long),
        torch.tensor(b, dtype=torch.long),
        torch.tensor(p, dtype=torch.float64),
        torch.tensor(w, dtype=torch.float64),
        temperature,
    )
    if not edges:
        assert found is None
        return
    total = 0.0
    for i, j, q, c in zip(a, b, p, w, strict=True):
        z = (values[i] - values[j]) / temperature
        total += c * (q * np.logaddexp(0, -z) + (1 - q) * np.logaddexp(0, z))
    assert found is not None and float(found) == pytest.approx(total / sum(w), rel=1e-9)


def test_a_pair_counts_alike_in_a_batch_of_one_and_of_three() -> None:
    # Two batches: one pair that weighs 1, and three that weigh 1, 0.5 and 0.5; 1.5 on average.
    values = torch.tensor([0.0, math.log(3)], dtype=torch.float64)
    one, zero = torch.ones(3, dtype=torch.long), torch.zeros(3, dtype=torch.long)
    sure = torch.ones(3, dtype=torch.float64)
    weight = torch.tensor([1, 0.5, 0.5], dtype=torch.float64)
    # BCE(sigmoid(ln 3), 1) = ln(4/3).
    small = pair_loss(values, one[:1], zero[:1], sure[:1], weight[:1], 1, 1.5)
    large = pair_loss(values, one, zero, sure, weight, 1, 1.5)
    assert small is not None and float(small) == pytest.approx(math.log(4 / 3) / 1.5)
    assert large is not None and float(large) == pytest.approx(2 * math.log(4 / 3) / 1.5)
    # Together they are the mean over all pairs, as without batches.
    assert float(small + large) / 2 == pytest.approx(math.log(4 / 3))
    # A batch without pairs adds nothing.
    none = pair_loss(values, one[:0], zero[:0], sure[:0], weight[:0], 1, 1.5)
    assert none is not None and float(none) == 0


def test_weighted_losses_by_hand() -> None:
    predicted, truth = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([1.0, 4.0, 4.0])
    weight = torch.tensor([1.5, 1.0, 0.5])
    # (1.5 x 0 + 1 x 4 + 0.5 x 1) / 3
    assert float(mse_loss(predicted, truth, weight)) == pytest.approx(1.5)
    # As if the first image were there three times, the second twice and the third once.
    often = [0, 0, 0, 1, 1, 2]
    found = plcc_loss(predicted, truth, weight)
    expected = plcc_loss(predicted[often], truth[often])
    assert found is not None and expected is not None and float(found) == pytest.approx(float(expected))
    alike = plcc_loss(predicted, truth, torch.full((3,), 7.0))
    plain = plcc_loss(predicted, truth)
    assert alike is not None and plain is not None and float(alike) == pytest.approx(float(plain))
    assert float(mse_loss(predicted, truth, torch.ones(3))) == float(mse_loss(predicted, truth))


@given(st.lists(st.tuples(scores, scores), min_size=2, max_size=30))
def test_plcc_loss_against_scipy(pairs: list[tuple[float, float]]) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    found = plcc_loss(torch.tensor(x), torch.tensor(y))
    if np.ptp(y) < 1e-8:
        assert found is None
    elif np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3:
        expected = (1 - stats.pearsonr(x, y).statistic) / 2
        assert found is not None and float(found) == pytest.approx(expected, abs=1e-6)


def test_plcc_loss_where_it_has_no_meaning() -> None:
    assert plcc_loss(torch.tensor([1.0]), torch.tensor([1.0])) is None
    flat = torch.full((4,), 2.0, requires_grad=True)
    loss = plcc_loss(flat, torch.arange(4.0))
    assert loss is not None and float(loss.detach()) == 0.5
    loss.backward()  # type: ignore[no-untyped-call]
    assert flat.grad is not None and bool(torch.isfinite(flat.grad).all())


def test_mse_loss() -> None:
    assert float(mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0]))) == 2


@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-5, 5)), min_size=3, max_size=40))
def test_agreement_against_scipy(pairs: list[tuple[int, float]]) -> None:
    x, y = np.array(pairs, dtype=np.float32).T
    assert np.array_equal(ranks(x.astype(np.float64)), stats.rankdata(x))
    found = agreement(x, y)
    assert found.n == len(pairs)
    if np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3:
        assert found.srcc == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        assert found.plcc == pytest.approx(
            stats.pearsonr(x.astype(np.float64), y.astype(np.float64)).statistic, abs=1e-9
        )


def test_agreement_is_null_where_undefined() -> None:
    assert pearson(np.ones(4), np.arange(4.0)) is None
    assert merit(agreement(np.arange(4, dtype=np.float32), np.arange(4, dtype=np.float32))) is None
    assert merit(agreement(np.arange(5, dtype=np.float32), np.arange(5, dtype=np.float32))) == pytest.approx(
        1
    )


def test_calibration_holds_unrated_images_to_the_teacher() -> None:
    rated = Split(np.arange(2), np.array([1, 3], np.float32), np.ones(2, np.float32))
    unrated = Split(np.arange(2, 5), np.array([2, 4, 5], np.float32), np.ones(3, np.float32))
    data = Data(rated, NO_IMAGES, PairGraph(2, NO_PAIRS), unrated)
    job = SimpleNamespace(loss=CalibrateLoss(mse=1, plcc=0, teacher=0.5))
    session: Any = SimpleNamespace(job=job, data=data)
    epoch = Epoch(1, [np.array([1, 0])], [np.array([2, 0])], [0])
    # Of images 1 and 0, then of the unrated 2 and 0, whose teacher's scores are 5 and 2.
    loss, parts = batch_loss(session, epoch, 0, torch.tensor([3.0, 2.0, 2.0, 2.5]))
    # MSE (0 + 1) / 2; Huber: (3 - 0.5) and 0.125, of which half counts.
    assert parts["mse"] == 0.5 and parts["teacher"] == pytest.approx((2.5 + 0.125) / 2)
    assert float(loss) == pytest.approx(0.5 + 0.5 * (2.5 + 0.125) / 2)


def test_the_teacher_pulls_unrated_images_alone_and_by_its_weight() -> None:
    rated = Split(np.arange(2), np.array([1, 3], np.float32), np.ones(2, np.float32))
    unrated = Split(np.arange(2, 5), np.array([2, 4, 5], np.float32), np.ones(3, np.float32))
    data = Data(rated, NO_IMAGES, PairGraph(2, NO_PAIRS), unrated)
    epoch = Epoch(1, [np.array([1, 0])], [np.array([2, 0])], [0])

    def slope(weight: float) -> list[float]:
        job = SimpleNamespace(loss=CalibrateLoss(mse=1, plcc=0, teacher=weight))
        session: Any = SimpleNamespace(job=job, data=data)
        scores = torch.tensor([3.0, 2.0, 2.0, 2.5], requires_grad=True)
        batch_loss(session, epoch, 0, scores)[0].backward()
        assert scores.grad is not None
        return [float(x) for x in scores.grad]

    # MSE: (f - y) of two; Huber of two: (f - t) / 2, and never more than 1 / 2 each.
    assert slope(0) == pytest.approx([0, 1, 0, 0])
    assert slope(3) == pytest.approx([0, 1, -1.5, 0.75])


@pytest.mark.parametrize("kind", ["distill", "calibrate"])
def test_no_loss_waits_for_the_device(kind: str) -> None:
    """Tensors on "meta" have no numbers: whoever looks at one, to decide by it or to tell it, fails."""
    targets = np.array([1, math.nan, 3, 4], np.float32)
    pairs = Pairs(np.array([0, 2]), np.array([1, 3]), np.full(2, 0.7, np.float32), np.ones(2, np.float32))
    weighed = {"distill": DistillLoss(point=1, pair=1), "calibrate": CalibrateLoss(mse=1, plcc=1, teacher=1)}
    if kind == "calibrate":
        targets[1] = 2
    rated = Split(np.arange(4), targets, np.ones(4, np.float32))
    unrated = Split(np.arange(4, 6), np.array([2, 5], np.float32), np.ones(2, np.float32))
    graph = PairGraph(4, pairs if kind == "distill" else NO_PAIRS)
    data = Data(rated, NO_IMAGES, graph, NO_IMAGES if kind == "distill" else unrated)
    job = parse_job({**base_job(kind, Path("/")), "loss": msgspec.to_builtins(weighed[kind])})
    session: Any = SimpleNamespace(job=job, data=data)
    beside = np.arange(len(data.unrated))
    epoch = Epoch(1, [np.arange(4)], [beside], [1.0])
    scores = torch.zeros(4 + len(beside), device="meta", requires_grad=True)
    loss, parts = batch_loss(session, epoch, 0, scores)
    torch.autograd.backward(loss)
    assert scores.grad is not None and loss.is_meta
    assert set(parts) == {"distill": {"point", "pair"}, "calibrate": {"mse", "plcc", "teacher"}}[kind]
    assert all(part is not None and part.is_meta for part in parts.values())


def test_losses_are_told_later_and_alike() -> None:
    told = Told(3)
    steps = [(2.0, 1.5, None), (4.0, 0.25, 8.0), (0.5, 0.0, None)]
    for i, (loss, point, pair) in enumerate(steps):
        assert not told.due
        parts = {"point": torch.tensor(point), "pair": None if pair is None else torch.tensor(pair)}
        told.add(i, torch.tensor(loss), parts)
    assert told.due
    expected = [(loss, {"point": point, "pair": pair}) for loss, point, pair in steps]
    assert list(told.look(1)) == expected
    assert not told.due and list(told.look(1)) == []
    told.add(7, torch.tensor(1.0), {"pair": torch.tensor(math.nan)})
    told.add(8, torch.tensor(math.inf), {})
    with pytest.raises(TrainerError, match="became inf in epoch 4, step 9"):
        list(told.look(4))
