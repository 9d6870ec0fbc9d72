"""`python -m leaf.head JOB.json` fits the closed form, or exports a network as it comes."""

import os
import sys

# As in leaf/__main__.py: the real stdout is for the protocol alone.
_CHANNEL_FD = os.dup(1)
os.dup2(2, 1)

from leaf.signals import exit_on_signals  # noqa: E402

exit_on_signals()

if __name__ == "__main__":
    from leaf.head.entry import main

    code = main(sys.argv[1:], _CHANNEL_FD)
    sys.stderr.flush()
    os._exit(code)
