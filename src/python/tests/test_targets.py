"""Several targets: one backbone, a head each."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest
import torch
from test_explain import pictures
from world import Store, base_job, blurred_textures, of_type, train_here, write_cache, write_rows

from leaf import checkpoint
from leaf.batches import PairGraph
from leaf.cache import TensorCache
from leaf.contract.head import HeadNetwork, Levels
from leaf.contract.trainer import Agreement, CalibrateLoss
from leaf.data import Data, read_data
from leaf.errors import TrainerError
from leaf.head.compose import compose
from leaf.head.fit import fit, fit_beside
from leaf.head.rows import Rated
from leaf.job import parse_job
from leaf.labels import NO_PAIRS, Pairs
from leaf.rows import NO_IMAGES, Split, read_rows
from leaf.session import Validated, _fingerprint
from leaf.step import Epoch, batch_loss
from leaf.students import new_student


def tinted(n: int, side: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Noise on a tint from blue (1) to red (5)."""
    rng = np.random.default_rng(0)
    redness = rng.permutation(np.linspace(1, 5, n))
    tints = 40 + 44 * np.stack([redness - 1, np.full(n, 2.0), 5 - redness], axis=1)
    made = [rng.normal(tint, 20, (side, side, 3)) for tint in tints]
    return [np.clip(one, 0, 255).astype(np.uint8) for one in made], redness


def job_of(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Blueness rises as redness falls: of every third image one of the two is not known."""
    made, redness = tinted(78, 32)
    write_cache(folder / "cache", made, 32)
    lines = ["row,split,target,weight,blue"]
    for i, q in enumerate(redness):
        red, blue = ("" if i % 3 == 1 else q), ("" if i % 3 == 2 else 6 - q)
        lines.append(f"{i},{'train' if i < 48 else 'val'},{red},1,{blue}")
    (folder / "calibrate.csv").write_text("\n".join(lines) + "\n")
    job = base_job("calibrate", folder)
    job.update(targets=["blue"], epochs=6, batch=8, keep="last")
    return job, redness


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]], np.ndarray]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("targets")
    job, redness = job_of(folder)
    code, messages = train_here(job)
    assert code == 0, messages[-1]
    return folder, messages, redness


Trained = tuple[Path, list[dict[str, Any]], np.ndarray]


def test_two_heads_learn_opposite_orders(trained: Trained) -> None:
    _, messages, _ = trained
    done = messages[-1]
    assert done["val"]["srcc"] > 0.8 and done["targets"]["blue"]["srcc"] > 0.8
    # Of 30 images, those with a score of it.
    assert done["val"]["n"] == 20 and done["targets"]["blue"]["n"] == 20
    epochs = [m for m in of_type(messages, "metrics") if m["val"]]
    assert epochs[-1]["targets"] == done["targets"] and epochs[-1]["val"] == done["val"]
    assert list(epochs[0]["parts"]) == ["mse", "plcc", "blue mse", "blue plcc"]
    assert epochs[-1]["parts"]["blue mse"] < epochs[0]["parts"]["blue mse"]


def test_the_exported_student_has_a_score_of_each(trained: Trained) -> None:
    folder, messages, redness = trained
    file = onnxruntime.InferenceSession(messages[-1]["onnx"], providers=["CPUExecutionProvider"])
    names = [one.name for one in file.get_outputs()]
    assert names == ["score", "score_blue", "features", "map", "distance", "levels"]
    student = checkpoint.load_student(folder / "calibrate/checkpoints/best.pt", 32)
    cache = TensorCache(folder / "cache")
    pixels = np.stack([cache.picture(i)[:32, :32] for i in range(48, 78)])
    red, blue, local = file.run(["score", "score_blue", "map"], {"pixels": pixels})
    with torch.no_grad():
        expected = student(torch.from_numpy(pixels))[0].numpy()
    assert np.abs(np.stack([red, blue], axis=1) - expected).max() < 1e-4
    assert np.corrcoef(red, redness[48:])[0, 1] > 0.8 and np.corrcoef(blue, redness[48:])[0, 1] < -0.8
    # The heat map is the main target's.
    assert np.abs(local.mean(axis=(1, 2)) - red).max() < 1e-3


def test_the_heads_have_the_same_say_and_read_their_own_scores() -> None:
    nan = float("nan")
    rated = Split(np.arange(3), np.array([[1, 5], [3, nan], [nan, 2]], np.float32), np.ones(3, np.float32))
    data = Data(rated, NO_IMAGES, PairGraph(3, NO_PAIRS))
    loss = CalibrateLoss(mse=2, plcc=0)
    job = parse_job({**base_job("calibrate", Path("/")), "targets": ["noise"]})
    job = msgspec.structs.replace(job, loss=loss)
    current: Any = SimpleNamespace(job=job, data=data)
    epoch = Epoch(1, [np.array([2, 0, 1])], [np.zeros(0, np.int64)], [0])
    scores = torch.tensor([[9.0, 4.0], [2.0, 4.5], [3.5, 9.0]], requires_grad=True)
    total, parts = batch_loss(current, epoch, 0, scores)
    # Main: images 0 and 1, (1 + 0.25) / 2; noise: images 2 and 0, (4 + 0.25) / 2.
    assert parts == {
        "mse": 0.625,
        "plcc": pytest.approx(0.0),
        "noise mse": 2.125,
        "noise plcc": pytest.approx(0.0),
    }
    assert float(total.detach()) == pytest.approx(2 * (0.625 + 2.125) / 2)
    total.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad[0, 0] == 0 and scores.grad[2, 1] == 0 and float(scores.grad[0, 1]) == pytest.approx(2)


def distill_job_of(folder: Path) -> dict[str, Any]:
    """Red by scores and pairs; blue by pairs, and by a score of every second image."""
    made, redness = tinted(78, 32)
    write_cache(folder / "cache", made, 32)
    for name, quality, every in (("labels", redness, 1), ("labels-1", 6 - redness, 2)):
        store = Store(folder / f"{name}.sqlite")
        store.db.execute("BEGIN")
        for i in range(0, len(quality), every):
            store.point(i, float(quality[i]))
        for a in range(48):
            for b in range(a + 1, min(a + 4 + every, 48)):
                store.pair(a, b, float(1 / (1 + np.exp(quality[b] - quality[a]))))
        store.db.execute("COMMIT")
        store.db.close()
    write_rows(folder / "distill.csv", [(i, "train" if i < 48 else "val", None) for i in range(78)])
    job = base_job("distill", folder)
    blue = {"name": "blue", "labels": str(folder / "labels-1.sqlite"), "temperature": 0.5}
    job.update(targets=[blue], epochs=5, batch=8, keep="last")
    return job


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("distilled")
    job = distill_job_of(folder)
    code, messages = train_here(job)
    assert code == 0, messages[-1]
    return folder, job, messages


Distilled = tuple[Path, dict[str, Any], list[dict[str, Any]]]


def test_distillation_teaches_each_head_by_its_own_labels(distilled: Distilled) -> None:
    folder, _, messages = distilled
    done = messages[-1]
    assert done["val"]["n"] == 30 and done["val"]["srcc"] > 0.8
    # Its labels have a score of every second image.
    assert done["targets"]["blue"]["n"] == 15 and done["targets"]["blue"]["srcc"] > 0.8
    epochs = [m for m in of_type(messages, "metrics") if m["val"]]
    assert list(epochs[0]["parts"]) == ["point", "pair", "blue point", "blue pair"]
    cache = TensorCache(folder / "cache")
    pixels = np.stack([cache.picture(i)[:32, :32] for i in range(48, 78)])
    file = onnxruntime.InferenceSession(done["onnx"], providers=["CPUExecutionProvider"])
    red, blue = file.run(["score", "score_blue"], {"pixels": pixels})
    assert np.corrcoef(red, blue)[0, 1] < -0.7


def test_a_checkpoint_is_of_its_labels_wherever_they_lie(distilled: Distilled, tmp_path: Path) -> None:
    folder, job, _ = distilled
    cache = TensorCache(folder / "cache")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(Path(job["targets"][0]["labels"]).read_bytes())
    other = parse_job({**job, "targets": [{**job["targets"][0], "labels": str(copy)}]})
    data, own = read_data(other, cache), parse_job(job)
    assert _fingerprint(other, data) == _fingerprint(own, read_data(own, cache))
    data.beside[0].pairs.p[0] = 0.5
    assert _fingerprint(other, data) != _fingerprint(own, read_data(own, cache))


def test_a_handful_of_ratings_places_what_the_student_has_learnt_of_that_target(
    distilled: Distilled, tmp_path: Path
) -> None:
    folder, _, messages = distilled
    done = messages[-1]
    cache = TensorCache(folder / "cache")
    given = {"pixels": np.stack([cache.picture(i)[:32, :32] for i in range(48, 60)])}
    file = onnxruntime.InferenceSession(done["onnx"], providers=["CPUExecutionProvider"])
    levels, red, blue = file.run(["levels", "score", "score_blue"], given)
    features = np.concatenate([levels, red[:, None], blue[:, None]], axis=1).astype(np.float64)
    layout = msgspec.convert(done["levels"], Levels)
    one = HeadNetwork(
        name="distilled", onnx=done["onnx"], features="-", levels=layout, scored=True, beside=["blue"]
    )
    # Ratings that neither has foretold: a score that is only placed on the scale is a line of itself.
    few = Rated(np.arange(4), np.array([1.0, 4, 2, 3]), np.ones(4), np.arange(4), np.full(4, -1))
    main = fit([one], [features], few)
    of_blue = fit_beside(main, [one], [features], few, "blue")
    line = np.polyfit(blue, of_blue.scores, 1)
    assert np.abs(np.polyval(line, blue) - of_blue.scores).max() < 1e-6
    assert np.abs(np.polyval(np.polyfit(red, of_blue.scores, 1), red) - of_blue.scores).max() > 1e-4
    # Of a target that it has not learnt, the main one's score is all there is.
    other = fit_beside(main, [one], [features], few, "green")
    assert np.abs(np.polyval(np.polyfit(red, other.scores, 1), red) - other.scores).max() < 1e-6
    compose(main, [one], tmp_path / "student.onnx", {"blue": of_blue})
    made = onnxruntime.InferenceSession(tmp_path / "student.onnx", providers=["CPUExecutionProvider"])
    assert np.abs(made.run(["score_blue"], given)[0] - of_blue.scores).max() < 1e-3


def test_a_targets_pairs_have_their_own_temperature_and_weight() -> None:
    def pairs(p: float, weight: float) -> Pairs:
        return Pairs(np.array([0]), np.array([1]), np.array([p], np.float32), np.array([weight], np.float32))

    train = Split(np.arange(2), np.array([[2, 4], [3, np.nan]], np.float32), np.ones(2, np.float32))
    graphs = [PairGraph(2, pairs(0.9, 0.5)), PairGraph(2, pairs(0.2, 0.25))]
    data = Data(train, NO_IMAGES, graphs[0], beside=graphs[1:])
    job = base_job("distill", Path("/"))
    job["targets"] = [{"name": "noise", "labels": "/noise.sqlite", "temperature": 0.5}]
    current: Any = SimpleNamespace(job=parse_job(job), data=data)
    scores = torch.tensor([[2.5, 4.0], [2.0, 3.0]])
    total, parts = batch_loss(current, Epoch(1, [np.arange(2)], [np.arange(0)], [0.5, 0.5]), 0, scores)

    def bce(logit: float, p: float) -> float:
        return -p * float(np.log(1 / (1 + np.exp(-logit)))) - (1 - p) * float(np.log(1 / (1 + np.exp(logit))))

    # Huber: 0.125 and 0.5, and of noise 0; logits 0.5 / 1 and 1 / 0.5; weights over the epoch's means.
    expected = {"point": 0.3125, "pair": bce(0.5, 0.9), "noise point": 0, "noise pair": bce(2, 0.2) / 2}
    assert parts == pytest.approx(expected, abs=1e-6)
    assert float(total) == pytest.approx(sum(expected.values()) / 2, abs=1e-6)
    # Batches follow the pairs of both.
    assert data.walked().neighbours(0).tolist() == [1, 1]


def test_the_best_epoch_is_that_of_all_targets() -> None:
    def of(srcc: float | None, n: int = 20) -> Agreement:
        return Agreement(n=n, srcc=srcc, plcc=srcc)

    assert Validated(of(0.5), {}).merit() == 0.5
    assert Validated(of(0.5), {"noise": of(0.9), "colour": of(None)}).merit() == pytest.approx(0.7)
    assert Validated(of(0.5, 4), {"noise": of(0.9)}).merit() == 0.9
    assert Validated(None, {}).merit() is None


def test_a_new_head_begins_as_the_main_one_and_a_taught_one_stays() -> None:
    torch.manual_seed(0)
    student = new_student("atto", 32)
    pixels = torch.from_numpy(pictures(3)[:, :32, :32].copy())
    with torch.no_grad():
        one = student(pixels)[0]
        student.take_targets(["noise"])
        assert torch.equal(student(pixels)[0], torch.stack([one, one], dim=1))
        student.linear.weight[1].neg_()
        noise = student(pixels)[0][:, 1]
        student.take_targets(["colour", "noise"])
        found = student(pixels)[0]
        assert torch.equal(found[:, 1], one) and torch.equal(found[:, 2], noise)
        student.take_targets([])
        assert torch.equal(student(pixels)[0], one) and student.targets == []


def test_rows_of_several_targets(tmp_path: Path) -> None:
    made, _ = blurred_textures(3, 32, seed=1)
    cache = TensorCache(write_cache(tmp_path / "cache", made, 32))
    path = tmp_path / "rows.csv"
    path.write_text('row,split,target,weight,"a, b"\n0,train,1,2,\n1,train,,1,4\n2,val,,1,\n')
    train, val = read_rows(path, cache, 32, ["a, b"])
    assert train.weights.tolist() == [2, 1] and train.known().tolist() == [True, True]
    assert np.array_equal(train.targets, np.array([[1, np.nan], [np.nan, 4]]), equal_nan=True)
    assert val.targets.shape == (1, 2) and val.known().tolist() == [False]
    nothing = read_rows(path, cache, 32, ["a, b"])[1].keep(np.array([False]))
    assert nothing.known().shape == NO_IMAGES.known().shape == (0,)
    with pytest.raises(TrainerError, match="row,split,target, weight, and noise"):
        read_rows(path, cache, 32, ["noise"])
