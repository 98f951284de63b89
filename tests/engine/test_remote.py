"""Remote models against endpoints on loopback: one that answers as servers do, and an engine of the lab."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget
from lab.engine.listening import listening
from lab.engine.protocol import ChatRequest, EngineClient, GenerationOptions
from lab.engine.remote import RemoteEngine, RemoteModels
from lab.engine.scripted import scripted_engine

CHAT = [{"role": "user", "content": "What is two plus two?"}]
KEY = "sk-very-secret"


def source(url, **options):
    facts = dict(ref="remote:r", label="r", base="r", kind="remote", url=f"{url}/v1", remote_model="big")
    return ModelSource(**facts | options)


class Endpoint:
    """Answers with `events`, after `refusals` (status, body, headers); remembers what it was asked."""

    def __init__(self, events=(), refusals=(), pause_s=0.0, models=("big", "small")):
        self.events, self.refusals, self.pause_s, self.models = list(events), list(refusals), pause_s, models
        self.asked, self.running, self.most = [], 0, 0

    def app(self):
        app = FastAPI()

        @app.get("/v1/models")
        async def models():
            return {"data": [{"id": name} for name in self.models]}

        @app.post("/v1/chat/completions")
        @app.post("/v1/completions")
        async def chat(http: Request):
            self.asked.append((dict(http.headers), await http.json()))
            if self.refusals:
                status, body, *headers = self.refusals.pop(0)
                return JSONResponse(body, status_code=status, headers=dict(*headers))
            return StreamingResponse(self._told(), media_type="text/event-stream; charset=utf-8")

        return app

    async def _told(self):
        import asyncio

        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for event in self.events:
                await asyncio.sleep(self.pause_s)
                yield f"data: {json.dumps(event)}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self.running -= 1


@contextmanager
def asked(endpoint, **options):
    """(models, url) of an endpoint that serves while the block lasts."""
    models = RemoteModels(timeout_s=5, pauses_s=(0.01, 0.01))
    with listening(endpoint.app()) as url:
        models.load(source(url, **options))
        try:
            yield models, f"{url}/v1"
        finally:
            models.close()


def request(**options):
    return ChatRequest("r", CHAT, **options)


def deltas(*parts, finish="stop", **usage):
    told = [{"choices": [{"index": 0, "delta": part, "finish_reason": None}]} for part in parts]
    return [*told, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": usage}]


def texts(chunks):
    return {kind: "".join(c.text for c in chunks if c.kind == kind) for kind in ("thinking", "answer")}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_thought_that_comes_apart_is_taken_as_it_comes(field):
    told = deltas({field: "two and "}, {field: "two"}, {"content": "It is"}, {"content": " 4."},
                  prompt_tokens=9, completion_tokens=12)
    with asked(Endpoint(told)) as (models, _):
        chunks = list(models.stream(request()))
    end = chunks[-1].stats
    assert texts(chunks) == {"thinking": "two and two", "answer": "It is 4."}
    assert (end.think_text, end.final_text, end.think_state) == ("two and two", "It is 4.", "closed")
    assert (end.n_prompt_tokens, end.n_think_tokens, end.n_answer_tokens) == (9, 6, 6)
    assert 0 < end.first_token_s <= end.seconds


def test_a_thought_inside_the_content_is_split_at_the_marks_it_was_taught():
    said = [{"content": text} for text in ("## Thi", "nking\n\ntwo and two\n\n## Final", " Response\n\nIt is 4.")]
    with asked(Endpoint(deltas(*said)), thinking_style="headings") as (models, _):
        chunks = list(models.stream(request()))
    assert texts(chunks) == {"thinking": "two and two", "answer": "It is 4."}
    assert chunks[-1].stats.think_state == "closed"


def test_a_thought_that_is_cut_has_no_answer():
    for part in ({"reasoning_content": "hm"}, {"content": "<think>hm"}):
        with asked(Endpoint(deltas(part, finish="length"))) as (models, _):
            end = list(models.stream(request()))[-1].stats
        assert (end.think_state, end.final_text, end.finish_reason) == ("unclosed_length", "", "length")


def test_tokens_of_the_thought_are_those_the_endpoint_counts():
    told = deltas({"reasoning": "a"}, {"content": "b"}, completion_tokens=10,
                  completion_tokens_details={"reasoning_tokens": 7})
    with asked(Endpoint(told)) as (models, _):
        end = list(models.stream(request()))[-1].stats
    assert (end.n_think_tokens, end.n_answer_tokens) == (7, 3)


def test_everything_asked_for_is_in_the_body_and_the_key_only_in_the_header(monkeypatch):
    monkeypatch.setenv("BIG_KEY", KEY)
    endpoint = Endpoint(deltas({"content": "x"}))
    with asked(endpoint, key_env="BIG_KEY") as (models, _):
        list(models.stream(request(seed=3, stop=("a",), top_p=0.5, temperature=0.7, max_new_tokens=5, logprobs=1)))
    headers, body = endpoint.asked[0]
    assert headers["authorization"] == f"Bearer {KEY}" and KEY not in json.dumps(body)
    expected = {"model": "big", "messages": CHAT, "stream": True, "max_tokens": 5, "temperature": 0.7, "seed": 3,
                "top_p": 0.5, "stop": ["a"], "logprobs": True, "top_logprobs": 1,
                "stream_options": {"include_usage": True}}
    assert body == expected


def test_no_key_is_sent_where_none_is_named():
    endpoint = Endpoint(deltas({"content": "x"}))
    with asked(endpoint) as (models, _):
        list(models.stream(request()))
    assert "authorization" not in endpoint.asked[0][0]


def test_a_key_that_is_missing_is_named_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("BIG_KEY", raising=False)
    endpoint = Endpoint()
    with asked(endpoint, key_env="BIG_KEY") as (models, _), pytest.raises(LabError, match="set BIG_KEY"):
        list(models.stream(request()))
    assert endpoint.asked == []


def test_a_key_that_is_refused_is_named_by_its_variable_and_never_shown(monkeypatch):
    monkeypatch.setenv("BIG_KEY", KEY)
    refusal = (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    with asked(Endpoint(refusals=[refusal]), key_env="BIG_KEY") as (models, _):
        with pytest.raises(LabError, match="variable BIG_KEY") as caught:
            list(models.stream(request()))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("endpoint", [
    Endpoint(refusals=[(400, {"error": {"message": f"bad {KEY}"}})]), Endpoint([{"error": {"message": f"bad {KEY}"}}]),
    Endpoint(refusals=[(422, {"detail": [f"bad {KEY}"]})]),
])
def test_a_key_that_an_endpoint_repeats_is_not_told(endpoint, monkeypatch):
    monkeypatch.setenv("BIG_KEY", KEY)
    with asked(endpoint, key_env="BIG_KEY") as (models, _):
        with pytest.raises(LabError, match=r"bad \(key\)"):
            list(models.stream(request()))


def test_an_unknown_model_lists_those_that_are_served():
    endpoint = Endpoint(refusals=[(404, {"error": {"message": "no"}})])
    with asked(endpoint) as (models, url), pytest.raises(LabError, match="no model 'big'. It serves: big, small"):
        assert models.served(source(url.removesuffix("/v1"))) == ["big", "small"]
        list(models.stream(request()))


def test_an_endpoint_that_is_not_there_is_a_plain_sentence():
    models = RemoteModels()
    models.load(source("http://127.0.0.1:9"))
    with pytest.raises(LabError, match="no endpoint answers at http://127.0.0.1:9/v1"):
        list(models.stream(request()))
    with pytest.raises(LabError, match="no endpoint answers"):
        models.served(source("http://127.0.0.1:9"))
    models.close()


def test_an_endpoint_that_has_too_much_to_do_is_asked_again():
    endpoint = Endpoint(deltas({"content": "at last"}), refusals=[(429, {}, {"Retry-After": "0"}), (503, {})])
    with asked(endpoint) as (models, _):
        assert list(models.stream(request()))[-1].stats.final_text == "at last"
    assert len(endpoint.asked) == 3


def test_an_endpoint_that_goes_on_failing_is_given_up():
    endpoint = Endpoint(refusals=[(503, {"error": {"message": "full"}})] * 9)
    with asked(endpoint) as (models, _), pytest.raises(LabError, match=r"refused \(503\): full"):
        list(models.stream(request()))
    assert len(endpoint.asked) == 3


def test_a_wrong_request_is_not_asked_again():
    endpoint = Endpoint(refusals=[(400, {"message": "top_logprobs is too large"})])
    with asked(endpoint) as (models, _), pytest.raises(LabError, match="top_logprobs is too large"):
        list(models.stream(request()))
    assert len(endpoint.asked) == 1


def test_a_model_that_knows_only_the_newer_name_of_a_field_is_asked_with_it():
    refusal = (400, {"error": {"message": "Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead."}})
    endpoint = Endpoint(deltas({"content": "x"}), refusals=[refusal])
    with asked(endpoint) as (models, _):
        list(models.stream(request(max_new_tokens=5)))
    assert endpoint.asked[1][1]["max_completion_tokens"] == 5 and "max_tokens" not in endpoint.asked[1][1]


def test_a_stream_that_breaks_off_is_no_answer():
    with asked(Endpoint(deltas({"content": "half"})[:1])) as (models, _):
        with pytest.raises(LabError, match="in the middle of an answer"):
            list(models.stream(request()))


def test_closing_the_stream_ends_the_connection():
    endpoint = Endpoint(deltas(*[{"content": "word "}] * 500), pause_s=0.02)
    with asked(endpoint) as (models, _):
        stream = models.stream(request())
        next(stream)
        stream.close()
        deadline = time.monotonic() + 3
        while endpoint.running and time.monotonic() < deadline:
            time.sleep(0.01)
        assert endpoint.running == 0


@pytest.mark.parametrize("wish, sentence", [
    ({"budget": ThinkingBudget(max_tokens=5)}, "keep a thought within bounds"),
    ({"adapt": Adaptation(mode="nearest")}, "adapt a model"),
])
def test_what_only_an_engine_of_the_lab_can_do_is_refused_elsewhere_and_asked_of_one(wish, sentence):
    with asked(Endpoint()) as (models, _), pytest.raises(LabError, match=sentence):
        list(models.stream(request(**wish)))
    with scripted_engine() as url:
        EngineClient(url).load(ModelSource(ref="t", label="t-trace", base="scripted", folder="/t", kind="adapter"))
        models = RemoteModels()
        models.load(source(url, remote_model="t-trace"))
        end = list(models.stream(request(**wish)))[-1].stats
        models.close()
    assert end.think_state == "forced" if "budget" in wish else end.adaptation.mode == "nearest"


def test_an_engine_of_the_lab_asked_as_an_endpoint_tells_its_own_figures():
    with scripted_engine() as url:
        here = list(EngineClient(url).stream(ChatRequest("scripted", CHAT, logprobs=2)))
        models = RemoteModels()
        models.load(source(url, remote_model="scripted"))
        there = list(models.stream(request(logprobs=2)))
        raw = list(models.stream(ChatRequest("r", prompt="Once upon", echo=True, logprobs=1, max_new_tokens=2)))
        models.close()
    timed = {"seconds", "first_token_s"}
    assert there[-1].stats.model_dump(exclude=timed) == here[-1].stats.model_dump(exclude=timed)
    assert [t for c in there for t in c.logprobs] == [t for c in here for t in c.logprobs]
    assert [token.text for token in raw[-1].stats.prompt_logprobs] == ["Once", " upon"]
    assert raw[-1].stats.final_text == " and so" and [t.text for c in raw for t in c.logprobs] == [" and", " so"]


def test_a_batch_comes_back_in_its_order_and_asks_only_so_many_at_once():
    told = deltas({"reasoning": "hm"}, {"content": "4"}, prompt_tokens=3, completion_tokens=2)
    endpoint = Endpoint(told, pause_s=0.01)
    with listening(endpoint.app()) as url:
        engine = RemoteEngine(source(url), most_at_once=3)
        done = engine.generate_batch("r", [CHAT] * 10, GenerationOptions(max_new_tokens=7, seed=2, top_p=0.9))
        engine.close()
    assert endpoint.most == 3 and len(endpoint.asked) == 10
    assert {body["max_tokens"] for _, body in endpoint.asked} == {7}
    assert {g.final_text for g in done} == {"4"} and done[0].raw_text == "<think>\nhm\n</think>\n4"


def test_a_batch_stops_at_the_first_failure():
    endpoint = Endpoint(refusals=[(400, {"message": "no"})] * 20)
    with listening(endpoint.app()) as url:
        engine = RemoteEngine(source(url), most_at_once=2)
        with pytest.raises(LabError, match="no"):
            engine.generate_batch("r", [CHAT] * 20, GenerationOptions())
        engine.close()
    assert len(endpoint.asked) < 6


def test_what_is_no_remote_model_is_refused():
    with pytest.raises(LabError, match="no remote model"):
        RemoteModels().load(ModelSource(ref="x", label="x", base="demo-llama"))


def test_many_answers_share_one_thread():
    endpoint = Endpoint(deltas(*[{"content": "word "}] * 50), pause_s=0.05)
    with asked(endpoint) as (models, _):
        before = threading.active_count()
        cancels = [models.submit(request(), lambda chunk: None) for _ in range(40)]
        deadline = time.monotonic() + 5
        while endpoint.running < 40 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert endpoint.running == 40 and threading.active_count() - before <= 2
        [cancel() for cancel in cancels]
