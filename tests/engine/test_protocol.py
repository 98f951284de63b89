"""The client against the scripted engine: the same HTTP as the real one, without a model."""

import asyncio
import socket
import threading
import time
from contextlib import AsyncExitStack

import httpx
import pytest

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.adapt import Adaptation
from lab.engine.api import build_app
from lab.engine.budget import ThinkingBudget
from lab.engine.listening import listening
from lab.engine.protocol import ChatRequest, EngineClient, wait_ready
from lab.engine.scripted import ScriptedBackend, scripted_engine

QUESTION = [{"role": "user", "content": "What is two plus two?"}]


def ask(label, question=QUESTION[0]["content"], **options):
    return ChatRequest(label, [{"role": "user", "content": question}], **options)


def variant(label, base="scripted"):
    return ModelSource(ref=label, label=label, base=base, folder="/nowhere", kind="adapter")


@pytest.fixture
def client():
    with scripted_engine() as url:
        client = EngineClient(url)
        client.load(variant("m-trace"))
        yield client
        client.close()


def test_a_stream_has_thinking_then_answer_then_one_end(client):
    chunks = list(client.stream(ask("m-trace")))
    kinds = [chunk.kind for chunk in chunks]
    assert kinds == sorted(kinds, key=["thinking", "answer", "end"].index) and kinds.count("end") == 1
    end = chunks[-1].stats
    assert "".join(c.text for c in chunks if c.kind == "thinking") == end.think_text != ""
    assert "".join(c.text for c in chunks if c.kind == "answer") == end.final_text
    assert (end.think_state, end.finish_reason) == ("closed", "eos")
    assert end.final_text.endswith("Answer: 5") and end.n_think_tokens > 10


def test_a_model_that_does_not_think_has_no_thinking(client):
    end = list(client.stream(ask("scripted")))[-1].stats
    assert (end.think_state, end.think_text, end.n_think_tokens) == ("none", "", 0)


def test_a_thought_cut_by_the_budget_has_no_answer(client):
    chunks = list(client.stream(ask("m-trace", "[unclosed] why?", max_new_tokens=20)))
    assert chunks[-1].stats.think_state == "unclosed_length" and chunks[-1].stats.final_text == ""
    assert chunks[-1].stats.n_think_tokens == 20


def test_health_names_the_base_and_its_models(client):
    health = client.health()
    assert (health["base"], health["models"], health["busy"]) == ("scripted", ["scripted", "m-trace"], 0)


def test_an_unknown_model_is_named_with_its_nearest(client):
    with pytest.raises(LabError, match="unknown model 'm-trase'. Did you mean 'm-trace'"):
        list(client.stream(ask("m-trase")))


def test_a_model_of_another_base_is_refused(client):
    with pytest.raises(LabError, match="stands on 'other'"):
        client.load(variant("x", base="other"))


def test_a_failure_in_the_middle_of_an_answer_is_a_plain_sentence(client):
    with pytest.raises(LabError, match="asked to fail"):
        list(client.stream(ask("m-trace", "[fail]")))


def test_an_engine_that_is_not_there_is_a_plain_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(LabError, match="no engine answers"):
        list(EngineClient(url).stream(ask("m")))
    with pytest.raises(LabError, match="not ready after 0.2 s"):
        wait_ready(url, timeout_s=0.2)


def test_an_engine_that_does_not_answer_in_time_is_a_plain_sentence():
    with scripted_engine(delay_s=0.5) as url:
        with pytest.raises(LabError, match="did not answer in time"):
            list(EngineClient(url, timeout_s=0.1).stream(ask("scripted")))


def test_closing_the_stream_stops_the_generation():
    with scripted_engine(delay_s=0.02) as url:
        client = EngineClient(url)
        stream = client.stream(ask("scripted", "[unclosed]", max_new_tokens=400))
        next(stream)
        assert client.health()["busy"] == 1
        stream.close()
        assert_idle(client)


def test_a_caller_of_a_whole_answer_that_goes_away_stops_the_generation_too():
    with scripted_engine(delay_s=0.02) as url:
        body = {"model": "scripted", "messages": [{"role": "user", "content": "[unclosed]"}], "max_tokens": 400}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/v1/chat/completions", json=body, timeout=0.2, trust_env=False)
        assert_idle(EngineClient(url), within_s=3)  # all 400 words would have taken 8 s


def test_a_caller_that_goes_away_before_the_first_word_stops_the_generation_too():
    with scripted_engine(delay_s=0.5) as url:
        with pytest.raises(LabError, match="in time"):
            list(EngineClient(url, timeout_s=0.1).stream(ask("scripted", "[unclosed]", max_new_tokens=400)))
        assert_idle(EngineClient(url), within_s=3)


def test_two_streams_run_at_the_same_time():
    with scripted_engine(delay_s=0.02) as url:
        clients = [EngineClient(url), EngineClient(url)]
        streams = [client.stream(ask("scripted", "[unclosed]", max_new_tokens=400)) for client in clients]
        assert [next(stream).kind for stream in streams] == ["thinking", "thinking"]
        assert clients[0].health()["busy"] == 2
        assert [next(stream).kind for stream in streams] == ["thinking", "thinking"]
        [stream.close() for stream in streams]


def test_eighty_streams_run_at_the_same_time_without_a_thread_each():
    body = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "[unclosed]"}]}

    async def begun(http, url, keep):
        response = await keep.enter_async_context(http.stream("POST", f"{url}/v1/chat/completions", json=body))
        lines = response.aiter_lines()
        while "again" not in await anext(lines):
            pass
        return lines  # an iterator nobody holds is closed, and the stream with it

    async def all_at_once(url):
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=20) as http, AsyncExitStack() as keep:
            streams = await asyncio.gather(*(begun(http, url, keep) for _ in range(80)))
            busy, n_threads = (await http.get(f"{url}/health")).json()["busy"], threading.active_count()
            assert all([line.startswith("data") or not line for line in [await anext(one) for one in streams]])
        return busy, n_threads

    with scripted_engine(delay_s=0.05) as url:
        before = threading.active_count()
        busy, n_threads = asyncio.run(all_at_once(url))
        # Requests are checked in the server's pool of at most forty threads; none stays with its stream.
        assert busy == 80 and n_threads - before < 45
        assert_idle(EngineClient(url))


def assert_idle(client, within_s=5.0):
    deadline = time.monotonic() + within_s
    while client.health()["busy"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client.health()["busy"] == 0


def test_every_field_of_a_request_reaches_the_engine():
    heard = []

    class Hears(ScriptedBackend):
        def submit(self, request, tell):
            heard.append(request)
            return super().submit(request, tell)

    asked = ask(
        "scripted", max_new_tokens=9, temperature=0.5, seed=4, top_p=0.9, stop=("x", "y"), logprobs=2,
        budget=ThinkingBudget(min_tokens=1, max_tokens=5, wait="Hmm"), adapt=Adaptation(mode="random", neighbours=3),
    )
    with listening(build_app(Hears())) as url:
        list(EngineClient(url).stream(asked))
    assert heard == [asked]


def test_logprobs_come_with_the_words_they_belong_to(client):
    chunks = list(client.stream(ask("m-trace", logprobs=1)))
    tokens = [token for chunk in chunks for token in chunk.logprobs]
    end = chunks[-1].stats
    assert len(tokens) == end.n_think_tokens + end.n_answer_tokens
    assert tokens[-1].text == " 5" and tokens[-1].logprob == tokens[-1].top[0][1] == -0.1 and tokens[-1].id > 0


def test_a_thought_over_its_budget_is_closed_by_force(client):
    end = list(client.stream(ask("m-trace", budget=ThinkingBudget(max_tokens=3, answer_prefix="So:"))))[-1].stats
    assert (end.think_state, end.think_text) == ("forced", "The question has")
    assert end.final_text.startswith("So: The scripted answer")


def test_an_adapted_answer_says_first_what_it_was_adapted_to(client):
    chunks = list(client.stream(ask("m-trace", adapt=Adaptation(mode="nearest", dataset="d", neighbours=2))))
    assert [chunk.kind for chunk in chunks[:2]] == ["note", "adapted"]
    report = chunks[1].adaptation
    assert report == chunks[-1].stats.adaptation and [n.dataset for n in report.neighbours] == ["d", "d"]


def test_models_are_told_with_what_was_checked_and_can_be_unloaded(client):
    told = client.models()
    assert [(model["label"], model["kind"]) for model in told] == [("scripted", "base"), ("m-trace", "adapter")]
    assert told[1]["identity"]["checked"]
    client.unload("m-trace")
    assert client.health()["models"] == ["scripted"]
    with pytest.raises(LabError, match="unknown model 'm-trace'"):
        client.unload("m-trace")


def test_what_a_model_was_taught_travels_with_it():
    backend = ScriptedBackend()
    taught = variant("x").model_copy(update={"thinking_style": "headings", "template_sha": "abc", "ref": "variant:x"})
    with listening(build_app(backend)) as url:
        EngineClient(url).load(taught.model_copy(update={"arm": "trace"}))
    assert backend.sources["x"] == taught.model_copy(update={"arm": "trace"})


def test_a_slow_question_takes_its_time_even_in_a_quick_engine(client):
    started = time.monotonic()
    list(client.stream(ask("scripted", "[slow]", max_new_tokens=2)))
    assert time.monotonic() - started > 0.35


@pytest.mark.parametrize(
    "body, sentence",
    [
        ({"model": "scripted", "messages": []}, "messages"),
        ({"model": "scripted", "messages": QUESTION, "temperature": 9}, "temperature"),
        ({"model": "scripted", "messages": QUESTION, "top_p": 1.5}, "top_p"),
    ],
)
def test_a_wrong_request_has_an_openai_shaped_error(client, body, sentence):
    response = httpx.post(f"{client.url}/v1/chat/completions", json=body, trust_env=False)
    assert response.status_code == 400 and sentence in response.json()["error"]["message"]


def test_a_web_page_cannot_ask_in_its_visitors_name(client):
    """A form may post text to loopback without asking; JSON it may not."""
    body = '{"model": "scripted", "messages": [{"role": "user", "content": "x"}]}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        url, headers = f"{client.url}/v1/chat/completions", {"Content-Type": kind}
        assert httpx.post(url, content=body, headers=headers, trust_env=False).status_code == 400


def test_a_name_that_points_at_loopback_is_refused(client):
    response = httpx.get(f"{client.url}/health", headers={"Host": "evil.example"}, trust_env=False)
    assert response.status_code == 400
