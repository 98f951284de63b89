"""Many raters at once over real HTTP, and the server killed in the middle of their units: the light form of the load
test that is run by hand (tests/perf/raters.py)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.rating.design import RoundSpec
from storage.database import Store, open_store
from storage.queries.raters import invite
from storage.queries.ratings import progress
from storage.queries.rounds import create_round
from tests.browser.conftest import free_port
from tests.rating.bank import MODELS, seed_bank
from tests.rating.visitors import Crowd, Manners, account, practice_of

ROOT = Path(__file__).parents[2]


class Server:
    """A rater's app that is started, killed, and started again on the same port."""

    def __init__(self, home: Path):
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._start()

    def restart(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.home / "server.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "tests.ui.rater_server", str(self.home), str(self.port)],
                                       cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/rate/config", trust_env=False).status_code == 200:
                    return process
            except httpx.TransportError:
                time.sleep(0.2)
        process.kill()
        raise AssertionError(f"the rater's app did not start: {(self.home / 'server.log').read_text()}")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Store, Server]]:
    store = open_store(home=tmp_path)
    server = Server(tmp_path)
    yield store, server
    server.stop()
    store.close()


def test_a_crowd_with_bad_manners_and_a_killed_server_fill_the_quotas_exactly(served):
    store, server = served
    spec = RoundSpec(name="Crowd", bank=seed_bank(store, 8), models=(MODELS[0][0], MODELS[1][0]), quota=5,
                     gold_every=4, guesses=2, min_seconds=0)
    made = create_round(store, spec)
    tokens = [token for _, token in invite(store, made.id, [f"R{i}" for i in range(16)])]
    crowd = Crowd(server.url, practice_of(store, made.id), Manners(think_s=0.2))

    async def rate() -> None:
        raters = asyncio.create_task(crowd.run(tokens))
        while not raters.done() and 3 * _n_ratings(store, made.id) < 40:
            await asyncio.sleep(0.2)
        await asyncio.to_thread(server.restart)
        await raters

    asyncio.run(rate())
    found = account(store, made.id, crowd)
    assert found["wrong"] == {} and (found["main"], found["needed"]) == (40, 40)
    assert found["calls sent again"] > 0, "the server was not missed by anybody"
    assert "locked" not in (server.home / "server.log").read_text()


def _n_ratings(store: Store, round_id: int) -> int:
    with store.read() as session:
        return progress(session, round_id).n_ratings
