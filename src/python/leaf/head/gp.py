"""Gaussian process regression with one prior variance per block of features, chosen by evidence.

y = m + sum_b f_b(x) + noise, f_b ~ GP(0, sigma^2 r_b K_b), noise_i ~ N(0, sigma^2 / weight_i), m flat.
With K_b = Z_b Z_b^T this is Bayesian linear regression (ridge) with a penalty for each block. Rasmussen
and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 2.8 and 2.9 (weights), 2.25 and 2.26
(functions) and 2.41 and 2.42 (a mean that is estimated too); evidence: MacKay, "Bayesian Interpolation",
1992, and Bishop, "Pattern Recognition and Machine Learning", 2006, section 3.5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# log r of a block is centre + tau + delta_b, with Gaussian priors on tau (all together: within a factor of
# e^1.5 or so) and on delta_b (each by itself).
TOGETHER_SD, APART_SD = 1.5, 0.7
STEPS, TOLERANCE = 40, 1e-3
# An inverse gamma prior on the noise variance, worth one rating: an sd of a third of a grade on 1..5.
NOISE, NOISE_COUNT = 0.1, 1.0


@dataclass(frozen=True)
class Evidence:
    """Where the evidence is highest: ratio to noise of each block, noise variance, log evidence."""

    ratios: Array
    noise: float
    log: float


def solve_evidence(kernels: Array, y: Array, weights: Array, centre: Array) -> Evidence:
    """Maximises evidence times prior over log r_b by Newton steps with the average information as curvature.

    `kernels` [B, n, n], each with a mean diagonal of about 1; y [n]; weights [n] > 0; `centre` [B].
    """
    blocks = len(kernels)
    at = centre.copy()
    precision = _prior_precision(blocks)
    best = _look(kernels, y, weights, at, centre, precision)
    damping = 1e-3
    for _ in range(STEPS):
        step = np.linalg.solve(best.hessian + damping * np.eye(blocks), best.gradient)
        step *= min(1.0, 2.0 / float(np.abs(step).max() + 1e-12))
        found = _look(kernels, y, weights, at + step, centre, precision)
        if found.value > best.value:
            gain = found.value - best.value
            at, best, damping = at + step, found, damping / 4
            if gain < TOLERANCE:
                break
        else:
            damping = max(1e-2, damping * 8)
            if damping > 1e6:
                break
    return Evidence(np.exp(at), best.noise, best.value)


def _prior_precision(blocks: int) -> Array:
    """Of log r around its centre: covariance TOGETHER_SD^2 11^T + APART_SD^2 I."""
    covariance = TOGETHER_SD**2 * np.ones((blocks, blocks)) + APART_SD**2 * np.eye(blocks)
    return np.asarray(np.linalg.inv(covariance), dtype=np.float64)


@dataclass(frozen=True)
class _Look:
    value: float
    gradient: Array
    hessian: Array
    noise: float


def _look(kernels: Array, y: Array, weights: Array, at: Array, centre: Array, precision: Array) -> _Look:
    """Log evidence (residual likelihood, profiled noise) plus log prior; slope and curvature in log r."""
    n = len(y)
    ratios = np.exp(at)
    covariance = np.tensordot(ratios, kernels, 1)
    covariance.flat[:: n + 1] += 1 / weights
    lower = np.linalg.cholesky(covariance)
    inverse = inverse_of_lower(lower)
    inverse = inverse.T @ inverse
    column = inverse.sum(axis=1)
    total = float(column.sum())

    def project(x: Array) -> Array:
        """P x, P = C^-1 - c c^T / total: residual likelihood, as the mean takes a degree of freedom."""
        return np.asarray(inverse @ x - np.multiply.outer(column, column @ x) / total)

    solved = project(y)
    explained = max(float(y @ solved), 1e-300)
    freedom = n - 1 + NOISE_COUNT
    noise = (explained + NOISE * NOISE_COUNT) / freedom
    away = at - centre
    value = -0.5 * (2 * float(np.log(np.diag(lower)).sum()) + np.log(total) + freedom * np.log(noise))
    value -= 0.5 * float(away @ precision @ away)
    seen = (kernels.reshape(-1, n) @ np.stack([solved, column], axis=1)).reshape(len(ratios), n, 2)
    turned = ratios[:, None] * seen[:, :, 0]
    traces = ratios * (kernels.reshape(len(ratios), -1) @ inverse.ravel() - seen[:, :, 1] @ column / total)
    quadratic = turned @ solved / noise
    gradient = -0.5 * (traces - quadratic) - precision @ away
    # Average information: y^T P K P K P y, less what the free noise takes.
    average = turned @ project(turned.T) / noise
    information = 0.5 * (average - np.outer(quadratic, quadratic) / freedom)
    information.flat[:: len(ratios) + 1] += 0.5 * np.abs(quadratic)
    return _Look(float(value), gradient, information + precision, noise)


def inverse_of_lower(lower: Array) -> Array:
    """Of a lower triangular matrix, by halves: products do the work, and numpy has no solve for triangles."""
    n = len(lower)
    if n <= 64:
        return np.asarray(np.linalg.inv(lower), dtype=np.float64)
    h = n // 2
    first, last = inverse_of_lower(lower[:h, :h]), inverse_of_lower(lower[h:, h:])
    found = np.zeros_like(lower)
    found[:h, :h], found[h:, h:] = first, last
    found[h:, :h] = -last @ (lower[h:, :h] @ first)
    return found


@dataclass(frozen=True)
class Spectrum:
    """W^1/2 K W^1/2 = U diag(values) U^T, and W^1/2 U: solves for every multiple of K at once."""

    values: Array
    vectors: Array


def spectrum(kernel: Array, weights: Array) -> Spectrum:
    root = np.sqrt(weights)
    values, vectors = np.linalg.eigh(root[:, None] * kernel * root)
    return Spectrum(np.maximum(values, 0), root[:, None] * vectors)


@dataclass(frozen=True)
class Solved:
    """Of C = K + W^-1 with a flat mean: C^-1, C^-1 1, 1^T C^-1 1, the mean, and C^-1 (y - mean)."""

    inverse: Array
    column: Array
    total: float
    mean: float
    solved: Array


def solve(found: Spectrum, y: Array, factor: float = 1.0) -> Solved:
    """With `factor` times the kernel of the spectrum."""
    half = found.vectors / np.sqrt(1 + factor * found.values)
    inverse = half @ half.T
    column = inverse.sum(axis=1)
    total = float(column.sum())
    mean = float(column @ y) / total
    return Solved(inverse, column, total, mean, inverse @ (y - mean))


@dataclass(frozen=True)
class Posterior:
    """f = mean + phi . weights; variance: see predict()."""

    mean: float
    weights: Array
    noise: float
    directions: Array
    level: Array
    total: float

    def predict(self, phi: Array) -> tuple[Array, Array]:
        """Scores [N] and standard deviations [N] of phi [N, D]: of a new rating, so noise is in them.

        Variance = noise (1 + |phi|^2 - |directions phi|^2 + (1 - phi . level)^2 / total).
        """
        prior = np.square(phi).sum(axis=1) - np.square(phi @ self.directions.T).sum(axis=1)
        variance = 1 + np.maximum(prior, 0) + np.square(1 - phi @ self.level) / self.total
        return self.mean + phi @ self.weights, np.sqrt(self.noise * variance)


def posterior(phi: Array, y: Array, found: Spectrum, noise: float, most: int = 256) -> Posterior:
    """`phi` [n, D]: features times the root of their block's ratio; `found`: the spectrum of phi phi^T."""
    solved = solve(found, y)
    # phi^T C^-1 phi = rows^T rows: what the ratings take from the prior variance, by the `most` largest
    # of its eigenvalues, which are values / (1 + values).
    values, vectors = found.values[-most:], found.vectors[:, -most:]
    return Posterior(
        mean=solved.mean,
        weights=phi.T @ solved.solved,
        noise=noise,
        directions=(vectors / np.sqrt(1 + values)).T @ phi,
        level=phi.T @ solved.column,
        total=solved.total,
    )


def left_out(found: Solved, y: Array, groups: NDArray[np.int64]) -> tuple[Array, Array]:
    """Each rating as predicted without its group, and the variance of that in noise variances.

    Penalties and mean stay. Exact, from one inverse: y_G - (C^-1)_GG^-1 (C^-1 (y - m))_G (Rasmussen and
    Williams, eq. 5.12).
    """
    predicted, variance = np.empty_like(y), np.empty_like(y)
    order = np.argsort(groups, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(groups[order])) + 1])
    sizes = np.diff(np.append(starts, len(y)))
    # Groups of one size at once.
    for size in np.unique(sizes):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        blocks = np.linalg.inv(found.inverse[rows[:, :, None], rows[:, None, :]])
        predicted[rows] = y[rows] - np.squeeze(blocks @ found.solved[rows][:, :, None], 2)
        variance[rows] = np.diagonal(blocks, axis1=1, axis2=2)
    return predicted, variance
