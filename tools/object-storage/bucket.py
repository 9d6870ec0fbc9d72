"""An S3 server on loopback that checks signatures (moto's), a bucket, the keys of one user; LEAF with them.

pip install "moto[server]" pyarrow. Needs `node scripts/build.js`.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Requests of the set-up; those that follow must be signed by a user who may.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
STUDENT = ROOT / "test" / "fixtures" / "student"


@dataclass(frozen=True)
class Bucket:
    name: str
    server: ThreadedMotoServer
    s3: Any
    secret: str
    # Of a process that has no key, the right one, and a wrong one.
    bare: dict[str, str]
    right: dict[str, str]
    wrong: dict[str, str]


@contextmanager
def bucket(name: str, home: str) -> Iterator[Bucket]:
    """`home`: LEAF's own folder."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"

    def client(service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    iam = client("iam", "a", "b")
    iam.create_user(UserName="leaf")
    key = iam.create_access_key(UserName="leaf")["AccessKey"]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="leaf", PolicyName="s3", PolicyDocument=policy)
    client("s3", "a", "b").create_bucket(Bucket=name)
    plain = {one: value for one, value in os.environ.items() if not one.startswith("AWS_")}
    for variable, extra in (("LEAF_PYTHON", []), ("LEAF_RAY_PYTHON", ["--extra", "ray"])):
        # LEAF finds it in its own folder, which is another one below.
        if variable not in plain:
            found = leaf("env", *extra, "--check", "--json", env=plain)
            if found.returncode == 0:
                plain[variable] = json.loads(found.stdout)["interpreter"]
    # Whoever has no key must not get one from the machine.
    bare = {
        **plain,
        "LEAF_HOME": home,
        "TMPDIR": home,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    identity, secret = key["AccessKeyId"], key["SecretAccessKey"]
    right = {**bare, "AWS_ACCESS_KEY_ID": identity, "AWS_SECRET_ACCESS_KEY": secret}
    wrong = {**right, "AWS_SECRET_ACCESS_KEY": "x" * 40}
    try:
        yield Bucket(name, server, client("s3", identity, secret), secret, bare, right, wrong)
    finally:
        server.stop()


def leaf(*arguments: str, env: dict[str, str], cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = ["node", str(ROOT / "bin" / "leaf.js"), *arguments]
    return subprocess.run(command, check=False, cwd=cwd, env=env, capture_output=True, text=True)


def sentence(done: "subprocess.CompletedProcess[str]") -> str:
    """The one of a command that failed."""
    assert done.returncode != 0, done.stdout
    said = [line for line in done.stderr.splitlines() if line.startswith("leaf: ")]
    assert len(said) == 1, done.stderr
    return said[0]
