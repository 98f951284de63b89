"""A synthesis against a real server, its job process killed three times: what is paid, and how fast. By hand:

    python -m tests.perf.synthesis [--items 2000] [--at-once 64] [--latency-ms 400] [--kills 3] [--keep]

Starts an OpenAI-compatible server in a process of its own (the embedded teacher behind uvicorn, answering `--at-once`
requests at a time, each after `--latency-ms`), and runs a reasoning job over the demo problems in the process that a
worker starts (`jobs.runner`), which gets SIGKILL as often as `--kills` says. Then a bare httpx loop sends the same
requests to the same server. Prints JSON. Exit status 1 when an item is missing or there twice, or when a reply that
was on the disk has been asked for again.

`ratio` is the job's requests per second, from the first request of an attempt to its end, over those of the bare loop;
`steady_ratio` the same in the middle of the longest attempt, without the last items, whose requests follow each other;
`bound` is latency and number at once alone. `cpu_ms_per_request` is what the job's processes have used beyond their
starts, shared by the requests they made.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from lab.core.context import write_json
from lab.core.types import ModelSource
from storage.files import Home, JobFolder, read_json
from tests.browser.conftest import free_port

REF = "remote:local"
PER_ITEM = 5  # requests of an item, about: think, verify, naturalise, respond, confirm


def main() -> int:
    options = _options()
    if options.serve:
        return _serve(options)
    folder = Path(tempfile.mkdtemp(prefix="synthesis-"))
    os.environ["LAB_HOME"] = str(folder / "home")
    server, url = _start_server(folder, options)
    try:
        attempts = _run_job(folder, url, options)
        _mark(url)
        bare = asyncio.run(_bare(url, options))
    finally:
        server.kill()
        server.wait()
    found = _account(folder, attempts, bare, options)
    print(json.dumps(found, indent=1))
    if not options.keep:
        shutil.rmtree(folder)
    return 1 if found["wrong"] else 0


# the server ---------------------------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    uvicorn.run(_Server(options), host="127.0.0.1", port=options.serve, log_level="error", access_log=False)
    return 0


class _Server:
    """The embedded teacher behind the least of an ASGI application: the driver is measured, not a framework."""

    def __init__(self, options: argparse.Namespace):
        self.latency_s, self.log = options.latency_ms / 1000, Path(options.log).open("a", encoding="utf-8")
        self.room = asyncio.Semaphore(options.at_once)
        self.replies: dict[str, bytes] = {}
        self.bodies: dict[str, bytes] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":  # killed in the middle of its request
                return
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        if scope["path"] == "/mark":
            self._note("mark", "")
            await self._answer(send, json.dumps([body.decode() for body in self.bodies.values()]).encode())
            return
        asked = json.loads(body)
        name = hashlib.sha256(body).hexdigest()[:16]
        self._note("received", name)
        async with self.room:
            await asyncio.sleep(self.latency_s)
        self.bodies[name] = body
        if name not in self.replies:
            self.replies[name] = _reply(name, asked)
        await self._answer(send, self.replies[name])
        self._note("delivered", name)

    async def _answer(self, send: Any, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _note(self, what: str, name: str) -> None:
        self.log.write(f"{time.time():.6f} {what} {name}\n")
        self.log.flush()


def _reply(name: str, asked: dict[str, Any]) -> bytes:
    """The thought is the request's name: by it the account tells which replies the cache holds."""
    from lab.synthesis.embedded.solver import answer

    said = answer(asked["messages"], asked["seed"], asked["temperature"])
    message = {"role": "assistant", "content": said, "reasoning_content": name}
    n_prompt = sum(len(message["content"]) for message in asked["messages"]) // 4
    usage = {"prompt_tokens": n_prompt, "completion_tokens": len(said) // 4}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


def _start_server(folder: Path, options: argparse.Namespace) -> tuple[subprocess.Popen, str]:
    port = free_port()
    process = subprocess.Popen([
        sys.executable, "-m", "tests.perf.synthesis", "--serve", str(port), "--log", str(folder / "server.log"),
        "--latency-ms", str(options.latency_ms), "--at-once", str(options.at_once),
    ])
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/mark", trust_env=False)
            return process, url
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _mark(url: str) -> list[str]:
    """The bodies the server has had so far; a line in its log says when this was."""
    return httpx.get(f"{url}/mark", trust_env=False, timeout=60).json()


# the job ------------------------------------------------------------------------------------------------------------


def _run_job(folder: Path, url: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Of each attempt: when it was killed or ended, its CPU seconds, and what was on the disk before it."""
    job, attempts = Home(folder / "home").job("made"), []
    kill_at = [options.items * PER_ITEM * (n + 1) // (options.kills + 1) for n in range(options.kills)]
    for number, at in enumerate([*kill_at, None]):
        _order(job, number, url, options)
        kept, before = _kept(folder), os.times()
        began = time.time()
        with job.log.open("a") as log:
            process = subprocess.Popen([sys.executable, "-m", "jobs.runner", str(job.path), str(number)],
                                       stdout=log, stderr=log)
            while process.poll() is None and (at is None or _delivered(folder) < at):
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL) if process.poll() is None else None
            process.wait()
        after = os.times()
        cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
        attempts.append({"began": began, "ended": time.time(), "cpu_s": cpu_s, "kept": kept,
                         "code": process.returncode})
        time.sleep(options.latency_ms / 1000 + 0.5)  # what the server still works on for nobody
    return attempts


def _order(job: JobFolder, attempt: int, url: str, options: argparse.Namespace) -> None:
    """As the worker writes it."""
    source = ModelSource(ref=REF, label="local", base="local", kind="remote", url=f"{url}/v1", remote_model="teacher")
    spec = {"teacher": REF, "problems": "demo-medical", "max_items": options.items, "at_once": options.at_once,
            "ablation": options.ablation}
    job.prepare()
    write_json(job.job_json, {"uid": "made", "kind": "reasoning", "attempt": attempt, "spec": spec,
                              "models": {REF: source.model_dump()}, "files": {}, "processes": 1})


def _kept(folder: Path) -> set[str]:
    """Names of the requests whose replies the cache holds."""
    path = folder / "home" / "cache" / "replies.sqlite"
    if not path.exists():
        return set()
    store = sqlite3.connect(path)
    try:
        return {json.loads(row[0])["think"] for row in store.execute("SELECT reply FROM replies")}
    finally:
        store.close()


# the account --------------------------------------------------------------------------------------------------------


def _lines(folder: Path) -> list[tuple[float, str, str]]:
    lines = (line.split(" ") for line in (folder / "server.log").read_text().splitlines())
    return [(float(at), what, name) for at, what, name in lines]


def _delivered(folder: Path) -> int:
    log = folder / "server.log"
    return log.read_text().count(" delivered ") if log.exists() else 0


async def _bare(url: str, options: argparse.Namespace) -> dict[str, float]:
    """The same requests by the least that can send them: a client each, as one pool of many is slow by itself."""
    bodies, trust = iter(_mark(url)), httpx.create_ssl_context(trust_env=False)
    started, n = time.perf_counter(), 0
    before = os.times()

    async def send() -> None:
        nonlocal n
        async with httpx.AsyncClient(timeout=600, trust_env=False, verify=trust) as client:
            for body in bodies:
                response = await client.post(f"{url}/v1/chat/completions", content=body)
                response.json()
                n += 1

    await asyncio.gather(*(send() for _ in range(options.at_once)))
    took, after = time.perf_counter() - started, os.times()
    return {"n": n, "seconds": took, "per_s": n / took,
            "cpu_ms_per_request": 1000 * (after.user + after.system - before.user - before.system) / n}


def _account(
    folder: Path, attempts: list[dict[str, Any]], bare: dict[str, float], options: argparse.Namespace
) -> dict[str, Any]:
    lines, ended = _lines(folder), attempts[-1]["ended"]
    job = Home(folder / "home").job("made")
    received = [(at, name) for at, what, name in lines if what == "received" and at < ended]
    delivered = Counter(name for at, what, name in lines if what == "delivered" and at < ended)
    asked_again = {name for attempt in attempts for at, name in received
                   if attempt["began"] < at <= attempt["ended"] and name in attempt["kept"]}
    twice = {name for name, n in delivered.items() if n > 1}
    ids = Counter(json.loads(line)["id"] for name in ("complex.jsonl", "dropped.jsonl")
                  for line in (job.artifacts / name).open(encoding="utf-8")) if job.result.exists() else Counter()
    busy_s = sum(_busy(lines, attempt) for attempt in attempts)
    start_s = _start_cpu_s()
    result = read_json(job.result) or {}
    found = {
        "items": options.items, "attempts": len(attempts), "codes": [attempt["code"] for attempt in attempts],
        "items_once": sum(n == 1 for n in ids.values()), "items_twice": sum(n > 1 for n in ids.values()),
        "requests": len(delivered), "received": len(received), "asked_again_though_kept": len(asked_again),
        "delivered_twice": len(twice), "of_these_under_way_at_a_kill": len(twice - asked_again),
        "paid": result.get("spent", {}).get("n_requests"), "seconds": round(busy_s, 2),
        "per_s": round(sum(delivered.values()) / busy_s, 1), "bare_per_s": round(bare["per_s"], 1),
        "bound_per_s": round(options.at_once / (options.latency_ms / 1000), 1),
        "ratio": round(sum(delivered.values()) / busy_s / bare["per_s"], 3),
        "steady_per_s": round(_steady(lines, attempts), 1),
        "steady_ratio": round(_steady(lines, attempts) / bare["per_s"], 3),
        "cpu_ms_per_request": round(1000 * (sum(a["cpu_s"] for a in attempts) - len(attempts) * start_s)
                                    / max(1, len(received)), 2),
        "bare_cpu_ms_per_request": round(bare["cpu_ms_per_request"], 2), "start_cpu_s": round(start_s, 2),
        "funnel": result.get("funnel"),
    }
    found["wrong"] = bool(asked_again or found["items_once"] != options.items or found["items_twice"])
    return found


def _busy(lines: list[tuple[float, str, str]], attempt: dict[str, Any]) -> float:
    """From the first request of an attempt to its end: starting Python is not the driver's."""
    times = [at for at, what, _ in lines if what == "received" and attempt["began"] < at <= attempt["ended"]]
    return attempt["ended"] - min(times) if times else 0.0


def _steady(lines: list[tuple[float, str, str]], attempts: list[dict[str, Any]]) -> float:
    """Delivered per second in the middle three fifths of the longest attempt."""
    longest = max(attempts, key=lambda attempt: _busy(lines, attempt))
    busy_s = _busy(lines, longest)
    least, most = longest["ended"] - 0.8 * busy_s, longest["ended"] - 0.2 * busy_s
    return sum(what == "delivered" and least < at <= most for at, what, _ in lines) / (most - least)


def _start_cpu_s() -> float:
    """Of a process that imports what the job does and ends."""
    before = os.times()
    code = "import jobs.runner, jobs.catalog, lab.synthesis._reasoning; jobs.catalog.tasks()"
    subprocess.run([sys.executable, "-c", code], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=400)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the run")
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--log", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
