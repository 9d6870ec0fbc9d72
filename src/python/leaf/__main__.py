"""`python -m leaf JOB.json` trains; `python -m leaf --env` describes this Python."""

import gc
import os
import sys

# Before anything else can print: keep the real stdout for the protocol, send every other write to stderr.
_CHANNEL_FD = os.dup(1)
os.dup2(2, 1)

from leaf.signals import exit_on_signals  # noqa: E402

exit_on_signals()

# Imports and the exporter make millions of objects that stay; looking for cycles after every 700 of them
# costs a seventh of a short training.
gc.set_threshold(50_000)

if __name__ == "__main__":
    if sys.argv[1:] == ["--env"]:
        # Tells what is missing, so it needs nothing itself.
        from leaf.environment import tell

        code = tell(_CHANNEL_FD)
    else:
        from leaf.entry import main

        code = main(sys.argv[1:], _CHANNEL_FD)
    sys.stderr.flush()
    # Skip interpreter teardown: a prefetch thread or a process group must not delay or change the exit code.
    os._exit(code)
