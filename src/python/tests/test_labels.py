import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from world import LATEST, Store, image_hash, synthetic

from leaf.cache import TensorCache
from leaf.contract.trainer import LabelSource
from leaf.data import read_data
from leaf.errors import TrainerError
from leaf.job import parse_job
from leaf.labels import read_pairs, read_points


def label_source(db: Path, low: float, point: int, pair: int) -> LabelSource:
    return LabelSource(db=str(db), teacher="t", min_confidence=low, max_point_id=point, max_pair_id=pair)


def source(store: Store, point: int = LATEST, pair: int = LATEST, low: float = 0.1) -> LabelSource:
    return label_source(store.path, low, point, pair)


HASHES = [image_hash(i) for i in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "a #%? folder.sqlite")


def test_humans_override_the_teacher(store: Store) -> None:
    store.point(0, 1.0, "human")
    store.point(0, 4.0)
    store.point(1, 2.5)
    store.point(2, None, status="failed")
    store.point(2, 5.0, "human")
    store.point(3, 3.0, "another teacher")
    found = read_points(source(store), HASHES)
    assert found[:3].tolist() == [1.0, 2.5, 5.0] and math.isnan(found[3])

    store.pair(0, 1, 0.0, 1.0, "human")
    store.pair(0, 1, 0.9, 0.5)
    store.pair(1, 2, 0.8, 0.3)
    store.pair(2, 3, 0.5, None, "human")
    store.pair(1, 3, 0.55, 0.05)  # too unsure
    store.pair(0, 3, None, None, status="failed")
    pairs = read_pairs(source(store), HASHES)
    assert list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 3)]
    assert pairs.p.tolist() == pytest.approx([0.0, 0.8, 0.5])
    assert pairs.weight.tolist() == pytest.approx([1.0, 0.3, 1.0])


def test_without_confidence_no_pair_is_dropped_and_all_weigh_the_same(store: Store) -> None:
    store.pair(0, 1, 0.9, 0.5)
    store.pair(1, 2, 0.5, 0.0)  # the teacher could not tell
    store.pair(1, 3, 0.55, 0.05)
    store.pair(2, 3, 0.5, None, "human")
    store.pair(0, 3, None, None, status="failed")
    pairs = read_pairs(source(store), HASHES, by_confidence=False)
    assert list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)) == [(0, 1), (1, 2), (1, 3), (2, 3)]
    assert pairs.weight.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert len(read_pairs(source(store), HASHES)) == 2


def test_only_the_asked_images_and_ids_are_read(store: Store) -> None:
    first = store.point(0, 1.0)
    store.point(1, 2.0)
    kept = store.pair(0, 1, 1.0, 1.0)
    store.pair(0, 2, 1.0, 1.0)
    found = read_points(source(store, point=first), HASHES)
    assert found[0] == 1.0 and np.isnan(found[1:]).all()
    assert len(read_pairs(source(store, pair=kept), HASHES)) == 1
    assert len(read_pairs(source(store), HASHES[:2])) == 1
    assert len(read_pairs(source(store, pair=0), HASHES)) == 0


def test_reads_while_a_writer_is_in_a_transaction(store: Store) -> None:
    store.point(0, 1.0)
    store.db.execute("BEGIN IMMEDIATE")
    store.point(1, 2.0)
    found = read_points(source(store), HASHES)
    assert found[0] == 1.0 and math.isnan(found[1])
    store.db.execute("COMMIT")
    assert read_points(source(store), HASHES)[1] == 2.0


def test_reads_after_the_writer_has_closed(store: Store) -> None:
    store.point(0, 1.0)
    store.db.close()
    assert read_points(source(store), HASHES)[0] == 1.0


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="cannot be read"):
        read_points(label_source(tmp_path / "none.sqlite", 0, 1, 1), HASHES)
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "bad.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(TrainerError, match="cannot be read"):
        read_points(label_source(tmp_path / "bad.sqlite", 0, 1, 1), HASHES)
    db = sqlite3.connect(tmp_path / "new.sqlite")
    db.execute("PRAGMA user_version=7")
    db.close()
    with pytest.raises(TrainerError, match="schema 7"):
        read_points(label_source(tmp_path / "new.sqlite", 0, 1, 1), HASHES)


def test_the_job_says_whether_confidence_counts(tmp_path: Path) -> None:
    job, _ = synthetic(tmp_path, n=40, val=8)
    cache = TensorCache(Path(job["cache"]))
    weighed = read_data(parse_job(job), cache).graph.pairs
    job["loss"]["confidence"] = False
    plain = read_data(parse_job(job), cache).graph.pairs
    assert len(plain) > len(weighed) and set(plain.weight.tolist()) == {1.0}
    assert float(weighed.weight.min()) >= job["labels"]["minConfidence"] - 1e-6
    assert float(weighed.weight.min()) < float(weighed.weight.max())


def test_what_is_no_label_is_not_learned(store: Store) -> None:
    store.point(0, 99.0)
    store.point(1, -3.0, "human")
    store.point(1, 2.5)
    store.pair(0, 1, 42.0, 0.9)
    store.pair(1, 2, 0.7, 0.9)
    found = read_points(source(store), HASHES)
    assert math.isnan(found[0]) and found[1] == 2.5
    assert read_pairs(source(store), HASHES).p.tolist() == pytest.approx([0.7])
