"""What the warm launcher's tests start as `python -m tests.jobs.warm_programs FOLDER PROGRAM`."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lab.core.context import write_json

NAP = "import time; time.sleep(60)"


def world(folder: Path) -> None:
    """Everything a job finds when it starts; the same whoever started it."""
    found = {
        "files": {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in _open_files()},
        "environment": dict(os.environ), "cwd": os.getcwd(), "path": sys.path, "arguments": sys.argv[1:],
        "main": sys.modules["__main__"].__spec__.name, "umask": os.umask(0o22), "gc": gc.isenabled(),
        "handlers": {number.name: str(signal.getsignal(number)) for number in signal.valid_signals()
                     if isinstance(number, signal.Signals)},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "threads": threading.active_count(),
        "leads_its_session": os.getsid(0) == os.getpgid(0) == os.getpid(),
    }
    print("spoken", flush=True)
    write_json(folder / "found.json", found)


def _open_files() -> list[str]:
    """Without the one that reads the list."""
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]


def family(folder: Path) -> None:
    """Children of every kind: started anew, merely forked, and forked into a session of their own."""
    started = subprocess.Popen([sys.executable, "-c", NAP], start_new_session=True)
    forked = os.fork() or time.sleep(60)
    gone = os.fork() or (os.setsid(), time.sleep(60))
    write_json(folder / "found.json", {"self": os.getpid(), "started": started.pid, "forked": forked, "gone": gone})
    time.sleep(60)


def libraries(folder: Path) -> None:
    """What torch says in a job that has not used it yet."""
    import numpy
    import torch

    ready = {name: name in sys.modules for name in ("trl.trainer.sft_trainer", "peft", "uvicorn", "bitsandbytes.nn")}
    import bitsandbytes

    write_json(folder / "found.json", {
        "ready": ready, "threads": torch.get_num_threads(), "cuda": torch.cuda.is_initialized(),
        "draws": [torch.rand(1).item(), numpy.random.rand()], "four_bit": bitsandbytes.nn.Linear4bit.__name__,
    })


def sleep(folder: Path) -> None:
    write_json(folder / "found.json", {"self": os.getpid()})
    time.sleep(60)


def five(folder: Path) -> None:
    sys.exit(5)


def words(folder: Path) -> None:
    sys.exit("it cannot go on")


def bug(folder: Path) -> None:
    raise ValueError("a bug")


def killed(folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


PROGRAMS: dict[str, Any] = {
    run.__name__: run for run in (world, family, libraries, sleep, five, words, bug, killed)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[2]](Path(sys.argv[1]))
