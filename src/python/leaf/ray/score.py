"""Scores by Ray Data: images in, a pool of workers, rows to one writer. What is written is not redone."""

import time
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import ray
import ray.data

from leaf.channel import Outbox
from leaf.contract.cluster import Progress, Scored, ScoreJob, Started
from leaf.ray.cluster import cluster
from leaf.ray.images import ROW, Piece, pieces, read_piece, rows
from leaf.ray.parts import FAILED, Folder, Known, Seen, Writer, key_of, score_schema
from leaf.ray.worker import Scorer, read_student

_PROGRESS_S = 0.5
# A worker that is lost costs the block that it was at.
_LARGEST_BLOCK = 500
_LARGEST_BLOCK_BYTES = 4 * 2**20
_BATCH = 64


def score(job: ScoreJob, outbox: Outbox) -> None:
    began = time.monotonic()
    schema = score_schema(job.targets)
    folder = Folder(f"{job.out}/scores/student={job.fingerprint}", schema)
    failures = Folder(f"{job.out}/failed/student={job.fingerprint}", FAILED)
    written = folder.read()
    seen = Seen(written)
    images = pa.concat_tables([ROW.empty_table(), *rows(job)])
    todo = seen.unknown(images)
    held = list(pieces(job))
    # One that has a new row is read whole, and the workers tell which rows are known.
    left = [piece for piece in held if seen.unknown(piece.rows).num_rows > 0]
    total = images.num_rows + _amount(held)
    known = total - todo.num_rows - _amount(left)
    # What failed before is tried again, and told anew.
    failures.clear()
    good, bad = Writer(folder, schema), Writer(failures, FAILED)
    if todo.num_rows > 0 or left:
        for one in (folder, failures):
            one.make()
        with cluster(job) as found:
            outbox.send(Started(v=1, workers=found.workers, nodes=found.nodes))
            told = time.monotonic()
            keys: set[str] = set()
            try:
                for table in _carried_out(job, todo, left, written, found.workers):
                    known += _keep(table, keys, good, bad)
                    if time.monotonic() - told > _PROGRESS_S:
                        told = time.monotonic()
                        done = known + good.count + bad.count
                        outbox.send(Progress(v=1, done=done, total=total))
            finally:
                good.flush()
                bad.flush()
    seconds = round(time.monotonic() - began, 3)
    outbox.send(Scored(v=1, scored=good.count, failed=bad.count, known=known, seconds=seconds))


def _amount(some: Sequence[Piece]) -> int:
    return sum(piece.rows.num_rows for piece in some)


def _carried_out(
    job: ScoreJob, todo: pa.Table, left: Sequence[Piece], written: pa.Table, workers: int
) -> Iterator[pa.Table]:
    size = max(1, min(_LARGEST_BLOCK, (todo.num_rows + _amount(left)) // (8 * workers)))
    blocks = [todo.slice(at, size) for at in range(0, todo.num_rows, size)] or [ROW.empty_table()]
    images = ray.data.from_arrow(blocks)
    if left:
        # Of images with their bytes Ray counts bytes alone.
        ray.data.DataContext.get_current().target_max_block_size = _LARGEST_BLOCK_BYTES
        addresses = [pa.Table.from_pylist([piece.address()]) for piece in left]
        # It waits more than it computes, and must run where the workers have all processors.
        with_bytes = ray.data.from_arrow(addresses).map_batches(
            _read, batch_size=1, batch_format="pyarrow", num_cpus=0, concurrency=max(2, workers)
        )
        images = images.union(with_bytes) if todo.num_rows > 0 else with_bytes
    done = images.map_batches(
        Scorer,
        fn_constructor_args=[job, ray.put(read_student(job.student)), ray.put(Known(written))],
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_size=min(size, _BATCH),
        batch_format="pyarrow",
        num_cpus=job.cpus,
    )
    yield from done.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)


def _read(addresses: pa.Table) -> Iterator[pa.Table]:
    for address in addresses.to_pylist():
        yield from read_piece(**address)


def _keep(table: pa.Table, keys: set[str], good: Writer, bad: Writer) -> int:
    """Files what a worker said. Returns how many images were told of before, by this run or another."""
    new = []
    for image, digest in zip(table["image"].to_pylist(), table["hash"].to_pylist(), strict=True):
        key = key_of(image, digest or "")
        new.append(key not in keys)
        keys.add(key)
    table = table.filter(pa.array(new, pa.bool_()))
    old = table["known"]
    scored = table.filter(pc.and_(pc.is_null(table["reason"]), pc.invert(old)))
    good.add(scored.select(good.names))
    bad.add(table.filter(pc.is_valid(table["reason"])).select(bad.names))
    repeated: int = len(new) - table.num_rows + (pc.sum(old.cast(pa.int64())).as_py() or 0)
    return repeated
