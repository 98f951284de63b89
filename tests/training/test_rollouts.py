"""Rollouts of PPO: what is sampled is what transformers would sample, and does not depend on the batch."""

from __future__ import annotations

from dataclasses import replace

import torch

from lab.core.context import MemoryContext
from lab.training._rollouts import choose, roll_out
from tests.training.ppo_runs import ready, sampled, spec


def test_a_token_is_where_its_draw_falls_in_the_cumulated_probabilities():
    logits = torch.tensor([[1.0, 2.0, 5.0]]).log().expand(6, 3)  # shares 1/8, 2/8, 5/8: bounds 0.125 and 0.375
    draws = torch.tensor([0.0, 0.124, 0.126, 0.374, 0.376, 0.999], dtype=torch.float64)
    assert choose(logits, 1.0, draws).tolist() == [0, 0, 1, 1, 2, 2]
    # Temperature 0.5 squares the weights: 1, 4, 25 of 30, bounds 0.033 and 0.167.
    assert choose(logits, 0.5, draws).tolist() == [0, 1, 1, 2, 2, 2]
    assert choose(logits, 0.0, draws).tolist() == [2] * 6
    never = torch.tensor([[-float("inf"), 0.0, -float("inf")]]).expand(6, 3)
    assert choose(never, 1.0, draws).tolist() == [1] * 6


def test_greedy_rollouts_are_those_of_transformers_generate(tiny, tmp_path):
    run = ready(spec(method="full"), MemoryContext(tmp_path))
    prompts = [question.prompt for question in run.questions.trained[:6]] + [run.questions.trained[6].prompt[3:]]
    found = roll_out(run.policy.model, prompts, replace(run.sampling, temperature=0.0), seed=0)
    assert len({len(prompt) for prompt in prompts}) > 1  # padding counts
    for row, prompt in enumerate(prompts):
        whole = run.policy.model.generate(
            torch.tensor([prompt]), max_new_tokens=16, do_sample=False, eos_token_id=list(run.sampling.end_ids),
            pad_token_id=run.sampling.pad_id,
        )
        assert found.tokens[row][found.mask[row]].tolist() == whole[0, len(prompt):].tolist()


def test_what_a_row_samples_depends_neither_on_its_neighbours_nor_on_the_batch(tiny, tmp_path):
    run = ready(spec(), MemoryContext(tmp_path))
    prompts = [question.prompt for question in run.questions.trained[:8]]
    together = roll_out(run.policy.model, prompts, replace(run.sampling, rows_at_once=8), seed=5)
    apart = roll_out(run.policy.model, prompts, replace(run.sampling, rows_at_once=3), seed=5)
    assert torch.equal(together.tokens, apart.tokens) and torch.equal(together.mask, apart.mask)
    other = roll_out(run.policy.model, prompts, run.sampling, seed=6)
    assert other.tokens.shape != together.tokens.shape or not torch.equal(together.tokens, other.tokens)


def test_a_completion_ends_with_its_end_of_sequence_or_is_cut(tiny, tmp_path):
    run = ready(spec(batch_size=32, max_new_tokens=40), MemoryContext(tmp_path))
    rollouts, _ = sampled(run)
    assert 0 < sum(rollouts.ended) < 32
    for tokens, mask, ended in zip(rollouts.tokens, rollouts.mask, rollouts.ended, strict=True):
        real = tokens[mask].tolist()
        assert ended is (real[-1] in run.sampling.end_ids)
        assert not run.sampling.end_ids & set(real[:-1])
        assert ended or len(real) == 40
