"""`python -m leaf.teacher`: JSON lines in on standard input, JSON lines out on a channel of its own."""

import os
import sys

# Before anything else can print: keep the real stdout for the protocol, send every other write to stderr.
_CHANNEL_FD = os.dup(1)
os.dup2(2, 1)

from leaf.signals import exit_on_signals  # noqa: E402

exit_on_signals()

from leaf.teacher.serve import serve  # noqa: E402

if __name__ == "__main__":
    code = serve(sys.stdin.buffer, _CHANNEL_FD)
    sys.stderr.flush()
    os._exit(code)
