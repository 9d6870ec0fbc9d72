"""Trains a small student, puts it into a bucket and scores with it: `python tools/object-storage/student.py`.

What it needs: bucket.py, and the environment of `leaf env`.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path

from bucket import ROOT, bucket, leaf, sentence

CONFIG = """images: photos
teacher: { kind: embedded }
python: { threads: 1, device: cpu }
student: { model: atto, input: { resize: 64, crop: 48, views: 1 } }
distill: { epochs: 2, batch: 8 }
"""
URL = "s3://models/iqa/v1"


def main(project: Path, home: str) -> None:
    shutil.copytree(ROOT / "demo" / "photos", project / "photos")
    (project / "leaf.yaml").write_text(CONFIG)
    with bucket("models", home) as models:
        for stage in ("label", "distill"):
            trained = leaf(stage, env=models.bare, cwd=project)
            assert trained.returncode == 0, trained.stderr
        export = ["export", "student", "--out"]
        for name, env in (("no key", models.bare), ("a wrong key", models.wrong)):
            print(f"{name}: {sentence(leaf(*export, URL, env=env, cwd=project))}")
        put = leaf(*export, URL, "--json", env=models.right, cwd=project)
        assert put.returncode == 0, put.stderr
        said = json.loads(put.stdout)
        print(f"leaf export student --out {URL}: {len(said['files'])} files, sha256={said['sha256']}")
        local = leaf(*export, "student", "--json", env=models.bare, cwd=project)
        assert json.loads(local.stdout)["sha256"] == said["sha256"], local.stderr
        pinned = f"{URL}#sha256={said['sha256']}"
        found = []
        for student, env in (("student", models.bare), (URL, models.right), (pinned, models.right)):
            began = time.monotonic()
            done = leaf("score", "--json", "photos", "--student", student, env=env, cwd=project)
            assert done.returncode == 0, done.stderr
            found.append(json.loads(done.stdout)["scores"])
            seconds = time.monotonic() - began
            print(
                f"{seconds:.2f} s  {student[:30]}  {len(found[-1])} images, the first {found[-1][0]['score']}"
            )
        assert found[0] == found[1] == found[2]
        models.server.stop()
        offline = leaf("score", "--json", "photos", "--student", pinned, env=models.bare, cwd=project)
        assert json.loads(offline.stdout)["scores"] == found[0]
        print("the server stopped, no key: scored from the cache")
        files = [*Path(home).rglob("*"), *project.rglob("*")]
        kept = [path.read_bytes() for path in files if path.is_file()]
        assert kept and not any(models.secret.encode() in one for one in kept)
        print(f"no file of {len(kept)} holds the key")


with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
    main(Path(folder), home)
