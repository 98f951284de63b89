"""The chaos test in its large form. Run by hand:

    python -m tests.perf.chaos --jobs 60 --seconds 60 --seed 1 [--warm]

Prints the account, and the folder when anything was found wrong: then it is kept. Exit status 1 in that case.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = {"LAB_EXTRA_TASKS": "tests.jobs.chaos_tasks", "LAB_GPUS": "off"}


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--jobs", type=int, default=60)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--pause", type=float, default=0.5, help="mean seconds between two strikes")
    asked.add_argument("--warm", action="store_true")
    options = asked.parse_args()
    os.environ.update(SETTINGS)
    from storage.database import open_store
    from tests.jobs.chaos import run_chaos
    from tests.jobs.chaos_scene import Shape

    home, started = Path(tempfile.mkdtemp(prefix="lab-chaos-")), time.monotonic()
    store = open_store(home=home)
    shape = Shape(options.jobs, options.seconds, options.seed, options.warm, pause_s=options.pause)
    account = run_chaos(home, store, shape)
    store.close()
    print(f"seed {options.seed}, load {os.getloadavg()[0]:.1f}, {time.monotonic() - started:.0f} s in all")
    print(f"strikes: {sum(account.strikes.values())} {dict(account.strikes)}")
    print(f"jobs: {dict(account.states)}; attempts {account.attempts}, losses {account.losses}, "
          f"takeovers {account.takeovers}, forked {account.forked}")
    print(f"leases looked at {account.looks} times; quiet after {account.quiet_s:.0f} s")
    print(*(account.faults or ["nothing wrong"]), sep="\n")
    if account.faults:
        print(f"kept: {home}")
        return 1
    shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
