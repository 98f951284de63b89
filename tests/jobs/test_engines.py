"""An engine's life as its askers see it: found, waited for, killed in the middle of an answer, started anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from jobs.endings import Left, Outcome, end_attempt, judge
from jobs.engine_ends import EngineOfJob, end_words, previous_end
from jobs.engines import Engines
from jobs.leases import begin_attempt
from jobs.queue import ensure_engine
from jobs.results import Ended
from lab.core.errors import LabError, SpecError
from lab.engine.protocol import ChatRequest
from lab.engine.scripted import scripted_engine
from storage.database import Store
from storage.queries.jobs import get_job
from storage.tables import Job

REQUEST = ChatRequest("tiny-llama", [{"role": "user", "content": "one two three four"}])
DONE = Outcome("succeeded")


def begin(store: Store, job: Job, url: str | None = None) -> Job:
    """A worker has started it; with a `url` it serves."""
    with store.write() as session:
        row = get_job(session, job.id)
        begin_attempt(session, row, "host/main:1:1", "chat:0")
        if url:
            row.state, row.facts = "running", {"url": url}
        session.add(row)
    return row


def end(store: Store, job: Job, outcome: Outcome, result: dict[str, Any] | None = None) -> Job:
    """A worker has seen that its process is gone."""
    ended = None if result is None else Ended(result)
    with store.write() as session:
        row = get_job(session, job.id)
        end_attempt(session, row, outcome, ended, Left())
    return row


def words(store: Store, job: Job, of: Any = end_words) -> str:
    with store.read() as session:
        return of(session, get_job(session, job.id))


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A scripted engine in a process of its own, and its address."""
    command = [sys.executable, "-m", "lab.engine.scripted", "--base", "tiny-llama", "--delay", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        yield started, started.stdout.readline().strip()
        started.kill()


def test_an_engine_killed_in_the_middle_of_an_answer_is_told_with_its_signal(store: Store, base: str, process) -> None:
    engine, url = process
    job = begin(store, ensure_engine(store, base), url)
    with closing(Engines(store).connect(base, lambda note: None, lambda: False)) as client:
        chunks = client.stream(REQUEST)
        assert next(chunks).kind == "answer"
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        end(store, job, judge({}, -signal.SIGKILL, ""))
        with pytest.raises(LabError, match=rf"engine of {base} ended \(killed by signal 9, most often .* memory\) "
                                           r"in the middle of an answer; it is starting again"):
            list(chunks)
        with pytest.raises(LabError, match="while it loaded x"):
            from lab.core.types import ModelSource

            client.load(ModelSource(ref="x", label="x", base=base, folder="/tmp", kind="adapter"))


def test_the_next_ask_finds_the_same_job_in_the_line_and_says_why_it_starts_again(store: Store, base: str) -> None:
    job = ensure_engine(store, base)
    begin(store, job, "http://127.0.0.1:9")
    end(store, job, judge({}, -signal.SIGKILL, ""))
    assert ensure_engine(store, base).id == job.id
    told: list[str] = []
    with pytest.raises(LabError, match="stopped before"):
        Engines(store).connect(base, told.append, lambda: bool(told))
    assert told[0].endswith("The engine before it ended: killed by signal 9, most often because the machine ran out of "
                            "memory.")


@pytest.mark.parametrize("outcome, result, why", [
    (DONE, {"ended": "idle"}, "nobody had asked it for a while"),
    (DONE, {"ended": "gave way"}, "another job needed its device"),
    (Outcome("failed", "memory", "The GPU's memory was full."), None, "The GPU's memory was full"),
    (Outcome("cancelled", "cancelled"), None, "it was cancelled"),
])
def test_an_engine_that_ended_is_started_anew_and_the_asker_hears_why(store, base, outcome, result, why) -> None:
    first = begin(store, ensure_engine(store, base), "http://127.0.0.1:9")
    end(store, first, outcome, result)
    second = ensure_engine(store, base)
    assert second.id != first.id
    assert words(store, second, previous_end) == why


def test_an_engine_that_never_started_and_one_of_another_base_are_no_reason(store: Store, base: str) -> None:
    other = ensure_engine(store, "demo-llama")
    end(store, begin(store, other), DONE, {"ended": "idle"})
    assert words(store, ensure_engine(store, base), previous_end) == ""


def test_an_engine_that_leaves_while_its_asker_looks_is_replaced(store: Store, base: str, monkeypatch) -> None:
    from jobs import engines

    with scripted_engine(base) as url:
        gone = begin(store, ensure_engine(store, base))
        end(store, gone, DONE, {"ended": "idle"})
        asked = iter([gone, begin(store, ensure_engine(store, base), url)])
        monkeypatch.setattr(engines, "ensure_engine", lambda store, base: next(asked))
        with closing(Engines(store).connect(base, lambda note: None, lambda: False)) as client:
            assert client.health()["base"] == base


def test_what_the_engine_itself_says_stays_as_it_is(store: Store, base: str) -> None:
    with scripted_engine(base) as url:
        job = begin(store, ensure_engine(store, base), url)
        with closing(EngineOfJob(url, store, job)) as client:
            with pytest.raises(LabError, match="asked to fail"):
                list(client.stream(ChatRequest(base, [{"role": "user", "content": "[fail]"}])))
            with pytest.raises(LabError, match="no-such"):
                list(client.stream(ChatRequest("no-such", REQUEST.messages)))


def test_until_the_worker_has_looked_the_reason_is_not_known_and_not_guessed(store: Store, base: str) -> None:
    job = begin(store, ensure_engine(store, base), "http://127.0.0.1:9")
    with closing(EngineOfJob("http://127.0.0.1:9", store, job, found_out_s=0)) as client:
        with pytest.raises(LabError, match=f"why is not known yet.*/jobs.id={job.id}"):
            list(client.stream(REQUEST))
        client._found_out_s = 20
        threading.Timer(0.3, end, (store, job, DONE, {"ended": "gave way"})).start()
        with pytest.raises(LabError, match="another job needed its device.*ask again to start it anew"):
            list(client.stream(REQUEST))


def test_an_engine_that_computes_otherwise_than_the_settings_say_is_not_taken(store, base, monkeypatch) -> None:
    first = ensure_engine(store, base)
    assert (first.spec["precision"], first.spec["backend"]) == ("auto", "lab")
    monkeypatch.setenv("LAB_ENGINE_PRECISION", "fp32")
    second = ensure_engine(store, base)
    assert second.id != first.id and second.spec["precision"] == "fp32"
    assert ensure_engine(store, base).id == second.id
    monkeypatch.setenv("LAB_ENGINE_PRECISION", "fp8")
    with pytest.raises(SpecError, match="LAB_ENGINE_PRECISION"):
        ensure_engine(store, base)


def test_in_process_no_job_is_queued_and_no_worker_needed(store: Store, base: str, monkeypatch) -> None:
    monkeypatch.setenv("LAB_ENGINE", "in-process")
    client = Engines(store).connect(base, lambda note: None, lambda: False)
    assert client.health()["models"] == [base] and client.url == ""
    with pytest.raises(LabError):
        with store.read() as session:
            get_job(session, 1)
