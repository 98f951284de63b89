"""Many visitors ask on Compare at once, in real browsers; then an engine is killed in the middle. Run by hand:

    python -m tests.perf.visitors [--visitors 20] [--seconds 120] [--models demo-llama,demo-qwen2] [--train] [--keep]

Starts a lab of its own on a throw-away home. `--train` trains two short variants first and asks the base and both.
Prints JSON. Exit status 1 when anything was wrong: an error on a page, an answer that belongs to another question,
memory that grows, or a kill that the page does not tell or the lab does not get over. Every question holds a number
that no other question has, and greedy answers are compared with those to the same question asked alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.perf.visitors_account import (
    MOST_GROWTH,
    Memory,
    answers_alone,
    judge_turns,
    kill_when_busy,
    running_engines,
    stored_turns,
)
from tests.perf.visitors_browsing import Wanted, after_a_kill, crowd

SETTINGS = {"LAB_GPUS": "off", "LAB_CHAT_SLOTS": "2", "HF_HUB_OFFLINE": "1"}
STUDY = {
    "name": "Visitors", "bases": ["demo-llama"], "datasets": ["demo-medical"], "targets": ["trace", "answer"],
    "benchmarks": [], "training": {"max_steps": 150, "max_rows": 600, "batch_size": 8, "micro_batch_size": 8,
                                   "learning_rate": 0.003, "lora_r": 16},
}
VARIANTS = "demo-llama,variant:demo-llama_demo-medical_trace_s0,variant:demo-llama_demo-medical_answer_s0"


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--visitors", type=int, default=20)
    asked.add_argument("--seconds", type=float, default=120)
    asked.add_argument("--models", default="demo-llama,demo-qwen2")
    asked.add_argument("--max-tokens", type=int, default=64)
    asked.add_argument("--train", action="store_true")
    asked.add_argument("--keep", action="store_true", help="keep the home, to look at its logs")
    options = asked.parse_args()
    os.environ.update(SETTINGS)
    home = Path(tempfile.mkdtemp(prefix="lab-visitors-"))
    account = run(home, options)
    print(json.dumps(account, indent=1, ensure_ascii=False))
    if options.keep or account["wrong"]:
        print(f"kept: {home}", file=sys.stderr)
    else:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if account["wrong"] else 0


def run(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The whole story: start, ask, judge, kill, end."""
    from jobs.keeper import worker_alive
    from jobs.queue import request_cancel, submit
    from storage.database import open_store
    from storage.files import Home
    from storage.queries.jobs import list_jobs
    from tests.browser.conftest import RunningLab, start_web, wait_for

    store = open_store(home=home)
    request_cancel(store, submit(store, "benchmark", {"model": "demo-llama", "benchmark": "demo-medical"}).jobs[0].id)
    port = free_port()
    lab = RunningLab(home, port, start_web(home, port))
    try:
        models = (train(store) if options.train else options.models).split(",")
        return story(lab, store, Wanted(lab.url, models, options.max_tokens, options.visitors, options.seconds))
    finally:
        lab.kill_web()
        with store.read() as session:
            left = list_jobs(session, ["queued", "starting", "running"], limit=100)[0]
        for job in left:
            request_cancel(store, job.id)
        wait_for(lambda: not worker_alive(Home(home)), 60, "the worker did not leave")


def story(lab: Any, store: Any, wanted: Wanted) -> dict[str, Any]:
    memory = Memory(lambda: {"web": [lab.web.pid], "engine": [job.pid for job in running_engines(store)]})
    visits = asyncio.run(crowd(wanted, memory.begin))
    memory.end()
    turns = stored_turns(store, [visit.uid for visit in visits if visit.uid])
    told = judge_turns(visits, turns, answers_alone(store, turns))
    told["memory"] = memory.account()
    told["kill"] = asyncio.run(after_a_kill(wanted, lambda: kill_when_busy(store)))
    told["wrong"] = faults(told)
    return {"asked": {**asdict(wanted), "url": ""}, "load": round(os.getloadavg()[0], 1), **told}


def faults(told: dict[str, Any]) -> list[str]:
    """What is wrong, a sentence each."""
    found = [f"{told[name]} {words}" for name, words in (
        ("errors", "questions ended with an error on the page"), ("crossed", "answers belong to another question"),
        ("misplaced", "pages show or keep another question or answer than was asked"),
    ) if told[name]]
    if not told["questions"]:
        found.append("no question was answered")
    found += [f"the memory of the {name} process grew by {100 * row['growth']:.1f} %"
              for name, row in told["memory"].items() if row["growth"] is not None and row["growth"] > MOST_GROWTH]
    if not told["kill"]["told"]:
        found.append("the page did not say that the engine was killed")
    if not told["kill"]["later_answered"]:
        found.append("after the kill no answer came")
    return found


def train(store: Any) -> str:
    """Two short variants on the first base; what to ask."""
    from jobs.queue import submit
    from storage.queries.jobs import get_job
    from storage.tables import ENDED
    from tests.browser.conftest import wait_for

    jobs = submit(store, "study", STUDY).jobs

    def over() -> bool:
        with store.read() as session:
            return all(get_job(session, job.id).state in ENDED for job in jobs)

    wait_for(over, 600, "the training did not end")
    return VARIANTS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
