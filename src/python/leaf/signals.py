"""Cancellation: SIGINT and SIGTERM end the process at once with exit code 130."""

import os
import signal
import threading

CANCELLED = 130


def exit_on_signals() -> None:
    """Ends the process on SIGINT or SIGTERM from a thread of its own.

    A Python signal handler would wait for the running tensor operation, which may take many seconds. Leaving
    at any instant is safe because every file is written to a temporary name and renamed. Call before other
    threads start.
    """
    if os.environ.get("LEAF_PARENT_PIPE") == "1":
        threading.Thread(target=_exit_with_parent, name="parent", daemon=True).start()
    wanted = {signal.SIGINT, signal.SIGTERM}
    if not hasattr(signal, "sigwait"):  # Windows
        for number in wanted:
            signal.signal(number, lambda *_: os._exit(CANCELLED))
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)

    def wait() -> None:
        signal.sigwait(wanted)
        os._exit(CANCELLED)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def _exit_with_parent() -> None:
    """Standard input is a pipe that the engine holds open: its end means that the engine died, however."""
    while os.read(0, 4096):
        pass
    os._exit(CANCELLED)
