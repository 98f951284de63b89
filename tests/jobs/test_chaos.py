"""Jobs, workers and the web process are killed at random; afterwards every account must be right. Its large form is
`python -m tests.perf.chaos`.

It can fail. With the core broken on purpose, one flaw at a time, 16 jobs and 10 to 12 seconds told:

* a claim that leases nothing: "job 1 is starting and holds 0 device(s) instead of 1"; the same when a device that is
  held is leased again, since its first job then holds none;
* a cancel that ends the row, and gives the device back, before the process is gone: "job 4 went from cancelled to
  cancelled" (in two runs of three: a strike must meet it);
* a start that nobody noted and nothing fences (no look for its mark, no folder lock, no check of the attempt): "job 1
  is queued, and a process of it works" and "somebody else works on cpu:0";
* a rewind that deletes nothing: "job 2 has step 10 twice".
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import catalog
from tests.jobs.chaos import run_chaos
from tests.jobs.chaos_scene import Shape
from tests.stores import new_store

SMALL = Shape(n_jobs=16, seconds=10.0, seed=3, steps=15, pause_s=0.25)


def test_every_job_ends_once_as_it_should_whatever_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_EXTRA_TASKS", "tests.jobs.chaos_tasks")
    catalog.tasks.cache_clear()
    catalog.specs.cache_clear()
    home = tmp_path / "home"
    store = new_store(home)
    try:
        account = run_chaos(home, store, SMALL)
    finally:
        store.close()
    assert account.faults == []
    assert sum(account.strikes.values()) >= 5 and account.attempts > 0
