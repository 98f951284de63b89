"""The throw-away server: it must not outlive the tests, however they end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.postgres import Postgres, remove_leavings

CODE = """
import time
from tests.postgres import make_server
server = make_server()
server.start()
print(server.process.pid, server.folder, flush=True)
time.sleep(60)
"""


def test_a_server_ends_with_a_test_process_that_is_killed_and_its_files_go_with_the_next(postgres: Postgres) -> None:
    """`postgres` is asked for so that this is skipped where there is none; it must live on."""
    tests = subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True)
    pid, folder = tests.stdout.readline().split()
    assert Path("/proc", pid).exists()
    tests.kill()
    tests.communicate()
    deadline = time.monotonic() + 60
    while Path("/proc", pid).exists():
        assert time.monotonic() < deadline, "the server lives on"
        time.sleep(0.05)
    remove_leavings()
    assert not Path(folder).exists() and postgres.folder.exists()
    postgres.sql("SELECT 1")
