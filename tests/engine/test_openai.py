"""The official OpenAI client against the scripted engine, and against the tiny base behind the same HTTP."""

import json

import httpx
import openai
import pytest

from lab.core.types import ModelSource
from lab.engine.api import build_app
from lab.engine.listening import listening
from lab.engine.protocol import Chunk, EngineClient
from lab.engine.scripted import ScriptedBackend, scripted_engine
from tests.engine.tiny import question

CHAT = [{"role": "user", "content": "What is two plus two?"}]
ANSWER = "The scripted answer of m-trace to 5 words.\n\nAnswer: 5"


def official(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def url():
    with scripted_engine() as url:
        EngineClient(url).load(ModelSource(ref="m", label="m-trace", base="scripted", folder="/m", kind="adapter"))
        yield url


@pytest.fixture(scope="module")
def client(url):
    return official(url)


def ask(client, **options):
    return client.chat.completions.create(**{"model": "m-trace", "messages": CHAT} | options)


def test_a_chat_has_its_thought_apart_from_its_answer(client):
    done = ask(client)
    message = done.choices[0].message
    assert message.content == ANSWER and message.reasoning_content.startswith("The question has 5 words")
    usage = done.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < usage.completion_tokens_details.reasoning_tokens < usage.completion_tokens
    assert done.choices[0].lab["think_state"] == "closed"


def test_a_stream_says_the_same_and_its_usage_comes_last_with_no_choices(client):
    events = list(ask(client, stream=True, stream_options={"include_usage": True}))
    *told, last = events
    deltas = [event.choices[0].delta for event in told]
    assert "".join(delta.content or "" for delta in deltas) == ANSWER
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas).startswith("The question")
    assert told[-1].choices[0].finish_reason == "stop" and told[-1].lab["final_text"] == ANSWER
    assert last.choices == [] and last.usage == ask(client).usage
    assert all(event.usage is None for event in told)


def test_a_stream_that_did_not_ask_for_usage_has_a_choice_in_every_event(client):
    events = list(ask(client, stream=True))
    assert all(event.choices and event.usage is None for event in events)


def test_the_clients_own_stream_reader_understands_every_event(client):
    with client.chat.completions.stream(model="m-trace", messages=CHAT, stop=["Answer"]) as stream:
        kinds = {event.type for event in stream}
        done = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert done.choices[0].message.content.strip() == "The scripted answer of m-trace to 5 words."


def test_every_token_of_a_chat_has_its_logprob_and_its_rivals(client):
    done = ask(client, logprobs=True, top_logprobs=2)
    tokens = done.choices[0].logprobs.content
    assert len(tokens) == done.usage.completion_tokens
    assert "".join(token.token for token in tokens).endswith(ANSWER)
    assert all(len(token.top_logprobs) == 2 and token.top_logprobs[0].logprob == token.logprob for token in tokens)
    assert bytes(tokens[3].bytes).decode() == tokens[3].token


def test_streamed_logprobs_are_those_of_the_whole_answer(client):
    whole = ask(client, logprobs=True, top_logprobs=1).choices[0].logprobs.content
    parts = [event.choices[0].logprobs for event in ask(client, logprobs=True, top_logprobs=1, stream=True)]
    assert [token for part in parts if part for token in part.content] == whole


def test_n_answers_are_drawn_with_seeds_that_follow_each_other(client):
    done = ask(client, n=3, temperature=1, seed=7)
    assert [choice.index for choice in done.choices] == [0, 1, 2]
    assert [choice.message.content[-2:] for choice in done.choices] == ["7.", "8.", "9."]
    assert done.choices[2].message.content == ask(client, temperature=1, seed=9).choices[0].message.content
    one = ask(client, temperature=1, seed=7)
    assert done.usage.prompt_tokens == one.usage.prompt_tokens
    assert done.usage.completion_tokens == 3 * one.usage.completion_tokens


def test_n_streamed_answers_are_told_apart_by_their_index(client):
    texts = {0: "", 1: ""}
    for event in ask(client, n=2, temperature=1, seed=3, stream=True):
        for choice in event.choices:
            texts[choice.index] += choice.delta.content or ""
    assert [text[-2:] for text in texts.values()] == ["3.", "4."]


@pytest.mark.parametrize("stop", [" answer", [" answer", "never said"]])
def test_a_stop_text_ends_the_answer_and_is_no_part_of_it(client, stop):
    done = ask(client, model="scripted", stop=stop)
    assert (done.choices[0].message.content, done.choices[0].finish_reason) == ("The scripted", "stop")
    assert done.choices[0].lab["finish_reason"] == "stop"


def test_the_budget_of_tokens_is_told_as_length(client):
    for name in ("max_tokens", "max_completion_tokens"):
        done = ask(client, model="scripted", **{name: 2})
        assert (done.choices[0].finish_reason, done.usage.completion_tokens) == ("length", 2)


def test_values_that_ask_for_nothing_are_let_through(client):
    neutral = dict(
        frequency_penalty=0, presence_penalty=0.0, logit_bias={}, user="u", n=1, tool_choice="none", tools=[],
        response_format={"type": "text"}, store=False, parallel_tool_calls=True,
        extra_body={"top_k": None, "seed": None},
    )
    assert ask(client, **neutral).choices[0].message.content == ANSWER


@pytest.mark.parametrize("field", [
    {"frequency_penalty": 0.5}, {"response_format": {"type": "json_object"}}, {"logit_bias": {"5": 1}},
    {"extra_body": {"top_k": 5}}, {"n": 17}, {"stop": ["x"] * 17}, {"stop": ""}, {"top_p": 0}, {"top_logprobs": 3},
    {"extra_body": {"thinking": {"max": 3}}}, {"tools": [{"type": "function", "function": {"name": "f"}}]},
])
def test_what_the_engine_would_have_to_ignore_is_refused_by_name(client, field):
    name = next(iter(field.get("extra_body", field)))
    with pytest.raises(openai.BadRequestError, match=name):
        ask(client, **field)


def test_a_raw_prompt_is_continued_without_a_template(client):
    done = client.completions.create(model="scripted", prompt="Once upon a time", max_tokens=3)
    assert (done.choices[0].text, done.choices[0].finish_reason) == (" and so it", "length")
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (4, 3)


def test_an_echo_has_the_logprobs_of_the_prompt_too(client):
    done = client.completions.create(model="scripted", prompt="Once upon a time", max_tokens=1, echo=True, logprobs=1)
    choice = done.choices[0]
    assert choice.text == "Once upon a time and" == "".join(choice.logprobs.tokens)
    assert choice.logprobs.token_logprobs == [None, -0.4, -0.1, -0.4, -0.3]
    assert choice.logprobs.top_logprobs[:2] == [None, {" upon": -0.4}]
    assert choice.logprobs.text_offset == [0, 4, 9, 11, 16]


def test_a_prompt_alone_can_be_scored(client):
    done = client.completions.create(model="scripted", prompt="Once upon", max_tokens=0, echo=True, logprobs=0)
    assert done.choices[0].text == "Once upon" and done.choices[0].logprobs.token_logprobs == [None, -0.4]
    assert done.usage.completion_tokens == 0


def test_prompts_come_as_texts_or_as_token_ids_and_several_at_once(client):
    def texts(prompt, **options):
        done = client.completions.create(model="scripted", prompt=prompt, max_tokens=1, echo=True, **options)
        assert [choice.index for choice in done.choices] == list(range(len(done.choices)))
        return [choice.text for choice in done.choices]

    assert texts(["a b", "c"], n=2) == ["a b and", "a b and", "c and", "c and"]
    assert texts([5, 6]) == ["5 6 and"]
    assert texts([[5, 6], [7]]) == ["5 6 and", "7 and"]


def test_a_streamed_completion_adds_up_to_the_whole(client):
    options = dict(model="scripted", prompt="Once upon", max_tokens=4, logprobs=1)
    whole = client.completions.create(**options).choices[0]
    events = list(client.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    choices = [event.choices[0] for event in events if event.choices]
    assert "".join(choice.text for choice in choices) == whole.text
    offsets = [offset for choice in choices if choice.logprobs for offset in choice.logprobs.text_offset]
    assert offsets == whole.logprobs.text_offset and events[-1].usage.completion_tokens == 4
    echoed = list(client.completions.create(**options, stream=True, echo=True))
    assert "".join(event.choices[0].text for event in echoed) == f"Once upon{whole.text}"


@pytest.mark.parametrize("body", [
    {"prompt": ""}, {"prompt": []}, {"prompt": ["a", ""]}, {"prompt": ["a"] * 257}, {"prompt": "a", "max_tokens": 0},
    {"prompt": "a", "suffix": "b"}, {"prompt": "a", "best_of": 2},
])
def test_a_completion_that_cannot_be_made_is_refused(client, body):
    with pytest.raises(openai.BadRequestError):
        client.completions.create(**{"model": "scripted"} | body)


def test_models_are_listed_found_and_unloaded(client, url):
    EngineClient(url).load(ModelSource(ref="x", label="org/x-1", base="scripted", folder="/x", kind="adapter"))
    assert [model.id for model in client.models.list()] == ["scripted", "m-trace", "org/x-1"]
    assert client.models.retrieve("org/x-1").id == "org/x-1"
    assert client.models.delete("org/x-1").deleted
    with pytest.raises(openai.NotFoundError, match="Known: m-trace, scripted"):
        client.models.retrieve("org/x-1")
    with pytest.raises(openai.BadRequestError, match="base of this engine"):
        client.models.delete("scripted")


def test_a_refusal_is_told_before_the_stream_begins(client):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="gpt", stream=True)
    assert caught.value.code == "model_not_found"


def test_a_failure_in_a_stream_is_an_error_of_the_clients(client):
    with pytest.raises(openai.APIError, match="asked to fail"):
        list(ask(client, messages=[{"role": "user", "content": "[fail]"}], stream=True))
    with pytest.raises(openai.BadRequestError, match="asked to fail"):
        ask(client, messages=[{"role": "user", "content": "[fail]"}])


def test_a_fault_of_the_engines_own_is_told_as_one():
    class Broken(ScriptedBackend):
        def submit(self, request, tell):
            tell(Chunk("answer", "one "))
            tell(Chunk("error", "the engine failed", bug=True))
            return lambda: None

    with listening(build_app(Broken())) as url:
        with pytest.raises(openai.InternalServerError, match="the engine failed"):
            ask(official(url), model="scripted")
        with pytest.raises(openai.APIError, match="the engine failed"):
            list(ask(official(url), model="scripted", stream=True))
        assert EngineClient(url).health()["busy"] == 0


def test_the_labs_own_fields_travel_beside_openais(client):
    extra = {"thinking": {"max_tokens": 4, "answer_prefix": "So:"}, "adapt": {"mode": "nearest", "neighbours": 2}}
    events = list(ask(client, stream=True, extra_body=extra))
    notes = [event for event in events if hasattr(event, "lab_note")]
    adapted = [event for event in events if hasattr(event, "lab_adapted")]
    assert len(notes) == 1 and len(adapted[0].lab_adapted["neighbours"]) == 2
    assert all(event.choices[0].delta.content is None for event in notes + adapted)
    assert events[-1].lab["think_state"] == "forced" and events[-1].lab["final_text"].startswith("So: The scripted")


def test_every_event_is_json_and_the_last_says_done(url):
    body = {"model": "scripted", "messages": CHAT, "stream": True}
    lines = httpx.post(f"{url}/v1/chat/completions", json=body, trust_env=False).text.strip().split("\n\n")
    assert lines.pop() == "data: [DONE]"
    assert {json.loads(line.removeprefix("data: "))["object"] for line in lines} == {"chat.completion.chunk"}


@pytest.fixture(scope="module")
def real(tiny):
    from lab.engine._hf import LoadedBase

    engine = LoadedBase(tiny[0], max_new_tokens=40)
    engine.load(tiny[1]["m.trace"])
    with listening(build_app(engine)) as url:
        yield official(url)


def test_a_real_base_and_its_variant_answer_the_same_client(real):
    chat = [{"role": "user", "content": question(2, 2)}]
    done = real.chat.completions.create(model="m.trace", messages=chat, logprobs=True, top_logprobs=2)
    message = done.choices[0].message
    assert (message.content, message.reasoning_content) == ("Answer: 4", "2+2=4")
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in done.choices[0].logprobs.content)
    stopped = real.chat.completions.create(model="m.trace", messages=chat, stop=": 4").choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("Answer", "stop")


def test_a_real_echo_scores_the_prompt_as_the_model_does(real, tiny):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    text = f"<|begin|><|user|>{question(2, 2)}<|assistant|>Answer: 4"
    done = real.completions.create(model="tiny", prompt=text, max_tokens=1, echo=True, logprobs=1)
    told = done.choices[0].logprobs
    ids = AutoTokenizer.from_pretrained(tiny[0].location())(text, return_tensors="pt")["input_ids"]
    shares = AutoModelForCausalLM.from_pretrained(tiny[0].location())(ids).logits.log_softmax(-1)[0]
    expected = shares[:-1].gather(1, ids[0, 1:, None])[:, 0]
    assert told.token_logprobs[0] is None and len(told.token_logprobs) == ids.shape[1] + 1
    assert torch.tensor(told.token_logprobs[1:-1]).allclose(expected, atol=1e-4)
    assert "".join(told.tokens[:-1]) == text
