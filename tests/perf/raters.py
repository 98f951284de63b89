"""Many raters in whole sessions against the real app over loopback HTTP, killed and started again meanwhile. By hand:

    python -m tests.perf.raters [--raters 200] [--questions 60] [--quota 20] [--think 3] [--no-kill] [--keep]

Starts `app.py` on a throw-away home, invites the raters to one round with consent, practice, golds, repeats and
guesses, and lets all of them rate at once, with double submits, reloads, second tabs, undos and skips. When a third of
the ratings is in, the web process gets SIGKILL and is started again. Prints JSON. Exit status 1 when a rating was lost
or doubled, a quota was missed or passed, a screen was an error, or the log tells of a locked store.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from lab.rating.design import RoundSpec
from storage.database import Store, open_store
from storage.queries.raters import invite
from storage.queries.ratings import progress
from storage.queries.rounds import create_round
from tests.browser.conftest import RunningLab, free_port, start_web
from tests.rating.bank import MODELS, seed_bank
from tests.rating.visitors import Crowd, Manners, account, practice_of


def main() -> int:
    options = _options()
    home = Path(tempfile.mkdtemp(prefix="raters-"))
    store = open_store(home=home)
    spec = RoundSpec(name="Load", bank=seed_bank(store, options.questions), models=(MODELS[0][0], MODELS[1][0]),
                     quota=options.quota, min_seconds=0)
    made = create_round(store, spec)
    tokens = [token for _, token in invite(store, made.id, [f"R{i}" for i in range(options.raters)])]
    port = free_port()
    lab = RunningLab(home, port, start_web(home, port))
    crowd = Crowd(lab.url, practice_of(store, made.id), Manners(think_s=options.think))
    started = time.perf_counter()
    try:
        asyncio.run(_rate(store, made.id, lab, crowd, tokens, options))
    finally:
        lab.kill_web()
    found = account(store, made.id, crowd)
    found |= {"raters": options.raters, "seconds": round(time.perf_counter() - started, 1),
              "locked": (home / "web.log").read_text(errors="replace").count("database is locked")}
    print(json.dumps(found, indent=1, default=dict))
    if not options.keep:
        shutil.rmtree(home)
    return 1 if found["wrong"] or found["locked"] else 0


async def _rate(
    store: Store, round_id: int, lab: RunningLab, crowd: Crowd, tokens: list[str], options: argparse.Namespace
) -> None:
    raters = asyncio.create_task(crowd.run(tokens))
    if options.kill:
        await _third(store, round_id, raters)
        lab.kill_web()
        await asyncio.to_thread(lab.start_web)
    await raters


async def _third(store: Store, round_id: int, raters: asyncio.Task) -> None:
    """Wait until a third of the ratings is in."""
    while not raters.done():
        with store.read() as session:
            counts = progress(session, round_id)
        if 3 * counts.n_ratings >= counts.n_needed:
            return
        await asyncio.sleep(0.5)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raters", type=int, default=200)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--quota", type=int, default=20)
    parser.add_argument("--think", type=float, default=3, help="mean seconds of thought on a unit")
    parser.add_argument("--no-kill", dest="kill", action="store_false")
    parser.add_argument("--keep", action="store_true", help="leave the home with its store and log")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
