"""What a job wrote, and what it has still to write: Parquet files of whole rows, each there or not at all."""

import hashlib
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from leaf.ray.images import is_url, open_url, reaching

_EVERY_S = 5.0
_ROWS = 100_000


def score_schema(targets: Sequence[str]) -> pa.Schema:
    """One row an image and content; `score` and `sd` on the student's scale, `distance` in its thresholds."""
    numbers = ["score", "sd", *(f"{name}_{target}" for target in targets for name in ("score", "sd"))]
    return pa.schema(
        [
            pa.field("image", pa.string()),
            pa.field("hash", pa.string()),
            *(pa.field(name, pa.float64()) for name in numbers),
            pa.field("distance", pa.float64()),
            pa.field("far", pa.bool_()),
            pa.field("note", pa.string()),
            pa.field("size", pa.int64()),
            pa.field("modified", pa.int64()),
        ]
    )


FAILED = pa.schema(
    [pa.field("image", pa.string()), pa.field("hash", pa.string()), pa.field("reason", pa.string())]
)


class Folder:
    """A folder of Parquet files, on a disk or behind a URL."""

    def __init__(self, at: str, schema: pa.Schema) -> None:
        self._system, self._path = (
            open_url(at) if is_url(at) else (fs.LocalFileSystem(), str(Path(at).resolve()))
        )
        self._at = at
        self._schema = schema
        self._run = f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"
        self._next = 0

    def read(self) -> pa.Table:
        """All rows of all files."""
        with reaching("read", self._at):
            files = self._files()
            tables = [pq.read_table(file, filesystem=self._system, schema=self._schema) for file in files]
        return pa.concat_tables([self._schema.empty_table(), *tables])

    def make(self) -> None:
        """Whether anything can be written there is told before the work, and not after it."""
        with reaching("write to", self._at):
            self._system.create_dir(self._path, recursive=True)

    def write(self, table: pa.Table) -> None:
        """Under a temporary name first: who reads meanwhile, or after a crash, finds whole files alone."""
        name = f"{self._path}/part-{self._run}-{self._next:05d}.parquet"
        self._next += 1
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        # An object store shows what was uploaded whole, and nothing before.
        local = isinstance(self._system, fs.LocalFileSystem)
        temporary = f"{name}.tmp" if local else name
        with reaching("write to", self._at):
            with self._system.open_output_stream(temporary) as stream:
                stream.write(sink.getvalue())
            if local:
                self._system.move(temporary, name)

    def clear(self) -> None:
        with reaching("write to", self._at):
            for file in self._files():
                self._system.delete_file(file)

    def _files(self) -> list[str]:
        found = self._system.get_file_info(fs.FileSelector(self._path, allow_not_found=True))
        return sorted(info.path for info in found if info.is_file and info.path.endswith(".parquet"))


class Writer:
    """Rows into files, in pieces that a crash may cost: those of some seconds."""

    def __init__(self, folder: Folder, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._rows: list[pa.Table] = []
        self._since = time.monotonic()
        self.names = list(schema.names)
        self.count = 0

    def add(self, table: pa.Table) -> None:
        self.count += table.num_rows
        if table.num_rows:
            self._rows.append(table)
        if time.monotonic() - self._since > _EVERY_S or sum(one.num_rows for one in self._rows) >= _ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._folder.write(pa.concat_tables(self._rows).cast(self._schema))
        self._rows = []
        self._since = time.monotonic()


class Seen:
    """Which file a row was read from, by size and time: others need not even be read."""

    def __init__(self, written: pa.Table) -> None:
        columns = (written[name].to_pylist() for name in ("image", "size", "modified"))
        self._files = {image: (size, at) for image, size, at in zip(*columns, strict=True)}

    def unknown(self, rows: pa.Table) -> pa.Table:
        columns = (rows[name].to_pylist() for name in ("image", "size", "modified"))
        wanted = [
            size is None or self._files.get(image) != (size, at)
            for image, size, at in zip(*columns, strict=True)
        ]
        return rows.filter(pa.array(wanted, pa.bool_()))


class Known:
    """What was scored, by the hash of its bytes: sorted arrays, which all workers of a machine share."""

    def __init__(self, written: pa.Table) -> None:
        self.table = written.combine_chunks()
        hashes = _texts(written["hash"].to_pylist())
        self.order = np.argsort(hashes, kind="stable")
        self.hashes = hashes[self.order]
        pairs = zip(written["image"].to_pylist(), written["hash"].to_pylist(), strict=True)
        self.pairs = np.sort(_texts([key_of(image, digest) for image, digest in pairs]))

    def has(self, image: str, digest: str) -> bool:
        """Whether there is a row of this image with these bytes."""
        return _at(self.pairs, key_of(image, digest)) is not None

    def row(self, digest: str) -> dict[str, Any] | None:
        """What was said of these bytes, under whatever name."""
        at = _at(self.hashes, digest)
        if at is None:
            return None
        found: dict[str, Any] = self.table.slice(int(self.order[at]), 1).to_pylist()[0]
        return found


def key_of(image: str, digest: str) -> str:
    return hashlib.md5(
        f"{digest} {image}".encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()


def _texts(values: list[str]) -> np.ndarray[Any, Any]:
    return np.array([value.encode() for value in values], dtype="S32")


def _at(sorted_texts: np.ndarray[Any, Any], text: str) -> int | None:
    wanted = np.bytes_(text.encode())
    at = int(np.searchsorted(sorted_texts, wanted))
    return at if at < len(sorted_texts) and sorted_texts[at] == wanted else None
