"""The client against the scripted engine: the same HTTP as the real one, without a model."""

import socket
import time

import httpx
import pytest

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient, wait_ready
from lab.engine.scripted import scripted_engine

QUESTION = [{"role": "user", "content": "What is two plus two?"}]


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
    chunks = list(client.stream("m-trace", QUESTION))
    kinds = [chunk.kind for chunk in chunks]
    assert kinds == sorted(kinds, key=["thinking", "answer", "end"].index) and kinds.count("end") == 1
    end = chunks[-1].stats
    assert "".join(c.text for c in chunks if c.kind == "thinking") == end.think_text != ""
    assert "".join(c.text for c in chunks if c.kind == "answer") == end.final_text
    assert (end.think_state, end.finish_reason) == ("closed", "eos")
    assert end.final_text.endswith("Answer: 5") and end.n_think_tokens > 10


def test_a_model_that_does_not_think_has_no_thinking(client):
    end = list(client.stream("scripted", QUESTION))[-1].stats
    assert (end.think_state, end.think_text, end.n_think_tokens) == ("none", "", 0)


def test_a_thought_cut_by_the_budget_has_no_answer(client):
    chunks = list(client.stream("m-trace", [{"role": "user", "content": "[unclosed] why?"}], max_new_tokens=20))
    assert chunks[-1].stats.think_state == "unclosed_length" and chunks[-1].stats.final_text == ""
    assert chunks[-1].stats.n_think_tokens == 20


def test_health_names_the_base_and_its_models(client):
    health = client.health()
    assert (health["base"], health["models"], health["busy"]) == ("scripted", ["scripted", "m-trace"], 0)


def test_an_unknown_model_is_named_with_its_nearest(client):
    with pytest.raises(LabError, match="unknown model 'm-trase'. Did you mean 'm-trace'"):
        list(client.stream("m-trase", QUESTION))


def test_a_model_of_another_base_is_refused(client):
    with pytest.raises(LabError, match="stands on 'other'"):
        client.load(variant("x", base="other"))


def test_a_failure_in_the_middle_of_an_answer_is_a_plain_sentence(client):
    with pytest.raises(LabError, match="asked to fail"):
        list(client.stream("m-trace", [{"role": "user", "content": "[fail]"}]))


def test_an_engine_that_is_not_there_is_a_plain_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(LabError, match="no engine answers"):
        list(EngineClient(url).stream("m", QUESTION))
    with pytest.raises(LabError, match="not ready after 0.2 s"):
        wait_ready(url, timeout_s=0.2)


def test_an_engine_that_does_not_answer_in_time_is_a_plain_sentence():
    with scripted_engine(delay_s=0.5) as url:
        with pytest.raises(LabError, match="did not answer in time"):
            list(EngineClient(url, timeout_s=0.1).stream("scripted", QUESTION))


def test_closing_the_stream_stops_the_generation():
    with scripted_engine(delay_s=0.02) as url:
        client = EngineClient(url)
        stream = client.stream("scripted", [{"role": "user", "content": "[unclosed]"}], max_new_tokens=400)
        next(stream)
        assert client.health()["busy"] == 1
        stream.close()
        deadline = time.monotonic() + 3
        while client.health()["busy"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert client.health()["busy"] == 0


def test_a_caller_of_a_whole_answer_that_goes_away_stops_the_generation_too():
    with scripted_engine(delay_s=0.02) as url:
        body = {"model": "scripted", "messages": [{"role": "user", "content": "[unclosed]"}], "max_tokens": 400}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/v1/chat/completions", json=body, timeout=0.2, trust_env=False)
        client, deadline = EngineClient(url), time.monotonic() + 3
        while client.health()["busy"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert client.health()["busy"] == 0  # all 400 words would have taken 8 s


def test_two_streams_run_at_the_same_time():
    with scripted_engine(delay_s=0.02) as url:
        clients = [EngineClient(url), EngineClient(url)]
        streams = [client.stream("scripted", [{"role": "user", "content": "[unclosed]"}], 400) for client in clients]
        assert [next(stream).kind for stream in streams] == ["thinking", "thinking"]
        assert clients[0].health()["busy"] == 2
        assert [next(stream).kind for stream in streams] == ["thinking", "thinking"]
        [stream.close() for stream in streams]


@pytest.mark.parametrize(
    "body, sentence",
    [
        ({"model": "scripted", "messages": []}, "messages"),
        ({"model": "scripted", "messages": QUESTION, "temperature": 9}, "temperature"),
        ({"model": "scripted", "messages": QUESTION, "top_p": 0.5}, "top_p"),
    ],
)
def test_a_wrong_request_has_an_openai_shaped_error(client, body, sentence):
    response = httpx.post(f"{client.url}/v1/chat/completions", json=body, trust_env=False)
    assert response.status_code == 400 and sentence in response.json()["error"]["message"]


def test_a_name_that_points_at_loopback_is_refused(client):
    response = httpx.get(f"{client.url}/health", headers={"Host": "evil.example"}, trust_env=False)
    assert response.status_code == 400
