import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from world import Store, image_hash, synthetic

from leaf.cache import TensorCache
from leaf.data import read_data
from leaf.errors import TrainerError
from leaf.job import parse_job
from leaf.labels import read_pairs, read_points

HASHES = [image_hash(i) for i in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "a #%? folder.sqlite")


def test_what_is_written_is_read_in_the_order_of_the_images(store: Store) -> None:
    store.point(2, 5.0)
    store.point(0, 1.0)
    store.point(1, 2.5)
    found = read_points(store.path, HASHES)
    assert found[:3].tolist() == [1.0, 2.5, 5.0] and math.isnan(found[3])

    store.pair(2, 3, 0.5, 1.0)
    store.pair(0, 1, 0.0, 1.0)
    store.pair(1, 2, 0.8, 0.3)
    pairs = read_pairs(store.path, HASHES)
    assert list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)) == [(0, 1), (1, 2), (2, 3)]
    assert pairs.p.tolist() == pytest.approx([0.0, 0.8, 0.5])
    assert pairs.weight.tolist() == pytest.approx([1.0, 0.3, 1.0])


def test_only_the_asked_images_are_read(store: Store) -> None:
    store.point(0, 1.0)
    store.point(1, 2.0)
    store.pair(0, 1, 1.0, 1.0)
    store.pair(0, 2, 1.0, 1.0)
    found = read_points(store.path, [HASHES[0], HASHES[3]])
    assert found[0] == 1.0 and np.isnan(found[1])
    assert len(read_pairs(store.path, HASHES)) == 2
    assert len(read_pairs(store.path, HASHES[:2])) == 1
    assert len(read_pairs(store.path, HASHES[2:])) == 0


def test_reads_after_the_writer_has_closed(store: Store) -> None:
    store.point(0, 1.0)
    store.db.close()
    assert read_points(store.path, HASHES)[0] == 1.0


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="cannot be read"):
        read_points(tmp_path / "none.sqlite", HASHES)
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "bad.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(TrainerError, match="cannot be read"):
        read_points(tmp_path / "bad.sqlite", HASHES)
    # 2 is the store of all labels, teachers' and people's.
    for version in (2, 7):
        db = sqlite3.connect(tmp_path / f"{version}.sqlite")
        db.execute(f"PRAGMA user_version={version}")
        db.close()
        with pytest.raises(TrainerError, match=f"schema {version}"):
            read_points(tmp_path / f"{version}.sqlite", HASHES)


def test_the_data_hold_the_pairs_as_they_are_weighed(tmp_path: Path) -> None:
    job, _ = synthetic(tmp_path, n=40, val=8)
    pairs = read_data(parse_job(job), TensorCache(Path(job["cache"]))).graph.pairs
    weights = {
        row[0] for row in sqlite3.connect(job["labels"]).execute("SELECT weight FROM pairs").fetchall()
    }
    assert len(pairs) > 0 and set(pairs.weight.tolist()) <= {float(np.float32(w)) for w in weights}
    assert float(pairs.weight.min()) < float(pairs.weight.max())
