"""Test-time training on a tiny real model: the loss falls, and not a bit of it stays."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.dataset import Dataset, datasets
from lab.engine import _adapting, _adapting_steps
from lab.engine._adapting import QuestionAdapter
from lab.engine._stacking import Stack
from lab.engine._weight_proof import WeightProof, WeightsChanged
from lab.engine.adapt import Adaptation
from lab.engine.protocol import ChatRequest
from lab.engine.retrieving import Subject, taught_row
from tests.engine.tiny import make_tokenizer

QUESTION = "what is 9+8, please?"


def rows():
    words = [Example(id=f"{a}-{b}", question=f"{a}+{b}?", trace=f"{a}+{b}={a + b}", answer=f"Answer: {a + b}",
                     gold=str(a + b)) for a in range(2, 9) for b in range(2, 9)]
    return [*words, Example(id="itself", question="What is 9 + 8?", trace="17", answer="Answer: 17", gold="17")]


@pytest.fixture
def lab(tiny, tmp_path, monkeypatch):
    """(adapter, model, stack) of the tiny base with the variant 'm.trace' on it."""
    monkeypatch.setitem(datasets(), "sums", Dataset("sums", "Sums", "", "here", "none", rows))
    card, sources = tiny
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(card.location()).eval().requires_grad_(False)
    stack, tokenizer = Stack(model), make_tokenizer()
    stack.add("trace", Path(sources["m.trace"].folder))

    def subject(label):
        return Subject(model, stack, tokenizer, ("trace",) if label == "m.trace" else (), "tags", card.context_tokens)

    return QuestionAdapter(subject, tmp_path), model, stack


def request(label="tiny", **values):
    adapt = Adaptation(**({"mode": "nearest", "dataset": "sums", "steps": 4, "learning_rate": 5e-3} | values))
    return ChatRequest(label, [{"role": "user", "content": QUESTION}], adapt=adapt)


@torch.no_grad()
def logits(model, stack, *names):
    ids = make_tokenizer()(QUESTION, return_tensors="pt")["input_ids"]
    with stack.routed([names]):
        return model(input_ids=ids).logits


FULL = {"scope": "full", "learning_rate": 1e-3}


@pytest.mark.parametrize("label", ["tiny", "m.trace"])
@pytest.mark.parametrize("settings", [{}, FULL, {"loss_on": "all", "neighbours": 3}])
def test_the_loss_falls_and_every_logit_is_the_same_afterwards(lab, label, settings):
    adapter, model, stack = lab
    before = [logits(model, stack), logits(model, stack, "trace")]
    prepared = adapter.prepare(request(label, **settings))
    with adapter.adapted(prepared) as adapted:
        assert adapted.report.loss_after < adapted.report.loss_before
        own = ("trace",) if label == "m.trace" else ()
        assert not torch.equal(logits(model, stack, *adapted.names), before[len(own)])
        if settings.get("scope") != "full":  # others that decode meanwhile are not touched
            assert torch.equal(logits(model, stack), before[0])
            assert torch.equal(logits(model, stack, "trace"), before[1])
    assert torch.equal(logits(model, stack), before[0]) and torch.equal(logits(model, stack, "trace"), before[1])
    report = adapter.drop(adapted)
    assert report.proof == "sha256" and report.weights_sha256 == WeightProof(model).sha256 == adapter.verify()[0]
    assert stack.names() == ["trace"] and not any(p.requires_grad or p.grad is not None for p in model.parameters())


def test_training_in_full_says_how_many_weights_it_changed(lab):
    adapter, *_ = lab
    with adapter.adapted(adapter.prepare(request(**FULL))) as adapted:
        assert 0.3 < adapted.report.changed_frac <= 1
    with adapter.adapted(adapter.prepare(request())) as adapted:
        assert adapted.report.changed_frac is None


@pytest.mark.parametrize("settings", [{}, FULL])
def test_an_error_in_the_second_step_leaves_nothing_behind(lab, settings, monkeypatch):
    adapter, model, stack = lab
    before, step, calls = WeightProof(model), torch.optim.Adam.step, []

    def failing(self, *args, **kwargs):
        calls.append(step(self, *args, **kwargs))
        if len(calls) == 2:
            raise RuntimeError("the power went")

    monkeypatch.setattr(torch.optim.Adam, "step", failing)
    same = logits(model, stack, "trace")
    prepared = adapter.prepare(request("m.trace", **settings))
    with pytest.raises(RuntimeError, match="the power went"):
        adapter.train(prepared)
    assert before.whole() and torch.equal(logits(model, stack, "trace"), same) and stack.names() == ["trace"]
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    monkeypatch.undo()


@pytest.mark.parametrize("settings", [{}, FULL])
def test_an_error_while_it_answers_leaves_nothing_behind(lab, settings):
    adapter, model, stack = lab
    before = WeightProof(model)
    with pytest.raises(ZeroDivisionError), adapter.adapted(adapter.prepare(request(**settings))):
        raise ZeroDivisionError
    assert before.whole() and stack.names() == ["trace"]


def test_a_full_adaptation_that_nobody_dropped_is_undone_before_the_next(lab):
    adapter, model, _ = lab
    sha = WeightProof(model).sha256
    adapter.train(adapter.prepare(request(**FULL)))
    with adapter.adapted(adapter.prepare(request())) as adapted:
        assert adapted.report.weights_sha256 == sha
    assert adapter.verify() == (sha,)


def test_weights_that_changed_make_the_adapter_refuse_until_the_model_is_read_again(lab, monkeypatch):
    adapter, model, _ = lab
    adapted = adapter.train(adapter.prepare(request()))
    with torch.no_grad():
        model.model.norm.weight += 1e-3
    with pytest.raises(WeightsChanged, match="read from its files again"):
        adapter.drop(adapted)
    for use in (adapter.check, adapter.verify, lambda: adapter.prepare(request())):
        with pytest.raises(WeightsChanged):
            use()
    adapter.forget()
    adapter.check()


def test_a_restoration_that_fails_makes_the_adapter_refuse(lab, monkeypatch):
    adapter, model, _ = lab
    adapted = adapter.train(adapter.prepare(request(**FULL)))
    monkeypatch.setattr(torch.Tensor, "copy_", lambda *_: (_ for _ in ()).throw(RuntimeError("device lost")))
    with pytest.raises(WeightsChanged, match="device lost"):
        adapter.drop(adapted)
    monkeypatch.undo()
    with pytest.raises(WeightsChanged, match="could not be put back"):
        adapter.check()


def test_the_quick_proof_sees_a_write_that_pytorch_does_not_count(lab):
    _, model, _ = lab
    proof = WeightProof(model)
    proof.quick()
    model.model.norm.weight.numpy()[0] += 1  # shares the memory; `_version` stays
    with pytest.raises(WeightsChanged):
        proof.quick()


def test_a_large_model_is_hashed_now_and_then_and_checked_each_time(lab, monkeypatch):
    adapter, *_ = lab
    monkeypatch.setattr(_adapting, "HASHED_EACH_TIME", 0)
    monkeypatch.setattr(_adapting, "HASH_EVERY", 2)
    proofs = [adapter.drop(adapter.train(adapter.prepare(request()))).proof for _ in range(4)]
    assert proofs == ["checksum", "sha256", "checksum", "sha256"]


def test_the_controls_do_what_they_say(lab):
    adapter, *_ = lab
    nearest, random, context = (adapter.prepare(request(mode=mode, neighbours=2)) for mode in
                                ("nearest", "random", "context"))
    assert nearest.trains and random.trains and not context.trains
    ids = {mode: [one.id for one in prepared.report.neighbours] for mode, prepared in
           (("nearest", nearest), ("random", random), ("context", context))}
    assert ids["nearest"] == ids["context"] != ids["random"]
    assert all(prepared.report.n_excluded == 1 for prepared in (nearest, random, context))
    assert not any("itself" in found for found in ids.values())
    asked = list(nearest.messages)
    assert asked == list(random.messages) == [{"role": "user", "content": QUESTION}]
    roles = [message["role"] for message in context.messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"] and context.messages[-1] == asked[0]
    assert context.messages[2]["content"] == context.report.neighbours[0].question  # the nearest stands last
    assert context.messages[3]["content"].startswith("<think>\n")


def test_random_examples_depend_on_the_seed_and_the_question_alone(lab):
    adapter, *_ = lab

    def ids(seed):
        return [one.id for one in adapter.prepare(request(mode="random", neighbours=3, seed=seed)).report.neighbours]

    assert ids(1) == ids(1) and len({tuple(ids(seed)) for seed in range(5)}) > 1


def test_only_the_reply_is_taught_unless_all_is_wanted(lab):
    adapter, *_ = lab
    reply, everything = (adapter.prepare(request(loss_on=what)).rows[0] for what in ("completion", "all"))
    text = make_tokenizer().decode(list(reply.ids[reply.first :]))
    assert text.startswith("<think>") and text.endswith("<|end|>") and everything.first == 1
    assert reply.ids == everything.ids


def test_an_example_is_written_as_fine_tuning_writes_it(lab):
    from lab.training.rows import render

    prepared = lab[0].prepare(request())
    example = next(row for row in rows() if row.id == prepared.report.neighbours[0].id)
    prompts, completions = render([example], make_tokenizer(), "trace", "tags")
    assert make_tokenizer().decode(list(prepared.rows[0].ids)) == prompts[0] + completions[0]


def test_an_example_that_the_model_has_no_room_for_is_cut_or_told(lab):
    adapter, *_ = lab
    whole = adapter.prepare(request()).rows[0]
    subject, one = adapter._subject_of("tiny"), adapter.prepare(request()).report.neighbours[0]
    cut = taught_row(replace(subject, context_tokens=whole.first + 3), one, "completion")
    assert cut.ids == whole.ids[: whole.first + 3] and cut.n_taught == 3
    with pytest.raises(LabError, match="no token of its reply could be taught"):
        taught_row(replace(subject, context_tokens=whole.first), one, "completion")


def test_two_questions_are_adapted_to_at_once_and_answer_as_each_would_alone(lab):
    adapter, model, stack = lab
    one, two = adapter.prepare(request()), adapter.prepare(request("m.trace", mode="random"))
    with adapter.adapted(one) as adapted:
        alone = logits(model, stack, *adapted.names)
    first, second = adapter.train(one), adapter.train(two)
    ids = make_tokenizer()(QUESTION, return_tensors="pt")["input_ids"].repeat(3, 1)
    with torch.no_grad(), stack.routed([first.names, second.names, ()]):
        together = model(input_ids=ids).logits
    torch.testing.assert_close(together[0], alone[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(together[2], logits(model, stack)[0], rtol=1e-4, atol=1e-4)
    adapter.drop(first)
    assert adapter.drop(second).proof == "sha256"


@pytest.mark.parametrize("settings, words", [
    ({"dataset": ""}, "needs a mode and a dataset"),
    ({"dataset": "nowhere"}, "unknown dataset 'nowhere'"),
    ({"neighbours": 16, "dataset": "three"}, "16 examples are wanted, but the dataset has 3"),
])
def test_what_cannot_be_done_is_a_plain_sentence(lab, settings, words, monkeypatch):
    monkeypatch.setitem(datasets(), "three", Dataset("three", "Three", "", "here", "none", lambda: rows()[:3]))
    with pytest.raises(LabError, match=words):
        lab[0].prepare(request(**settings))


@pytest.mark.parametrize("settings", [{}, FULL])
def test_a_loss_that_is_no_number_is_told_and_undone(lab, settings, monkeypatch):
    adapter, model, stack = lab
    before, prepared = WeightProof(model), adapter.prepare(request(**settings))
    monkeypatch.setattr(_adapting_steps, "cross_entropy", lambda scores, *_, **__: scores.sum() * float("nan"))
    with pytest.raises(LabError, match="lower the learning rate"):
        adapter.train(prepared)
    assert before.whole() and stack.names() == ["trace"]


def test_a_raw_text_has_no_question_to_adapt_to(lab):
    raw = ChatRequest("tiny", prompt="2+2=", adapt=request().adapt)
    with pytest.raises(LabError, match="a chat with a user's message"):
        lab[0].prepare(raw)
