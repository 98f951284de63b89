"""What reinforcement learning asks, what it holds out, and what its settings refuse."""

from __future__ import annotations

import pytest

from lab.core.context import MemoryContext
from lab.core.errors import LabError, SpecError
from lab.data.dataset import datasets
from lab.training.rl_questions import of_step
from lab.training.rl_specs import PpoSpec
from tests.training.ppo_runs import ready, sampled, spec
from tests.training.tiny import data, sums


def test_every_question_is_asked_once_a_pass_and_held_out_ones_never(tiny, tmp_path):
    run = ready(spec(n_eval_prompts=200), MemoryContext(tmp_path))
    held_out = {question.example.id for question in run.questions.held_out}
    assert len(held_out) == 9 and len(run.questions.trained) == 87  # a tenth of 96
    asked = [q.example.id for step in range(1, 12) for q in of_step(run.questions.trained, run.spec, step)]
    assert len(set(asked[:87])) == 87 and not held_out & set(asked)
    other = ready(spec(n_eval_prompts=200, seed=1), MemoryContext(tmp_path))
    assert {question.example.id for question in other.questions.held_out} == held_out
    assert [q.example.id for q in of_step(other.questions.trained, other.spec, 1)] != asked[:8]


def test_samples_of_one_question_stand_side_by_side(tiny, tmp_path):
    run = ready(spec(samples_per_prompt=4), MemoryContext(tmp_path))
    ids = [question.example.id for question in of_step(run.questions.trained, run.spec, 1)]
    assert ids[:4] == [ids[0]] * 4 and ids[4:] == [ids[4]] * 4 and ids[0] != ids[4]
    rollouts, _ = sampled(run)
    assert len({tuple(row) for row in rollouts.tokens[:4].tolist()}) > 1


def test_questions_that_cannot_be_asked_are_counted_or_refused(tiny, tmp_path, monkeypatch):
    rows = sums(20)
    rows[3] = rows[3].model_copy(update={"gold": "not known"})
    rows[4] = rows[4].model_copy(update={"question": "What is " + "1 plus " * 200})
    monkeypatch.setitem(datasets(), "sums", data("sums", rows))
    run = ready(spec(), MemoryContext(tmp_path))
    assert (run.questions.n_unverifiable, run.questions.n_too_long) == (1, 1)
    monkeypatch.setitem(datasets(), "sums", data("sums", rows[3:5]))
    with pytest.raises(LabError, match="none of the 2 questions of 'sums' can be asked: 1 without"):
        ready(spec(), MemoryContext(tmp_path))


def test_what_contradicts_itself_is_a_fault(tiny):
    with pytest.raises(SpecError) as caught:
        spec(lora_dropout=0.1, gpus=2, reward_wrong=2, max_new_tokens=500)
    assert {fault.field for fault in caught.value.faults} == {"lora_dropout", "gpus", "reward_wrong", "max_new_tokens"}
    for field, value in {"n_minibatches": 3, "samples_per_prompt": 3}.items():
        with pytest.raises(SpecError, match=f"{field}: should divide batch_size 8"):
            spec(**{field: value})


def test_a_variant_is_named_after_what_it_began_from():
    assert spec_name(start="variant:demo_trace_s0") == "demo_trace_s0_ppo_demo-medical_s3"
    assert spec_name() == "demo-llama_ppo_demo-medical_s3"
    assert spec_name(name="mine") == "mine"


def spec_name(**values) -> str:
    return PpoSpec(base="demo-llama", dataset="demo-medical", seed=3, **values).variant_name()
