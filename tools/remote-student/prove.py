"""Puts a student into a bucket and scores with it: `python tools/remote-student/prove.py IMAGE`.

The S3 server is moto's, on loopback, and it checks signatures (pip install "moto[server]"). Needs `node scripts/build.js`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STUDENT = ROOT / "test" / "fixtures" / "student"
# Requests of the set-up; those that follow must be signed by a user who may.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

PUBLISH = """
import { publishStudent } from "./src/engine/student/remote/remote.ts";
import { remoteStudent } from "./src/engine/student/remote/address.ts";
console.log(await publishStudent(process.argv[1], remoteStudent(process.argv[2])));
"""


def node(
    arguments: list[str], env: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["node", *arguments],
        check=False,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )


def main(image: str) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"

    def client(name: str):  # type: ignore[no-untyped-def]
        return boto3.client(
            name,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    client("iam").create_user(UserName="leaf")
    key = client("iam").create_access_key(UserName="leaf")["AccessKey"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    client("iam").put_user_policy(
        UserName="leaf", PolicyName="s3", PolicyDocument=json.dumps(policy)
    )
    client("s3").create_bucket(Bucket="models")
    with tempfile.TemporaryDirectory() as home:
        bare = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("AWS_")
            },
            "LEAF_HOME": home,
            "AWS_ENDPOINT_URL_S3": endpoint,
        }
        env = {
            **bare,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        wrong = {**env, "AWS_SECRET_ACCESS_KEY": "x" * 40}
        url = "s3://models/iqa/v1"
        publish = ["--input-type=module", "-e", PUBLISH, str(STUDENT), url]
        for name, other in (("no key", bare), ("a wrong key", wrong)):
            refused = node(publish, other)
            status = re.search(r"was refused with status (\d+)", refused.stderr)
            # moto itself fails (500) where nothing is signed.
            assert refused.returncode != 0 and status, refused.stderr
            print(f"{name}: refused with {status[1]}")
        put = node(publish, env)
        assert put.returncode == 0, put.stderr
        digest = put.stdout.strip()
        print(f"put {url}#sha256={digest}")
        score = ["bin/leaf.js", "score", "--json", image, "--student"]
        found = []
        for student in (
            str(STUDENT),
            f"{url}#sha256={digest}",
            f"{url}#sha256={digest}",
        ):
            began = time.monotonic()
            done = node([*score, student], env)
            assert done.returncode == 0, done.stderr
            found.append(json.loads(done.stdout)["scores"])
            print(
                f"{time.monotonic() - began:.2f} s  {student[:30]}…  {found[-1][0]['score']}"
            )
        assert found[0] == found[1] == found[2]
        server.stop()
        offline = node([*score, f"{url}#sha256={digest}"], bare)
        assert json.loads(offline.stdout)["scores"] == found[0]
        print("the server stopped, no key: scored from the cache")
        kept = [path.read_bytes() for path in Path(home).rglob("*") if path.is_file()]
        assert kept and not any(key["SecretAccessKey"].encode() in one for one in kept)
        print(f"no file of {len(kept)} holds the key")


main(sys.argv[1])
