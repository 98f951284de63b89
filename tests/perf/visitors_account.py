"""What came of the visitors: stored turns, the same questions asked alone, memory. Used by `tests.perf.visitors`."""

from __future__ import annotations

import os
import re
import signal
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from jobs.engines import Engines
from lab.engine.protocol import ChatRequest, EngineClient
from storage.database import Store
from storage.queries.comparisons import get_comparison, turns
from storage.queries.jobs import list_jobs
from storage.queries.studies import model_source
from storage.tables import Job
from tests.perf.visitors_browsing import Visit

EVERY_S = 1.0
MOST_GROWTH = 0.05  # of the last third's mean over the middle third's
BUSY_WITHIN_S = 60.0
MOST_ALONE = 150  # questions asked again, one at a time

Key = tuple[str, str]  # (model, question)


def running_engines(store: Store) -> list[Job]:
    with store.read() as session:
        return [job for job in list_jobs(session, ["running"], kinds=["engine"], limit=20)[0] if job.pid]


def kill_when_busy(store: Store) -> list[int]:
    """kill -9 of every engine of this store as soon as one answers somebody; their process ids."""
    engines = running_engines(store)
    clients = [EngineClient(str(job.facts["url"])) for job in engines]
    deadline = time.monotonic() + BUSY_WITHIN_S
    try:
        while not any(client.health()["busy"] for client in clients):
            if time.monotonic() > deadline:
                return []
            time.sleep(0.003)
    finally:
        for client in clients:
            client.close()
    pids = [job.pid for job in engines if job.pid]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


def stored_turns(store: Store, uids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """By conversation: question, and of each column the model's reference, its stored answer and settings."""
    found: dict[str, list[dict[str, Any]]] = {}
    with store.read() as session:
        for uid in dict.fromkeys(uids):
            comparison = get_comparison(session, uid)
            found[uid] = [{"question": turn.question, "answers": [
                {**answer, "ref": column["ref"], "max": column["settings"]["max_new_tokens"]}
                for column, answer in zip(comparison.columns, turn.answers, strict=True)
            ]} for turn in turns(session, comparison)]
    return found


def answers_alone(store: Store, stored: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[Key, str]:
    """Each model's answer to the same question, asked greedily with nobody beside it."""
    alone: dict[Key, str] = {}
    asked = [(answer["ref"], turn["question"], answer["max"]) for kept in stored.values() for turn in kept
             for answer in turn["answers"]]
    step = max(1, len(asked) // MOST_ALONE)
    for ref, question, most in asked[::step]:
        with store.read() as session:
            source = model_source(session, store.home, ref)
        with closing(Engines(store).connect(source.base, lambda note: None, lambda: False)) as client:
            client.load(source)
            request = ChatRequest(source.label, [{"role": "user", "content": question}], max_new_tokens=most)
            stats = [chunk.stats for chunk in client.stream(request) if chunk.stats is not None][-1]
        alone[ref, question] = stats.final_text
    return alone


def judge_turns(
    visits: Sequence[Visit], stored: Mapping[str, Sequence[Mapping[str, Any]]], alone: Mapping[Key, str]
) -> dict[str, Any]:
    """Counts of what went right and wrong, and the first faults in full."""
    judged = _Judged(alone)
    for visit in visits:
        judged.add(visit, stored.get(visit.uid, ()))
    waits = sorted(visit.seconds for visit in visits)
    said = [word for visit in visits for word in visit.errors]
    return {
        "questions": len(visits), "answers": judged.n_answers, "errors": sum(bool(visit.errors) for visit in visits),
        "misplaced": len(judged.misplaced), "crossed": len(judged.crossed), "same_as_alone": judged.n_same,
        "other_than_alone": judged.n_other,
        "visitors_answered": len({visit.visitor for visit in visits if not visit.errors}),
        "seconds_median": round(statistics.median(waits), 2) if waits else None,
        "seconds_worst": round(waits[-1], 2) if waits else None,
        "first_faults": [*said[:5], *judged.misplaced[:5], *judged.crossed[:5]],
    }


class _Judged:
    """Which answers belong to their question."""

    def __init__(self, alone: Mapping[Key, str]):
        self._alone = alone
        self._whose: dict[tuple[str, str], set[str]] = {}  # (model, answer) → questions that have it
        for (ref, question), answer in alone.items():
            self._whose.setdefault((ref, answer), set()).add(question)
        self.n_answers = self.n_same = self.n_other = 0
        self.misplaced: list[str] = []
        self.crossed: list[str] = []

    def add(self, visit: Visit, kept: Sequence[Mapping[str, Any]]) -> None:
        if visit.errors:
            return
        turn = next((turn for turn in kept if turn["question"] == visit.question), None)
        if turn is None or visit.question not in visit.shown_question or len(kept) != 1:
            self.misplaced.append(f"'{visit.question}': shown '{visit.shown_question}', stored {len(kept)} turns")
            return
        for shown, answer in zip(visit.columns, turn["answers"], strict=True):
            self._compare(visit.question, shown["text"], answer)

    def _compare(self, question: str, shown: str, answer: Mapping[str, Any]) -> None:
        self.n_answers += 1
        said = str(answer.get("answer") or "").strip()
        if _letters(said) not in _letters(shown):
            self.misplaced.append(f"'{question}': the page shows '{shown[-80:]}', the store has '{said[-80:]}'")
        expected = self._alone.get((answer["ref"], question))
        if expected is None:
            return
        if said == expected.strip():
            self.n_same += 1
            return
        self.n_other += 1
        if self._whose.get((answer["ref"], said), set()) - {question}:
            self.crossed.append(f"{answer['ref']} to '{question}': '{said[-80:]}' belongs to another question")


def _letters(text: str) -> str:
    """What markdown and spacing leave as it is."""
    return re.sub(r"\W", "", text)


class Memory:
    """Resident memory of groups of processes, sampled while something runs."""

    def __init__(self, pids: Callable[[], dict[str, list[int | None]]]):
        self._pids = pids
        self._samples: dict[str, list[float]] = {}
        self._over = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            for name, pids in self._pids().items():
                held = sum(resident_mib(pid) for pid in pids if pid)
                if held:
                    self._samples.setdefault(name, []).append(held)

    def account(self) -> dict[str, Any]:
        """MiB of the middle and last thirds, and how much the last is above the middle as a share."""
        return {name: _thirds(samples) for name, samples in self._samples.items()}


def _thirds(samples: Sequence[float]) -> dict[str, Any]:
    n = len(samples) // 3
    if not n:
        return {"samples": len(samples), "middle_mib": None, "last_mib": None, "growth": None}
    middle, last = statistics.fmean(samples[n : 2 * n]), statistics.fmean(samples[-n:])
    return {"samples": len(samples), "first_mib": round(samples[0]), "middle_mib": round(middle),
            "last_mib": round(last), "growth": round(last / middle - 1, 4)}


def resident_mib(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0.0


