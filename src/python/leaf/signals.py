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
