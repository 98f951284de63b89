"""Probing a model in memory: the replies are its greedy ones, the model is left as it was, and the verdict is right."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from lab.bases.cards import bases
from lab.data.chat import prompt_messages
from lab.data.dataset import datasets
from lab.engine._batching import Lane
from lab.training import _probing
from lab.training._probing import examine
from lab.training.probes import asked_probes, taught_probes
from lab.training.rows import tokenise
from tests.training.tiny import sums

ROWS = sums(8)


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def teach(model, tokenizer, target="trace", drop_end=False, steps=120):
    """A raw PyTorch loop over eight rows until the model knows them by heart."""
    rows = tokenise(ROWS, tokenizer, target, "tags")
    completions = [row.completion_ids[:-1] + row.completion_ids[-9:-1] if drop_end else row.completion_ids
                   for row in rows]
    width = max(len(row.prompt_ids) + len(ids) for row, ids in zip(rows, completions, strict=True))
    ids = torch.full((len(rows), width), tokenizer.pad_token_id)  # (B, T)
    labels = torch.full_like(ids, -100)
    for place, (row, completion) in enumerate(zip(rows, completions, strict=True)):
        whole, start = row.prompt_ids + completion, len(row.prompt_ids)
        ids[place, : len(whole)] = torch.tensor(whole)
        labels[place, start : len(whole)] = torch.tensor(completion)
    mask = (ids != tokenizer.pad_token_id).long()
    optimiser = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=5e-3)
    model.train()
    for _ in range(steps):
        model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


@pytest.fixture(scope="module")
def by_heart(tiny_folder):
    """(model, tokenizer) that knows eight rows, thinking and end of turn included."""
    torch.set_num_threads(1)
    model, tokenizer = load(tiny_folder)
    return teach(model, tokenizer), tokenizer


def test_a_model_that_knows_its_rows_is_healthy(by_heart):
    health = examine(*by_heart, taught_probes(ROWS, "trace", "tags", 8), "tags")
    assert health.failed == () and health.n == 8
    assert health.checks["parsed"].value == 0 and health.checks["length"].value == pytest.approx(1, abs=0.2)


def test_the_same_model_is_sick_where_no_thinking_was_taught(by_heart):
    health = examine(*by_heart, taught_probes(ROWS, "answer", "tags", 8), "tags")
    assert "8 of 8 answers think, though none was taught to" in health.failed


def test_a_model_that_was_never_shown_an_end_of_turn_never_ends(tiny_folder):
    model, tokenizer = load(tiny_folder)
    teach(model, tokenizer, drop_end=True)
    health = examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 8), "tags")
    assert any(sentence.startswith("8 of 8 answers never end within") for sentence in health.failed)


def test_an_untrained_model_is_sick_and_its_samples_show_why(tiny_folder):
    health = examine(*load(tiny_folder), taught_probes(ROWS, "trace", "tags", 8), "tags")
    assert health.failed and health.samples[0]["text"]


def test_replies_are_those_of_plain_greedy_generation_one_by_one(by_heart):
    model, tokenizer = by_heart
    probes = taught_probes([*ROWS, *sums(30)[8:]], "trace", "tags", 20)  # two batches, prompts of unlike length
    model.eval()
    replies = _probing.ask(model, tokenizer, [(probe, ()) for probe in probes], "tags", 24)
    for probe, reply in zip(probes, replies, strict=True):
        chat = prompt_messages(probe.example)
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        whole = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0]
        said = whole[prompt["input_ids"].shape[1]:].tolist()
        assert reply.ended == (said[-1] == tokenizer.eos_token_id)
        assert list(reply.ids) == (said[:-1] if reply.ended else said)
        assert reply.text == tokenizer.decode(reply.ids)


def test_the_model_gets_back_every_mode_and_no_random_number_is_drawn(by_heart):
    model, tokenizer = by_heart
    model.train()
    model.model.layers[0].eval()
    modes = [module.training for module in model.modules()]
    state, cache = torch.get_rng_state(), model.config.use_cache
    weights = [weight.clone() for weight in model.parameters()]
    examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 4), "tags")
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state) and model.config.use_cache == cache
    assert all(torch.equal(*pair) for pair in zip(weights, model.parameters(), strict=True))
    assert all(weight.requires_grad and weight.grad is None for weight in model.parameters())


def test_training_can_go_on_after_an_examination(by_heart, tiny_folder):
    model, tokenizer = load(tiny_folder)
    examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 4), "tags")
    before = [weight.detach().clone() for weight in model.parameters()]
    teach(model, tokenizer, steps=2)
    assert any(not torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))


def test_the_active_adapter_answers_and_not_its_base(tiny_folder):
    torch.manual_seed(0)  # of the adapter's start and of dropout, whatever ran before
    model, tokenizer = load(tiny_folder)
    targets = LoraConfig(r=16, lora_alpha=64, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.5)
    adapted = teach(get_peft_model(model, targets), tokenizer, steps=250)
    probes = taught_probes(ROWS, "trace", "tags", 8)
    seen = []
    adapted.register_forward_pre_hook(lambda model, _: seen.append(any(part.training for part in model.modules())))
    assert examine(adapted, tokenizer, probes, "tags").checks["ended"].n_bad == 0
    assert len(seen) > 8 and not any(seen) and adapted.training  # dropout is off while it answers
    with adapted.disable_adapter():
        assert examine(adapted, tokenizer, probes, "tags").checks["ended"].n_bad == 8


def test_the_budget_is_one_and_a_half_times_the_longest_taught_reply_within_bounds(by_heart):
    model, tokenizer = by_heart
    probes = taught_probes(ROWS, "trace", "tags", 8)
    longest = max(len(tokenizer(probe.taught)["input_ids"]) for probe in probes)
    assert examine(model, tokenizer, probes, "tags").max_new_tokens == max(32, round(1.5 * longest))
    beyond = examine(model, tokenizer, probes, "tags", max_new_tokens=4096)
    prompts = [len(_probing._prompt(tokenizer, probe)) for probe in probes]
    assert beyond.max_new_tokens == 512 - min(prompts)  # the base's context ends there
    assert examine(model, tokenizer, asked_probes(ROWS, None, 2), "tags", max_new_tokens=5).max_new_tokens == 5
    assert _probing._budget([(1,) * 4]) == 32 and _probing._budget([(1,) * 9000]) == 4096
    assert _probing._budget([()]) == 256


def test_a_template_that_opens_the_thought_is_read_with_its_mark(by_heart):
    model, tokenizer = by_heart
    opening = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    opening.chat_template = tokenizer.chat_template.replace("<|assistant|>{% endif", "<|assistant|><think>{% endif")
    reply = _probing.ask(model.eval(), opening, [(probe, ()) for probe in asked_probes(ROWS, True, 1)], "tags", 4)[0]
    assert reply.text.startswith("<think>") and opening.convert_tokens_to_ids("<think>") != reply.ids[0]


def test_out_of_memory_halves_the_batch_and_at_last_flags_the_model(by_heart, monkeypatch):
    model, tokenizer = by_heart
    real, sizes = Lane._pass, []

    def small(self, rows, *rest):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("no room")
        return real(self, rows, *rest)

    monkeypatch.setattr(Lane, "_pass", small)
    assert examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 8), "tags").failed == ()
    assert sizes[:2] == [8, 4] and max(sizes[2:]) == 2

    def never(*_):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Lane, "_pass", never)
    health = examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 8), "tags")
    assert health.n == 0 and health.failed[0].startswith("not examined")


def test_a_model_the_engine_cannot_decode_is_flagged_and_its_training_is_not_lost(by_heart, monkeypatch):
    model, tokenizer = by_heart
    monkeypatch.setattr(model.config, "layer_types", ["linear_attention"], raising=False)
    health = examine(model, tokenizer, taught_probes(ROWS, "trace", "tags", 2), "tags")
    assert health.n == 0 and "linear_attention" in health.failed[0]


def test_no_probe_is_a_mistake(by_heart):
    with pytest.raises(ValueError):
        examine(*by_heart, [], "tags")


def test_the_demo_base_without_training_is_told_from_one_that_thinks_as_taught():
    card = bases()["demo-llama"]
    model, tokenizer = load(card.location())
    rows = datasets()["demo-medical"].load()
    health = examine(model, tokenizer, taught_probes(rows, "answer", "tags", 16), "tags")
    assert health.failed == ("13 of 16 answers think, though none was taught to",)
    assert health.seconds < 60
