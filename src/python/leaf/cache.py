"""The tensor cache: decoded pictures, memory-mapped, and the windows cut from them.

Pictures are raw pixels, or a lossless WebP each (`python.cache`): the same pixels, decoded when used.
"""

import io
import json
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leaf.errors import TrainerError

Pixels = NDArray[np.uint8]
Views = Literal["whole", 1, 5]
# Beyond it heights times widths would not fit into the index's numbers.
_LARGEST_SIDE = 1 << 20
_REMEDY = "Delete .leaf/cache and run the stage again."


class TensorCache:
    """Rows of uint8 HWC pictures; `hashes[row]` is the image's identity. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        try:
            about = json.loads((folder / "cache.json").read_text(encoding="utf-8"))
            self._webp = isinstance(about, dict) and about.get("encoding") == "webp"
            columns = 4 if self._webp else 3
            index = np.fromfile(folder / "index.i64", dtype="<i8").reshape(-1, columns)
            self.index: NDArray[np.int64] = index[:, :3]
            # Bytes of each picture in the file.
            self._lengths = index[:, 3] if self._webp else index[:, 1] * index[:, 2] * 3
            self.hashes = (folder / "hashes.txt").read_text(encoding="ascii").split()
            file = folder / ("pixels.webp" if self._webp else "pixels.u8")
            size = file.stat().st_size
            # An empty file cannot be mapped.
            self._pixels: Pixels = (
                np.memmap(file, dtype=np.uint8, mode="r") if size else np.zeros(0, dtype=np.uint8)
            )
        except (OSError, ValueError) as error:
            raise TrainerError("input", f"The tensor cache cannot be read: {error}.", _REMEDY) from error
        rows = len(self.index)
        if not isinstance(about, dict) or about.get("v") != (2 if self._webp else 1):
            raise TrainerError("input", "The tensor cache has an unknown version.", _REMEDY)
        if about.get("rows") != rows or len(self.hashes) != rows:
            raise TrainerError("input", "The tensor cache's files disagree on the number of rows.", _REMEDY)
        if rows and int(self.index[:, 1:].max()) > _LARGEST_SIDE:
            raise TrainerError("input", "The tensor cache's index points outside its pixels.", _REMEDY)
        ends = self.index[:, 0] + self._lengths
        if rows and (int(self.index.min()) < 0 or int(self._lengths.min()) < 0 or int(ends.max()) > size):
            raise TrainerError("input", "The tensor cache's index points outside its pixels.", _REMEDY)

    def __len__(self) -> int:
        return len(self.index)

    def readable(self, row: int) -> bool:
        """False for an image that could not be decoded."""
        return bool(self.index[row, 1] > 0)

    def picture(self, row: int) -> Pixels:
        """The cached picture [H, W, 3]: a view on the map, or decoded anew."""
        offset, height, width = (int(x) for x in self.index[row])
        kept = self._pixels[offset : offset + int(self._lengths[row])]
        if self._webp and height > 0:
            return _decoded(kept, height, width)
        return kept.reshape(height, width, 3)


def _decoded(file: Pixels, height: int, width: int) -> Pixels:
    """Any thread may do it."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file.tobytes()), formats=["WEBP"]) as opened:
            picture = np.asarray(opened.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise TrainerError("input", f"A picture of the tensor cache is damaged: {error}.", _REMEDY) from error
    if picture.shape != (height, width, 3):
        raise TrainerError("input", "A picture of the tensor cache has another size than its index.", _REMEDY)
    return picture


def fits(cache: TensorCache, row: int, crop: int) -> bool:
    return bool(cache.index[row, 1] >= crop and cache.index[row, 2] >= crop)


def eval_batches(
    cache: TensorCache, rows: NDArray[np.int64], crop: int, views: Views, batch: int
) -> list[NDArray[np.int64]]:
    """Positions in `rows` that are looked at together, in order of the rows.

    Whole pictures go with those of their size, so many that they are no more pixels than `batch` crops.
    """
    if views != "whole":
        return [np.arange(i, min(len(rows), i + batch)) for i in range(0, len(rows), batch)]
    sizes = cache.index[rows, 1:]
    order = np.lexsort((np.arange(len(rows)), sizes[:, 1], sizes[:, 0]))
    batches = []
    for group in np.split(order, np.flatnonzero(np.diff(sizes[order], axis=0).any(axis=1)) + 1):
        if len(group):
            most = max(1, batch * crop**2 // int(np.prod(sizes[group[0]])))
            batches += [group[i : i + most] for i in range(0, len(group), most)]
    return batches


def random_window(picture: Pixels, crop: int, key: tuple[int, ...]) -> Pixels:
    """A crop x crop window at a random place, flipped half the time; `key` alone decides which."""
    rng = np.random.default_rng(key)
    y = int(rng.integers(picture.shape[0] - crop + 1))
    x = int(rng.integers(picture.shape[1] - crop + 1))
    window = picture[y : y + crop, x : x + crop]
    return window[:, ::-1] if rng.integers(2) else window


def eval_windows(picture: Pixels, crop: int, views: Views) -> list[Pixels]:
    """The whole picture, or the central window, and for 5 views the four corners too.

    The score is the mean over them.
    """
    if views == "whole":
        return [picture]
    bottom, right = picture.shape[0] - crop, picture.shape[1] - crop
    corners = [(bottom // 2, right // 2)]
    if views == 5:
        corners += [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    return [picture[y : y + crop, x : x + crop] for y, x in corners]
