import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from world import write_cache, write_rows

from leaf.cache import TensorCache, eval_batches, eval_windows, random_window
from leaf.errors import TrainerError
from leaf.rows import read_rows


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in sizes]


def test_pictures_come_back(tmp_path: Path) -> None:
    made = pictures((8, 9), (0, 0), (20, 8))
    cache = TensorCache(write_cache(tmp_path / "cache", made, 8))
    assert [cache.readable(i) for i in range(3)] == [True, False, True]
    assert np.array_equal(cache.picture(0), made[0]) and np.array_equal(cache.picture(2), made[2])


def as_webp(folder: Path, made: list[np.ndarray]) -> Path:
    """The same pictures as the engine writes them with `python.cache: webp`."""
    write_cache(folder, made, 8)
    (folder / "pixels.u8").unlink()
    index, offset = [], 0
    with (folder / "pixels.webp").open("wb") as file:
        for picture in made:
            data = io.BytesIO()
            if picture.size:
                Image.fromarray(picture).save(data, "WEBP", lossless=True)
            index.append((offset, *picture.shape[:2], len(data.getvalue())))
            offset += file.write(data.getvalue())
    np.array(index, dtype="<i8").tofile(folder / "index.i64")
    about = json.loads((folder / "cache.json").read_text())
    (folder / "cache.json").write_text(json.dumps({**about, "v": 2, "encoding": "webp"}))
    return folder


def test_pictures_kept_as_webp_come_back_bit_for_bit(tmp_path: Path) -> None:
    made = pictures((8, 9), (0, 0), (200, 8), (700, 900))
    cache = TensorCache(as_webp(tmp_path / "cache", made))
    raw = TensorCache(write_cache(tmp_path / "raw", made, 8))
    assert [cache.readable(i) for i in range(4)] == [True, False, True, True]
    for i in (0, 2, 3):
        assert np.array_equal(cache.picture(i), made[i])
    assert np.array_equal(cache.index[:, 1:], raw.index[:, 1:])
    rows = np.array([0, 2, 3])
    batches = [[part.tolist() for part in eval_batches(one, rows, 8, "whole", 2)] for one in (cache, raw)]
    assert batches[0] == batches[1]


@pytest.mark.parametrize("damage", ["zeros", "cut", "other size"])
def test_a_damaged_webp_is_told_in_one_sentence(tmp_path: Path, damage: str) -> None:
    folder = as_webp(tmp_path / "cache", pictures((30, 40)))
    file = folder / "pixels.webp"
    whole = file.read_bytes()
    if damage == "zeros":
        file.write_bytes(bytes(len(whole)))
    elif damage == "cut":
        file.write_bytes(whole[:-4])
    else:
        np.array([(0, 40, 30, len(whole))], dtype="<i8").tofile(folder / "index.i64")
    with pytest.raises(TrainerError, match="tensor cache"):
        TensorCache(folder).picture(0)


@given(st.integers(4, 20), st.integers(4, 20), st.integers(0, 99))
def test_random_windows_are_windows_and_follow_from_the_key(height: int, width: int, key: int) -> None:
    picture = np.arange(height * width * 3).reshape(height, width, 3).astype(np.uint8)
    one, two = (random_window(picture, 4, (0, key)) for _ in range(2))
    assert one.shape == (4, 4, 3) and np.array_equal(one, two)
    places = [picture[y : y + 4, x : x + 4] for y in range(height - 3) for x in range(width - 3)]
    assert any(np.array_equal(one, w) or np.array_equal(one, w[:, ::-1]) for w in places)


def test_random_windows_reach_every_place_and_both_hands() -> None:
    picture = np.arange(6 * 6 * 3).reshape(6, 6, 3).astype(np.uint8)
    seen = {random_window(picture, 5, (0, key)).tobytes() for key in range(200)}
    assert len(seen) == 8


def test_eval_windows() -> None:
    picture = np.arange(7 * 10 * 3).reshape(7, 10, 3).astype(np.uint8)
    (centre,) = eval_windows(picture, 4, 1)
    assert np.array_equal(centre, picture[1:5, 3:7])
    five = eval_windows(picture, 4, 5)
    assert np.array_equal(five[4], picture[3:7, 6:10]) and len(five) == 5


def test_the_whole_picture_is_one_view() -> None:
    picture = np.arange(7 * 10 * 3).reshape(7, 10, 3).astype(np.uint8)
    (whole,) = eval_windows(picture, 4, "whole")
    assert np.array_equal(whole, picture)


@given(
    sides=st.lists(st.tuples(st.integers(4, 6), st.integers(4, 6)), max_size=30),
    batch=st.integers(1, 8),
    data=st.data(),
)
def test_pictures_of_one_size_are_looked_at_together(
    sides: list[tuple[int, int]], batch: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = TensorCache(write_cache(Path(folder) / "cache", pictures(*sides), 4))
        count = data.draw(st.integers(0, len(sides)))
        rows = np.array(data.draw(st.permutations(range(len(sides))))[:count], dtype=np.int64)
        for views in ("whole", 1, 5):
            parts = eval_batches(cache, rows, 4, views, batch)
            assert sorted(i for part in parts for i in part.tolist()) == list(range(count))
            for part in parts:
                shapes = [cache.picture(row).shape for row in rows[part].tolist()]
                if views == "whole":
                    assert len(set(shapes)) == 1
                    assert len(part) == 1 or len(part) * shapes[0][0] * shapes[0][1] <= batch * 16
                else:
                    assert len(part) <= batch and part.tolist() == sorted(part.tolist())


def test_broken_caches_are_told(tmp_path: Path) -> None:
    folder = write_cache(tmp_path / "cache", pictures((8, 8)), 8)
    (folder / "pixels.u8").write_bytes(b"short")
    with pytest.raises(TrainerError, match="outside its pixels"):
        TensorCache(folder)
    (folder / "hashes.txt").write_text("")
    with pytest.raises(TrainerError, match="number of rows"):
        TensorCache(folder)
    with pytest.raises(TrainerError, match="cannot be read"):
        TensorCache(tmp_path / "none")


def test_rows_with_weights(tmp_path: Path) -> None:
    cache = TensorCache(write_cache(tmp_path / "cache", [np.zeros((8, 8, 3), np.uint8)] * 2, 8))
    path = tmp_path / "rows.csv"
    path.write_text("row,split,target,weight\n0,train,1.5,0.25\n1,val,2,1\n")
    train, val = read_rows(path, cache, 8)
    assert train.weights.tolist() == [0.25] and val.weights.tolist() == [1]
    path.write_text("row,split,target\n0,train,1.5\n")
    assert read_rows(path, cache, 8)[0].weights.tolist() == [1]
    for weight in ("0", "", "-1", "much"):
        path.write_text(f"row,split,target,weight\n0,train,1.5,{weight}\n")
        with pytest.raises(TrainerError, match=r"rows\.csv:2"):
            read_rows(path, cache, 8)


def test_rows(tmp_path: Path) -> None:
    cache = TensorCache(write_cache(tmp_path / "cache", pictures((8, 8), (0, 0), (9, 9), (8, 8)), 8))
    path = write_rows(
        tmp_path / "rows.csv", [(0, "train", 1.5), (1, "train", 2), (2, "val", None), (0, "val", 3)]
    )
    train, val = read_rows(path, cache, 8)
    # Row 1 is unreadable, and image 0 stays where it was named first.
    assert train.rows.tolist() == [0] and train.targets.tolist() == [1.5]
    assert val.rows.tolist() == [2] and np.isnan(val.targets).all()
    with pytest.raises(TrainerError, match=r"rows\.csv:2: the cached picture is smaller"):
        read_rows(path, cache, 9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "row,split\n",
        "row,split,target\n9,train,1\n",
        "row,split,target\n0,test,1\n",
        "row,split,target\n0,train\n",
    ]
    + [f"row,split,target\n0,train,{x}\n" for x in ("nan", "inf", "x")]
    + ["row,split,target\n-1,train,\n", "row,split,target\n²,train,\n"],
)
def test_wrong_rows(tmp_path: Path, text: str) -> None:
    cache = TensorCache(write_cache(tmp_path / "cache", pictures((8, 8)), 8))
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(TrainerError, match=r"rows\.csv:\d"):
        read_rows(tmp_path / "rows.csv", cache, 8)
