"""The closed form against independent computations, and what must hold of it whatever the data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from scipy.optimize import minimize
from scipy.stats import spearmanr

from leaf.contract.head import FitJob, HeadNetwork, Level, Levels
from leaf.head import gp
from leaf.head.entry import threads_of
from leaf.head.fit import _resampled, fit, parts_of, scale
from leaf.head.gp import left_out, posterior, solve, solve_evidence, spectrum
from leaf.head.rows import Rated

LAYOUT = Levels(
    dim=50,
    eps=1e-6,
    parts=[
        Level(name="level_0", channels=10, stride=4, mean=0, sd=10),
        Level(name="level_1", channels=30, stride=32, mean=20, sd=None),
    ],
)


def network(name: Any = "distilled", scored: bool = True) -> HeadNetwork:
    return HeadNetwork(name=name, onnx="-", features="-", levels=LAYOUT, scored=scored)


def world(n: int, seed: int, noise: float = 0.3, all_images: int = 200) -> tuple[np.ndarray, Rated]:
    """Correlated features, a linear truth on all of them, the score a noisy view of it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(all_images, 12)) @ rng.normal(size=(12, 50)) + 0.3 * rng.normal(
        size=(all_images, 50)
    )
    truth = x @ rng.normal(size=50)
    truth = 3 + 0.7 * (truth - truth.mean()) / truth.std()
    features = np.concatenate([x, (truth + 0.7 * rng.normal(size=all_images))[:, None]], axis=1)
    at = rng.permutation(all_images)[:n]
    rated = Rated(
        at=at,
        targets=truth[at] + noise * rng.normal(size=n),
        weights=np.ones(n),
        groups=np.arange(n) // 2,
        folds=np.arange(n) % 3,
    )
    return features, rated


def dense(phi: np.ndarray, y: np.ndarray, w: np.ndarray, noise: float, new: np.ndarray) -> tuple[Any, Any]:
    """Rasmussen and Williams, eq. 2.41 and 2.42, as they stand: a flat mean by a vague prior of its own."""
    vague = 1e6
    k = noise * (phi @ phi.T + vague)
    cross = noise * (new @ phi.T + vague)
    inverse = np.linalg.inv(k + np.diag(noise / w))
    centre = y.mean()
    mean = centre + cross @ inverse @ (y - centre)
    own = noise * (np.square(new).sum(axis=1) + vague)
    return mean, np.sqrt(own - np.einsum("ij,jk,ik->i", cross, inverse, cross) + noise)


def test_scores_and_deviations_are_those_of_a_dense_solve() -> None:
    rng = np.random.default_rng(0)
    phi, new = rng.normal(size=(30, 8)), rng.normal(size=(12, 8))
    y, w = rng.normal(size=30) + 2, rng.uniform(0.5, 2, 30)
    mean, deviation = posterior(phi, y, spectrum(phi @ phi.T, w), 0.4).predict(new)
    expected = dense(phi, y, w, 0.4, new)
    assert np.allclose(mean, expected[0], atol=1e-4) and np.allclose(deviation, expected[1], atol=1e-3)


def test_one_feature_two_ratings_by_hand() -> None:
    """phi = +-1, y = +-1, noise 1: weights = 2 / (2 + 1), and f(1) = 2/3."""
    phi = np.array([[1.0], [-1.0]])
    found = posterior(phi, np.array([1.0, -1.0]), spectrum(phi @ phi.T, np.ones(2)), 1.0)
    assert np.isclose(found.weights[0], 2 / 3) and np.isclose(found.mean, 0)
    # 1 (noise) + 1 (prior) - 2/3 (known of the slope) + 1/2 (the mean of two ratings).
    assert np.isclose(found.predict(np.array([[1.0]]))[1][0] ** 2, 1 + 1 - 2 / 3 + 1 / 2)


def test_the_evidence_is_at_its_highest_and_its_gradient_is_true() -> None:
    rng = np.random.default_rng(1)
    blocks = [rng.normal(size=(40, d)) / np.sqrt(d) for d in (3, 20, 5)]
    kernels = np.stack([b @ b.T for b in blocks])
    y = 2 * blocks[0][:, 0] + 0.3 * rng.normal(size=40) + 3
    weights, centre = rng.uniform(0.5, 2, 40), np.log(np.array([0.3, 1.0, 0.5]))

    def value(at: np.ndarray) -> float:
        return gp._look(kernels, y, weights, at, centre, gp._prior_precision(3)).value

    found = solve_evidence(kernels, y, weights, centre)
    best = minimize(
        lambda at: -value(at), centre, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    )
    assert np.isclose(found.log, -best.fun, atol=1e-3)
    assert np.allclose(np.log(found.ratios), best.x, atol=0.1)
    at = centre + 0.3
    looked = gp._look(kernels, y, weights, at, centre, gp._prior_precision(3))
    numeric = [(value(at + 1e-5 * e) - value(at - 1e-5 * e)) / 2e-5 for e in np.eye(3)]
    assert np.allclose(looked.gradient, numeric, atol=1e-4)
    # The block that explains is the one that is found.
    assert found.ratios[0] > 3 * np.exp(centre[0]) and found.ratios[1] < np.exp(centre[1])


def test_left_out_is_the_fit_without_the_group() -> None:
    rng = np.random.default_rng(2)
    phi, y, w = rng.normal(size=(24, 6)), rng.normal(size=24), rng.uniform(0.5, 2, 24)
    groups = np.arange(24) // 3
    whole = solve(spectrum(phi @ phi.T, w), y)
    predicted, variance = left_out(whole, y, groups)
    for one in np.unique(groups):
        out, rest = groups == one, groups != one
        kernel = phi[rest] @ phi[rest].T + np.diag(1 / w[rest])
        gain = phi[out] @ phi[rest].T @ np.linalg.inv(kernel)
        assert np.allclose(predicted[out], whole.mean + gain @ (y[rest] - whole.mean))
        left = phi[out] @ phi[out].T - gain @ phi[rest] @ phi[out].T + np.diag(1 / w[out])
        assert np.allclose(variance[out], np.diag(left))


def test_one_spectrum_solves_for_every_multiple_of_the_kernel() -> None:
    rng = np.random.default_rng(4)
    phi, y, w = rng.normal(size=(150, 200)) / 10, rng.normal(size=150), rng.uniform(0.5, 2, 150)
    seen = spectrum(phi @ phi.T, w)
    for factor in (0.1, 1.0, 7.0):
        expected = np.linalg.inv(factor * phi @ phi.T + np.diag(1 / w))
        assert np.allclose(solve(seen, y, factor).inverse, expected, atol=1e-10)
    lower = np.linalg.cholesky(phi @ phi.T + np.eye(150))
    assert np.allclose(gp.inverse_of_lower(lower) @ lower, np.eye(150), atol=1e-12)


def test_resamples_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(6)
    x, y, groups = rng.integers(0, 9, 40).astype(float), rng.normal(size=40), np.arange(40) // 3
    members = [np.flatnonzero(groups == one) for one in range(14)]
    drawn, own = [], np.random.default_rng(0)
    for _ in range(500):
        rows = np.concatenate([members[one] for one in own.integers(0, 14, 14)])
        drawn.append(spearmanr(x[rows], y[rows]).statistic)
    assert np.allclose(_resampled(x, y, groups), drawn, atol=1e-12)


def test_few_directions_only_widen_the_deviation() -> None:
    rng = np.random.default_rng(3)
    phi, y, new = rng.normal(size=(60, 40)), rng.normal(size=60), rng.normal(size=(20, 40))
    found = spectrum(phi @ phi.T, np.ones(60))
    exact, rough = (posterior(phi, y, found, 0.4, most).predict(new) for most in (256, 10))
    assert np.allclose(exact[0], rough[0])
    assert (rough[1] >= exact[1] - 1e-9).all() and (rough[1] > exact[1] + 1e-3).any()


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), factor=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_the_unit_of_a_block_does_not_matter(seed: int, factor: float, shift: float) -> None:
    features, rated = world(20, seed)
    plain = fit([network()], [features], rated)
    changed = features.copy()
    block = parts_of(network(), 20)[seed % 4].columns
    changed[:, block] = factor * changed[:, block] + shift
    other = fit([network()], [changed], rated)
    assert np.allclose(plain.scores, other.scores, atol=1e-5)
    assert np.allclose(plain.deviations, other.deviations, atol=1e-5)


def test_more_ratings_narrow_the_deviation_and_raise_the_agreement() -> None:
    found = [fit([network()], [features], rated) for features, rated in (world(n, 5) for n in (8, 40, 160))]
    model = [float(np.median(np.square(one.deviations) - one.facts.noise**2)) for one in found]
    assert model[0] > model[1] > model[2]
    agreement = [one.facts.cv.srcc or 0 for one in found]
    assert agreement[2] > agreement[1] > 0.5 and agreement[2] > 0.8


def test_error_bars_hold_what_they_promise() -> None:
    inside = []
    for seed in range(12):
        features, rated = world(40, seed)
        clean = world(200, seed, noise=0.0)
        truth = np.empty(200)
        truth[clean[1].at] = clean[1].targets
        found = fit([network()], [features], rated)
        others = np.setdiff1d(np.arange(200), rated.at)
        seen = truth[others] + 0.3 * np.random.default_rng(seed + 99).normal(size=len(others))
        inside.append(np.abs(found.scores[others] - seen) / found.deviations[others])
    away = np.concatenate(inside)
    assert 0.6 < (away <= 1).mean() < 0.8 and 0.92 < (away <= 2).mean() < 0.99


def test_a_group_is_left_out_whole() -> None:
    """Two copies of each image with one rating each: by itself each would be predicted by its copy."""
    features, rated = world(30, 7, noise=0.0)
    rng = np.random.default_rng(1)
    noisy = rng.normal(size=15).repeat(2) + 3
    pairs = Rated(rated.at[::2].repeat(2), noisy, np.ones(30), np.arange(30) // 2, np.full(30, -1))
    alone = Rated(pairs.at, noisy, np.ones(30), np.arange(30), np.full(30, -1))
    together, apart = (fit([network()], [features], one).facts.cv for one in (pairs, alone))
    assert (together.srcc or 0) + 0.3 < (apart.srcc or 0)


def test_a_score_that_is_right_is_found_and_few_ratings_only_place_it() -> None:
    features, rated = world(14, 9)
    features[:, 50] = 10 - 2 * features[:, 50] / features[:, 50].std()
    found = fit([network()], [features], rated)
    share = {block.name: block.share for block in found.facts.blocks}
    assert share["distilled score"] > 0.02
    few = Rated(rated.at[:4], rated.targets[:4], np.ones(4), np.arange(4), np.full(4, -1))
    assert [block.name for block in fit([network()], [features], few).facts.blocks] == ["distilled score"]
    assert [part.name for part in parts_of(network("pretrained", False), 3)] == [
        "pretrained level_0 mean",
        "pretrained level_0 sd",
        "pretrained level_1 mean",
    ]


def test_a_teacher_is_believed_until_ratings_say_otherwise() -> None:
    """Ratings with the slope -1 against its score: two of them hardly turn its order round, twenty do."""
    score = np.linspace(-1, 1, 41)
    features = np.concatenate([np.zeros((41, 50)), score[:, None]], axis=1)

    def slope(at: list[int]) -> float:
        n = len(at)
        y = 3 - score[at]
        found = fit([network()], [features], Rated(np.array(at), y, np.ones(n), np.arange(n), np.full(n, -1)))
        return float((found.scores[-1] - found.scores[0]) / 2)

    assert slope([0, 40]) > -0.1
    assert slope(list(range(0, 40, 2))) < -0.8


def test_two_networks_only_where_they_clearly_pay() -> None:
    features, rated = world(60, 11)
    noise = np.random.default_rng(0).normal(size=features.shape)
    found = fit([network(), network("pretrained", False)], [features, noise], rated)
    assert found.networks == ["distilled"]
    assert [one.networks for one in found.facts.candidates] == [
        ["distilled"],
        ["pretrained"],
        ["distilled", "pretrained"],
    ]
    # Each sees what the other does not.
    rng = np.random.default_rng(3)
    independent = [np.random.default_rng(i).normal(size=features.shape) for i in (5, 6)]
    truth = sum(one[:, :50] @ rng.normal(size=50) for one in independent)
    apart = Rated(
        np.arange(150), 3 + (truth / truth.std())[:150], np.ones(150), np.arange(150), np.arange(150) % 3
    )
    both = fit([network("distilled", False), network("pretrained", False)], independent, apart)
    assert both.networks == ["distilled", "pretrained"]


def test_constant_ratings_and_features_give_finite_figures() -> None:
    features, rated = world(10, 1)
    features[:, :25] = 4.0
    same = Rated(rated.at, np.full(10, 3.0), rated.weights, rated.groups, rated.folds)
    found = fit([network()], [features], same)
    assert np.isfinite(found.scores).all() and np.isfinite(found.deviations).all()
    assert np.allclose(found.scores, 3) and found.facts.cv.srcc is None
    assert scale([features], [parts_of(network(), 10)]).z[:, :10].max() == 0


def test_folds_are_told_one_by_one() -> None:
    features, rated = world(30, 4)
    assert [one.n for one in fit([network()], [features], rated).folds] == [10, 10, 10]
    none = Rated(rated.at, rated.targets, rated.weights, rated.groups, np.full(30, -1))
    assert fit([network()], [features], none).folds == []


def test_few_rows_are_fitted_by_one_thread(tmp_path: Path) -> None:
    def threads(rows: int, wanted: int | None = None) -> int | None:
        file = tmp_path / "rows.csv"
        file.write_text("target,weight,group,fold\n" + "3,1,a,\n" * rows)
        return threads_of(FitJob(v=1, out="o", threads=wanted, networks=[network()], rows=str(file)))

    assert [threads(500), threads(20_000)] == [1, None]
    assert [threads(500, 4), threads(20_000, 2)] == [4, 2]


def test_needs_no_torch() -> None:
    import subprocess
    import sys

    script = "import sys; import leaf.head.job, leaf.head.compose; assert 'torch' not in sys.modules"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0


if __name__ == "__main__":
    pytest.main([__file__])


def taught(features: np.ndarray, rated: Rated, said: np.ndarray) -> Rated:
    """What a teacher says of every image."""
    n = len(features)
    return Rated(np.arange(n), said, np.ones(n), np.arange(n), np.full(n, -1))


@pytest.mark.parametrize(("ratings", "blind", "gain"), [(12, False, 0.03), (80, True, -0.03)])
def test_a_good_teacher_helps_few_ratings_and_many_overrule_a_blind_one(
    ratings: int, blind: bool, gain: float
) -> None:
    gains = []
    for seed in range(6):
        features, rated = world(ratings, seed, noise=0.6, all_images=300)
        truth = world(300, seed, noise=0.0, all_images=300)[1]
        quality = np.empty(300)
        quality[truth.at] = truth.targets
        said = np.random.default_rng(seed).normal(size=300) + (0 if blind else quality)
        new = np.setdiff1d(np.arange(300), rated.at)
        plain, refined = (
            fit([network("pretrained", scored=False)], [features], rated, teacher).scores[new]
            for teacher in (None, taught(features, rated, said))
        )
        gains.append(spearmanr(refined, quality[new]).statistic - spearmanr(plain, quality[new]).statistic)
    assert float(np.mean(gains)) > gain


def test_a_refined_head_tells_its_share_and_its_scores_follow_the_ratings() -> None:
    features, rated = world(40, 3)
    plain = fit([network()], [features], rated)
    refined = fit([network()], [features], rated, taught(features, rated, features[:, -1] + 1.0))
    assert plain.facts.refined is UNSET
    assert refined.facts.refined.images == len(features) and 0 < refined.facts.refined.share <= 0.5
    # On the scale of the ratings, whatever the teacher's own is; and error bars are of these scores.
    at = rated.at
    assert abs(float((refined.scores[at] - rated.targets).mean())) < 0.2
    off = np.abs(refined.scores[at] - rated.targets) / refined.deviations[at]
    assert float((off < 2).mean()) > 0.85


def test_too_few_words_of_a_teacher_change_nothing() -> None:
    features, rated = world(20, 4)
    few = Rated(np.arange(3), np.array([1.0, 2.0, 3.0]), np.ones(3), np.arange(3), np.full(3, -1))
    assert np.array_equal(
        fit([network()], [features], rated, few).scores, fit([network()], [features], rated).scores
    )
