"""A lab of its own for browser tests: `python app.py` on a fresh LAB_HOME and a free port, and headless Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from jobs.keeper import worker_alive
from jobs.queue import request_cancel, submit
from storage.database import Store, open_store
from storage.files import Home
from storage.queries.jobs import list_jobs

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]


@dataclass
class RunningLab:
    """A started lab. `restart_web` kills the web process alone and starts it again on the same port."""

    home: Path
    port: int
    web: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def store(self) -> Store:
        return open_store(home=self.home)

    def kill_web(self) -> None:
        self.web.kill()
        self.web.wait()

    def start_web(self) -> None:
        self.web = start_web(self.home, self.port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_web(home: Path, port: int) -> subprocess.Popen[bytes]:
    env = {**os.environ, "LAB_HOME": str(home), "LAB_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    with (home / "web.log").open("ab") as log:
        web = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise AssertionError(f"app.py ended: {(home / 'web.log').read_text()}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200:
                return web
        except httpx.TransportError:
            time.sleep(0.3)
    web.kill()
    raise AssertionError(f"app.py did not answer: {(home / 'web.log').read_text()}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab whose store is not empty, so that it does not begin with the demo study."""
    home = tmp_path_factory.mktemp("lab")
    store = open_store(home=home)
    first = submit(store, "benchmark", {"model": "demo-llama", "benchmark": "demo-medical"}).jobs[0]
    request_cancel(store, first.id)
    port = free_port()
    running = RunningLab(home, port, start_web(home, port))
    yield running
    running.kill_web()
    with store.read() as session:
        for job in list_jobs(session, ["queued", "starting", "running"], limit=100)[0]:
            request_cancel(store, job.id)
    wait_for(lambda: not worker_alive(Home(home)), 60, "the worker did not leave")


def wait_for(condition, seconds: float, message: str) -> None:
    """Poll until `condition` is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.5)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # the other tests may be busy beside this one
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@contextmanager
def watched_page(browser, url: str, patience_s: int = 30) -> Iterator[object]:
    """A page of 1400 px that may meet no error of its own and ask nobody but the lab."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(patience_s * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(f"foreign request: {request.url}")
            if not request.url.startswith((url, "data:", "blob:")) else None)
    yield page
    page.close()
    assert not problems


def keep_text(page, received: list[str]) -> None:
    """Everything the page receives as text is added to `received`."""
    def keep(response) -> None:
        kind = response.headers.get("content-type", "")
        if "/assets/" not in response.url and any(word in kind for word in ("json", "html", "event-stream")):
            try:
                received.append(response.url + response.text())
            except Exception:  # a stream that the page has left
                received.append(response.url)

    page.on("response", keep)
