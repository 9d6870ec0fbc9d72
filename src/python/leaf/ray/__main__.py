"""`python -m leaf.ray JOB.json` does one job on a cluster; `--env` tells which Ray this Python has."""

import os
import sys

import leaf.no_telemetry  # noqa: F401

# Before anything else can print: keep the real stdout for the protocol, send every other write to stderr.
_CHANNEL_FD = os.dup(1)
os.dup2(2, 1)

if __name__ == "__main__":
    from leaf.ray.entry import main

    code = main(sys.argv[1:], _CHANNEL_FD)
    sys.stderr.flush()
    os._exit(code)
