"""The daemons of the throw-away Slurm: started, killed and restarted by one process that dies with the tests.

`python -m tests.jobs.slurm.daemons FOLDER` reads commands from standard input, one a line, and answers each with `ok`
or with what went wrong: `start NAME`, `stop NAME`, `kill NAME`. When its input ends (the tests ended, or were killed)
it kills every process whose environment names this slurm.conf, jobs included, removes the folder, and leaves.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 5.0


class Daemons:
    """One child process a daemon, in the foreground, so that nothing has to be looked for by name."""

    def __init__(self, folder: Path):
        self._folder, self._running = folder, {}
        self._environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self, name: str) -> str:
        with (self._folder / f"{name}.out").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._command(name), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=self._environment, start_new_session=True,
            )
        return "ok"

    def stop(self, name: str) -> str:
        """SIGTERM: it writes its state down and leaves."""
        return self._end(name, signal.SIGTERM)

    def kill(self, name: str) -> str:
        """SIGKILL, as a crash does: what slurmctld has not written yet is forgotten."""
        return self._end(name, signal.SIGKILL)

    def _end(self, name: str, number: int) -> str:
        process = self._running.pop(name)
        process.send_signal(number)
        process.wait(PATIENCE_S)
        return "ok"

    def end(self) -> None:
        """Kill all that belongs to this cluster, until nothing is left of it."""
        for name in list(self._running):
            self.kill(name)
        deadline = time.monotonic() + PATIENCE_S
        while (left := self._belonging()) and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self, name: str) -> list[str]:
        folder = self._folder
        if name == "munged":
            return ["munged", "--foreground", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge",
                    f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
                    f"--seed-file={folder}/munge.seed", "--num-threads=2"]
        if name == "slurmctld":
            return ["slurmctld", "-D", "-i", "-f", f"{folder}/slurm.conf"]
        return ["slurmd", "-D", "-N", name, "-f", f"{folder}/slurm.conf"]

    def _belonging(self) -> list[int]:
        """Daemons, slurmstepd and jobs: all inherit SLURM_CONF."""
        wanted, found = f"SLURM_CONF={self._folder}/slurm.conf".encode(), []
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if wanted in Path(entry.path, "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:  # gone meanwhile, or another user's
                    continue
        return found


def serve(folder: Path) -> None:
    daemons = Daemons(folder)
    try:
        for line in sys.stdin:
            verb, _, name = line.strip().partition(" ")
            try:
                print({"start": daemons.start, "stop": daemons.stop, "kill": daemons.kill}[verb](name), flush=True)
            except (OSError, KeyError, subprocess.TimeoutExpired) as error:
                print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        daemons.end()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests; the end of input ends this
    os.environ["PATH"] += os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    serve(Path(sys.argv[1]))
