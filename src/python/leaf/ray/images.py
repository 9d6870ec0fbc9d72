"""Where the images of a job are: rows of (image, modified, size), and their bytes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from leaf.contract.cluster import ImageSource, ScoreJob
from leaf.errors import TrainerError

# `size` and `modified` (nanoseconds) tell whether a file is the one that was scored; null where unknown.
ROW = pa.schema(
    [
        pa.field("image", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("modified", pa.int64()),
        pa.field("bytes", pa.binary()),
    ]
)
_BATCH = 1000


def is_url(name: str) -> bool:
    scheme, colon, rest = name.partition("://")
    return bool(colon) and scheme.isalnum() and len(scheme) > 1 and bool(rest)


def open_url(url: str) -> tuple[fs.FileSystem, str]:
    """A file system of Arrow's, or of fsspec's where it is installed, and the path in it."""
    try:
        system, path = fs.FileSystem.from_uri(url)
        return system, path
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise TrainerError("input", f"Nothing here can read {url} ({error}).") from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path


def read_bytes(image: str) -> bytes:
    if not is_url(image):
        return Path(image).read_bytes()
    system, path = open_url(image)
    with system.open_input_stream(path) as stream:
        data: bytes = stream.read()
        return data


def rows(job: ScoreJob) -> Iterator[pa.Table]:
    """All images of a job, some hundred at a time."""
    endings = tuple(f".{ending}" for ending in job.endings)
    for source in job.sources:
        if source.kind == "list":
            yield from _listed(source.at)
        elif source.kind == "url":
            yield from _below(source.at, endings)
        else:
            yield from _tabled(source)


def _listed(at: str) -> Iterator[pa.Table]:
    batch: list[dict[str, Any]] = []
    with Path(at).open(encoding="utf-8") as lines:
        for line in lines:
            batch.append(_file(json.loads(line)))
            if len(batch) == _BATCH:
                yield pa.Table.from_pylist(batch, ROW)
                batch = []
    yield pa.Table.from_pylist(batch, ROW)


def _file(image: str) -> dict[str, Any]:
    try:
        found = Path(image).stat()
    except OSError:
        return {"image": image}  # Whoever reads it says why.
    return {"image": image, "size": found.st_size, "modified": found.st_mtime_ns}


def _below(url: str, endings: tuple[str, ...]) -> Iterator[pa.Table]:
    system, path = open_url(url)
    try:
        found = system.get_file_info(fs.FileSelector(path, recursive=True))
    except FileNotFoundError:
        found = []
    except NotADirectoryError:
        found = [system.get_file_info(path)]
    images = [info for info in found if info.is_file and info.path.lower().endswith(endings)]
    if not images:
        raise TrainerError("input", f"There is no image in {url}.")
    scheme = url.partition("://")[0]
    for at in range(0, len(images), _BATCH):
        some = [
            {"image": f"{scheme}://{info.path}", "size": info.size, "modified": info.mtime_ns}
            for info in sorted(images[at : at + _BATCH], key=lambda info: info.path)
        ]
        yield pa.Table.from_pylist(some, ROW)


def _tabled(source: ImageSource) -> Iterator[pa.Table]:
    """A column `image` has paths (beside the table) or URLs; with a column `bytes` it only names them."""
    system, path = open_url(source.at) if is_url(source.at) else (fs.LocalFileSystem(), source.at)
    file = pq.ParquetFile(system.open_input_file(path))
    names = file.schema_arrow.names
    if "image" not in names:
        raise TrainerError(
            "input",
            f"{source.at} has no column `image`.",
            "Name the column with paths, URLs or names `image`, and one with the files themselves `bytes`.",
        )
    folder = Path(source.at).resolve().parent
    for batch in file.iter_batches(_BATCH, columns=[name for name in ("image", "bytes") if name in names]):
        yield pa.Table.from_pylist([_row(row, folder) for row in batch.to_pylist()], ROW)


def _row(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    image = str(row["image"])
    if row.get("bytes") is not None:
        return {"image": image, "bytes": row["bytes"]}
    return {"image": image} if is_url(image) else _file(os.path.normpath(folder / image))
