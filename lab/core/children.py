"""Child processes that do not outlive the one that started them (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # prctl(2)


def dies_with_us() -> Callable[[], None]:
    """For `preexec_fn`, run by the child before its exec: SIGTERM when this process dies, by whatever way."""
    parent, libc = os.getpid(), ctypes.CDLL(None, use_errno=True)

    def ask_for_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask_for_signal
