"""Scores images of a bucket on Ray, into the bucket: `python tools/object-storage/cluster.py [FOLDER]`.

What it needs: bucket.py, and the environment of `leaf env --extra ray` (or LEAF_RAY_PYTHON).
"""

import hashlib
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bucket import ROOT, STUDENT, Bucket, bucket, leaf, sentence

SCORE = ["score", "--engine", "ray", "--student", str(STUDENT), "--json"]


@contextmanager
def watched(secret: bytes, home: str) -> Iterator[set[str]]:
    """Which files of LEAF and Ray are looked into while something runs; the secret must be in none."""
    others = set(Path("/tmp").glob("leaf-ray-*"))
    looked: dict[str, int] = {}
    found: list[str] = []
    over = threading.Event()

    def look() -> None:
        for top in {Path(home), *Path("/tmp").glob("leaf-ray-*")} - others:
            for folder, _, names in os.walk(top):
                for path in (Path(folder, name) for name in names):
                    with suppress(OSError):  # Gone meanwhile, or a socket.
                        size = path.stat().st_size
                        if path.is_file() and looked.get(str(path)) != size:
                            looked[str(path)] = size
                            if secret in path.read_bytes():
                                found.append(str(path))

    def watch() -> None:
        while not over.wait(0.3):
            look()
        look()

    thread = threading.Thread(target=watch)
    thread.start()
    seen: set[str] = set()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen.update(looked)
    assert seen and not found, f"the key is in {found}"


def rows(renders: Bucket, out: str) -> list[dict[str, Any]]:
    listed = renders.s3.list_objects_v2(Bucket=renders.name, Prefix=f"{out}/scores/").get("Contents", [])
    found: list[dict[str, Any]] = []
    for one in listed:
        if one["Key"].endswith(".parquet"):
            body = renders.s3.get_object(Bucket=renders.name, Key=one["Key"])["Body"].read()
            found += pq.read_table(io.BytesIO(body)).to_pylist()
    return found


def states(renders: Bucket, out: str) -> dict[str, str]:
    listed = renders.s3.list_objects_v2(Bucket=renders.name, Prefix=f"{out}/scores/").get("Contents", [])
    return {one["Key"]: f"{one['ETag']} {one['LastModified']}" for one in listed}


def told(env: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = leaf(*SCORE, *arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert env["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def main(folder: Path, home: str) -> None:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png", ".webp"})
    plain = leaf("score", "--json", "--student", str(STUDENT), *map(str, files), env=dict(os.environ))
    scores = {Path(one["image"]).name: one["score"] for one in json.loads(plain.stdout)["scores"]}
    assert len(scores) == len(files), plain.stderr
    with bucket("renders", home) as renders:
        # Names as people give them.
        keys = {f"in/{at % 3}/a b#{at}%20 {path.name}": path for at, path in enumerate(files)}
        for key, path in keys.items():
            renders.s3.upload_file(str(path), renders.name, key)
        packed = io.BytesIO()
        pq.write_table(
            pa.table({"image": [p.name for p in files], "bytes": [p.read_bytes() for p in files]}), packed
        )
        renders.s3.put_object(Bucket=renders.name, Key="packed.parquet", Body=packed.getvalue())

        images, out = "s3://renders/in", ["--out", "s3://renders/scores"]
        for name, env in (("no key", renders.bare), ("a wrong key", renders.wrong)):
            print(f"{name}: {sentence(leaf(*SCORE, images, *out, env=env))}")
        typo = leaf(*SCORE, "s3://renders/inn", *out, env=renders.right)
        print(f"a typo: {sentence(typo)}")
        with watched(renders.secret.encode(), home) as looked:
            first = told(renders.right, images, *out)
            began = time.monotonic()
            before = states(renders, "scores")
            second = told(renders.right, images, *out)
            seconds = time.monotonic() - began
            table = told(renders.right, "s3://renders/packed.parquet", "--out", "s3://renders/scores-packed")
            again = told(renders.right, "s3://renders/packed.parquet", "--out", "s3://renders/scores-packed")
        found = {row["image"].removeprefix("s3://renders/"): row for row in rows(renders, "scores")}
        assert {key: row["score"] for key, row in found.items()} == {
            key: scores[path.name] for key, path in keys.items()
        }
        for key, path in keys.items():
            assert found[key]["hash"] == hashlib.sha256(path.read_bytes()).hexdigest()[:32]
        print(
            f"{first['scored']} images of the bucket scored in {first['seconds']:.1f} s, "
            "as `leaf score` does to the last digit"
        )
        assert (second["scored"], second["known"]) == (0, len(keys)) and states(renders, "scores") == before
        print(f"again: nothing to do, no object changed ({seconds:.1f} s)")
        by_table = {row["image"]: row["score"] for row in rows(renders, "scores-packed")}
        assert by_table == scores and table["scored"] == len(files) and again["known"] == len(files)
        print(f"{table['scored']} images of a Parquet table of bytes: the same scores; again: nothing to do")
        print(f"the key is in none of {len(looked)} files of LEAF and Ray")


with tempfile.TemporaryDirectory() as home:
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo" / "photos", home)
