"""Rows that join, decode together and leave, against transformers' own forward passes."""

import math
import threading
import time

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from lab.core.errors import LabError
from lab.engine._batching import PIECE, Lane
from lab.engine._hf import GenerationOptions, LoadedBase
from lab.engine._rows import Choosing, Row
from lab.engine.budget import ThinkingBudget
from lab.engine.protocol import ChatRequest
from tests.engine.tiny import SUMS, question

CHATS = [[{"role": "user", "content": question(*s)}] for s in SUMS]


def llama(**changes):
    torch.manual_seed(0)
    sizes = dict(vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    return LlamaForCausalLM(LlamaConfig(**sizes, num_key_value_heads=2, max_position_embeddings=2048, **changes)).eval()


def mistral(window):
    torch.manual_seed(0)
    sizes = dict(vocab_size=60, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    return MistralForCausalLM(MistralConfig(**sizes, num_key_value_heads=2, sliding_window=window)).eval()


def row(prompt, most=12, **choosing):
    return Row(prompt, (), Choosing(most, frozenset(), **choosing), decode=lambda ids: " ".join(map(str, ids)))


def prompt(length, seed=0):
    return torch.randint(3, 60, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def greedy(model, ids, n):
    """Without any cache."""
    ids = list(ids)
    with torch.no_grad():
        for _ in range(n):
            ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return ids[-n:]


def work(lane):
    while lane.busy:
        lane.work()


@pytest.mark.parametrize("model", [llama(), mistral(5)], ids=["llama", "sliding window"])
def test_rows_of_any_length_that_join_at_any_time_say_what_each_says_alone(model):
    lane, rows = Lane(model, max_rows=4), [row(prompt(n, seed=n), most) for n, most in
                                           [(3, 9), (17, 4), (1, 20), (8, 1), (30, 12), (5, 15), (12, 7)]]
    for number, one in enumerate(rows):
        lane.waiting.append(one)
        if number % 2:
            lane.work()
    work(lane)
    for one in rows:
        assert one.ids == greedy(model, one.prompt, one.choosing.most), len(one.prompt)
        assert one.finish == "length"


def test_a_long_prompt_is_read_in_pieces_while_the_others_go_on():
    model, heard = llama(), []
    short, long = row(prompt(4), 40), row(prompt(PIECE * 2 + 50), 3)
    long.tell = lambda _: heard.append(len(short.ids))
    lane = Lane(model)
    lane.waiting.append(short)
    lane.work()
    lane.waiting.append(long)
    work(lane)
    assert heard[0] > 2  # tokens the short one got while the long one was read
    assert long.ids == greedy(model, long.prompt, 3) and short.ids == greedy(model, short.prompt, 40)


def test_a_cancelled_row_leaves_and_the_others_do_not_notice():
    model = llama()
    lane = Lane(model)
    rows = [row(prompt(6, seed=s), 30) for s in range(4)]
    lane.waiting.extend(rows)
    for _ in range(5):
        lane.work()
    rows[1].cancelled = rows[2].cancelled = True
    work(lane)
    assert [one.finish for one in rows] == ["length", "cancelled", "cancelled", "length"]
    assert 0 < len(rows[1].ids) < 30
    assert [one.ids for one in rows[::3]] == [greedy(model, one.prompt, 30) for one in rows[::3]]


def test_the_cache_is_given_back_and_grows_again(monkeypatch):
    monkeypatch.setattr("lab.engine._batching.KEPT_BYTES", 0)
    lane = Lane(llama())
    for _ in range(2):
        lane.waiting.append(one := row(prompt(300), 3))
        work(lane)
        assert lane._cache.bytes() == 0 and one.ids == greedy(lane.model, one.prompt, 3)


def test_a_base_whose_layers_are_no_attention_is_refused():
    model = llama()
    model.config.layer_types = ["full_attention", "linear_attention"]
    with pytest.raises(LabError, match="linear_attention.*serve it with vLLM"):
        Lane(model)


def test_a_pass_that_fails_ends_its_rows_and_the_next_ones_are_answered(tiny, monkeypatch):
    engine = LoadedBase(tiny[0])
    forward = Lane._pass

    def broken(self, *given):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Lane, "_pass", broken)
    chunks, ended = [], threading.Event()
    engine.submit(ChatRequest("tiny", CHATS[0], 10), lambda c: (chunks.append(c), c.kind == "error" and ended.set()))
    assert ended.wait(10) and chunks[-1].bug and "a bug" not in chunks[-1].text
    monkeypatch.setattr(Lane, "_pass", forward)
    assert engine.generate_batch("tiny", CHATS[:1], GenerationOptions(max_new_tokens=20))[0].finish_reason == "eos"


@pytest.fixture(scope="module")
def loaded(tiny):
    engine = LoadedBase(tiny[0], max_new_tokens=100)
    for source in tiny[1].values():
        engine.load(source)
    return engine


def ask(engine, label, chat=CHATS[0], **options):
    return list(engine.stream(ChatRequest(label, chat, **{"max_new_tokens": 60} | options)))


def test_logprobs_of_an_answer_are_those_of_the_model(loaded, tiny):
    stats_and_pieces = ask(loaded, "tiny", logprobs=3)
    told = [one for chunk in stats_and_pieces for one in chunk.logprobs]
    assert "".join(one.text for one in told) == stats_and_pieces[-1].stats.final_text
    model, ids = AutoModelForCausalLM.from_pretrained(tiny[0].location()), loaded.encode(CHATS[0])
    with torch.no_grad():
        shares = model(torch.tensor([ids + [one.id for one in told]])).logits[0, len(ids) - 1 : -1].log_softmax(-1)
    for line, one in enumerate(told):
        assert one.logprob == pytest.approx(shares[line, one.id].item(), abs=1e-4)
        assert [value for _, value in one.top] == pytest.approx(shares[line].topk(3).values.tolist(), abs=1e-4)
        assert sum(math.exp(value) for _, value in one.top) <= 1.001


def test_a_raw_prompt_is_continued_as_it_is_and_echoed_with_its_logprobs(loaded, tiny):
    ids = tuple(loaded.encode(CHATS[0]))
    chunks = ask(loaded, "tiny", chat=(), prompt=ids, echo=True, logprobs=1, max_new_tokens=0)
    stats = chunks[-1].stats
    assert (stats.finish_reason, stats.n_answer_tokens, stats.n_prompt_tokens) == ("length", 0, len(ids))
    assert [one.id for one in stats.prompt_logprobs] == list(ids) and stats.prompt_logprobs[0].logprob is None
    model = AutoModelForCausalLM.from_pretrained(tiny[0].location())
    with torch.no_grad():
        shares = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    wanted = [shares[place, token].item() for place, token in enumerate(ids[1:])]
    assert [one.logprob for one in stats.prompt_logprobs[1:]] == pytest.approx(wanted, abs=1e-4)
    same = ask(loaded, "tiny")[-1].stats
    assert ask(loaded, "tiny", chat=(), prompt=ids)[-1].stats.final_text.removesuffix("<|end|>") == same.final_text
    with pytest.raises(LabError, match="at least one token"):
        ask(loaded, "tiny", chat=(), prompt=())


def test_a_stop_text_ends_the_answer_and_is_never_shown(loaded):
    whole = ask(loaded, "tiny")[-1].stats.final_text
    assert whole.startswith("Answer: ")
    for stop in ("swer", ": "):
        chunks = ask(loaded, "tiny", stop=(stop,))
        assert chunks[-1].stats.finish_reason == "stop"
        assert chunks[-1].stats.final_text == whole.split(stop)[0].strip()
        assert "".join(c.text for c in chunks if c.kind == "answer") == chunks[-1].stats.final_text
    assert ask(loaded, "tiny", stop=("never said",))[-1].stats.final_text == whole


def test_a_thought_is_closed_at_its_budget_and_answered(loaded):
    free = ask(loaded, "m.trace")[-1].stats
    assert (free.think_state, free.n_think_tokens) == ("closed", 9)
    chunks = ask(loaded, "m.trace", budget=ThinkingBudget(max_tokens=4, answer_prefix="Answer:"))
    stats = chunks[-1].stats
    assert (stats.think_state, stats.finish_reason) == ("forced", "eos")
    assert stats.final_text.startswith("Answer:") and len(stats.final_text) > len("Answer: ")
    assert "".join(c.text for c in chunks if c.kind == "thinking") == stats.think_text
    assert ask(loaded, "tiny", budget=ThinkingBudget(max_tokens=4))[-1].stats.think_state == "none"


def test_a_thought_that_ends_too_early_goes_on_with_wait(loaded):
    chunks = ask(loaded, "m.trace", budget=ThinkingBudget(min_tokens=20, most_waits=2))
    stats = chunks[-1].stats
    assert stats.n_waits >= 1 and "Wait" in stats.think_text and stats.think_text.startswith("2+2=4")
    assert "</think>" not in stats.think_text
    assert "".join(c.text for c in chunks if c.kind == "thinking") == stats.think_text


def test_budgets_of_neighbours_do_not_touch_each_other(loaded):
    budgets = [ThinkingBudget(), ThinkingBudget(max_tokens=3), ThinkingBudget(min_tokens=15, most_waits=1)]
    alone = [ask(loaded, "m.trace", budget=budget)[-1].stats for budget in budgets]
    together = [None] * len(budgets)

    def run(place):
        together[place] = ask(loaded, "m.trace", budget=budgets[place])[-1].stats

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(budgets))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    unlike = {"seconds", "first_token_s"}
    assert [one.model_dump(exclude=unlike) for one in together] == [one.model_dump(exclude=unlike) for one in alone]


def test_an_answer_that_nobody_hears_any_more_is_cancelled(loaded):
    heard, first = [], threading.Event()
    cancel = loaded.submit(ChatRequest("a", CHATS[0], 100), lambda chunk: (heard.append(chunk), first.set()))
    assert first.wait(10)
    cancel()
    cancel()
    deadline = time.monotonic() + 10
    while heard[-1].kind != "end" and time.monotonic() < deadline:
        time.sleep(0.005)
    assert heard[-1].stats.finish_reason in ("cancelled", "eos")


def test_an_unloaded_variant_is_gone_but_its_answers_end(loaded, tiny):
    engine = LoadedBase(tiny[0])
    engine.load(tiny[1]["m.trace"])
    stream = engine.stream(ChatRequest("m.trace", CHATS[0], 60))
    next(stream)
    engine.unload("m.trace")
    assert engine.labels() == ["tiny"]
    *_, last = stream
    assert last.stats.final_text == "Answer: 4"
    engine.load(tiny[1]["a"])
    assert engine._weights.lane.stack.names() == ["adapter2"]
    with pytest.raises(LabError, match="is the base of this engine"):
        engine.unload("tiny")
