"""The embedded teacher behind the engine's API: in a process, and over loopback HTTP as any OpenAI-compatible
endpoint."""

from __future__ import annotations

import subprocess
import sys
import time

import httpx
import pytest

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, EngineClient
from lab.synthesis.embedded.__main__ import main
from lab.synthesis.embedded.backend import SolverBackend, solver_engine
from lab.synthesis.embedded.settings import REFUSAL
from lab.synthesis.embedded.solver import answer
from lab.synthesis.prompts import own_prompts
from lab.synthesis.specs import EMBEDDED
from tests.synthesis.embedded.asked import SURE, problems

QUESTION = problems()[0].question
MESSAGES = own_prompts().write("direct", question=QUESTION)


def test_a_request_is_told_as_one_answer_and_its_end():
    chunks = list(SolverBackend(SURE).stream(ChatRequest(EMBEDDED, MESSAGES, seed=3, temperature=0.8)))
    assert [chunk.kind for chunk in chunks] == ["answer", "end"]
    stats = chunks[-1].stats
    assert stats.final_text == chunks[0].text == answer(MESSAGES, 3, 0.8, SURE) and stats.finish_reason == "eos"
    assert stats.n_prompt_tokens > 10 and stats.n_answer_tokens > 5


def test_a_reply_longer_than_allowed_is_cut_and_says_so():
    *_, end = SolverBackend(SURE).stream(ChatRequest(EMBEDDED, MESSAGES, max_new_tokens=3))
    assert end.stats.finish_reason == "length" and end.stats.n_answer_tokens == 3
    assert answer(MESSAGES, settings=SURE).startswith(end.stats.final_text)


def test_it_holds_itself_alone():
    backend = SolverBackend()
    assert backend.labels() == [EMBEDDED] and backend.models()[0]["label"] == EMBEDDED
    backend.load(ModelSource(ref=EMBEDDED, label=EMBEDDED, base=EMBEDDED))
    with pytest.raises(LabError, match="alone"):
        backend.load(ModelSource(ref="demo-llama", label="demo-llama", base="demo-llama"))
    with pytest.raises(LabError):
        backend.unload(EMBEDDED)
    with pytest.raises(UnknownName):
        backend.submit(ChatRequest("other", MESSAGES), print)
    with pytest.raises(LabError, match="continues no text"):
        backend.submit(ChatRequest(EMBEDDED, prompt="once"), print)
    backend.close()


def test_replies_that_wait_wait_side_by_side():
    backend, told = SolverBackend(SURE, latency_s=0.2), []
    started = time.monotonic()
    for seed in range(50):
        backend.submit(ChatRequest(EMBEDDED, MESSAGES, seed=seed), told.append)
    while sum(chunk.kind == "end" for chunk in told) < 50 and time.monotonic() < started + 5:
        time.sleep(0.01)
    assert sum(chunk.kind == "end" for chunk in told) == 50 and 0.2 <= time.monotonic() - started < 2


def test_what_is_cancelled_is_not_told():
    backend, told = SolverBackend(SURE, latency_s=0.1), []
    backend.submit(ChatRequest(EMBEDDED, MESSAGES), told.append)()
    time.sleep(0.3)
    assert told == []


def test_the_served_endpoint_answers_whole_and_streamed_with_usage():
    with solver_engine(SURE) as url:
        body = {"model": EMBEDDED, "messages": list(MESSAGES), "seed": 3, "temperature": 0.8, "max_tokens": 500}
        reply = httpx.post(f"{url}/v1/chat/completions", json=body, trust_env=False).json()
        said = answer(MESSAGES, 3, 0.8, SURE)
        assert reply["choices"][0]["message"]["content"] == said and reply["choices"][0]["finish_reason"] == "stop"
        assert reply["usage"]["completion_tokens"] > 5 and reply["usage"]["prompt_tokens"] > 10
        assert httpx.get(f"{url}/v1/models", trust_env=False).json()["data"][0]["id"] == EMBEDDED
        client = EngineClient(url)
        assert "".join(c.text for c in client.stream(ChatRequest(EMBEDDED, MESSAGES, seed=3, temperature=0.8))) == said
        client.close()
        unknown = body | {"messages": [{"role": "user", "content": "Who are you?"}]}
        reply = httpx.post(f"{url}/v1/chat/completions", json=unknown, trust_env=False).json()
        assert reply["choices"][0]["message"]["content"] == REFUSAL


def test_the_command_says_where_it_listens_and_refuses_a_rate_that_is_none(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["embedded", "--mistakes", "1.5"])
    with pytest.raises(SystemExit):
        main()
    assert "mistakes" in capsys.readouterr().err
    serving = subprocess.Popen([sys.executable, "-m", "lab.synthesis.embedded", "--latency-ms", "5", "--mistakes", "0"],
                               stdout=subprocess.PIPE, text=True)
    try:
        url = serving.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:") and url.endswith("/v1")
        assert httpx.get(f"{url}/models", trust_env=False).json()["data"][0]["id"] == EMBEDDED
    finally:
        serving.terminate()
        serving.wait(10)
