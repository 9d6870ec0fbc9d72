"""The student that the closed form writes, against numpy and against the network it stands on."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest
import torch
from test_explain import SIDE, pictures, student_of

from leaf.contract.head import HeadNetwork, Levels
from leaf.export import export
from leaf.head.compose import compose
from leaf.head.entry import main
from leaf.head.fit import Fit, fit, fit_beside
from leaf.head.rows import Rated
from leaf.levels import layout


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def exported(folder: Path, model: str) -> tuple[Path, Levels]:
    student = student_of(model)
    path = folder / f"{model}.onnx"
    pixels = pictures(2)
    wide = np.tile(pixels, (1, 2, 2, 1))[:, :131, :157]
    export(student, list(pixels), path, None, list(wide))
    return path, msgspec.convert(msgspec.to_builtins(layout(student)), Levels)


def looked(path: Path, pixels: np.ndarray) -> np.ndarray:
    levels, score = session(path).run(["levels", "score"], {"pixels": pixels})
    return np.concatenate([levels, score[:, None]], axis=1).astype(np.float64)


@pytest.fixture(scope="module", params=["atto", "efficientnet-lite0"])
def network(request: Any, tmp_path_factory: Any) -> tuple[HeadNetwork, np.ndarray]:
    torch.set_num_threads(1)
    path, levels = exported(tmp_path_factory.mktemp("network"), request.param)
    features = looked(path, pictures(40))
    return HeadNetwork(name="distilled", onnx=str(path), features="-", levels=levels, scored=True), features


def rated(n: int) -> Rated:
    rng = np.random.default_rng(1)
    return Rated(np.arange(n), 1 + 4 * rng.random(n), np.ones(n), np.arange(n), np.full(n, -1))


def test_score_deviation_and_map_are_those_of_the_fit(
    network: tuple[HeadNetwork, np.ndarray], tmp_path: Path
) -> None:
    one, features = network
    found = fit([one], [features], rated(25))
    path = tmp_path / "student.onnx"
    assert compose(found, [one], path) > 1e5
    pixels = pictures(40)
    score, sd, local = session(path).run(["score", "sd", "map"], {"pixels": pixels})
    assert np.abs(score - found.scores).max() < 1e-3
    assert np.abs(sd - found.deviations).max() < 1e-3
    assert local.shape == (40, SIDE // 32, SIDE // 32)
    assert np.abs(local.mean(axis=(1, 2)) - score).max() < 1e-4
    assert local.std(axis=(1, 2)).min() > 1e-3
    plain = session(Path(one.onnx))
    for name in ("features", "levels"):
        (now,), (before,) = (s.run([name], {"pixels": pixels[:2]}) for s in (session(path), plain))
        assert np.allclose(now, before, atol=1e-4)


def composed(network: tuple[HeadNetwork, np.ndarray], folder: Path) -> tuple[Fit, Path]:
    """A fit to 25 ratings, and its student's file."""
    one, features = network
    found = fit([one], [features], rated(25))
    path = folder / "student.onnx"
    compose(found, [one], path)
    return found, path


def test_a_picture_of_any_size_has_a_map_whose_mean_is_its_score(
    network: tuple[HeadNetwork, np.ndarray], tmp_path: Path
) -> None:
    one, _ = network
    found, path = composed(network, tmp_path)
    for height, width in ((SIDE, SIDE + 1), (133, 190), (257, 97)):
        pixels = np.random.default_rng(height).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        score, sd, local = session(path).run(["score", "sd", "map"], {"pixels": pixels})
        wanted = looked(Path(one.onnx), pixels)
        columns = np.concatenate([part.columns for part in found.scaled.parts])
        phi = (wanted[:, columns] - found.scaled.mean) * (found.root / found.scaled.scale)
        expected, deviation = found.posterior.predict(phi)
        assert np.abs(score - expected).max() < 1e-3 and np.abs(sd - deviation).max() < 1e-3
        assert np.abs(local.mean() - score).max() < 1e-4


def test_where_a_part_of_the_picture_is_changed_the_map_changes_most(
    network: tuple[HeadNetwork, np.ndarray], tmp_path: Path
) -> None:
    _, path = composed(network, tmp_path)
    pixels = np.random.default_rng(4).integers(0, 256, (2, 512, 512, 3), dtype=np.uint8)
    pixels[1, :64, :64] = 128
    (local,) = session(path).run(["map"], {"pixels": pixels})
    away = np.abs(local[1] - local[0])
    # The changed part is two cells of 32 pixels wide.
    assert away[:2, :2].mean() > 2 * away[10:, 10:].mean()


def test_the_job_fits_two_networks_and_tells(tmp_path: Path) -> None:
    path, levels = exported(tmp_path, "atto")
    features = looked(path, pictures(30)).astype("<f4")
    noise = np.random.default_rng(0).normal(size=features.shape).astype("<f4")
    features.tofile(tmp_path / "a.f32")
    noise.tofile(tmp_path / "b.f32")
    targets = 3 + 0.5 * (features[:, 3] - features[:, 3].mean()) / features[:, 3].std()
    lines = [f"{targets[i]:.6f},1,g{i},{i % 2}" if i < 20 else ",1,x," for i in range(30)]
    (tmp_path / "rows.csv").write_text("target,weight,group,fold\n" + "\n".join(lines) + "\n")
    job = {
        "v": 1,
        "kind": "fit",
        "out": str(tmp_path),
        "threads": 1,
        "networks": [
            {
                "name": name,
                "onnx": str(path),
                "features": str(tmp_path / file),
                "levels": msgspec.to_builtins(levels),
                "scored": name == "distilled",
            }
            for name, file in (("distilled", "a.f32"), ("pretrained", "b.f32"))
        ],
        "rows": str(tmp_path / "rows.csv"),
    }
    told = run(job, tmp_path)
    assert told["type"] == "fitted" and told["facts"]["ratings"] == 20
    assert told["facts"]["networks"][0] == "distilled" and len(told["folds"]) == 2
    assert len(told["facts"]["candidates"]) == 3
    table = np.loadtxt(told["predictions"], delimiter=",", skiprows=1)
    score, sd = session(tmp_path / "student.onnx").run(["score", "sd"], {"pixels": pictures(30)})
    if told["facts"]["networks"] == ["distilled"]:
        assert np.abs(table[:, 0] - score).max() < 1e-3 and np.abs(table[:, 1] - sd).max() < 1e-3
    job["networks"][0]["features"] = str(tmp_path / "rows.csv")
    told = run(job, tmp_path)
    assert told["code"] == "input" and "rows of" in told["message"]


def run(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    import os

    (folder / "job.json").write_text(json.dumps(job))
    told = folder / "told.jsonl"
    fd = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        main([str(folder / "job.json")], fd)
    finally:
        os.close(fd)
    found: dict[str, Any] = json.loads(told.read_text().splitlines()[-1])
    return found


def test_two_networks_in_one_file(network: tuple[HeadNetwork, np.ndarray], tmp_path: Path) -> None:
    one, features = network
    # The same network twice, each with a half of what it saw told to the fit.
    other = HeadNetwork(name="pretrained", onnx=one.onnx, features="-", levels=one.levels, scored=False)
    from leaf.head import fit as module

    paid = module.PAYS
    module.PAYS = -1e9
    try:
        found = fit([one, other], [features, features], rated(25))
    finally:
        module.PAYS = paid
    assert found.networks == ["distilled", "pretrained"]
    path = tmp_path / "student.onnx"
    compose(found, [one, other], path)
    score, local = session(path).run(["score", "map"], {"pixels": pictures(40)})
    assert np.abs(score - found.scores).max() < 1e-3
    assert np.abs(local.mean(axis=(1, 2)) - score).max() < 1e-4


def test_a_target_beside_the_main_one_has_a_head_of_its_own(
    network: tuple[HeadNetwork, np.ndarray], tmp_path: Path
) -> None:
    one, features = network
    scores = 3 + 0.5 * (features[:, 3] - features[:, 3].mean()) / features[:, 3].std()

    def of(at: np.ndarray, values: np.ndarray) -> Rated:
        return Rated(at, values[at], np.ones(len(at)), np.arange(len(at)), np.full(len(at), -1))

    main = fit([one], [features], of(np.arange(25), scores))
    # Of other images, in the opposite order.
    beside = fit_beside(main, [one], [features], of(np.arange(10, 40), 6 - scores))
    compose(main, [one], tmp_path / "one.onnx")
    compose(main, [one], tmp_path / "two.onnx", {"noise": beside})
    alone, both = session(tmp_path / "one.onnx"), session(tmp_path / "two.onnx")
    own = [value.name for value in alone.get_outputs()]
    names = [value.name for value in both.get_outputs()]
    assert names == ["score", "sd", "map", "score_noise", "sd_noise", "features", "levels"]
    given = {"pixels": pictures(40)}
    # The main target's outputs are those of a student of it alone.
    for before, after in zip(alone.run(own, given), both.run(own, given), strict=True):
        assert np.array_equal(before, after)
    score, noise, deviation = both.run(["score", "score_noise", "sd_noise"], given)
    assert np.abs(noise - beside.scores).max() < 1e-3
    assert np.abs(deviation - beside.deviations).max() < 1e-3
    assert np.corrcoef(score, noise)[0, 1] < -0.8
