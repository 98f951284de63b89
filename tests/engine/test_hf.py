"""Generation by a tiny real model with real adapters."""

import json
import shutil
import threading
import time

import pytest
import torch
from transformers import AutoModelForCausalLM

from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine._batching import Lane
from lab.engine._decoding import TextStream, prompt_seed
from lab.engine._hf import GenerationOptions, LoadedBase
from lab.engine.protocol import ChatRequest
from tests.engine.tiny import SUMS, make_tokenizer, question, thought_answer

CHATS = [[{"role": "user", "content": question(*s)}] for s in SUMS]
GREEDY = GenerationOptions(max_new_tokens=40)


@pytest.fixture(scope="module")
def loaded(tiny):
    card, sources = tiny
    engine = LoadedBase(card)
    for source in sources.values():
        engine.load(source)
    return engine


def streamed(engine, label, chat, **options):
    return list(engine.stream(ChatRequest(label, chat, 40, **options)))


def test_a_variant_with_traces_thinks_and_the_base_does_not(loaded):
    thinking = loaded.generate_batch("m.trace", CHATS, GREEDY)
    expected = [thought_answer(*s) for s in SUMS]
    assert sum(done.raw_text == text for done, text in zip(thinking, expected, strict=True)) >= 14
    best = thinking[expected.index(thinking[0].raw_text)]
    assert (best.think_state, best.finish_reason, best.think_text) == ("closed", "eos", "2+2=4")
    assert (best.n_think_tokens, best.n_answer_tokens) == (9, 10)  # every byte is a token, each tag too
    assert {done.think_state for done in loaded.generate_batch("tiny", CHATS, GREEDY)} == {"none"}


@pytest.mark.parametrize("label", ["tiny", "m.trace", "a"])
def test_a_greedy_answer_is_the_same_alone_streamed_and_in_any_batch(loaded, label):
    chats = CHATS[:8]
    alone = [loaded.generate_batch(label, [chat], GREEDY)[0].raw_text for chat in chats]
    for size in (3, 8):
        together = loaded.generate_batch(label, chats, GenerationOptions(max_new_tokens=40, batch_size=size))
        assert [done.raw_text for done in together] == alone
    chunks = streamed(loaded, label, CHATS[0])
    assert chunks[-1].stats.final_text == loaded.generate_batch(label, CHATS[:1], GREEDY)[0].final_text
    assert "".join(c.text for c in chunks if c.kind == "answer") == chunks[-1].stats.final_text


def test_our_loop_gives_what_transformers_generate_gives(loaded, tiny):
    model = AutoModelForCausalLM.from_pretrained(tiny[0].location())
    tokenizer = make_tokenizer()
    for chat, done in zip(CHATS[:4], loaded.generate_batch("tiny", CHATS[:4], GREEDY), strict=True):
        ids = torch.tensor([loaded.encode(chat)])
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
        assert tokenizer.decode(whole[0, ids.shape[1] :]).removesuffix("<|end|>") == done.raw_text


def test_a_sample_depends_on_its_prompt_and_seed_not_on_its_batch(loaded):
    def sample(seed, size):
        options = GenerationOptions(max_new_tokens=12, temperature=1.5, seed=seed, batch_size=size)
        return [done.raw_text for done in loaded.generate_batch("a", CHATS, options)]

    assert sample(1, 2) == sample(1, 16) != sample(2, 16)
    assert prompt_seed(1, [1, 23]) != prompt_seed(1, [12, 3])


def test_two_streams_of_different_adapters_interleave_and_equal_themselves_alone(loaded):
    chats = {"m.trace": CHATS[0], "tiny": CHATS[1]}
    alone = {label: streamed(loaded, label, chat)[-1].stats.final_text for label, chat in chats.items()}
    streams = {label: loaded.stream(ChatRequest(label, chat, 40)) for label, chat in chats.items()}
    ended, order = {}, []
    while streams:
        for label in list(streams):
            chunk = next(streams[label])
            order.append(label)
            if chunk.kind == "end":
                ended[label] = chunk.stats.final_text
                del streams[label]
    assert ended == alone
    assert order[:4] == ["m.trace", "tiny", "m.trace", "tiny"]


def test_streams_in_threads_equal_themselves_alone(loaded):
    wanted = [(label, chat) for label in ("m.trace", "a", "tiny") for chat in CHATS[:3]]
    alone = [streamed(loaded, label, chat)[-1].stats.final_text for label, chat in wanted]
    got = [None] * len(wanted)

    def ask(place):
        got[place] = streamed(loaded, *wanted[place])[-1].stats.final_text

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(wanted))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert got == alone


def test_a_batch_that_does_not_fit_in_memory_is_halved_until_it_does(loaded, monkeypatch):
    wanted = [done.raw_text for done in loaded.generate_batch("m.trace", CHATS, GREEDY)]
    forward, sizes = Lane._pass, set()

    def small_memory(self, rows, *given):
        sizes.add(len(rows))
        if len(rows) > 5:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, rows, *given)

    monkeypatch.setattr(Lane, "_pass", small_memory)
    assert [done.raw_text for done in loaded.generate_batch("m.trace", CHATS, GREEDY)] == wanted
    assert {16, 8, 4} <= sizes


def test_rows_that_ran_out_of_memory_in_mid_answer_go_on_where_they_were(loaded, monkeypatch):
    wanted = [done.raw_text for done in loaded.generate_batch("m.trace", CHATS, GREEDY)]
    forward, passes = Lane._pass, []

    def fails_once(self, rows, *given):
        passes.append(len(rows))
        if len(passes) == 8:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, rows, *given)

    monkeypatch.setattr(Lane, "_pass", fails_once)
    assert [done.raw_text for done in loaded.generate_batch("m.trace", CHATS, GREEDY)] == wanted
    assert passes[7] == 16 and max(passes[8:]) == 8


def test_a_thought_cut_by_the_budget_has_no_answer(loaded):
    done = loaded.generate_batch("m.trace", CHATS[:1], GenerationOptions(max_new_tokens=5))[0]
    assert (done.think_state, done.final_text, done.finish_reason) == ("unclosed_length", "", "length")
    assert (done.n_think_tokens, done.n_answer_tokens) == (5, 0)


def test_the_context_of_the_base_bounds_an_answer(loaded):
    long = [{"role": "user", "content": "x" * 120}]
    done = loaded.generate_batch("tiny", [long], GenerationOptions(max_new_tokens=500))[0]
    assert done.n_prompt_tokens + done.n_think_tokens + done.n_answer_tokens <= 128
    with pytest.raises(LabError, match="a prompt has 203 tokens, but 'tiny' holds 128"):
        loaded.generate_batch("tiny", [[{"role": "user", "content": "x" * 200}]], GREEDY)


def edited(source, folder, **changes):
    """A copy of an adapter whose configuration says something else."""
    shutil.copytree(source.folder, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | changes))
    return source.model_copy(update={"label": folder.name, "ref": folder.name, "folder": str(folder)})


BAD_ADAPTERS = [
    ({"init_lora_weights": "pissa"}, "changes the base 'tiny' itself"),
    ({"init_lora_weights": "olora"}, "changes the base 'tiny' itself"),
    ({"r": 4}, "does not fit base 'tiny'"),
]


@pytest.mark.parametrize("changes, sentence", BAD_ADAPTERS)
@pytest.mark.parametrize("first", [True, False])
def test_an_adapter_that_fails_to_load_leaves_no_trace(tiny, tmp_path, changes, sentence, first):
    card, sources = tiny
    engine = LoadedBase(card)
    alone = engine.generate_batch("tiny", CHATS[:4], GREEDY)
    if not first:
        engine.load(sources["m.trace"])
    before = engine.labels()
    with pytest.raises(LabError, match=sentence):
        engine.load(edited(sources["a"], tmp_path / "bad", **changes))
    engine.probe_identity()
    assert engine.labels() == before
    assert [done.raw_text for done in engine.generate_batch("tiny", CHATS[:4], GREEDY)] == [d.raw_text for d in alone]
    engine.load(sources["m.trace"])
    assert streamed(engine, "m.trace", CHATS[0])[-1].stats.think_state == "closed"


def test_the_probe_notices_a_base_that_has_changed(tiny):
    engine = LoadedBase(tiny[0])
    engine.probe_identity()
    engine._weights.base.model.layers[0].self_attn.q_proj.weight.data += 0.1
    with pytest.raises(LabError, match="changes the base"):
        engine.probe_identity()


def test_a_label_loaded_from_another_folder_is_the_new_model(tiny, tmp_path):
    card, sources = tiny
    engine = LoadedBase(card)
    engine.load(sources["a"].model_copy(update={"label": "m.trace"}))
    engine.load(sources["m.trace"])
    assert streamed(engine, "m.trace", CHATS[0])[-1].stats.final_text == "Answer: 4"


def test_full_weights_answer_beside_the_base(tiny, tmp_path):
    card, sources = tiny
    shutil.copytree(card.location(), tmp_path / "full")
    engine = LoadedBase(card)
    engine.load(ModelSource(ref="f", label="f", base="tiny", folder=str(tmp_path / "full"), kind="full"))
    assert engine.labels() == ["tiny", "f"]
    texts = [[done.raw_text for done in engine.generate_batch(label, CHATS[:2], GREEDY)] for label in engine.labels()]
    assert texts[0] == texts[1]


def test_models_that_cannot_be_loaded_are_plain_sentences(loaded, tmp_path):
    def source(**values):
        given = {"ref": "x", "label": "x", "base": "tiny", "kind": "adapter", "folder": str(tmp_path)}
        return ModelSource(**(given | values))

    with pytest.raises(LabError, match="adapter_config.json is missing"):
        loaded.load(source())
    with pytest.raises(LabError, match="does not exist"):
        loaded.load(source(folder=str(tmp_path / "gone")))
    with pytest.raises(LabError, match="stands on 'other'"):
        loaded.load(source(base="other"))
    with pytest.raises(LabError, match="that is the base's name"):
        loaded.load(source(label="tiny"))
    with pytest.raises(UnknownName, match="Did you mean 'm.trace'"):
        loaded.generate_batch("m.trase", CHATS[:1], GREEDY)


def test_characters_of_several_tokens_are_shown_whole():
    tokenizer = make_tokenizer()
    text = "déjà <think> vu €"
    stream = TextStream(tokenizer)
    pieces = [stream.push(token) for token in tokenizer(text)["input_ids"]]
    assert "".join(pieces) + stream.finish() == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_seconds_of_a_batch_are_shared_by_its_rows(loaded):
    started = time.perf_counter()
    done = loaded.generate_batch("tiny", CHATS, GREEDY)
    assert 0 < sum(one.seconds for one in done) <= time.perf_counter() - started
