"""The throw-away Slurm leaves nothing behind, however its tests end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.slurm.cluster import Cluster, NoCluster
from tests.jobs.slurm.conftest import wait_for

PROGRAM = """
import subprocess, time
from tests.jobs.slurm.cluster import Cluster
with Cluster() as cluster:
    cluster.run("sbatch", "--output=/dev/null", "--wrap", "sleep 60")
    while "RUNNING" not in cluster.run("squeue", "-h", "-o", "%T"):
        time.sleep(0.05)
    print(cluster.folder, flush=True)
    time.sleep(60)
"""


def processes_of(folder):
    """Those whose environment names this cluster: daemons and jobs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"SLURM_CONF={folder}/slurm.conf".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_cluster_dies_with_the_process_that_started_it(only_cluster):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True,
                               cwd=Path(__file__).parents[3])
    folder = Path(program.stdout.readline().strip())
    assert folder.is_dir() and len(processes_of(folder)) >= 5, "three daemons, a step and its job at least"
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    wait_for(lambda: not processes_of(folder) and not folder.exists(), 10)


def test_without_slurm_there_is_a_plain_reason(monkeypatch, tmp_path):
    monkeypatch.setattr("tests.jobs.slurm.cluster.SEARCH", str(tmp_path))
    with pytest.raises(NoCluster, match="apt-get install slurm-wlm munge"):
        Cluster().__enter__()
