"""Where the images of a job are: rows of (image, modified, size), and their bytes."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
# Of images with their bytes: what one process holds of a table.
_HELD = 16


def is_url(name: str) -> bool:
    scheme, colon, rest = name.partition("://")
    return bool(colon) and scheme.isalnum() and len(scheme) > 1 and bool(rest)


def open_url(url: str) -> tuple[fs.FileSystem, str]:
    """A file system of Arrow's or of an fsspec that is installed, and the path in it, spelt as in the URL."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "file":
        return fs.LocalFileSystem(), unquote(rest if os.name == "posix" else rest.lstrip("/"))
    host, _, path = rest.partition("/")
    system, base = _system(f"{scheme}://{host}")
    return system, f"{base.rstrip('/')}/{path}".rstrip("/")


@lru_cache(maxsize=64)
def _system(root: str) -> tuple[fs.FileSystem, str]:
    """Once a bucket: each has a client of its own, which asks where the bucket is."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        # Whoever has keys need not ask the machine for some.
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    try:
        with reaching("read", root):
            system, path = fs.FileSystem.from_uri(root)
            return system, path
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(root)
    except (ImportError, ValueError) as error:
        raise TrainerError("input", f"Nothing here can read {root} ({error}).") from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), path


@contextmanager
def reaching(verb: str, url: str) -> Iterator[None]:
    """What a server says becomes one sentence; of a file on a disk its own error is that."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if not is_url(url):
            raise
        remedy = "Check the address, and what this machine may do there."
        if url.startswith("s3://"):
            remedy = (
                "Check the address, and in the environment AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
                "AWS_REGION and AWS_ENDPOINT_URL_S3."
            )
        raise TrainerError("input", f"LEAF cannot {verb} {url} ({reason_of(error)}).", remedy) from error


def reason_of(error: Exception) -> str:
    """In short; Arrow tells the operation, the key and the request's number, too."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    of_aws = re.search(r"AWS Error (\w+(?: \([^)]*\))?) during \w+ operation:(.*)", text)
    if of_aws:
        said = re.split(r"; Details|\(Request ID", of_aws[2])[0].strip(" .")
        text = f"{of_aws[1]}: {said}" if said else of_aws[1]
    return text.split(". ")[0].removesuffix(".")[:300] or type(error).__name__


def read_bytes(image: str) -> bytes:
    if not is_url(image):
        return Path(image).read_bytes()
    system, path = open_url(image)
    with system.open_input_stream(path) as stream:
        data: bytes = stream.read()
        return data


def rows(job: ScoreJob) -> Iterator[pa.Table]:
    """All images of a job that lie in files of their own, some hundred at a time."""
    endings = tuple(f".{ending}" for ending in job.endings)
    for source in job.sources:
        if source.kind == "list":
            yield from _listed(source.at)
        elif source.kind == "url":
            yield from _below(source.at, endings)
        else:
            yield from _named(source)


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
    with reaching("read", url):
        try:
            found = system.get_file_info(fs.FileSelector(path, recursive=True))
        except (FileNotFoundError, NotADirectoryError):
            found = [system.get_file_info(path)]
    images = [info for info in found if info.is_file and info.path.lower().endswith(endings)]
    if not images:
        raise TrainerError("input", f"There is no image in {url}.")
    images.sort(key=lambda info: info.path)
    # Of this machine's files the path; else the URL goes on as it began, with what Arrow leaves out of paths.
    top = "" if isinstance(system, fs.LocalFileSystem) else url.rstrip("/")
    for at in range(0, len(images), _BATCH):
        some = [
            {
                "image": f"{top}{info.path.removeprefix(path)}" if top else info.path,
                "size": info.size,
                "modified": info.mtime_ns,
            }
            for info in images[at : at + _BATCH]
        ]
        yield pa.Table.from_pylist(some, ROW)


@dataclass(frozen=True)
class Piece:
    """A row group of a table that holds the files themselves. `rows` names them, for whoever counts."""

    table: str
    group: int
    size: int
    modified: int
    rows: pa.Table

    def address(self) -> dict[str, Any]:
        return {"table": self.table, "group": self.group, "size": self.size, "modified": self.modified}


def pieces(job: ScoreJob) -> Iterator[Piece]:
    """The tables with a column `bytes`; read here are the names alone."""
    for source in job.sources:
        if source.kind != "table":
            continue
        file, info = _opened(source.at)
        if "bytes" not in _columns(file, source):
            continue
        for group in range(file.num_row_groups):
            images = file.read_row_group(group, columns=["image"])["image"].to_pylist()
            place = {"size": info.size, "modified": info.mtime_ns}
            names = [{"image": str(image), **place} for image in images]
            yield Piece(table=source.at, group=group, rows=pa.Table.from_pylist(names, ROW), **place)


def read_piece(table: str, group: int, size: int, modified: int) -> Iterator[pa.Table]:
    """Its rows with their bytes, a few at a time; size and time are those of the table."""
    file, _ = _opened(table)
    folder = Path(table).resolve().parent
    with reaching("read", table):
        for batch in file.iter_batches(_HELD, row_groups=[group], columns=["image", "bytes"]):
            found = []
            for row in batch.to_pylist():
                image = str(row["image"])
                if row["bytes"] is None:
                    found.append(_place(image, folder))
                else:
                    found.append({"image": image, "size": size, "modified": modified, "bytes": row["bytes"]})
            yield pa.Table.from_pylist(found, ROW)


def _named(source: ImageSource) -> Iterator[pa.Table]:
    """A column `image` has paths (beside the table) or URLs."""
    file, _ = _opened(source.at)
    if "bytes" in _columns(file, source):
        return
    folder = Path(source.at).resolve().parent
    for batch in file.iter_batches(_BATCH, columns=["image"]):
        images = [str(image) for image in batch["image"].to_pylist()]
        yield pa.Table.from_pylist([_place(image, folder) for image in images], ROW)


def _opened(table: str) -> tuple[pq.ParquetFile, fs.FileInfo]:
    system, path = open_url(table) if is_url(table) else (fs.LocalFileSystem(), table)
    with reaching("read", table):
        info = system.get_file_info(path)
        try:
            # Buffered: otherwise Arrow reads a column of a row group whole.
            return pq.ParquetFile(system.open_input_file(path), buffer_size=2**20), info
        except FileNotFoundError as error:
            raise TrainerError("input", f"There is no {table}.") from error
        except pa.ArrowInvalid as error:
            raise TrainerError("input", f"{table} is no Parquet file ({reason_of(error)}).") from error


def _columns(file: pq.ParquetFile, source: ImageSource) -> list[str]:
    names: list[str] = file.schema_arrow.names
    if "image" in names:
        return names
    raise TrainerError(
        "input",
        f"{source.at} has no column `image`.",
        "Name the column with paths, URLs or names `image`, and one with the files themselves `bytes`.",
    )


def _place(image: str, folder: Path) -> dict[str, Any]:
    return {"image": image} if is_url(image) else _file(os.path.normpath(folder / image))
