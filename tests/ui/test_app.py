"""Starting the lab: it comes up without torch, and a port in use is one sentence."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path, port: int) -> dict[str, str]:
    return os.environ | {"LAB_HOME": str(home), "LAB_PORT": str(port), "LAB_WORKER": "off", "HF_HUB_OFFLINE": "1",
                         "LAB_DATABASE_URL": ""}


@pytest.fixture(scope="module")
def served(store):
    """(address, process) of `python app.py` on a seeded store."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment(Path(store.home), port),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            break
        except OSError:
            if process.poll() is not None:
                pytest.fail(process.stdout.read())
            time.sleep(0.25)
    yield address, process
    process.terminate()
    process.wait(15)


@pytest.mark.parametrize("path", ["/", "/train", "/jobs?id=1", "/rate/"])
def test_the_lab_answers(served, path):
    with urllib.request.urlopen(served[0] + path, timeout=20) as answer:
        assert answer.status == 200


def test_the_web_process_has_never_loaded_torch(served):
    address, process = served
    urllib.request.urlopen(f"{address}/train", timeout=20).close()
    loaded = Path(f"/proc/{process.pid}/maps")
    if not loaded.exists():
        pytest.skip("needs /proc")
    libraries = loaded.read_text()
    assert "numpy" in libraries and "libtorch" not in libraries


def test_a_port_in_use_is_one_sentence_that_names_the_port_and_the_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment(tmp_path, port), timeout=60,
                              capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr and "LAB_PORT=" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "lab.db").exists()


def test_a_wrong_setting_is_told_and_not_traced(tmp_path):
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment(tmp_path, 1) | {"LAB_PORT": "many"},
                          timeout=60, capture_output=True, text=True)
    assert done.returncode == 1 and "LAB_PORT" in done.stderr and "Traceback" not in done.stderr
